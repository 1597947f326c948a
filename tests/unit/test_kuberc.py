"""kubectl's preferences, as kubectl 1.37 reads them: what it does with each was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.kuberc import PluginPolicy, kuberc_path, plugin_policy
from tests.support.builders import Json

FILE = Path("/home/me/.kube/kuberc")
HEAD = {"apiVersion": "kubectl.config.k8s.io/v1beta1", "kind": "Preference"}


def of(*documents: Any) -> PluginPolicy:
    return plugin_policy(documents, FILE)


def preference(**fields: Any) -> Json:
    return {**HEAD, **fields}


def allowing(*entries: Any) -> Json:
    return preference(credentialPluginPolicy="Allowlist", credentialPluginAllowlist=list(entries))


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of PATH with plugins, one of which is a link, and one beside it."""
    folder, beside = tmp_path / "bin", tmp_path / "beside"
    for where in (folder, beside):
        where.mkdir()
        (where / "plug").write_text("")
        (where / "plug").chmod(0o755)
    (folder / "linked").symlink_to(folder / "plug")
    monkeypatch.setenv("PATH", str(folder))
    return tmp_path


ALLOWED = [
    (preference(), "plug", True),
    (preference(credentialPluginPolicy="AllowAll"), "plug", True),
    (preference(credentialPluginPolicy=""), "plug", True),
    (preference(credentialPluginPolicy="DenyAll"), "plug", False),
    (preference(credentialPluginPolicy="DenyAll"), "not-there", False),
    ({**HEAD, "apiVersion": "kubectl.config.k8s.io/v1alpha1", "credentialPluginPolicy": "DenyAll"},
     "plug", False),
    (allowing({"command": "plug"}), "plug", True),
    (allowing({"name": "plug"}), "plug", True),
    (allowing({"name": "plug", "command": "plug"}), "plug", True),
    (allowing({"command": "plug", "unknown": "x"}), "plug", True),
    (allowing({"command": "other"}, {"command": "plug"}), "plug", True),
    (allowing({"command": "other"}), "plug", False),
    (allowing({"command": "/tools/bin/plug"}), "plug", True),
    (allowing({"command": "plug"}), "/tools/bin/plug", True),
    (allowing({"command": "plug"}), "/tools/beside/plug", False),
    (allowing({"command": "/tools/beside/plug"}), "plug", False),
    (allowing({"command": "linked"}), "plug", False),
    (allowing({"command": "plug"}), "/tools/bin/../bin/plug", True),
    # It can't run: what to do about that is the kubeconfig's to say.
    (allowing({"command": "plug"}), "not-there", True),
]  # fmt: skip


@pytest.mark.parametrize(("document", "command", "allowed"), ALLOWED, ids=str)
def test_which_plugins_may_run(tools: Path, document: Any, command: str, allowed: bool) -> None:
    text = str(document).replace("/tools", str(tools))
    policy, command = of(eval(text)), command.replace("/tools", str(tools))
    if allowed:
        policy.check(command)
        return
    with pytest.raises(InvalidRequest) as caught:
        policy.check(command)
    assert f"{command!r} is forbidden by '{FILE}'" in caught.value.problem


WRONG = [
    (preference(credentialPluginPolicy="denyall"), "is not one of AllowAll, DenyAll, Allowlist"),
    (preference(credentialPluginPolicy=["DenyAll"]), "is not one of"),
    (preference(credentialPluginPolicy="Allowlist"), "is empty"),
    (allowing(), "is empty"),
    (preference(credentialPluginPolicy="Allowlist", credentialPluginAllowlist="x"), "is empty"),
    (preference(credentialPluginAllowlist=[{"command": "a"}]), "needs the policy Allowlist"),
    (preference(credentialPluginPolicy="DenyAll", credentialPluginAllowlist=[]), "needs the pol"),
    (allowing({}), "needs a command"),
    (allowing({"command": ""}), "needs a command"),
    (allowing("plug"), "needs a command"),
    (allowing({"command": ["plug"]}), "needs a command"),
    (allowing({"command": "a", "name": "b"}), "needs a command"),
    (allowing({"command": "./plug"}), "not a normalized path"),
    (allowing({"command": "/a/../b"}), "not a normalized path"),
    ({"kind": "Preference"}, "has no preferences"),
    ({**HEAD, "kind": "Other"}, "has no preferences"),
    (["x"], "has no preferences"), ("text", "has no preferences"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "said"), WRONG, ids=str)
def test_what_can_not_be_understood_is_an_error(document: Any, said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        of(document)
    assert said in caught.value.problem and str(FILE) in caught.value.problem
    assert caught.value.hint


def test_the_first_preferences_of_a_file_count() -> None:
    deny, allow = (preference(credentialPluginPolicy=kind) for kind in ("DenyAll", "AllowAll"))
    assert of(None, {"kind": "X"}, deny, allow).kind == "DenyAll"
    assert of() == of(None) == PluginPolicy()


def test_which_file_is_read(tmp_path: Path) -> None:
    home, other = tmp_path / ".kube" / "kuberc", tmp_path / "other"
    environ = {"HOME": str(tmp_path)}
    assert kuberc_path(None, environ) is None
    home.parent.mkdir()
    home.write_text("")
    other.write_text("")
    assert kuberc_path(None, environ) == kuberc_path(None, {**environ, "KUBERC": ""}) == home
    assert kuberc_path(None, {**environ, "KUBERC": str(other)}) == other
    assert kuberc_path(str(home), {**environ, "KUBERC": str(other)}) == home
    for off in ({"KUBERC": "off"}, {"KUBECTL_KUBERC": "False"}):
        assert kuberc_path(None, {**environ, **off}) is None
    assert kuberc_path(None, {**environ, "KUBECTL_KUBERC": "0"}) == home


@pytest.mark.parametrize(
    ("flag", "environ", "said"),
    [
        ("x", {"KUBERC": "off"}, "contradict"),
        ("/nowhere", {}, "'/nowhere' does not exist"),
        ("off", {}, "'off' does not exist"),
        ("", {}, "names no file"),
        (None, {"KUBERC": "/nowhere"}, "'/nowhere' does not exist"),
    ],
)
def test_a_file_that_is_named_has_to_be_there(flag: Any, environ: Any, said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        kuberc_path(flag, environ)
    assert said in caught.value.problem
