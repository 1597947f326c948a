"""Waiting for the session's container, with words for what is waited for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from kubectl_scratch.errors import CopyNotReady
from kubectl_scratch.kube.objects import Json
from kubectl_scratch.session.readiness import (
    Failed,
    Ready,
    State,
    Waiting,
    autoscaler_has_answered,
    last_trouble,
)

Thing = TypeVar("Thing")

# The API's status lags behind the runtime by up to a second, so a try of the real thing is
# what tells; the status tells only why not, and whether there is something to try: no kubelet
# starts a new container within SOONEST, nor that of a new pod, whose volumes it looks at every
# 0.3 s, within SOONEST_OF_POD. Tries until then would only take the node's time.
SOONEST, SOONEST_OF_POD = 0.15, 0.45
_TRY_EVERY = 0.03
TRY_EVERY_LATER = 0.25
# While the news of the start can be heard, a try only finds news that was lost.
TRY_EVERY_UNHEARD = 1.0
LATER = 5.0
_LOOK_EVERY = 0.5
# Events say why an image cannot be pulled or a volume not be mounted, and whether a node is on
# its way; most copies need none.
EVENTS_AFTER = 1.5
UNSCHEDULABLE_SECONDS = 30.0
# For how long to wait for what does not come by itself: someone may just be creating it.
HOPELESS_SECONDS = 8.0
TIMEOUT_HINT = "raise --timeout"

# A reason that is longer than this, in characters, is cut to its innermost cause while waiting: how
# short that may be alone, and how long.
BRIEF, CAUSE, _LONGEST = 100, 24, 160
# What a scheduler adds to each of its reasons.
ASIDE = re.compile(r"\.? (no new claims to deallocate, )?preemption: [^();]*")
EVENT = re.compile(r"\) \([A-Z]\w+: [^()]*\)$")
# What is one word, whatever is in it: a taint is {dedicated: gpu}.
WHOLE = re.compile(
    r"""\{(?:[^{}]|\{[^{}]*\})*\} | "[^"]*" | (?<!\w)'[^']*'""",
    re.VERBOSE,
)
# What differs from one time to the next in a reason that is the same.
VARIES = re.compile(
    r"""\b\d+(\.\d+)?(ns|us|µs|ms|s|m|h)(\d+(\.\d+)?(ms|s|m))*\b  # durations
    | \b(?=[0-9a-f-]*\d)[0-9a-f][0-9a-f-]{7,}\b  # identifiers
    | (-[bcdfghjklmnpqrstvwxz2456789]{6,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}\b  # made-up names
    | \bx\d+\b  # how often
    | (?<!code\ )(?<!status\ )(?<!signal\ )(?<!HTTP\ )\b\d+(/\d+)?\b  # counts, ports
    """,
    re.VERBOSE,
)


class Clock(Protocol):
    """The time of this machine, for waiting only."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class News(Protocol):
    """Word of the container's start."""

    def wait(self, seconds: float) -> bool:
        """Wait for so long, or until it has started; say whether it has."""

    @property
    def deaf(self) -> bool:
        """Say whether nothing more will be heard."""


class Patience(NamedTuple):
    """How long to wait, in seconds."""

    timeout: float
    unschedulable: float = UNSCHEDULABLE_SECONDS
    hopeless: float = HOPELESS_SECONDS


def poll(
    look: Callable[[], Thing | None], clock: Clock, every: float, within: float
) -> Thing | None:
    """Return what ``look`` gives, as soon as it gives something; None if it does not in time.

    Both times are in seconds.
    """
    give_up_at = clock.monotonic() + within
    while True:
        thing = look()
        if thing is not None or clock.monotonic() >= give_up_at:
            return thing
        clock.sleep(every)


