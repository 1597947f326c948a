"""The copy's life: created with its lease, kept alive, always deleted."""

from __future__ import annotations

import math
import shlex
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from types import TracebackType
from typing import NamedTuple

from kubectl_scratch.copies import heartbeat
from kubectl_scratch.copies.heartbeat import Heartbeat
from kubectl_scratch.copies.seed_check import SeedMark, mark_of_created
from kubectl_scratch.errors import ClusterError, LeftoverCopy
from kubectl_scratch.kube import client as api
from kubectl_scratch.kube.client import Answer, Client
from kubectl_scratch.kube.objects import Json, is_going, name, uid
from kubectl_scratch.plan import lease, metadata
from kubectl_scratch.plan.model import APP, TOOLS, Plan, SessionTarget
from kubectl_scratch.plan.podcopy.manifest import GRACE_SECONDS
from kubectl_scratch.request import duration_words
from kubectl_scratch.runtime.console import Console
from kubectl_scratch.runtime.interrupts import Interrupts
from kubectl_scratch.runtime.tasks import Task

_TRIES = 3
EXIT_TIMEOUT = 5.0
# When the debug container is added beside a session that begins late, and after the beginning.
BESIDE_AT_THE_LATEST, PROMPT_SECONDS = 5.0, 0.3
# After which pause it is tried again.
ADD_AGAIN_SECONDS = 0.5
# After this, in seconds, nothing is tried again: the lease does the rest.
EXIT_SECONDS = 8.0
BY_ANOTHER = "was deleted by somebody else"
# An answer with which certainly nothing was created; others may come of a proxy that asked twice.
NOT_CREATED = (400, 401, 403, 404, 405, 413, 415, 422, 429)


class CopyTerms(NamedTuple):
    """For how long a copy may outlive us, in seconds: its lease, or a deadline without one.

    ``longest`` is the session's.
    """

    ttl: float
    deadline: float
    longest: float = 0.0


class Surroundings(NamedTuple):
    """What a copy's life needs of the process and of the cluster."""

    cluster: Client
    interrupts: Interrupts
    console: Console


