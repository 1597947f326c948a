"""What a person reads."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from kubectl_scratch.cli.main import split_command
from kubectl_scratch.runtime.console import Console, printable
from kubectl_scratch.runtime.durations import duration_words


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "text, shown",
    [
        ("plain", "plain"),
        ("a\nb", "a\\nb"),
        ("\x1b[2Jx", "\\x1b[2Jx"),
        ("\u00e9", "\u00e9"),
        ("\r", "\\r"),
        ("\x00\x07\x7f", "\\x00\\x07\\x7f"),
        # C1: a terminal may take them for ESC [ and ESC ].
        ("\x80\x85\x9b\x9d\x9f", "\\x80\\x85\\x9b\\x9d\\x9f"),
        # What turns the order of what follows, or hides it.
        ("\u202e\u2066\u2069\u200e\u061c", "\\u202e\\u2066\\u2069\\u200e\\u061c"),
        ("\u200b\ufeff\u2028\u2029", "\\u200b\\ufeff\\u2028\\u2029"),
        ("\U000e0041", "\\U000e0041"),
        ("\udc9b", "\\udc9b"),
        ("\u4e2d\u05d0 x", "\u4e2d\u05d0 x"),
    ],
)
def test_what_a_cluster_sends_can_not_move_the_cursor(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("say", [Console.info, Console.warning, Console.error])
def test_a_line_is_one_line_whatever_it_quotes(say: Callable[[Console, str], None]) -> None:
    stream = io.StringIO()
    say(Console(stream), "a\x1b[2Jb\nc")
    assert stream.getvalue().endswith("a\\x1b[2Jb\\nc\n")


def test_a_line_of_progress_gives_way_to_the_next_line() -> None:
    screen = Screen()
    console = Console(screen)
    console.progress("waiting")
    console.warning("late")
    assert screen.getvalue().replace("\r\x1b[K", "|") == "|waiting|warning: late\n"


@pytest.mark.parametrize("stream", [Screen, io.StringIO])
def test_what_is_waited_for_can_not_speak_to_the_terminal(stream: type[io.StringIO]) -> None:
    shown = stream()
    Console(shown).progress("pulling \x1b]0;x\x07\x9b2J\u202e\n")
    said = shown.getvalue().removeprefix("\r\x1b[K").removesuffix("\n")
    assert said == "pulling \\x1b]0;x\\x07\\x9b2J\\u202e\\n"


def test_while_the_terminal_is_raw_a_line_stands_on_its_own() -> None:
    screen = Screen()
    console = Console(screen)
    console.enter_raw()
    console.warning("lost")
    console.leave_raw(at_line_start=False)
    console.error("gone")
    assert screen.getvalue() == "\r\nwarning: lost\r\n\nerror: gone\n"


def test_after_a_prompt_the_first_line_is_a_new_one() -> None:
    screen = Screen()
    console = Console(screen)
    console.enter_raw()
    console.leave_raw(at_line_start=False)
    console.error("gone")
    assert screen.getvalue() == "\nerror: gone\n"


def test_in_a_log_a_wait_is_told_now_and_then() -> None:
    log, now = io.StringIO(), [0.0]
    console = Console(log, clock=lambda: now[0])
    for moment, text in ((0.0, "one"), (1.0, "two"), (6.0, "three")):
        now[0] = moment
        console.progress(text)
    assert log.getvalue() == "one\nthree\n"


def test_quiet_says_what_must_be_known() -> None:
    log = io.StringIO()
    console = Console(log, quiet=True)
    console.progress("waiting")
    console.info("by the way")
    console.warning("careful")
    assert log.getvalue() == "warning: careful\n"


@pytest.mark.parametrize(
    "argv, arguments, command",
    [
        (["debug", "x"], ["debug", "x"], ()),
        (["debug", "x", "--", "a", "--", "-b"], ["debug", "x"], ("a", "--", "-b")),
        (["debug", "x", "--"], ["debug", "x"], ()),
    ],
)
def test_a_command_begins_at_the_first_dashes(
    argv: list[str], arguments: list[str], command: tuple[str, ...]
) -> None:
    assert split_command(argv) == (arguments, command)


@pytest.mark.parametrize(
    "seconds, words",
    [(0.3, "0.3s"), (90, "1m30s"), (300, "5m"), (3600, "1h"), (28800, "8h"), (5400, "1h30m")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
