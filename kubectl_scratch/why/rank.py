"""Which failed calls say why the run ended, the most telling first.

What counts: the last words name what failed; nothing else failed; it was the last thing that
failed, and soon after it the app ended; a process in which it failed ended because of it. What
does not: what programs try and do without (``noise``), what was found elsewhere later, and what
the app went on after for long.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubectl_scratch.why.errnos import MEANINGS, meaning
from kubectl_scratch.why.facts import ClusterFacts
from kubectl_scratch.why.health import is_well
from kubectl_scratch.why.last_words import LastWords, is_silent, last_words, mention
from kubectl_scratch.why.mounts import is_of_objects, mount_of
from kubectl_scratch.why.noise import is_harmless, is_noise
from kubectl_scratch.why.report import Call, Run, TracedProcess
from kubectl_scratch.why.wording import place, process_of

NAMED, NAMED_IN_PART = 88, 74
# The only call that failed, of an app that said nothing, and of one that said something else.
SOLE, SOLE_DESPITE_WORDS = 80, 66
LAST, LAST_DESPITE_WORDS = 72, 60
EARLIER = 42
# Below this it is no finding, only evidence.
SURE_ENOUGH = 50
# Ends that are near, in ms, and as a part of the run.
NEAR, NEAR_PART = 1500, 0.4
# How soon a parent ends because of its child.
BECAUSE = 2000
RETRIES = 3
DNS_PORT = 53
# What runtimes load while they end.
OF_RUNTIMES = ("/usr/", "/lib", "/proc/", "/sys/", "/dev/", "/opt/java", "/opt/jdk")
OPTIONAL_NAMES = ("local", "override", "custom", "optional", "user", ".d/", "default", ".bak")


class FailedCall(NamedTuple):
    """A failed call and how much it says; ``also`` are other places of the same search."""

    call: Call
    weight: int
    named: bool = False
    also: tuple[str, ...] = ()


class Evidence(NamedTuple):
    """What a finder looks at: the run, the cluster, the last words, and what failed."""

    run: Run
    facts: ClusterFacts
    words: LastWords
    failed: tuple[FailedCall, ...]

    @property
    def silent(self) -> bool:
        """Say whether the app said nothing about its end."""
        return is_silent(self.run)


def gather(run: Run, facts: ClusterFacts) -> Evidence:
    """Return the evidence of a run, the most telling call first."""
    run = in_order(run)
    words = last_words(run)
    evidence = Evidence(run, facts, words, ())
    groups = _searches(_without_echoes(_merged(_relevant(evidence))))
    found = [_weigh(evidence, group, groups) for group in groups]
    order = sorted(range(len(found)), key=lambda i: (-found[i].weight, -found[i].call.at, -i))
    return evidence._replace(failed=tuple(found[i] for i in order))


def in_order(run: Run) -> Run:
    """Return the run with its events in order: the tracer writes the newest first."""
    return run._replace(
        calls=tuple(map(_tidy, sorted(reversed(run.calls), key=lambda call: call.at))),
        opened=tuple(sorted(reversed(run.opened), key=lambda opened: opened.at)),
        questions=tuple(sorted(reversed(run.questions), key=lambda question: question.at)),
        connected=tuple(sorted(reversed(run.connected), key=lambda peer: peer.at)),
        listening=tuple(sorted(reversed(run.listening), key=lambda peer: peer.at)),
    )


def _tidy(call: Call) -> Call:
    """Return a call whose path has no slash at its end."""
    return call._replace(path=call.path.rstrip("/")) if len(call.path) > 1 else call


def _relevant(evidence: Evidence) -> Iterator[Call]:
    for call in evidence.run.calls:
        if is_harmless(call):
            continue
        quiet = is_noise(call, evidence.run) and not _is_configured(evidence.facts, call)
        if not quiet or (_names(evidence, call) == NAMED and not call.found):
            yield call


def _is_configured(facts: ClusterFacts, call: Call) -> bool:
    """Say whether the pod puts something where a program looks that may do without it."""
    code = any(part in call.path for part in ("__pycache__", "node_modules", "/package.json"))
    hidden = call.path.rpartition("/")[2].startswith((".", "__")) or ".so" in call.path
    if code or hidden or call.found or not call.path:
        return False
    return call.error in ("EACCES", "ENOENT") and is_of_objects(mount_of(facts, call.path))


def _merged(calls: Iterator[Call]) -> list[Call]:
    """Merge calls of one object and error, as stat and open of a file that is missing."""
    merged: dict[tuple[str, ...], Call] = {}
    for call in calls:
        key = _key(call)
        old = merged.pop(key, None)
        merged[key] = _both(old, call) if old else call
    return sorted(merged.values(), key=lambda call: call.at)


def _without_echoes(calls: list[Call]) -> list[Call]:
    """Omit looks at what could not be made: they fail because that did."""
    unmade = {call.path for call in calls if call.path and call.error != "ENOENT"}
    return [call for call in calls if call.error != "ENOENT" or call.path not in unmade]


def _key(call: Call) -> tuple[str, ...]:
    if call.path:
        kind = "bind" if call.call == "bind" else "connect" if call.call == "connect" else ""
        return (call.path, call.error, kind, call.to)
    if call.address or call.port:
        kind = "bind" if call.call in ("bind", "listen") else ""
        return (call.address, str(call.port), call.protocol, call.error, kind)
    return (call.call, call.error, *call.arguments)


# What says more of a path than that it was looked at.
TELLING = ("open", "openat", "openat2", "creat", "execve", "execveat", "mkdir", "mkdirat", "bind")


def _both(old: Call, new: Call) -> Call:
    telling = old if old.call in TELLING and new.call not in TELLING else new
    return telling._replace(
        at=max(old.at, new.at),
        first=min(old.first, new.first),
        times=old.times + new.times if old.call == new.call else telling.times,
        create=old.create or new.create,
        here=new.here or old.here,
        nearest=new.nearest or old.nearest,
    )


class _Group(NamedTuple):
    """Calls that look for one thing in several places; ``call`` speaks for all."""

    call: Call
    also: tuple[str, ...] = ()


def _searches(calls: list[Call]) -> list[_Group]:
    groups: dict[str, list[Call]] = {}
    for call in calls:
        groups.setdefault(_search_key(call), []).append(call)
    return sorted((_group(found) for found in groups.values()), key=lambda each: each.call.at)


def _search_key(call: Call) -> str:
    missing = call.error in ("ENOENT", "ENOTDIR") and call.path and not call.create
    if missing and call.call not in ("connect", "bind", "chdir", "mkdir", "mkdirat"):
        return f"search {call.path.rpartition('/')[2]}"
    return repr(_key(call))


def _group(calls: list[Call]) -> _Group:
    last = calls[-1]
    others = tuple(dict.fromkeys(call.path for call in calls if call.path != last.path))
    return _Group(last, others)


def _weigh(evidence: Evidence, group: _Group, groups: list[_Group]) -> FailedCall:
    call = group.call
    named = _names(evidence, call)
    for path in group.also:
        other = call._replace(path=path)
        if _names(evidence, other) > named:
            named = _names(evidence, other)
            spoken = next((c for c in evidence.run.calls if c.path == path), other)
            call = spoken._replace(at=call.at)
    also = tuple(path for path in (group.call.path, *group.also) if path and path != call.path)
    weight = _weight(evidence, call, named, groups) - _doubt(evidence, call, named)
    return FailedCall(call, max(weight, 0), named > 0, also)


def _weight(evidence: Evidence, call: Call, named: int, groups: list[_Group]) -> int:
    run = evidence.run
    if run.running:
        return _weight_running(evidence, call, named)
    if named:
        return named
    if not _is_near(run, call):
        return EARLIER
    spoken = _spoken_errors(evidence)
    if spoken:
        sole, last = (
            (SOLE - 2, LAST) if call.error in spoken else (LAST_DESPITE_WORDS, EARLIER + 10)
        )
        return sole if len(groups) == 1 else last if call == groups[-1].call else EARLIER
    if len(groups) == 1:
        return SOLE if evidence.silent else SOLE_DESPITE_WORDS
    if call == groups[-1].call:
        return LAST if evidence.silent else LAST_DESPITE_WORDS
    return EARLIER


def _spoken_errors(evidence: Evidence) -> set[str]:
    """Return the errors of system calls that the last words tell of."""
    end = evidence.words.end.lower()
    return {error for error, text in MEANINGS.items() if text.lower() in end}


def _weight_running(evidence: Evidence, call: Call, named: int) -> int:
    """Weigh a call of a run that went on: only what was tried again and again stopped it."""
    run = evidence.run
    again = call.times >= RETRIES or call.pending or call.waited >= 1000
    if not again or call.at < run.at * NEAR_PART:
        return min(named, EARLIER)
    if run.listening and is_well(evidence.facts):
        return EARLIER
    return named or LAST_DESPITE_WORDS


def _is_near(run: Run, call: Call) -> bool:
    return run.at - call.at <= max(NEAR, run.at * NEAR_PART)


def _doubt(evidence: Evidence, call: Call, named: int) -> int:
    """Return how much speaks against a call: what came after it, and what kind it is."""
    run, doubt = evidence.run, 0
    fate = "its own" if run.running else fate_of(run, call.pid)
    doubt += {"its own": 0, "ended the app": 0, "unknown": 5, "went well": 30}.get(fate, 20)
    if not named and not run.running and _went_on(run, call):
        doubt += 18
    if not named and any(part in call.path.lower() for part in OPTIONAL_NAMES):
        doubt += 15
    if run.code == 0:
        doubt += 12
    if call.protocol == "udp" and call.port != DNS_PORT:
        # Nobody waits for an answer to a datagram: metrics, logs.
        doubt += 30
    return doubt


def _went_on(run: Run, call: Call) -> bool:
    """Say whether the process did useful things after the call."""
    later = [found for found in run.opened if found.at > call.at and found.pid == call.pid]
    opened = [found for found in later if not found.path.startswith(OF_RUNTIMES)]
    peers = [peer for peer in (*run.connected, *run.listening) if peer.at > call.at]
    return bool(opened or peers)


def went_wrong(run: Run) -> bool:
    """Say whether the app failed, or goes on while its children fail again and again."""
    if not run.running:
        return run.code != 0
    if run.listening:
        return False
    failed: dict[tuple[str, ...], int] = {}
    for process in run.processes:
        if process.code or process.signal:
            failed[process.words] = failed.get(process.words, 0) + 1
    return max(failed.values(), default=0) >= RETRIES


def fate_of(run: Run, pid: int) -> str:
    """Say what became of a process, seen from the app's end."""
    if pid in (0, run.pid):
        return "its own"
    process = process_of(run, pid)
    if process is None:
        return "unknown"
    if process.end is None:
        return "its own"
    if process.code == 0:
        return "went well"
    return "ended the app" if _ended_its_parents(run, process) else "was survived"


