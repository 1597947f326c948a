"""Create a copy with what belongs to it: lease, seed, debug container, entrypoint discovery."""

from __future__ import annotations

import math
import threading
from copy import deepcopy

from kubectl_scratch.copies.add_container import add_first_accepted, patch_in
from kubectl_scratch.copies.created_object import (
    JOB,
    POD,
    CreatedObject,
    doubt_about,
    problem_of,
    uid_of_created,
)
from kubectl_scratch.copies.membership import CopyMembership, CopyTerms
from kubectl_scratch.copies.seed_check import mark_of_created
from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube import paths
from kubectl_scratch.kube.client import Client
from kubectl_scratch.kube.kinds import Kind
from kubectl_scratch.kube.objects import Json, name, uid
from kubectl_scratch.kube.retry import retried
from kubectl_scratch.plan import lease, metadata
from kubectl_scratch.plan.debug_container import Candidate
from kubectl_scratch.plan.model import APP, TOOLS, Plan, SessionTarget
from kubectl_scratch.runtime.console import Console
from kubectl_scratch.runtime.durations import duration_words
from kubectl_scratch.runtime.interrupts import Interrupts
from kubectl_scratch.runtime.tasks import Task

# When the debug container is added beside a session that begins late, and after the beginning.
BESIDE_AT_THE_LATEST, PROMPT_SECONDS = 5.0, 0.3
# After which pauses it is tried again.
ADD_PAUSES = (0.5, 0.5)


class CreatedCopy(CopyMembership):
    """Create the copy with its lease, the seed, and the pod of an entrypoint discovery."""

    def __init__(
        self,
        plan: Plan,
        terms: CopyTerms,
        cluster: Client,
        interrupts: Interrupts,
        console: Console,
    ) -> None:
        super().__init__(plan.place, plan.place.session_id, terms, cluster, interrupts, console)
        self._plan = plan
        self._begun, self._over = threading.Event(), threading.Event()
        self._adding: Task[None] | None = None

    def _begin(self) -> None:
        job = self._create_lease()
        self._interrupts.check()
        if job is None:
            owner = owned_by_pod(self._create_copy(None))
            self._console.warning(
                "no permission to create Jobs, so there is no lease: the copy stops after"
                f" {duration_words(self._terms.deadline)}, but its object stays if this process is"
                " killed"
            )
            self._create_seed(owner)
        else:
            owner = lease.owner_reference(job)
            # Not beside each other: the kubelet asks for it as soon as it has seen the copy.
            self._create_seed(owner)
            self._interrupts.check()
            self._create_copy(job)
        self._interrupts.check()
        if self.place.view == TOOLS:
            self._add_debug_container()
            self._interrupts.check()
        self._create_discovery_pod(owner)
        self._interrupts.check()
        if self.place.view == APP and self.place.debug_container:
            self._adding = Task(self._add_debug_container_beside)

    def session_begins(self) -> None:
        """Let the debug container be added: from now on its start delays nobody."""
        self._begun.set()

    def beside(self) -> SessionTarget | None:
        """Return the debug container as the target of a session; None if there is none."""
        if self._adding is not None:
            self._adding.result()
        return super().beside()

    def _leave(self) -> None:
        self._over.set()
        self._begun.set()
        super()._leave()

    def _create_lease(self) -> Json | None:
        """Create the lease; return None if the user has no permission for it."""
        try:
            job = self._create(JOB, self._plan.lease)
        except ClusterError as error:
            if not error.forbidden:
                raise
            # Only a clear answer is a reason to work without a lease.
            may = self._cluster.allows("create", "batch", "jobs", self.place.namespace)
            if may is not False:
                raise
            self._leased = False
            return None
        self._start_heartbeat(job)
        return job

    def _create_copy(self, job: Json | None) -> Json:
        copy = deepcopy(self._plan.copy)
        if job is not None:
            copy["metadata"]["ownerReferences"] = [lease.owner_reference(job)]
        else:
            copy["spec"]["activeDeadlineSeconds"] = int(self._terms.deadline)
        # For a later session, which cannot know it otherwise.
        own = metadata.creator_annotations(self._terms.longest, self.seed and self.seed.uid)
        copy["metadata"].setdefault("annotations", {}).update(own)
        return self._create(POD, copy)

    def _create_seed(self, owner: Json) -> None:
        """Create the ConfigMap; the garbage collector deletes it with its owner."""
        if self._plan.seed is not None:
            seed, namespace = self._plan.seed, self.place.namespace
            made = self._cluster.create(paths.config_maps(namespace), with_owner(seed, owner)).body
            own = paths.config_maps(namespace, name(seed))
            self.seed = mark_of_created(made, own, seed["binaryData"]["seed"])

    def _create_discovery_pod(self, owner: Json) -> None:
        """Create the pod of the entrypoint discovery; without it the session continues."""
        if self._plan.discovery is None:
            return
        pod = with_owner(self._plan.discovery, owner)
        if not self._leased:
            spec = pod["spec"]
            life = min(spec["activeDeadlineSeconds"], int(self._terms.deadline))
            spec["activeDeadlineSeconds"] = life
        try:
            self._create(POD, pod)
        except ClusterError as error:
            self.undiscovered = error.message
        else:
            self.discovery_pod = name(pod)

    def _create(self, kind: Kind, manifest: Json) -> Json:
        """Create the object and note it, or that it is in doubt: the way out looks for it."""
        asked = CreatedObject(kind, self.place.namespace, name(manifest))
        path = paths.objects(kind.root, asked.namespace, kind.plural)
        try:
            created = self._cluster.create(path, manifest).body
            own = uid_of_created(created, manifest)
        except BaseException as error:
            doubt = doubt_about(error, manifest)
            if doubt is not None:
                self._objects.append(asked._replace(doubt=doubt))
            raise
        self._objects.append(asked._replace(uid=own))
        return created

    def _add_debug_container_beside(self) -> None:
        """Add the debug container beside a session inside the target, which works without."""
        # The node is busy with the copy, and then with the session's first prompt.
        self._begun.wait(BESIDE_AT_THE_LATEST)
        if self._over.wait(PROMPT_SECONDS):
            return
        try:
            self._add_debug_container()
        except Exception as error:
            self.place = self.place._replace(debug_container="")
            if not self._over.is_set():
                self._console.warning(f"no debug container beside the target: {problem_of(error)}")

    def _add_debug_container(self) -> None:
        def add(choice: Candidate) -> None:
            if self.place.view == TOOLS:
                self._interrupts.check()
            retried(
                lambda: patch_in(self._cluster, self.place, choice),
                # The kubelet writes to the same object.
                lambda error: error.transient or error.conflict,
                ADD_PAUSES,
                math.inf,
                lambda seconds: not self._over.wait(seconds),
            )

        add_first_accepted(self._plan.choices, add)


def with_owner(manifest: Json, owner: Json) -> Json:
    """Return the manifest with its owner, whose end is its own."""
    owned = deepcopy(manifest)
    owned["metadata"]["ownerReferences"] = [owner]
    return owned


def owned_by_pod(pod: Json) -> Json:
    """Return the reference to a pod as an owner, for a copy without a lease."""
    return {"apiVersion": "v1", "kind": "Pod", "name": name(pod), "uid": uid(pod)}
