"""A credential plugin that the user has forbidden to kubectl does not run for us either."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.harness import EXEC, Cli, clean
from tests.api.test_bad_input import edited, plugin_config
from tests.api.test_connection import tls_cluster

KUBECTL = str(Path(sys.executable).with_name("kubectl"))
HEAD = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n"
DENY = f"{HEAD}credentialPluginPolicy: DenyAll\n"
ALLOW = f"{HEAD}credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: "
SECRET = "s3cret-t0ken"
PLUGIN = f"""#!/bin/sh
echo $0 >> "$CALLS"
echo '{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
 "status": {{"token": "{SECRET}"}}}}'
"""


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """Give a cluster at an https URL (kubectl logs in nowhere else), and a plugin on PATH."""
    with tls_cluster(tmp_path, token=SECRET) as cli:
        for folder in ("bin", "beside"):
            path = tmp_path / folder / "plug"
            path.parent.mkdir()
            path.write_text(PLUGIN)
            path.chmod(0o755)
        cli.environ["PATH"] = f"{tmp_path / 'bin'}:{cli.environ['PATH']}"
        cli.environ["CALLS"] = str(tmp_path / "calls")
        uses(cli, "plug")
        yield cli


def uses(cli: Cli, command: str) -> None:
    """Let the kubeconfig name a plugin."""
    user = {"exec": plugin_config(command)}
    edited(cli, lambda config: config["users"][0].update(user=user))


def calls(cli: Cli) -> int:
    """Return how often a plugin has run, and forget it."""
    path = Path(cli.environ["CALLS"])
    found = len(path.read_text().split()) if path.exists() else 0
    path.unlink(missing_ok=True)
    return found


RULES = {
    "none": ("", "plug"),
    "no-policy": (HEAD, "plug"),
    "allow-all": (f"{HEAD}credentialPluginPolicy: AllowAll\n", "plug"),
    "deny-all": (DENY, "plug"),
    "by-name": (f"{ALLOW}[{{command: plug}}]\n", "plug"),
    "by-old-name": (f"{ALLOW}[{{name: plug}}]\n", "plug"),
    "by-path": (f"{ALLOW}[{{command: HERE/bin/plug}}]\n", "plug"),
    "another": (f"{ALLOW}[{{command: other}}]\n", "plug"),
    "one-of-two": (f"{ALLOW}[{{command: other}}, {{command: plug}}]\n", "plug"),
    "path-by-name": (f"{ALLOW}[{{command: plug}}]\n", "bin/plug"),
    "namesake": (f"{ALLOW}[{{command: plug}}]\n", "beside/plug"),
    "no-list": (f"{HEAD}credentialPluginPolicy: Allowlist\n", "plug"),
    "empty-list": (f"{ALLOW}[]\n", "plug"),
    "list-without-policy": (f"{HEAD}credentialPluginAllowlist: [{{command: plug}}]\n", "plug"),
    "unknown-policy": (f"{HEAD}credentialPluginPolicy: denyall\n", "plug"),
    "not-normalized": (f"{ALLOW}[{{command: ./plug}}]\n", "plug"),
    "no-preference": ("kind: Other\n", "plug"),
    "no-yaml": ("{{{", "plug"),
    "two-documents": (f"kind: X\n---\n{DENY}---\n{HEAD}", "plug"),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_plugin_runs_where_kubectl_runs_it(cli: Cli, rule: str) -> None:
    text, command = RULES[rule]
    uses(cli, command)
    path = cli.folder / "kuberc"
    path.write_text(text.replace("HERE", str(cli.folder)))
    cli.environ["KUBERC"] = str(path)
    theirs = subprocess.run(
        [KUBECTL, f"--kubeconfig={cli.kubeconfig}", "get", "--raw", "/version"],
        env=cli.environ, cwd=cli.folder, capture_output=True,
    )  # fmt: skip
    runs = calls(cli)
    assert (theirs.returncode == 0) == (runs == 1), theirs
    cli.api.requests.clear()
    ended = cli.run("version", "--output=json")
    assert (calls(cli), ended.code) == (runs, 0 if runs else 1), ended
    if not runs:
        assert len(ended.errors) == 1 and str(path) in ended.errors[0], ended
        ended.is_well_formed()


WHERE: dict[str, Callable[[Cli], tuple[str, ...]]] = {
    "flag": lambda cli: ("--kuberc", str(_written(cli, "mine"))),
    "variable": lambda cli: _variable(cli, str(_written(cli, "mine"))),
    "home": lambda cli: _at(_written(cli, "home/.kube/kuberc")),
}


def _written(cli: Cli, name: str) -> Path:
    path = cli.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(DENY)
    return path


def _variable(cli: Cli, value: str) -> tuple[str, ...]:
    cli.environ["KUBERC"] = value
    return ()


def _at(path: Path) -> tuple[str, ...]:
    return ()


VERBS = [
    ("debug", "mypod", "--", "true"),
    ("debug", "mypod", "--transport", "kubectl", "--", "true"),
    ("attach", "mypod", "--", "true"),
    ("check", "mypod"),
    ("ls",),
    ("version",),
]


@pytest.mark.parametrize("where", WHERE)
def test_a_forbidden_plugin_is_one_line(cli: Cli, where: str) -> None:
    flags = WHERE[where](cli)
    ended = cli.run("debug", *flags, "mypod", "--", "true")
    ended.complains("plugin 'plug' is forbidden by '.*'; its credentialPluginPolicy is DenyAll")
    assert calls(cli) == 0 and cli.api.requests == []


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: "-".join(verb[:4]))
def test_no_verb_runs_what_is_forbidden(cli: Cli, verb: tuple[str, ...]) -> None:
    WHERE["home"](cli)
    ended = cli.run(*verb)
    assert ended.code == 1 and "is forbidden by" in ended.err, ended
    assert calls(cli) == 0 and cli.api.requests == []


def test_completion_runs_nothing_that_is_forbidden(cli: Cli) -> None:
    WHERE["home"](cli)
    assert cli.kubeconfig is not None
    config = f"--kubeconfig={cli.kubeconfig}"
    asked = [sys.executable, "-m", "kubectl_scratch", "__complete", "debug", config, "my"]
    done = subprocess.run(asked, env=cli.environ, cwd=cli.folder, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"") and b"mypod" not in done.stdout
    assert calls(cli) == 0
    cli.environ["KUBERC"] = "off"
    done = subprocess.run(asked, env=cli.environ, cwd=cli.folder, capture_output=True)
    assert b"mypod" in done.stdout and calls(cli) == 1


def test_off_is_off(cli: Cli) -> None:
    WHERE["home"](cli)
    cli.environ["KUBERC"] = "off"
    assert cli.run("debug", "mypod", "--", "echo", "hi").out == b"hi\n"
    cli.run("ls", "--kuberc", "x").complains("contradict")


def test_what_is_of_no_account_is_not_read(cli: Cli) -> None:
    """Without a plugin there is nothing to forbid, and a broken file is no reason to stop."""
    (cli.home / ".kube").mkdir()
    (cli.home / ".kube" / "kuberc").write_text("{{{")
    edited(cli, lambda config: config["users"][0].update(user={"token": SECRET}))
    assert cli.run("debug", "mypod", "--", "echo", "hi").out == b"hi\n"


def test_an_old_login_by_a_command_is_a_plugin_too(cli: Cli) -> None:
    WHERE["home"](cli)
    config = {"cmd-path": f"{cli.folder}/bin/plug", "cmd-args": "x", "expiry-key": "{.a}"}
    user = {"auth-provider": {"name": "gcp", "config": config}}
    edited(cli, lambda found: found["users"][0].update(user=user))
    cli.run("ls").complains("bin/plug' is forbidden by")
    assert calls(cli) == 0


def test_kubectl_is_told_of_the_same_file(cli: Cli) -> None:
    path = cli.folder / "mine"
    path.write_text(f"{ALLOW}[{{command: plug}}]\n")
    cli.api.fault(path=EXEC, times=None, status=400, message="Upgrade request required")
    note = cli.folder / "bin" / "kubectl"
    note.write_text(
        '#!/bin/sh\nprintf "%s\\n" "$@" >> "$CALLS.kubectl"; echo refused >&2; exit 1\n'
    )
    note.chmod(0o755)
    ended = cli.run("debug", "--kuberc", str(path), "mypod", "--", "true")
    assert ended.code == 1
    assert f"--kuberc={path}" in Path(f"{cli.environ['CALLS']}.kubectl").read_text().splitlines()
    clean(cli.api)


@pytest.mark.parametrize("policy", ["", f"{ALLOW}[{{command: plug}}]\n"], ids=["all", "listed"])
@pytest.mark.parametrize("there", [True, False])
def test_a_kubeconfig_does_not_say_where_a_plugin_is(cli: Cli, policy: str, there: bool) -> None:
    """Its env is for the plugin that our PATH finds, as kubectl does it."""
    plugin = {**plugin_config("plug"), "installHint": "get it"}
    plugin["env"] = [{"name": "PATH", "value": f"{cli.folder}/beside:/usr/bin:/bin"}]
    edited(cli, lambda config: config["users"][0].update(user={"exec": plugin}))
    (cli.folder / "kuberc").write_text(policy or HEAD)
    cli.environ["KUBERC"] = str(cli.folder / "kuberc")
    if not there:
        (cli.folder / "bin" / "plug").unlink()
    ended = cli.run("ls")
    path = Path(cli.environ["CALLS"])
    assert ended.code == (0 if there else 1), ended
    if there:
        assert set(path.read_text().split()) == {f"{cli.folder}/bin/plug"}
    else:
        ended.complains("plug cannot be run: get it")
        assert not path.exists()


COMMANDS = {
    "line": ({"cmd-path": "HERE/bin/plug x"}, True),
    "whole": ({"cmd-path": "HERE/bin/plug x", "cmd-args": "y"}, False),
    "other": ({"cmd-path": "HERE/beside/plug"}, False),
    "not-there": ({"cmd-path": "HERE/beside/none"}, False),
    "not-there-whole": ({"cmd-path": "HERE/beside/none", "cmd-args": "x"}, False),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_of_an_old_login_is_on_the_list(cli: Cli, name: str) -> None:
    config, allowed = COMMANDS[name]
    spaced = cli.folder / "bin" / "plug x"
    spaced.write_text(f"{PLUGIN}{LOGIN}")
    plug = cli.folder / "bin" / "plug"
    plug.write_text(f"{PLUGIN}{LOGIN}")
    spaced.chmod(0o755)
    config = {key: value.replace("HERE", str(cli.folder)) for key, value in config.items()}
    user = {"auth-provider": {"name": "gcp", "config": config}}
    edited(cli, lambda found: found["users"][0].update(user=user))
    (cli.folder / "kuberc").write_text(f"{ALLOW}[{{command: {plug}}}]\n")
    cli.environ["KUBERC"] = str(cli.folder / "kuberc")
    ended = cli.run("version")
    ended.is_well_formed()
    assert (ended.code != 0, calls(cli) > 0) == (True, allowed), ended
    assert allowed or len(ended.errors) == 1


# It is no login that the old client takes.
LOGIN = "exit 3\n"