def wait_for(
    attempt: Callable[[State], Thing | None],
    look: Callable[[], State],
    events: Callable[[], tuple[list[Json], State | None]],
    say: Callable[[str], None],
    clock: Clock,
    patience: Patience,
    news: News,
) -> Thing:
    """Return what ``attempt`` gives, as soon as it gives something.

    ``look`` tells how far it is, and is asked now and then; ``events`` tells why, when it
    takes long, and what more they make of it; ``news`` when to try. Raises CopyNotReady when it
    cannot get better, and at the timeout.
    """
    start = looked = clock.monotonic()
    state = look()
    words = _words(state)
    _judge(state, words, 0, [], patience)
    if isinstance(state, Waiting):
        soonest = SOONEST_OF_POD if state.new_pod else SOONEST
        news.wait(soonest if news.deaf else TRY_EVERY_UNHEARD)
    while True:
        thing = attempt(state)
        if thing is not None:
            return thing
        waited = clock.monotonic() - start
        if clock.monotonic() - looked >= _LOOK_EVERY:
            looked = clock.monotonic()
            state = look()
            told: list[Json] = []
            better: State | None = None
            if waited >= EVENTS_AFTER and isinstance(state, Waiting):
                told, better = events()
            # What they are taken for, they need not say again.
            words = _words(state, told) if better is None else _words(better)
            state = better or state
            _judge(state, words, waited, told, patience)
            say(innermost_cause(words))
        if waited >= patience.timeout:
            raise CopyNotReady(words, patience.timeout, _ways(state))
        _rest(waited, clock, news)


def _rest(waited: float, clock: Clock, news: News) -> None:
    """Wait until the next try may help."""
    if not news.deaf:
        news.wait(TRY_EVERY_UNHEARD)
    else:
        clock.sleep(_TRY_EVERY if waited < LATER else TRY_EVERY_LATER)


def _judge(state: State, words: str, waited: float, events: list[Json], patience: Patience) -> None:
    if isinstance(state, Failed):
        raise CopyNotReady(state.why, hint=state.hint, beside=state.beside)
    if not isinstance(state, Waiting):
        return
    stuck = state.unschedulable and waited >= patience.unschedulable
    if (stuck and not autoscaler_has_answered(events)) or (
        state.hopeless and waited >= patience.hopeless
    ):
        raise CopyNotReady(words, hint=state.hint)


def _ways(state: State) -> str:
    """Return what helps if the time is up."""
    if not isinstance(state, Waiting):
        return TIMEOUT_HINT
    longer = "" if state.hopeless else TIMEOUT_HINT
    return "; ".join(filter(None, (state.hint, longer)))


def innermost_cause(words: str) -> str:
    """Return a reason for a line while waiting: a long one is cut to its innermost cause."""
    words = ASIDE.sub("", words).rstrip(".")
    if len(words) <= BRIEF:
        return words
    # An event that is added to a reason says no more than that.
    words = EVENT.sub(")", words)
    words = WHOLE.sub(lambda whole: whole[0].replace(": ", "\0"), words)
    start = re.search(r": | \(", words)
    ours, said = (words[: start.start()], words[start.end() :]) if start else ("", words)
    inner, *outer = reversed(said.removesuffix(")").split(": "))
    # A few words alone don't say of what they are.
    while outer and len(inner) < CAUSE:
        inner = f"{outer.pop(0)}: {inner}"
    inner = inner.replace("\0", ": ")
    inner = f"{inner[:_LONGEST]}…" if len(inner) > _LONGEST else inner
    return f"{ours}: {inner}" if ours else inner


def without_numbers(words: str) -> str:
    """Return a reason without what varies: those that are alike are told once."""
    return VARIES.sub("#", words)


def _words(state: State, events: list[Json] | None = None) -> str:
    if isinstance(state, Waiting):
        # The scheduler's events tell what its condition does, and what it said before.
        trouble = "" if state.unschedulable else last_trouble(events or [])
        untold = trouble and trouble.partition(": ")[2] not in state.what
        return f"{state.what} ({trouble})" if untold else state.what
    return "the container answers" if isinstance(state, Ready) else state.why
