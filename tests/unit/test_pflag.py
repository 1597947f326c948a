"""Flags in pflag's spellings."""

from __future__ import annotations

from typing import Any

import click
import pytest

from kubectl_scratch.cli.commands import scratch

NONE: dict[str, Any] = {}


def parsed(*words: str) -> dict[str, Any]:
    """Return what debug makes of its words, but for what was not said."""
    debug = scratch.commands["debug"]
    context = debug.make_context("debug", list(words))
    plain = debug.make_context("debug", ["pod"]).params
    return {k: v for k, v in context.params.items() if v != plain[k]}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("-q",), {"quiet": True}),
        (("--quiet=true",), {"quiet": True}),
        (("--quiet=1",), {"quiet": True}),
        (("--quiet=t",), {"quiet": True}),
        (("--quiet=T",), {"quiet": True}),
        (("--quiet=TRUE",), {"quiet": True}),
        (("--quiet=True",), {"quiet": True}),
        (("--quiet=false",), NONE),
        (("--quiet=0",), NONE),
        (("--quiet", "--quiet=f"), NONE),
        (("-q", "--quiet=F"), NONE),
        (("--quiet=FALSE", "-q"), {"quiet": True}),
        (("-q=true",), {"quiet": True}),
        (("-q=False",), NONE),
        (("--stdin",), {"stdin": True}),
        (("-i",), {"stdin": True}),
        (("--stdin=false",), {"stdin": False}),
        (("-it",), {"stdin": True, "tty": True}),
        (("-ti",), {"stdin": True, "tty": True}),
        (("-it=false",), {"stdin": True, "tty": False}),
        (("-ti=0",), {"stdin": False, "tty": True}),
        (("-i", "-t"), {"stdin": True, "tty": True}),
        (("-itq=1",), {"stdin": True, "tty": True, "quiet": True}),
        (("--tty=false",), {"tty": False}),
        (("--no-tty=true",), {"tty": False}),
        (("--no-tty=false",), {"tty": True}),
        (("--hold=true",), {"hold": True}),
        (("--hold=false",), {"hold": False}),
        (("--share-processes=false",), {"share_processes": False}),
        (("--same-node=true",), {"same_node": True}),
        (("--insecure-skip-tls-verify=true",), {"insecure_skip_tls_verify": True}),
        (("-n", "ns"), {"namespace": "ns"}),
        (("-n=ns",), {"namespace": "ns"}),
        (("-nns",), {"namespace": "ns"}),
        (("--namespace=ns",), {"namespace": "ns"}),
        (("--namespace", "ns"), {"namespace": "ns"}),
        (("-n=a=b",), {"namespace": "a=b"}),
        (("-n==b",), {"namespace": "=b"}),
        (("-qn=ns",), {"quiet": True, "namespace": "ns"}),
        (("-qn", "ns"), {"quiet": True, "namespace": "ns"}),
        (("-itc=app",), {"stdin": True, "tty": True, "container": "app"}),
        (("-c=app",), {"container": "app"}),
        (("-s=https://x",), {"server": "https://x"}),
        (("-f=x.yaml",), {"filename": "x.yaml"}),
        (("-f", "-"), {"filename": "-"}),
        (("-f-",), {"filename": "-"}),
        (("--env", "A=true"), {"env": ("A=true",)}),
        (("--env=A=-q=x",), {"env": ("A=-q=x",)}),
        # Whatever the value looks like.
        (("--reason", "--quiet=true"), {"reason": "--quiet=true"}),
        (("--reason", "-n=x"), {"reason": "-n=x"}),
        (("-v", "6"), {"v": 6}),
        (("-v=6",), {"v": 6}),
        (("-v6",), {"v": 6}),
        (("--v=6",), {"v": 6}),
        (("--v", "6"), {"v": 6}),
        (("--dry-run=server",), {"dry_run": "server"}),
    ],
)
def test_it_is_taken(words: tuple[str, ...], wanted: dict[str, Any]) -> None:
    for all_of_them in (("pod", *words), (*words, "pod")):
        assert parsed(*all_of_them) == wanted


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--quiet=yes",), "--quiet must be true or false, not 'yes'"),
        (("--quiet=",), "--quiet must be true or false, not ''"),
        (("-q=x",), "-q must be true or false, not 'x'"),
        (("-it=maybe",), "-t must be true or false, not 'maybe'"),
        (("-v=x",), "not a valid integer"),
        (("-Z",), "No such option '-Z'"),
        (("--nosuch=1",), "No such option"),
        (("-qZ",), "No such option '-Z'"),
        (("-n",), "requires an argument"),
    ],
)
def test_what_it_is_not_is_refused(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        parsed("pod", *words)
    assert said in refused.value.format_message()


@pytest.mark.parametrize("verb", ["attach", "check", "ls", "version", "options"])
def test_every_verb_takes_them(verb: str) -> None:
    command = scratch.commands[verb]
    named = {"attach": ["copy"], "check": ["pod"]}.get(verb, [])
    words = [*named, "-n=ns", "-v=6", "--insecure-skip-tls-verify=true"]
    found = command.make_context(verb, words).params
    assert (found["namespace"], found["insecure_skip_tls_verify"]) == ("ns", True)
