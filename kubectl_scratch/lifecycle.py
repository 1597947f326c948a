"""The copy's life: created with its lease, kept alive, always deleted."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from types import TracebackType
from typing import NamedTuple

from kubectl_scratch import cluster as api
from kubectl_scratch import lease
from kubectl_scratch.cluster import Answer, Cluster
from kubectl_scratch.console import Console
from kubectl_scratch.errors import ClusterError, LeftoverCopy
from kubectl_scratch.heartbeat import Heartbeat
from kubectl_scratch.interrupts import Interrupts
from kubectl_scratch.parallel import Task
from kubectl_scratch.plan import Place, Plan
from kubectl_scratch.podcopy import GRACE_SECONDS
from kubectl_scratch.podjson import (
    Json,
    name,
    uid,
)
from kubectl_scratch.request import duration_words
from kubectl_scratch.seedcheck import Ours, created
from kubectl_scratch.views import APP, TOOLS

TRIES = 3
EXIT_TIMEOUT = 5.0
# When the debug container is added beside a session that begins late, and after the beginning.
BESIDE_AT_THE_LATEST, PROMPT_SECONDS = 5.0, 0.3
# After which pause it is tried again.
ADD_AGAIN_SECONDS = 0.5
# After this, in seconds, nothing is tried again: the lease does the rest.
EXIT_SECONDS = 8.0
# 404: somebody was quicker. 409: the name is another object's by now.
GONE = (404, 409)
# By a right that lacks, by admission; 400: a webhook that gives its refusal no code.
REFUSED = (400, 403, 422)


class Terms(NamedTuple):
    """For how long a copy may outlive us, in seconds: its lease, or a deadline without one."""

    ttl: float
    deadline: float


class Surroundings(NamedTuple):
    """What a copy's life needs of the process and of the cluster."""

    cluster: Cluster
    interrupts: Interrupts
    console: Console