class CopyMembership:
    """Hold a seat in a copy; who leaves as the last deletes the copy and its lease, once.

    A signal is acted on between two steps and never inside one, so that whatever the cluster
    has created is known here. What could not be deleted is in ``leftover``. ``learning`` is the
    pod of a learning run, ``unlearned`` why there is none though there should be. ``seed`` is
    the ConfigMap by which the tools come, if there is one.
    """

    def __init__(
        self, place: SessionTarget, session_id: str, terms: CopyTerms, surroundings: Surroundings
    ) -> None:
        self.place = place
        self.leftover: LeftoverCopy | None = None
        self.learning = ""
        self.unlearned = ""
        self.seed: SeedMark | None = None
        self._session_id = session_id
        self._terms = terms
        self._cluster = surroundings.cluster
        self._interrupts = surroundings.interrupts
        self._console = surroundings.console
        # Paths and UIDs, in the order of their creation; without a UID nobody knows whether it
        # was created.
        self._objects: list[tuple[str, str]] = []
        # Of such the manifest, and whether they are likely to be there.
        self._unsure: dict[str, tuple[Json, bool]] = {}
        self._heartbeat: Heartbeat | None = None
        self._leased = True
        self._seated = False
        self._net = ""
        self._since = heartbeat.now()
        self._give_up_at = 0.0

    def __enter__(self) -> CopyMembership:
        self._since = heartbeat.now()
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

    def beside(self) -> SessionTarget | None:
        """Return where a session in the debug container stands, None where there is none."""
        return self.place._replace(view=TOOLS) if self.place.debug_container else None

    def why_gone(self) -> str:
        """Return why the copy is not there any more, to be said of it."""
        if self._heartbeat is not None and self._heartbeat.is_over:
            lasted = duration_words(self._terms.ttl)
            return f"was removed: its lease of {lasted} was not renewed in time; raise --ttl"
        return BY_ANOTHER

    @property
    def deadline(self) -> float | None:
        """Return after how many seconds a copy without a lease ends."""
        return None if self._leased else self._terms.deadline

    def _begin(self) -> None:
        raise NotImplementedError

    def _start_heartbeat(self, job: Json) -> None:
        self._seated = True
        tell, ttl = self._console.warning, self._terms.ttl
        self._heartbeat = Heartbeat(
            self._cluster, job, self._session_id, ttl, tell, self._since, self._spread_a_net
        )
        self._heartbeat.start()

    def _spread_a_net(self) -> bool:
        """Give the copy a deadline, since its lease does not count down; say so.

        Return False where it is to be tried again, as where there is no copy yet. It is behind
        this session's end and the first one's: a deadline can be set on a pod that runs, and then
        only be made shorter.
        """
        path = api.pods(self.place.namespace, self.place.pod)
        own = dict(self._objects).get(path)
        if not own:
            return False
        why = "the Job of the lease is not completed by any controller, so it ends nothing"
        try:
            self._net = duration_words(self._set_deadline(path, own))
        except Exception as error:
            final = isinstance(error, ClusterError) and not (error.transient or error.conflict)
            has_none = "can't have a deadline" if final else "has no deadline yet"
            said = f"and the copy {has_none} ({_reason(error)}): it stays if"
            # Said once, however often it is tried.
            told, self._net = not final and self._net == "never", "never"
        else:
            said = f"and the copy stops after {self._net} in any case: its object stays if"
            final, told = True, False
        if not told:
            self._console.warning(f"{why}, {said} this process is killed")
        return final

    def _set_deadline(self, path: str, own: str) -> int:
        """Set the copy's deadline, if it has none; return it in seconds from its start."""
        found = self._cluster.get(path)
        known = found.body["spec"].get("activeDeadlineSeconds")
        if known is not None:
            return int(known)
        seconds = lease.age(found.body, found.at)
        longest = max(self._terms.longest, metadata.longest_of(found.body))
        seconds += math.ceil(longest + self._terms.ttl)
        patch = {"metadata": {"uid": own}, "spec": {"activeDeadlineSeconds": seconds}}
        self._cluster.patch(path, patch)
        return seconds

    def _leave(self) -> None:
        self._interrupts.close()
        self._give_up_at = time.monotonic() + EXIT_SECONDS
        if self._heartbeat is not None:
            self._heartbeat.stop()
        if self._objects:
            self._console.progress("leaving the copy", log=False)
            try:
                self._leave_the_copy()
            except Exception as error:
                # Somebody may be left in it, so it must not be deleted.
                why = {path: _reason(error) for path, _ in self._objects}
                self.leftover = self._describe_leftover(why)
        self._console.settle()

    def _leave_the_copy(self) -> None:
        """Delete the copy, unless sessions remain; raises ClusterError where none can tell."""
        lease_now = self._give_seat_back() if self._seated else None
        others = 0
        if lease_now is not None:
            # Where our own entry can't be taken out, it counts for nothing.
            others = metadata.sessions_in(lease_now.body, lease_now.at, self._session_id)
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
            if error.gone:
                return None
            if error.transient:
                raise
        return self._find(path, own)

    def _find(self, path: str, own: str) -> Answer | None:
        """Read an object; None where it is gone: there is none, or another one of its name."""
        try:
            found = self._again(lambda: self._cluster.get(path, EXIT_TIMEOUT))
        except ClusterError as error:
            if error.gone:
                return None
            raise
        return found if uid(found.body) == own else None

    def _again(self, ask: Callable[[], Answer]) -> Answer:
        """Ask, and again after a hiccup; raises the last ClusterError."""
        for again in range(1, _TRIES):
            try:
                return ask()
            except ClusterError as error:
                late = time.monotonic() > self._give_up_at or self._interrupts.impatient
                # Of a conflict only a look can tell what it is about.
                if late or not (error.transient or error.conflict):
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
        try:
            own = own or self._look_up(path)
            if own:
                self._again(lambda: self._cluster.delete(path, own, GRACE_SECONDS, EXIT_TIMEOUT))
        except Exception as error:
            if isinstance(error, ClusterError) and (
                error.gone or (error.conflict and self._is_gone(path, own))
            ):
                return ""
            return _reason(error)
        return ""

    def _look_up(self, path: str) -> str:
        """Return the UID of what may have been created; empty where there is nothing of ours.

        What has our labels and marks was created by us. Raises what says that it can't be known.
        """
        manifest, likely = self._unsure[path]
        try:
            found = self._again(lambda: self._cluster.get(path, EXIT_TIMEOUT)).body
            return _known_uid(found) if metadata.is_same_creation(found, manifest) else ""
        except Exception as error:
            gone = isinstance(error, ClusterError) and error.gone
            if gone or not likely:
                return ""
            raise

    def _is_gone(self, path: str, own: str) -> bool:
        """Say whether an object is gone, or about to; where that can't be known, that it is not."""
        try:
            found = self._find(path, own)
            return found is None or is_going(found.body)
        except Exception:
            return False

    def _describe_leftover(self, left: dict[str, str]) -> LeftoverCopy:
        """Name what is left: paths of objects, and why each could not be deleted."""
        what = " ".join(map(_kind_and_name, left))
        if self._net == "never":
            otherwise = "it stays until then"
        elif self._net:
            otherwise = f"it stops after {self._net}, and its object stays"
        elif self._leased:
            otherwise = f"its lease removes it within {duration_words(self._terms.ttl)}"
        else:
            lasts = duration_words(self._terms.deadline)
            otherwise = f"it stops after {lasts}, and its object stays"
        words = ["kubectl", "delete", *self._cluster.access.flags]
        words += ["-n", self.place.namespace, "--now", *what.split()]
        return LeftoverCopy(shlex.join(words), next(iter(left.values())), otherwise)


