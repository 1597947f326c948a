"""Take flags as pflag, kubectl's library for them, lets people write them.

``--flag=false`` and ``-q=true`` for booleans, ``-n=NAME`` for values, and both at the end of a
group of short flags (``-it=false``): Click knows none of these.
https://github.com/spf13/pflag#command-line-flag-syntax
"""

from __future__ import annotations

from collections.abc import Sequence

import click

# Go's strconv.ParseBool.
TRUE = ("1", "t", "T", "true", "TRUE", "True")
FALSE = ("0", "f", "F", "false", "FALSE", "False")


def for_click(words: Sequence[str], params: Sequence[click.Parameter]) -> list[str]:
    """Return the words of a verb as Click takes them; raises click.UsageError."""
    return _Words(params).translate(words)


class _Words:
    def __init__(self, params: Sequence[click.Parameter]) -> None:
        options = [param for param in params if isinstance(param, click.Option)]
        self._options = {name: o for o in options for name in (*o.opts, *o.secondary_opts)}
        self._found: list[str] = []

    def translate(self, words: Sequence[str]) -> list[str]:
        left = list(words)
        while left:
            word = left.pop(0)
            if word.startswith("--"):
                takes_next = self._long(word)
            elif word.startswith("-") and word != "-":
                takes_next = self._short(word)
            else:
                self._found.append(word)
                continue
            # Even if it looks like a flag, it is a value.
            if takes_next and left:
                self._found.append(left.pop(0))
        return self._found

    def _long(self, word: str) -> bool:
        """Take a long flag; say whether the next word is its value."""
        name, equals, value = word.partition("=")
        option = self._options.get(name)
        if option is None or not equals:
            self._found.append(word)
            return option is not None and not option.is_flag
        if option.is_flag:
            self._switch(option, name, value)
        else:
            self._found.append(word)
        return False

    def _short(self, word: str) -> bool:
        """Take a group of short flags; say whether the next word is the value of the last."""
        for at in range(1, len(word)):
            name, rest = f"-{word[at]}", word[at + 1 :]
            option = self._options.get(name)
            if option is None:
                self._found.append(f"-{word[at:]}")
                return False
            if not option.is_flag:
                self._found += [name, rest.removeprefix("=")] if rest else [name]
                return not rest
            if rest.startswith("="):
                self._switch(option, name, rest[1:])
                return False
            self._found.append(name)
        return False

    def _switch(self, option: click.Option, name: str, value: str) -> None:
        if value not in (*TRUE, *FALSE):
            raise click.UsageError(f"{name} must be true or false, not {value!r}")
        given, other = option.opts, option.secondary_opts
        if name in other:
            given, other = other, given
        if value in TRUE:
            self._found.append(name)
        elif other:
            self._found.append(other[0])
        else:
            # The last one counts, and Click has no word for off.
            self._found = [word for word in self._found if word not in given]


def with_values(words: list[str]) -> list[str]:
    """Return the words with a value for a bare --dry-run, which Click would take from the next."""
    found: list[str] = []
    for word in words:
        if found[-1:] == ["--dry-run=client"] and word in ("none", "client", "server"):
            found[-1] = f"--dry-run={word}"
        else:
            found.append("--dry-run=client" if word == "--dry-run" else word)
    return found
