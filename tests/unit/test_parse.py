"""The flags of a verb, as the request that they make."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_scratch.cli import parse
from kubectl_scratch.cli.commands import scratch
from kubectl_scratch.errors import InvalidRequest


def values(verb: str, *words: str) -> dict[str, Any]:
    """Return what Click reads."""
    return scratch.commands[verb].make_context(verb, list(words)).params


def debug(*words: str) -> parse.DebugArguments:
    """Return what ``debug`` is asked for."""
    return parse.parse_debug(values("debug", "mypod", *words), ("true",))


def test_a_request_can_be_parsed_twice() -> None:
    given = values("debug", "mypod", "-n", "shop", "--ttl", "90s", "--env", "A=b")
    before = dict(given)
    assert parse.parse_debug(given, ()) == parse.parse_debug(given, ())
    assert given == before


@pytest.mark.parametrize(
    "words, ttl, deadline",
    [((), 300.0, 3600.0), (("--ttl", "10m"), 600.0, 600.0), (("--ttl", "2h"), 7200.0, 3600.0)],
)
def test_a_short_ttl_also_shortens_the_deadline(
    words: tuple[str, ...], ttl: float, deadline: float
) -> None:
    request = debug(*words).request
    assert (request.session.ttl, request.deadline) == (ttl, deadline)


WITH_VALUE = {
    "--command": "x", "--arch": "arm64", "--toolkit-file": "x", "--copy-name": "x",
    "--reason": "x", "--writable": "x", "--skip-volume": "x", "--skip-init": "x",
    "--set-image": "a=b", "--image-pull-secret": "x",
}  # fmt: skip
OTHERS = (
    ("--view", "app"),
    ("--no-share-processes",),
    ("--resources", "none"),
    ("--ttl", "90s"),
    ("--dry-run=client", "-o", "yaml"),
)
OF_A_COPY = [(f, WITH_VALUE[f]) if f in WITH_VALUE else (f,) for f in parse.NEED_A_COPY]


@pytest.mark.parametrize("words", [*OF_A_COPY, *OTHERS], ids=lambda words: words[0])
def test_in_place_takes_no_flag_of_a_copy(words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest, match="copy"):
        debug("--in-place", *words)


def test_in_place_takes_the_flags_of_its_container() -> None:
    words = ("--linger", "5m", "--view", "tools", "--profile", "general", "--env", "A=b")
    request = debug("--in-place", *words).request
    assert request.in_place and request.linger == 300.0


def test_linger_needs_in_place() -> None:
    with pytest.raises(InvalidRequest, match="--in-place"):
        debug("--linger", "5m")
