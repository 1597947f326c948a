"""What cannot be done is said in one clear line, before anything is created."""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from tests.api.harness import SOURCE, Cli, a_cluster, nothing_left, nothing_sent, source_pod

SECRET = "s3cret-t0ken"
COMMAND = ("--", "true")


@dataclass(frozen=True)
class Row:
    """Name what is asked for, after which preparation, and the words of the refusal."""

    id: str
    args: tuple[str, ...]
    said: tuple[str, ...]
    prepare: Callable[[Cli], object] = lambda cli: None
    tls: bool = False


def _asks(name: str, *args: str, said: str) -> Row:
    return Row(name, args, (said,))


def _mypod(name: str, *flags: str, said: str) -> Row:
    return Row(name, ("debug", SOURCE, *flags, *COMMAND), (said,))


def _configured(name: str, prepare: Callable[[Cli], object], *said: str, tls: bool = False) -> Row:
    return Row(name, ("debug", SOURCE, *COMMAND), said, prepare, tls)


def _by_variable(cli: Cli) -> None:
    cli.environ["KUBECONFIG"] = str(cli.kubeconfig)


WORDS = [
    _asks("service", "debug", "svc/x", *COMMAND, said="service .x. not found"),
    _asks("deployment", "debug", "deploy/x", *COMMAND, said="deployment .x. not found"),
    _asks("empty-pod", "debug", "", *COMMAND, said="is not a valid pod name"),
    _asks("pod-and-slash", "debug", "pod/", *COMMAND, said="is not a valid pod name"),
    _asks("upper-case", "debug", "My_Pod", *COMMAND, said="'My_Pod' is not a valid pod name"),
    _asks("spaces", "debug", "my pod", *COMMAND, said="is not a valid pod name"),
    _asks("dots", "debug", "../../secrets", *COMMAND, said="cannot be debugged; use one of"),
    _asks("escape", "debug", "a\x1b[31m", *COMMAND, said=r"\\x1b\[31m"),
    _asks("newline", "debug", "mypod\n", *COMMAND, said=r"\\n"),
    _asks("no-pod", "debug", *COMMAND, said="TARGET is missing"),
    _asks("two-pods", "debug", "a", "b", *COMMAND, said="unexpected argument .b."),
    _asks("unknown-verb", "debgu", SOURCE, said="no such command 'debgu'.*debug"),
    _mypod("unknown-flag", "--contxt", "x", said="no such option.*--contxt.*--context"),
    Row("flag-without-value", ("debug", SOURCE, "-n"), ("requires an argument",), _by_variable),
    _mypod("container-name", "-c", "A_B", said="'A_B' is not a valid container name"),
    _mypod("ttl-word", "--ttl", "soon", said="--ttl 'soon' is not a duration"),
    _mypod("ttl-zero", "--ttl", "0", said="--ttl must be longer than 0s"),
    _mypod("ttl-short", "--ttl", "4s", said="--ttl must be at least 5s"),
    _mypod("ttl-huge", "--ttl", "9" * 400, said="--ttl"),
    _mypod("timeout-negative", "--timeout", "-5s", said="not a duration"),
    _mypod("max-unit", "--max", "3d", said="--max '3d' is not a duration"),
    _mypod("request-timeout", "--request-timeout", "x", said="--request-timeout 'x'"),
    _mypod("image-spaces", "--image", "a b", said="'a b' is not an image reference"),
    _mypod("image-newline", "--image", "a\n", said="is not an image reference"),
    _mypod("transport", "--transport", "smoke", said="'smoke' is not one of"),
    Row("no-terminal", ("debug", SOURCE), ("a shell needs a terminal",)),
    _mypod("shell-and-command", "--shell", "bash", said="--shell cannot be combined"),
    Row("shell-of-no-name", ("debug", SOURCE, "-T", "--shell", ""), ("--shell needs the name",)),
    _mypod("toolkit-file", "--toolkit-file", "no/such/file", said="'no/such/file' cannot be read"),
    _mypod("command-quote", "--command", "sh -c 'x", said="--command cannot be split.*quotation"),
    _mypod("command-empty", "--command", "  ", said="--command is empty"),
    _mypod("only-no-hold", "--hold-all", "--no-hold", said="--hold-all also holds the target"),
    _mypod("view", "--view", "both", said="'both' is not one of"),
    _mypod("arch", "--arch", "s390x", said="'s390x' is not one of"),
]  # fmt: skip


