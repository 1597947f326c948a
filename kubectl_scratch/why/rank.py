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
from kubectl_scratch.why.fates import RETRIES, fate_of
from kubectl_scratch.why.health import is_well
from kubectl_scratch.why.last_words import (
    FATAL_WORDS,
    LastWords,
    ends_with_error,
    is_silent,
    last_words,
    mention,
    reason_line,
)
from kubectl_scratch.why.mounts import is_of_objects, mount_of
from kubectl_scratch.why.noise import is_harmless, is_noise
from kubectl_scratch.why.questions import names_without_address
from kubectl_scratch.why.report import Call, Run
from kubectl_scratch.why.wording import place

NAMED, NAMED_IN_PART = 88, 74
# The only call that failed, of an app that said nothing, and of one that said something else.
SOLE, SOLE_DESPITE_WORDS = 80, 66
LAST, LAST_DESPITE_WORDS = 72, 60
EARLIER = 42
# Below this it is no finding, only evidence.
SURE_ENOUGH = 50
# Ends that are near, in ms, and as a part of the run.
NEAR, NEAR_PART = 1500, 0.4
DNS_PORT = 53
# What runtimes load while they end.
OF_RUNTIMES = ("/usr/", "/lib", "/proc/", "/sys/", "/dev/", "/opt/java", "/opt/jdk")
ONLY_LOOKS = ("stat", "newfstatat", "statx", "lstat", "access", "faccessat", "faccessat2")
OPTIONAL_NAMES = ("local", "override", "custom", "optional", "user", ".d/", "default", ".bak")


class FailedCall(NamedTuple):
    """A failed call and how much it says; ``also`` are other places of the same search."""

    call: Call
    weight: int
    named: bool = False
    also: tuple[str, ...] = ()


class Evidence(NamedTuple):
    """What a finder looks at: the run, the cluster, the last words, and what failed.

    ``outdated`` says that the words are older than what failed last, so they do not tell of it.
    """

    run: Run
    facts: ClusterFacts
    words: LastWords
    failed: tuple[FailedCall, ...]
    outdated: bool = False

    @property
    def silent(self) -> bool:
        """Say whether the app said nothing about its end."""
        return self.outdated or is_silent(self.run)


def gather(run: Run, facts: ClusterFacts) -> Evidence:
    """Return the evidence of a run, the most telling call first."""
    run = in_order(run)
    words = last_words(run)
    evidence = Evidence(run, facts, words, ())
    groups = _searches(_without_echoes(_merged(_relevant(evidence))))
    evidence = evidence._replace(outdated=_are_outdated(evidence, groups))
    course = _course(evidence, groups)
    found = [_weigh(evidence, group, course) for group in groups]
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


def _are_outdated(evidence: Evidence, groups: list[_Group]) -> bool:
    """Say whether the app failed at something else after its last words, and they are not fatal."""
    run = evidence.run
    after = [group for group in groups if _is_of_end(run, group.call)]
    said = max((run.output_at[stream] for stream in run.output), default=None)
    if run.running or said is None or not after or FATAL_WORDS.search(evidence.words.end):
        return False
    last = after[-1].call
    # Of the same millisecond only words that end with no error are older: the app continued.
    older = said < last.at or (said == last.at and not ends_with_error(evidence.words))
    return older and _is_near(run, last) and not _names(evidence, last)


def _is_of_end(run: Run, call: Call) -> bool:
    """Say whether the app may have ended because of a call: its process did not end well."""
    return fate_of(run, call.pid) not in ("went well", "was survived")


class _Course(NamedTuple):
    """What failed, in order: which call was the last one, and if it was the only one.

    ``network`` is when a connection or a name failed that counts more than looks at files.
    """

    last: Call | None
    sole: bool
    network: int


def _course(evidence: Evidence, groups: list[_Group]) -> _Course:
    """Return the course of a run, without processes that ended well where others did not."""
    run = evidence.run
    calls = [group.call for group in groups]
    calls = [call for call in calls if fate_of(run, call.pid) != "went well"] or calls
    asked = [each.last for each in names_without_address(run, evidence.facts)]
    named = max((at for at in asked if run.at - at <= max(NEAR, run.at * NEAR_PART)), default=-1)
    if calls and not run.running:
        calls = _without_late_looks(calls)
    last = calls[-1] if calls else None
    is_last = last is not None and (last.at >= named or not last.path)
    peers = [call.at for call in calls if _is_network(call) and _is_near(run, call)]
    return _Course(last if is_last else None, len(calls) == 1 and is_last, max([named, *peers]))


def _without_late_looks(calls: list[Call]) -> list[Call]:
    """Omit looks at files after a connection that was tried in vain again and again."""
    retried = [i for i, call in enumerate(calls) if _is_network(call) and call.times > 1]
    if not retried:
        return calls
    until = retried[-1] + 1
    return [*calls[:until], *(call for call in calls[until:] if call.call not in ONLY_LOOKS)]


def _is_network(call: Call) -> bool:
    return bool(call.address) and call.call == "connect" and call.protocol != "udp"


def _weigh(evidence: Evidence, group: _Group, course: _Course) -> FailedCall:
    call = group.call
    named = _names(evidence, call)
    for path in group.also:
        other = call._replace(path=path)
        if _names(evidence, other) > named:
            named = _names(evidence, other)
            spoken = next((c for c in evidence.run.calls if c.path == path), other)
            call = spoken._replace(at=call.at)
    also = tuple(path for path in (group.call.path, *group.also) if path and path != call.path)
    weight = _weight(evidence, call, named, course) - _doubt(evidence, call, named)
    return FailedCall(call, max(weight, 0), named > 0, also)


def _weight(evidence: Evidence, call: Call, named: int, course: _Course) -> int:
    run = evidence.run
    if run.running:
        return _weight_running(evidence, call, named)
    if named and not evidence.outdated:
        later = call.path and call.at < course.network and not _is_reason(evidence, call)
        return min(named, LAST_DESPITE_WORDS) if later else named
    if not _is_near(run, call) or call != course.last:
        return EARLIER
    sole, last = _weights_of_last(evidence, call)
    return sole if course.sole else last


def _weights_of_last(evidence: Evidence, call: Call) -> tuple[int, int]:
    """Return the weights of the last call: if it is the only one, and if it is not."""
    spoken = set() if evidence.outdated else _spoken_errors(evidence)
    if spoken:
        return (SOLE - 2, LAST) if call.error in spoken else (LAST_DESPITE_WORDS, EARLIER + 10)
    return (SOLE, LAST) if evidence.silent else (SOLE_DESPITE_WORDS, LAST_DESPITE_WORDS)


def _is_reason(evidence: Evidence, call: Call) -> bool:
    """Say whether the line that tells most of the end is about that path."""
    return mention(reason_line(evidence.run), call.path.rpartition("/")[2])


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
    path = call.path.lower().removeprefix("/usr/local")
    if not named and any(part in path for part in OPTIONAL_NAMES):
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
