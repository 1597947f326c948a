"""The answer of why in words, and which values are masked."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_scratch.why.masks import mask_arguments
from kubectl_scratch.why.model import Cause, Explanation
from kubectl_scratch.why.text import answer_lines
from tests.support.builders import a_container, a_pod

LONG = "kubectl patch deployment/shop --type=json -p " + "x" * 90
MISSING = Cause(
    "missing-file", "the app needs /etc/x, which does not exist", ("open /etc/x",), LONG
)
OTHER = Cause("dns-name", "the name db does not resolve", ("DNS db A: NXDOMAIN",))
TIMELINE = ("0 ms  app[7]  start", "1 ms  app[7]  exited with code 1")


def lines(answer: Explanation, timeline: bool = False, width: int = 60) -> list[str]:
    return list(answer_lines("shop", answer, width, timeline))


def test_one_cause_has_no_number() -> None:
    assert lines(Explanation((OTHER,), "the app exited with code 1")) == [
        "shop: the app exited with code 1",
        "",
        "the name db does not resolve",
        "  - DNS db A: NXDOMAIN",
    ]


def test_several_causes_are_numbered() -> None:
    told = lines(Explanation((MISSING, OTHER), "it ended"))
    assert "1. the app needs /etc/x, which does not exist" in told
    assert "2. the name db does not resolve" in told


def test_no_line_is_too_long_but_a_word_is_never_cut() -> None:
    told = lines(Explanation((MISSING,), "the app ended " + "again " * 30), width=40)
    assert all(len(line) <= 40 for line in told if "xxx" not in line)
    assert any("x" * 90 in line for line in told)


@pytest.mark.parametrize(
    "answer, wanted, unwanted",
    [
        (
            Explanation((), "it ended", evidence=("it said nothing",)),
            "no cause found",
            "what the app",
        ),
        (
            Explanation((), "the app was still running", runs=True),
            "shop: the app was still running",
            "no cause found",
        ),
    ],
)
def test_without_a_cause(answer: Explanation, wanted: str, unwanted: str) -> None:
    told = "\n".join(lines(answer, timeline=True))
    assert wanted in told and unwanted not in told


def test_the_timeline_comes_last_and_only_if_it_is_asked_for() -> None:
    answer = Explanation((OTHER,), "it ended", timeline=TIMELINE)
    assert lines(answer, timeline=True)[-2:] == [f"  {line}" for line in TIMELINE]
    assert "what the app did:" not in lines(answer)


def of_secret(name: str) -> dict[str, Any]:
    """Return a variable that comes from a Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}


PLAIN = {"name": "PLAIN", "value": "x"}
OF_MAP = {"name": "OF_MAP", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}
TOKEN = {"serviceAccountToken": {"path": "token"}}
VOLUMES = [
    {"name": "secret", "secret": {"secretName": "db"}},
    {"name": "map", "configMap": {"name": "m"}},
    {"name": "token", "projected": {"sources": [TOKEN, {"configMap": {"name": "ca"}}]}},
    {"name": "mixed", "projected": {"sources": [{"secret": {"name": "db"}}]}},
]


def mounts(*names: str) -> list[dict[str, str]]:
    """Return mounts of these volumes."""
    return [{"name": name, "mountPath": f"/mnt/{name}/"} for name in names]


@pytest.mark.parametrize(
    "container, flags",
    [
        ({}, []),
        ({"env": [PLAIN, OF_MAP]}, []),
        ({"env": [PLAIN, of_secret("PASSWORD")]}, ["--mask-env", "PASSWORD"]),
        # Of a whole Secret the names are unknown: all but what is known not to be secret.
        (
            {"env": [PLAIN, of_secret("A")], "envFrom": [{"secretRef": {"name": "db"}}]},
            ["--mask-env-except", "PLAIN", "--mask-env-except", "PATH"],
        ),
        ({"envFrom": [{"configMapRef": {"name": "m"}}]}, []),
        ({"volumeMounts": mounts("map", "none")}, []),
        ({"volumeMounts": mounts("secret")}, ["--mask-folder", "/mnt/secret"]),
        ({"volumeMounts": mounts("mixed")}, ["--mask-folder", "/mnt/mixed"]),
        # The namespace and the certificate beside a token are no secrets.
        ({"volumeMounts": mounts("token")}, ["--mask-folder", "/mnt/token/token"]),
    ],
)
def test_what_is_masked(container: dict[str, Any], flags: list[str]) -> None:
    pod = a_pod(containers=[a_container(**container)], volumes=VOLUMES)
    assert list(mask_arguments(pod, "app")) == flags