class CreatedCopy(CopyMembership):
    """Create the copy with its lease, the seed, and the pod of a learning run."""

    def __init__(self, plan: Plan, terms: CopyTerms, surroundings: Surroundings) -> None:
        super().__init__(plan.place, plan.place.session_id, terms, surroundings)
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

    def beside(self) -> SessionTarget | None:
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
            if error.status != 403:
                raise
            # What is not known for certain is no reason to do without.
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
        # For a later session, which can't know it otherwise.
        own = metadata.creator_annotations(self._terms.longest, self.seed and self.seed.uid)
        copy["metadata"].setdefault("annotations", {}).update(own)
        return self._create(api.pods(self.place.namespace), copy)

    def _create_seed(self, owner: Json) -> None:
        """Create the ConfigMap; the garbage collector deletes it with its owner."""
        if self._plan.seed is not None:
            seed, namespace = self._plan.seed, self.place.namespace
            made = self._cluster.create(api.config_maps(namespace), with_owner(seed, owner)).body
            own = api.config_maps(namespace, name(seed))
            self.seed = mark_of_created(made, own, seed["binaryData"]["seed"])

    def _create_learning_pod(self, owner: Json) -> None:
        """Create the pod of the learning run; without it the session goes on."""
        if self._plan.discovery is None:
            return
        pod = with_owner(self._plan.discovery, owner)
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
            if (created.get("kind"), name(created)) != (manifest["kind"], name(manifest)):
                raise ValueError("it is about another object")
            self._objects.append((own, _known_uid(created)))
        except ClusterError as error:
            if error.status not in NOT_CREATED:
                # A name that is taken may be ours, too: of a request that a proxy sent twice.
                self._note_unsure(own, manifest, likely=not error.conflict)
            raise
        except Exception as error:
            self._note_unsure(own, manifest, likely=True)
            said = f"its answer to a creation makes no sense ({_reason(error)})"
            raise ClusterError(0, "NotKubernetes", said, f"POST {path}") from error
        except BaseException:
            # In the pause of a busy API server, which may have done it all the same.
            self._note_unsure(own, manifest, likely=True)
            raise
        return created

    def _note_unsure(self, path: str, manifest: Json, likely: bool) -> None:
        """Note what may have been created; the way out looks for it."""
        self._unsure[path] = (manifest, likely)
        self._objects.append((path, ""))

    def _add_debug_container(self) -> None:
        """Add the debug container beside a session inside the target, which can do without."""
        # The node has its hands full with the copy, and then with the session's first prompt.
        self._begun.wait(BESIDE_AT_THE_LATEST)
        if self._over.wait(PROMPT_SECONDS):
            return
        try:
            self._patch_in_the_first_that_is_accepted()
        except Exception as error:
            self.place = self.place._replace(debug_container="")
            if not self._over.is_set():
                self._console.warning(f"there is no debug container beside: {_reason(error)}")

    def _patch_in_the_first_that_is_accepted(self) -> None:
        path = api.pods(self.place.namespace, self.place.pod, "ephemeralcontainers")
        *stronger, last = [choice.container for choice in self._plan.choices]
        for container in stronger:
            try:
                self._patch_in(path, container)
                return
            except ClusterError as error:
                if not error.refused:
                    raise
                if self.place.view == TOOLS:
                    self._interrupts.check()
        self._patch_in(path, last)

    def _patch_in(self, path: str, container: Json) -> None:
        patch = {"spec": {"ephemeralContainers": [container]}}
        for _ in range(1, _TRIES):
            try:
                self._cluster.patch(path, patch, api.STRATEGIC_PATCH)
                return
            except ClusterError as error:
                # The same once more changes nothing, if it was done without an answer; and the
                # kubelet writes to the same object.
                again = error.transient or error.conflict
                if not again or self._over.wait(ADD_AGAIN_SECONDS):
                    raise
        self._cluster.patch(path, patch, api.STRATEGIC_PATCH)


def despite_conflicts(ask: Callable[[], Answer]) -> Answer:
    """Ask, and again where somebody else has just written to the object."""
    for _ in range(1, _TRIES):
        try:
            return ask()
        except ClusterError as error:
            if not error.conflict:
                raise
        time.sleep(ADD_AGAIN_SECONDS)
    return ask()


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, ClusterError) else repr(error)


def _known_uid(obj: Json) -> str:
    """Return an object's UID; raises ValueError where it is no text."""
    own = obj["metadata"].get("uid")
    if not own or not isinstance(own, str):
        raise ValueError("it has no UID")
    return own


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