def _pods(*names: str) -> Callable[[Cli], None]:
    def add(cli: Cli) -> None:
        for name in names:
            cli.api.add(source_pod(name))

    return add


def _refuse(**what: Any) -> Callable[[Cli], object]:
    what = {"method": "GET", "path": "", "times": None, **what}
    return lambda cli: cli.api.fault(**what)


def _windows(cli: Cli) -> None:
    cli.api.add(source_pod("win", os={"name": "windows"}))


def _empty_namespace(cli: Cli) -> None:
    cli.api.add({"kind": "Namespace", "metadata": {"name": "empty"}})


def _two_containers(cli: Cli) -> None:
    names = ("one", "two")
    cli.api.add(source_pod("duo", containers=[{"name": n, "image": "i"} for n in names]))


EVIL = "no \x1b]0;pwned\x07 \x9b31m entry\r\nerror: forged"
FORBIDDEN = {"status": 403, "reason": "Forbidden"}
NEAR = ("web-7d4b9c-xk2lp", "web-7d4b9c-mm4tz")
STATES = [
    Row("near-name", ("debug", "mypd", *COMMAND), ("pod 'mypd' not found", "did you mean mypod?")),
    Row("near-prefix", ("debug", "web", *COMMAND), NEAR, _pods(*NEAR)),
    Row("far-name", ("debug", "zzz", *COMMAND), ("pod 'zzz' not found in namespace 'default'",)),
    Row("no-namespace", ("debug", "p", "-n", "nope", *COMMAND), ("namespace 'nope' not found",)),
    Row("odd-namespace", ("debug", "p", "-n", "a/../b", *COMMAND), ("could not find|namespace",)),
    Row("empty", ("debug", "p", "-n", "empty", *COMMAND), ("no pods",), _empty_namespace),
    Row("container", ("debug", "duo", "-c", "x", *COMMAND), ("one, two",), _two_containers),
    Row("windows", ("debug", "win", *COMMAND), ("Windows",), _windows),
    _configured("forbidden", _refuse(**FORBIDDEN, message="may not get"), "rejected .*may not get"),
    _configured("unavailable", _refuse(status=503, reason="X", message="later"), "later"),
    _configured("html", _refuse(text="<html>Sign in</html>"), "Sign in"),
    _configured("evil", _refuse(**FORBIDDEN, message=EVIL), r"\\x1b\]0;pwned\\x07", r"\\x9b31m"),
    _configured("hang-up", _refuse(drop=True), "cannot be reached"),
]  # fmt: skip


def _file(content: bytes) -> Callable[[Cli], None]:
    def write(cli: Cli) -> None:
        assert cli.kubeconfig
        cli.kubeconfig.write_bytes(content)

    return write