def _ended_its_parents(run: Run, process: TracedProcess) -> bool:
    """Say whether each process up to the app ended soon after its child."""
    for _ in range(64):
        if process.pid == run.pid or process.end is None:
            return True
        parent = process_of(run, process.parent)
        end = parent.end if parent and parent.pid != run.pid else (None if run.running else run.at)
        if end is None or end - process.end > BECAUSE:
            return False
        if parent is None or parent.pid == process.pid:
            return True
        process = parent
    return False


def _names(evidence: Evidence, call: Call) -> int:
    """Return how clearly the last words name what a call was about."""
    text, end = evidence.words.text, evidence.words.end
    if call.path:
        return _names_path(evidence, call)
    if call.address or call.port:
        host = place(call.address, call.port)
        if call.port and host in text:
            return NAMED if meaning(call.error).lower() in text.lower() else NAMED - 4
        if call.port and meaning(call.error).lower() in end.lower():
            return NAMED - 6
        if call.address in text or mention(end, str(call.port)):
            return NAMED_IN_PART
    if not call.path and meaning(call.error).lower() in end.lower():
        return NAMED_IN_PART
    return 0


def _names_path(evidence: Evidence, call: Call) -> int:
    text, end = evidence.words.text, evidence.words.end
    says_why = meaning(call.error).lower() in text.lower() or call.error in text
    base = call.path.rpartition("/")[2]
    if mention(text, call.path):
        if mention(end, call.path):
            return NAMED
        return NAMED if says_why else NAMED_IN_PART
    if mention(end, base) and ("." in base or says_why):
        return NAMED - 4 if says_why else NAMED_IN_PART
    return 0