class LivingCopy:
    """Hold a seat in a copy; who leaves as the last deletes the copy and its lease, once.

    A signal is acted on between two steps and never inside one, so that whatever the cluster
    has created is known here. What could not be deleted is in ``leftover``. ``learning`` is the
    pod of a learning run, ``unlearned`` why there is none though there should be. ``seed`` is
    the ConfigMap by which the tools come, if there is one.
    """

    def __init__(
        self, place: Place, session_id: str, terms: Terms, surroundings: Surroundings
    ) -> None:
        self.place = place
        self.leftover: LeftoverCopy | None = None
        self.learning = ""
        self.unlearned = ""
        self.seed: Ours | None = None
        self._session_id = session_id
        self._terms = terms
        self._cluster = surroundings.cluster
        self._interrupts = surroundings.interrupts
        self._console = surroundings.console
        # Paths and UIDs, in the order of their creation; an empty UID is not known.
        self._objects: list[tuple[str, str]] = []
        self._heartbeat: Heartbeat | None = None
        self._leased = True
        self._seated = False
        self._give_up_at = 0.0

    def __enter__(self) -> LivingCopy:
        try:
            self._begin()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    def session_begins(self) -> None:
        """Note that the session begins, and no longer waits for the node."""

    def beside(self) -> Place | None:
        """Return where a session in the debug container stands, None where there is none."""
        return self.place._replace(view=TOOLS) if self.place.debug_container else None

    @property
    def deadline(self) -> float | None:
        """Return after how many seconds a copy without a lease ends."""
        return None if self._leased else self._terms.deadline

    def _begin(self) -> None:
        raise NotImplementedError

    def _start_heartbeat(self, job: Json) -> None:
        self._seated = True
        tell, ttl = self._console.warning, self._terms.ttl
        self._heartbeat = Heartbeat(self._cluster, job, self._session_id, ttl, tell)
        self._heartbeat.start()

    def _leave(self) -> None:
        self._interrupts.close()
        self._give_up_at = time.monotonic() + EXIT_SECONDS
        if self._heartbeat is not None:
            self._heartbeat.stop()
        if self._objects:
            self._console.progress("leaving the copy", log=False)
            try:
                self._leave_the_copy()
            except ClusterError as error:
                # Somebody may be left in it, so it must not be deleted.
                why = {path: error.message for path, _ in self._objects}
                self.leftover = self._describe_leftover(why)
        self._console.settle()

    def _leave_the_copy(self) -> None:
        """Delete the copy, unless sessions remain; raises ClusterError where none can tell."""
        lease_now = self._give_seat_back() if self._seated else None
        others = lease.sessions_in(lease_now.body, lease_now.at) if lease_now else 0
        if others:
            self._console.info(f"the copy stays: other sessions in it: {others}")
            self._stop_learning()
        else:
            self._remove()

    def _stop_learning(self) -> None:
        """Delete the pod of a learning run, which nobody watches any more."""
        for path, own in self._objects:
            if self.learning and path.endswith(f"/{self.learning}"):
                self._delete(path, own)

    def _give_seat_back(self) -> Answer | None:
        """Return the lease without our seat; the cluster's order of these patches decides.

        None where it is gone. Raises ClusterError where that can't be known.
        """
        path, own = self._objects[0]
        patch = lease.leaving(own, self._session_id)
        try:
            return self._again(lambda: self._cluster.patch(path, patch, timeout=EXIT_TIMEOUT))
        except ClusterError as error:
            if error.status in GONE:
                return None
            if error.transient:
                raise
            # Our own seat can't be given back, so it counts for nothing.
            answer = self._again(lambda: self._cluster.get(path))
            answer.body["metadata"].get("annotations", {}).pop(lease.seat_of(self._session_id), "")
            return answer

    def _again(self, ask: Callable[[], Answer]) -> Answer:
        """Ask, and again after a hiccup; raises the last ClusterError."""
        for again in range(1, TRIES):
            try:
                return ask()
            except ClusterError as error:
                late = time.monotonic() > self._give_up_at or self._interrupts.impatient
                if late or not error.transient:
                    raise
                self._console.progress(f"leaving the copy: {error.message}; trying again")
                time.sleep(0.5 * again)
        return ask()

    def _remove(self) -> None:
        troubles = {path: self._delete(path, own) for path, own in reversed(self._objects)}
        self._objects.clear()
        left = {path: why for path, why in troubles.items() if why}
        if left:
            self.leftover = self._describe_leftover(left)

    def _delete(self, path: str, own: str) -> str:
        """Delete one object; return why it could not be, or nothing."""
        if not own:
            return "the cluster did not answer whether it was created"
        try:
            self._again(lambda: self._cluster.delete(path, own, GRACE_SECONDS, EXIT_TIMEOUT))
        except ClusterError as error:
            return "" if error.status in GONE else error.message
        return ""

    def _describe_leftover(self, left: dict[str, str]) -> LeftoverCopy:
        """Name what is left: paths of objects, and why each could not be deleted."""
        what = " ".join(map(_kind_and_name, left))
        if self._leased:
            otherwise = f"its lease removes it within {duration_words(self._terms.ttl)}"
        else:
            lasts = duration_words(self._terms.deadline)
            otherwise = f"it stops after {lasts}, and its object stays"
        words = ["kubectl", "delete", *self._cluster.access.flags]
        words += ["-n", self.place.namespace, "--now", *what.split()]
        return LeftoverCopy(shlex.join(words), next(iter(left.values())), otherwise)