def edited(cli: Cli, edit: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Change the kubeconfig."""
    assert cli.kubeconfig
    config: dict[str, Any] = yaml.safe_load(cli.kubeconfig.read_text())
    edit(config)
    cli.kubeconfig.write_text(json.dumps(config))
    return config


def _user(**fields: Any) -> Callable[[Cli], object]:
    return lambda cli: edited(cli, lambda config: config["users"][0].update(user=fields))


def _cluster(**fields: Any) -> Callable[[Cli], object]:
    fields = {name.replace("_", "-"): value for name, value in fields.items()}
    return lambda cli: edited(cli, lambda config: config["clusters"][0]["cluster"].update(fields))


def _plugin(script: str, code: int = 0o755) -> Callable[[Cli], object]:
    def write(cli: Cli) -> None:
        path = cli.folder / "plugin"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(code)
        _user(exec=plugin_config(str(path)))(cli)

    return write


def plugin_config(command: str, **more: Any) -> dict[str, Any]:
    """Return the exec field of a user."""
    version = "client.authentication.k8s.io/v1"
    return {"apiVersion": version, "command": command, "interactiveMode": "Never", **more}


def _closed_port(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    _cluster(server=f"http://127.0.0.1:{port}")(cli)


def _plain_http(cli: Cli) -> None:
    _cluster(server=cli.api.url.replace("http:", "https:"))(cli)


def _no_tls(cli: Cli) -> None:
    _cluster(server=cli.api.url.replace("https:", "http:"))(cli)


def _other_ca(cli: Cli) -> None:
    pem = trustme.CA().cert_pem.bytes()
    _cluster(certificate_authority_data=base64.b64encode(pem).decode())(cli)


def _other_name(cli: Cli) -> None:
    _cluster(tls_server_name="other.example")(cli)


def _without(cli: Cli) -> None:
    cli.environ["KUBECONFIG"] = ""


def _missing_listed(cli: Cli) -> None:
    cli.environ["KUBECONFIG"] = f"{cli.folder}/no:{cli.folder}/nothing"


def _folder(cli: Cli) -> None:
    cli.kubeconfig = cli.home


def _nowhere(cli: Cli) -> None:
    cli.kubeconfig = cli.home / "nowhere"


def _only(name: str, **value: Any) -> Callable[[Cli], object]:
    return lambda cli: edited(cli, lambda config: config.update({name: value.get("to")}))


NOT_LOADED = "credentials cannot be loaded"
GARBAGE = os.urandom(64) + b"\x00\x1b\xff"
CONFIGS = [
    _configured("none-at-all", _without, "no cluster is configured"),
    _configured("none-of-the-listed", _missing_listed, r"none of the files in \$KUBECONFIG exists"),
    _configured("folder", _folder, "is not a file"),
    _configured("nowhere", _nowhere, "nowhere' is not a file"),
    _configured("empty-file", _file(b""), "no cluster is configured"),
    _configured("not-yaml", _file(b"{{{: [\n"), "cannot be read"),
    _configured("binary", _file(GARBAGE), "cannot be read"),
    _configured("list", _file(b"- a\n- b\n"), "is not a kubeconfig"),
    _configured("text", _file(b"hello\n"), "is not a kubeconfig"),
    _configured("python-tag", _file(b"!!python/object/apply:os.system ['x']\n"), "cannot be read"),
    _configured("clusters-text", _only("clusters", to="x"), "kubeconfig"),
    _configured("nameless-cluster", _only("clusters", to=[{}]), "kubeconfig|cluster"),
    _configured("null-users", _only("users", to=None), "user 'fake' does not exist"),
    _configured("no-clusters", _only("clusters", to=[]), "cluster 'fake' does not exist"),
    _configured("no-current", _only("current-context", to="gone"), "'gone' does not.*fake"),
    _configured("closed-port", _closed_port, "cannot be reached", "refused"),
    _configured("unresolved", _cluster(server="https://nowhere.invalid"), "cannot be resolved"),
    _configured("not-a-url", _cluster(server="not a url"), "not a url"),
    _configured("no-host", _cluster(server="https://"), "(?i)host"),
    _configured("ftp", _cluster(server="ftp://127.0.0.1/"), "ftp"),
    _configured("bad-port", _cluster(server="http://127.0.0.1:99999"), "99999"),
    _configured("plain-http", _plain_http, "cannot be reached"),
    _configured("no-tls", _no_tls, "cannot be reached|HTTP", tls=True),
    _configured("wrong-ca", _other_ca, "certificate cannot be verified", tls=True),
    _configured("wrong-name", _other_name, "other.example", tls=True),
    _configured("bad-ca", _cluster(certificate_authority_data="%%%"), NOT_LOADED, tls=True),
    _configured("no-ca", _cluster(certificate_authority_data=None, certificate_authority="ca"),
                "ca", tls=True),
    _configured("bad-token", _user(token=f"old-{SECRET}"), "rejected your credentials"),
    _configured("no-token", _user(), "rejected your credentials"),
    _configured("no-token-file", _user(tokenFile="/nowhere/token"), "/nowhere/token|token"),
    _configured("no-client-cert", _user(**{"client-certificate": "/nowhere/c", "client-key": "/k"}),
                "/nowhere/c", tls=True),
    _configured("plugin-missing", _user(exec=plugin_config("no-such-plugin")), "no-such-plugin"),
    _configured("plugin-fails", _plugin("echo login first >&2; exit 3"), NOT_LOADED),
    _configured("plugin-garbage", _plugin(f"echo garbage {SECRET}"), NOT_LOADED),
    _configured("plugin-silent", _plugin("true"), NOT_LOADED),
    _configured("plugin-wrong-kind", _plugin("echo '{}'"), NOT_LOADED),
    _configured("plugin-no-status", _plugin(
        """echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}'"""),
        NOT_LOADED),
]  # fmt: skip
FLAGS = [
    _mypod("context", "--context", "nope", said="context 'nope' does not exist.*fake"),
    _mypod("cluster", "--cluster", "nope", said="cluster 'nope' does not exist"),
    _mypod("user", "--user", "nope", said="user 'nope' does not exist"),
    _mypod("server", "--server", "http://127.0.0.1:1", said="cannot be reached.*refused"),
    _mypod("token", "--token", f"{SECRET}-x", said="rejected your credentials"),
    _mypod("token-newline", "--token", f"{SECRET}\r\nX-Y: z", said="token|credentials"),
    _mypod("as-newline", "--as", "me\r\nX-Y: z", said="--as|header|me"),
]


