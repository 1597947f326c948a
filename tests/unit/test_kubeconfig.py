"""What kubectl would use, worked out from files and flags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.access import resolve
from kubectl_scratch.kube.connection import Connection
from kubectl_scratch.kube.kubeconfig import in_cluster, is_kubeconfig, merge
from kubectl_scratch.kube.urls import without_login
from tests.support.builders import Json


def a_config(name: str) -> Json:
    return {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": name}}],
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}"}}],
        "users": [{"name": name, "user": {"token": f"token-{name}"}}],
    }


def both(**flags: Any) -> Any:
    documents = [(Path("/a/config"), a_config("one")), (Path("/b/config"), a_config("two"))]
    return resolve(merge(documents), Connection(**flags))


def test_the_first_current_context_wins() -> None:
    access = both()
    assert (access.cluster["server"], access.namespace) == ("https://one", "one")


@pytest.mark.parametrize(
    "flags, server, token, namespace",
    [
        ({"context": "two"}, "https://two", "token-two", "two"),
        ({"cluster": "two"}, "https://two", "token-one", "one"),
        ({"user": "two"}, "https://one", "token-two", "one"),
        ({"namespace": "other"}, "https://one", "token-one", "other"),
        ({"server": "https://three"}, "https://three", "token-one", "one"),
        ({"token": "mine"}, "https://one", "mine", "one"),
    ],
)
def test_flags_override(flags: Json, server: str, token: str, namespace: str) -> None:
    access = both(**flags)
    found = (access.cluster["server"], access.user["token"], access.namespace)
    assert found == (server, token, namespace)


def test_a_shown_command_names_the_same_cluster_and_user() -> None:
    access = both(context="two", server="https://x", as_user="me", as_uid="7", as_groups=("a", "b"))
    where = {"--context=two", "--server=https://x"}
    who = {"--as=me", "--as-uid=7", "--as-group=a", "--as-group=b"}
    assert set(access.flags) == where | who


def test_relative_files_stand_beside_their_document() -> None:
    first = a_config("one")
    first["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
    merged = merge([(Path("/a/config"), first)])
    assert resolve(merged, Connection()).cluster["certificate-authority"] == "/a/ca.crt"


@pytest.mark.parametrize(
    "flags, says",
    [
        ({"context": "nope"}, "context 'nope'"),
        ({"cluster": "nope"}, "cluster 'nope'"),
        ({"user": "nope"}, "user 'nope'"),
        ({"server": "foo"}, "not a URL"),
        ({"token": "a\nb"}, "not allowed in an HTTP header"),
        ({"as_user": "a\nb"}, "not allowed in an HTTP header"),
        ({"as_groups": ("g",)}, "need --as"),
        ({"namespace": "No_Such"}, "name of a namespace"),
        ({"insecure_skip_tls_verify": True, "certificate_authority": "/x"}, "cannot be combined"),
    ],
)
def test_what_can_not_be(flags: Json, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says) as caught:
        both(**flags)
    assert "a\nb" not in str(caught.value)


def test_a_token_replaces_what_else_would_log_in() -> None:
    config = a_config("one")
    config["users"][0]["user"] = {"exec": {"command": "x"}, "tokenFile": "t", "username": "u"}
    access = resolve(merge([(Path("/a/config"), config)]), Connection(token="mine"))
    assert access.user == {"token": "mine"}


WRONG_USERS: list[Any] = [
    {"as": "a", "as-user-extra": ["x"]}, {"as": "a", "as-user-extra": {"x": "y"}},
    {"as": "a", "as-user-extra": {"x": [1]}}, {"as": "a", "as-user-extra": {1: ["x"]}},
    {"as": "a", "as-groups": "admins"}, {"as": "a", "as-groups": [1]}, {"as-uid": 5},
    {"client-certificate-data": 5}, {"client-key-data": ["x"]}, {"password": {"a": "b"}},
    {"client-key": 5},
]  # fmt: skip


@pytest.mark.parametrize(
    "document",
    [
        [], "x", {"clusters": "x"}, {"clusters": [{}]}, {"users": [{"name": 1}]},
        *({"users": [{"name": "u", "user": user}]} for user in WRONG_USERS),
        {"clusters": [{"name": "c", "cluster": {"certificate-authority-data": 5}}]},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_kubeconfig(document: Any) -> None:
    assert not is_kubeconfig(document)


ODD = ["s3cret", "s3#cret", "s3/cret", "s3?cret", "s3@cret", "s3:cret", "s3 cret", "s3//cret",
       "s3://cret", "#s3cret", "s3cret/", "s3\ncret"]  # fmt: skip


@pytest.mark.parametrize("password", ODD)
@pytest.mark.parametrize("start", ["", "http://", "HTTPS://", "socks5://"])
def test_no_password_of_a_url_is_shown(password: str, start: str) -> None:
    shown = without_login(f"{start}s3user:{password}@one.example:8080/x")
    assert shown == f"{start}one.example:8080/x"
    assert without_login(f"{start}one.example/x?y#z") == f"{start}one.example/x?y#z"


def test_in_a_pod_its_service_account_is_used(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    (tmp_path / "namespace").write_text("shop")
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    config = in_cluster(environ, tmp_path)
    assert config is not None
    access = resolve(config, Connection())
    assert (access.cluster["server"], access.namespace) == ("https://[fd00::1]:443", "shop")
    assert in_cluster({}, tmp_path) is None
