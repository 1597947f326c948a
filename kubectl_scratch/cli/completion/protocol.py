"""Shell completion in the form that kubectl requires of plugins.

One ``value<TAB>description`` a line, and ``:DIRECTIVE`` as the last line, a bit field of Cobra's.
https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/ says where kubectl looks for it;
https://pkg.go.dev/github.com/spf13/cobra#ShellCompDirective describes the bits.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

import click

from kubectl_scratch.cli.pflag import with_values
from kubectl_scratch.runtime.console import printable
from kubectl_scratch.runtime.names import COMMAND

# Let the shell complete file names, or not.
FILES = 0
NO_FILES = 4
# No space after it: a kind is followed by a name.
NO_SPACE = 2

SILENT = (0, 2)


def complete(group: click.Group, words: Sequence[str]) -> str:
    """Return the answer for a command line whose last word is being typed.

    After an error the answer has no candidates, and stderr stays empty.
    """
    *typed, last = words or [""]
    # After -- comes a command of the copy.
    if "--" in typed:
        return _answer([], NO_FILES)
    _be_silent()
    with contextlib.suppress(Exception):
        return _candidates(group, typed, last)
    return _answer([], NO_FILES)


def _candidates(group: click.Group, typed: list[str], last: str) -> str:
    verb: click.Command | None = group
    for word in typed:
        if isinstance(verb, click.Group) and not word.startswith("-"):
            verb = verb.commands.get(word)
    if verb is None:
        return _answer([], NO_FILES)
    from click.shell_completion import ShellComplete

    items = ShellComplete(group, {}, COMMAND, "").get_completions(with_values(typed), last)
    if any(item.type == "file" for item in items):
        return _answer([], FILES)
    found = [(str(item.value), item.help or "") for item in items]
    goes_on = len(found) == 1 and found[0][0].endswith("/")
    return _answer(found, NO_FILES | NO_SPACE if goes_on else NO_FILES)


def _answer(found: list[tuple[str, str]], directive: int) -> str:
    # What a cluster sends must not end a line, or control the terminal.
    lines = [printable(value) + (f"\t{printable(text)}" if text else "") for value, text in found]
    return "\n".join([*lines, f":{directive}", ""])


def _be_silent() -> None:
    """Detach from the terminal: no login may ask there, and no library may write."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in SILENT:
        os.dup2(nowhere, descriptor)