class CreatedCopy(LivingCopy):
    """Create the copy with its lease, the seed, and the pod of a learning run."""

    def __init__(self, plan: Plan, terms: Terms, surroundings: Surroundings) -> None:
        super().__init__(plan.place, plan.session_id, terms, surroundings)
        self._plan = plan
        self._begun, self._over = threading.Event(), threading.Event()
        self._adding: Task[None] | None = None

    def _begin(self) -> None:
        job = self._create_lease()
        self._interrupts.check()
        if job is None:
            owner = owned_by_pod(self._create_copy(None))
            self._tell_of_the_deadline()
            self._create_seed(owner)
        else:
            owner = lease.owner_reference(job)
            # Not beside each other: the kubelet asks for it as soon as it has seen the copy.
            self._create_seed(owner)
            self._interrupts.check()
            self._create_copy(job)
        self._interrupts.check()
        if self.place.view == TOOLS:
            self._patch_in_the_first_that_is_accepted()
            self._interrupts.check()
        self._create_learning_pod(owner)
        self._interrupts.check()
        if self.place.view == APP and self.place.debug_container:
            self._adding = Task(self._add_debug_container)

    def session_begins(self) -> None:
        """Let the debug container be added: from now on its start delays nobody."""
        self._begun.set()

    def beside(self) -> Place | None:
        """Return where a session in the debug container stands, None where there is none."""
        if self._adding is not None:
            self._adding.result()
        return super().beside()

    def _leave(self) -> None:
        self._over.set()
        self._begun.set()
        super()._leave()

    def _tell_of_the_deadline(self) -> None:
        self._console.warning(
            "you may not create Jobs, so the copy has no lease: it ends after"
            f" {duration_words(self._terms.deadline)} in any case, and its object stays if this"
            " process is killed"
        )

    def _create_lease(self) -> Json | None:
        """Create the lease; return None where the user may not, and say what that weakens."""
        try:
            job = self._create(api.jobs(self.place.namespace), self._plan.lease)
        except ClusterError as error:
            if error.status != 403 or self._cluster.may(
                "create", "batch", "jobs", self.place.namespace
            ):
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
        if self.seed is not None:
            # For a later session, which can't know it otherwise.
            copy["metadata"].setdefault("annotations", {})[lease.SEED_ANNOTATION] = self.seed.uid
        return self._create(api.pods(self.place.namespace), copy)

    def _create_seed(self, owner: Json) -> None:
        """Create the ConfigMap; the garbage collector deletes it with its owner."""
        if self._plan.seed is not None:
            seed, namespace = self._plan.seed, self.place.namespace
            made = self._cluster.create(api.config_maps(namespace), with_owner(seed, owner)).body
            own = api.config_maps(namespace, name(seed))
            self.seed = created(made, own, seed["binaryData"]["seed"])

    def _create_learning_pod(self, owner: Json) -> None:
        """Create the pod of the learning run; without it the session goes on."""
        if self._plan.learning is None:
            return
        pod = with_owner(self._plan.learning, owner)
        if not self._leased:
            spec = pod["spec"]
            life = min(spec["activeDeadlineSeconds"], int(self._terms.deadline))
            spec["activeDeadlineSeconds"] = life
        try:
            self._create(api.pods(self.place.namespace), pod)
        except ClusterError as error:
            self.unlearned = error.message
        else:
            self.learning = str(pod["metadata"]["name"])

    def _create(self, path: str, manifest: Json) -> Json:
        """Create the object and note it; find out where no answer came."""
        own = f"{path}/{manifest['metadata']['name']}"
        try:
            created = self._cluster.create(path, manifest).body
        except ClusterError as error:
            if error.transient:
                self._note_if_ours(own, manifest)
            raise
        self._objects.append((own, uid(created)))
        return created

    def _note_if_ours(self, path: str, manifest: Json) -> None:
        try:
            found = self._cluster.get(path).body
        except ClusterError as error:
            if error.status == 404:
                return
            # Nothing is known of it: the way out then names it, without a UID to delete it by.
            self._objects.append((path, ""))
            return
        ours = manifest["metadata"]["labels"][lease.SESSION_LABEL]
        if (found["metadata"].get("labels") or {}).get(lease.SESSION_LABEL) == ours:
            self._objects.append((path, uid(found)))

    def _add_debug_container(self) -> None:
        """Add the debug container beside a session inside the target, which can do without."""
        # The node has its hands full with the copy, and then with the session's first prompt.
        self._begun.wait(BESIDE_AT_THE_LATEST)
        if self._over.wait(PROMPT_SECONDS):
            return
        try:
            self._patch_in_the_first_that_is_accepted()
        except ClusterError as error:
            self.place = self.place._replace(debug_container="")
            if not self._over.is_set():
                self._console.warning(f"there is no debug container beside: {error.message}")

    def _patch_in_the_first_that_is_accepted(self) -> None:
        path = api.pods(self.place.namespace, self.place.copy_name, "ephemeralcontainers")
        *stronger, last = [choice.container for choice in self._plan.choices]
        for container in stronger:
            try:
                self._patch_in(path, container)
                return
            except ClusterError as error:
                if error.status not in REFUSED:
                    raise
                if self.place.view == TOOLS:
                    self._interrupts.check()
        self._patch_in(path, last)

    def _patch_in(self, path: str, container: Json) -> None:
        patch = {"spec": {"ephemeralContainers": [container]}}
        for _ in range(1, TRIES):
            try:
                self._cluster.patch(path, patch, api.STRATEGIC_PATCH)
                return
            except ClusterError as error:
                # The same once more changes nothing, if it was done without an answer.
                if not error.transient or self._over.wait(ADD_AGAIN_SECONDS):
                    raise
        self._cluster.patch(path, patch, api.STRATEGIC_PATCH)


def _kind_and_name(path: str) -> str:
    kind, name_of_it = path.split("/")[-2:]
    return f"{kind.removesuffix('s')}/{name_of_it}"


def with_owner(manifest: Json, owner: Json) -> Json:
    """Return the manifest with its owner, whose end is its own."""
    owned = deepcopy(manifest)
    owned["metadata"]["ownerReferences"] = [owner]
    return owned


def owned_by_pod(pod: Json) -> Json:
    """Return the reference to a pod as an owner, where there is no lease."""
    return {"apiVersion": "v1", "kind": "Pod", "name": name(pod), "uid": uid(pod)}