@pytest.mark.parametrize("row", WORDS + STATES + CONFIGS + FLAGS, ids=lambda r: r.id)
def test_bad_input_creates_nothing(tmp_path: Path, row: Row) -> None:
    with a_cluster(tmp_path, tls=row.tls, token=SECRET) as cli:
        api = cli.api
        row.prepare(cli)
        ended = cli.run(*row.args)
        ended.complains(*row.said)
        assert SECRET not in ended.err
        assert len(ended.err.splitlines()) == 1
        nothing_sent(api)
        assert cli.private_files() == []


def test_two_rows_have_no_name_in_common() -> None:
    names = [row.id for row in WORDS + STATES + CONFIGS + FLAGS]
    assert len(set(names)) == len(names)


def test_a_source_that_goes_between_two_calls_does_not_matter(cli: Cli) -> None:
    cli.api.fault(method="POST", path="/jobs$", when=lambda request: _delete_source(cli))
    ended = cli.run("debug", SOURCE, "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", [])
    assert cli.api.names("pods", "default") == cli.api.names("jobs", "default") == []


def _delete_source(cli: Cli) -> bool:
    cli.api.delete("pods", "default", SOURCE)
    return False


WAITED_FOR = [("app", "app", "container"), ("tools", "scratch", "ephemeralContainer")]


@pytest.mark.parametrize(("view", "container", "kind"), WAITED_FOR, ids=["app", "tools"])
def test_control_characters_are_escaped_while_it_waits(
    cli: Cli, view: str, container: str, kind: str
) -> None:
    evil = {"reason": "ErrImagePull", "message": "not found\x1b[2J\x07\r\nerror: forged"}
    state = {"name": container, "state": {"waiting": evil}}
    cli.api.wait_for(lambda api: api.started("default", SOURCE, "app"))
    cli.api.ephemeral_delay = float("inf")
    cli.api.kubelet = lambda pod: {"phase": "Running", f"{kind}Statuses": [state]}
    ended = cli.run("debug", SOURCE, "--view", view, "--", "true")
    ended.complains(r"not found\\x1b\[2J\\x07\\r\\nerror: forged")
    nothing_left(cli.api)
