"""kubectl's flags, kubeconfigs, plugins, proxies: shown by what reaches the API server."""

from __future__ import annotations

import base64
import json
import os
import select
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.api.harness import (
    EXEC,
    REVIEWS,
    Cli,
    Ended,
    a_cluster,
    clean,
    end_of,
    nothing_sent,
    sent,
    source_pod,
)
from tests.api.test_bad_input import edited, plugin_config
from tests.support.patience import PATIENCE

SECRET = "s3cret-t0ken"


@contextmanager
def tls_cluster(folder: Path, **options: Any) -> Iterator[Cli]:
    """Give a cluster at an https URL; the CA's file is ca.pem."""
    with a_cluster(folder, tls=True, **options) as cli:
        (folder / "ca.pem").write_text(cli.api.ca)
        yield cli


def works(cli: Cli, *flags: str) -> Ended:
    """Check that a session works with these flags."""
    ended = cli.run("debug", *flags, "mypod", "--", "echo", "hi")
    assert (ended.code, ended.out, ended.errors) == (0, b"hi\n", []), ended
    assert SECRET not in ended.err
    ended.is_well_formed()
    assert cli.private_files() == []
    return ended


@dataclass(frozen=True)
class Row:
    """Say which headers each request has with these flags."""

    id: str
    flags: tuple[str, ...]
    headers: dict[str, list[str]]
    user: dict[str, Any] | None = None


TOKEN = {"Authorization": [f"Bearer {SECRET}"]}
BASIC = {"username": "me", "password": "secret"}
HEADERS = [
    Row("as", ("--as", "jane"), {"Impersonate-User": ["jane"]}),
    Row("as-group", ("--as", "jane", "--as-group", "a", "--as-group", "b"),
        {"Impersonate-User": ["jane"], "Impersonate-Group": ["a", "b"]}),
    Row("as-uid", ("--as", "jane", "--as-uid", "u-1"),
        {"Impersonate-User": ["jane"], "Impersonate-Uid": ["u-1"]}),
    Row("as-of-kubeconfig", (), {"Impersonate-User": ["jo"], "Impersonate-Group": ["g"]},
        {"as": "jo", "as-groups": ["g"]}),
    Row("as-overrides", ("--as", "jane"), {"Impersonate-User": ["jane"]}, {"as": "jo"}),
    Row("token", ("--token", SECRET), TOKEN),
    Row("token-overrides", ("--token", SECRET), TOKEN, {"token": "other"}),
    Row("token-overrides-plugin", ("--token", SECRET), TOKEN, {"exec": plugin_config("none")}),
    Row("token-of-kubeconfig", (), TOKEN, {"token": SECRET}),
    Row("token-file", (), TOKEN, {"tokenFile": "token"}),
    Row("password", (), {"Authorization": ["Basic bWU6c2VjcmV0"]}, BASIC),
    Row("cache-dir", ("--cache-dir", "/nowhere"), {"Authorization": []}),
]  # fmt: skip


@pytest.mark.parametrize("row", HEADERS, ids=lambda r: r.id)
def test_each_request_says_who_asks(tmp_path: Path, row: Row) -> None:
    with a_cluster(tmp_path) as cli:
        api = cli.api
        (tmp_path / "token").write_text(f"{SECRET}\n")
        if row.user is not None:
            edited(cli, lambda config: config["users"][0].update(user=row.user))
        works(cli, *row.flags)
        assert len(api.requests) >= 8
        for request in api.requests:
            headers: Any = request.headers
            assert {name: headers.getall(name, []) for name in row.headers} == row.headers
        clean(api)


def test_the_namespace_flag(cli: Cli) -> None:
    cli.api.add({"kind": "Namespace", "metadata": {"name": "shop"}})
    cli.api.add(source_pod("web", namespace="shop"))
    ended = cli.run("debug", "web", "-n", "shop", "--", "echo", "hi")
    assert (ended.code, ended.out) == (0, b"hi\n")
    assert _namespaces_asked(cli) == {"shop"}
    assert cli.api.names("pods", "shop") == ["web"]


def test_the_contexts_namespace(cli: Cli) -> None:
    cli.api.add({"kind": "Namespace", "metadata": {"name": "shop"}})
    cli.api.add(source_pod("web", namespace="shop"))
    cli.kubeconfig = cli.api.kubeconfig(cli.folder / "other", namespace="shop")
    assert cli.run("debug", "pod/web", "--", "true").code == 0
    assert _namespaces_asked(cli) == {"shop"}


def _namespaces_asked(cli: Cli) -> set[str]:
    """Return the namespaces that requests are about, in their path or in what they ask."""
    there = [r for r in cli.api.requests if "/namespaces/" in r.path]
    asked = [r.body for r in cli.api.requests if r.path.endswith(REVIEWS)]
    named = {body["spec"]["resourceAttributes"]["namespace"] for body in asked}
    others = {r.path for r in cli.api.requests if r not in there and r.body is None}
    assert others <= {"/api/v1/nodes/node-1"}
    return {r.path.partition("/namespaces/")[2].partition("/")[0] for r in there} | named


def _two(cli: Cli) -> None:
    """Add a second cluster, user and context, which work; the first do not."""

    def edit(config: dict[str, Any]) -> None:
        good = {"server": cli.api.url}
        config["clusters"] = [
            {"name": "fake", "cluster": {"server": "http://127.0.0.1:1"}},
            {"name": "good", "cluster": good},
        ]
        config["users"].append({"name": "good", "user": {"token": SECRET}})
        context = {"cluster": "good", "user": "good"}
        config["contexts"].append({"name": "good", "context": context})

    edited(cli, edit)


CHOICES = [
    (("--context", "good"), f"Bearer {SECRET}"),
    (("--cluster", "good"), None),
    (("--cluster", "good", "--user", "good"), f"Bearer {SECRET}"),
]


@pytest.mark.parametrize(("flags", "token"), CHOICES, ids=lambda x: "".join(x or ()))
def test_what_is_chosen_of_a_kubeconfig(
    cli: Cli, flags: tuple[str, ...], token: str | None
) -> None:
    _two(cli)
    works(cli, *flags)
    assert {r.headers.get("Authorization") for r in cli.api.requests} == {token}


def test_the_server_flag(cli: Cli) -> None:
    edited(cli, lambda c: c["clusters"][0]["cluster"].update(server="http://127.0.0.1:1"))
    works(cli, "--server", cli.api.url)
    cli.environ["KUBECONFIG"] = ""
    works(cli, "-s", cli.api.url + "/")


def test_a_path_before_the_api_is_kept(cli: Cli) -> None:
    """As Rancher's: https://host/k8s/clusters/c-1."""
    ended = cli.run("debug", "--server", cli.api.url + "/k8s/clusters/c", "mypod", "--", "true")
    ended.complains()
    asked = [request.path for request in cli.api.requests]
    assert "/k8s/clusters/c/api/v1/namespaces/default/pods/mypod" in asked
    assert all(path.startswith("/k8s/clusters/c/") for path in asked)


def test_the_request_timeout(cli: Cli) -> None:
    cli.api.fault(method="GET", hold=threading.Event(), times=None)
    ended = cli.run("debug", "--request-timeout", "300ms", "mypod", "--", "true")
    ended.complains("timed out")
    nothing_sent(cli.api)


def _server(cli: Cli, **fields: Any) -> None:
    fields = {name.replace("_", "-"): value for name, value in fields.items()}
    edited(cli, lambda config: config["clusters"][0].update(cluster=fields))


TRUST: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "ca-flag": ({}, ("--certificate-authority", "ca.pem")),
    "ca-relative-file": ({"certificate-authority": "ca.pem"}, ()),
    "insecure-flag": ({}, ("--insecure-skip-tls-verify",)),
    "insecure-with-ca": ({"certificate-authority": "ca.pem"}, ("--insecure-skip-tls-verify",)),
}


@pytest.mark.parametrize("row", TRUST)
def test_a_server_is_trusted(tmp_path: Path, row: str) -> None:
    cluster, flags = TRUST[row]
    with tls_cluster(tmp_path) as cli:
        _server(cli, server=cli.api.url, **cluster)
        works(cli, *flags)
        clean(cli.api)


def test_an_unknown_server_is_not_trusted(tmp_path: Path) -> None:
    with tls_cluster(tmp_path) as cli:
        _server(cli, server=cli.api.url)
        cli.run("debug", "mypod", "--", "true").complains("certificate cannot be verified")
        assert cli.api.requests == []


def test_the_name_in_the_servers_certificate(tmp_path: Path) -> None:
    with tls_cluster(tmp_path) as cli:
        _server(cli, server=cli.api.url.replace("127.0.0.1", "localhost"),
                certificate_authority="ca.pem")  # fmt: skip
        cli.run("debug", "mypod", "--", "true").complains("localhost")
        works(cli, "--tls-server-name", "fake.example")


@pytest.mark.parametrize("how", ["flags", "files", "data"])
def test_a_client_certificate(tmp_path: Path, how: str) -> None:
    ca = trustme.CA()
    made = ca.issue_cert("x.example", common_name="jane")
    pems = {"certificate": made.cert_chain_pems[0].bytes(), "key": made.private_key_pem.bytes()}
    for kind, pem in pems.items():
        (tmp_path / kind).write_bytes(pem)
    with tls_cluster(tmp_path, client_ca=ca.cert_pem.bytes().decode()) as cli:
        flags: tuple[str, ...] = ()
        if how == "flags":
            flags = ("--client-certificate", "certificate", "--client-key", "key")
        elif how == "files":
            user = {f"client-{kind}": kind for kind in pems}
            edited(cli, lambda config: config["users"][0].update(user=user))
        else:
            data = {f"client-{kind}-data": _base64(pem) for kind, pem in pems.items()}
            edited(cli, lambda config: config["users"][0].update(user=data))
        works(cli, *flags)
        assert {request.peer for request in cli.api.requests} == {"jane"}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


PLUGIN = """#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"; echo call >> "$(dirname "$0")/calls"
echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
 "status": {"token": "'"$PREFIX-$1"'"}}'
"""


@pytest.mark.parametrize("command", ["./plugin", "plugin"])
def test_a_credential_plugin(cli: Cli, command: str) -> None:
    tools = cli.folder if "/" in command else cli.folder / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "plugin").write_text(PLUGIN)
    (tools / "plugin").chmod(0o755)
    cli.environ["PATH"] = f"{tools}:{cli.environ['PATH']}"
    env = [{"name": "PREFIX", "value": "s3cret"}]
    plugin = plugin_config(command, args=["t0ken"], env=env)
    edited(cli, lambda config: config["users"][0].update(user={"exec": plugin}))
    works(cli)
    assert {r.headers.get("Authorization") for r in cli.api.requests} == {f"Bearer {SECRET}"}
    assert (tools / "calls").read_text() == "call\n"


def test_several_kubeconfigs_are_merged_and_the_first_wins(cli: Cli) -> None:
    first, second = cli.folder / "one" / "a", cli.folder / "two" / "b"
    for path in (first, second):
        path.parent.mkdir()
    (second.parent / "token").write_text(SECRET)
    context = {"name": "c", "context": {"cluster": "k", "user": "u"}}
    bad = {"name": "k", "cluster": {"server": "http://127.0.0.1:1"}}
    good = {"name": "k", "cluster": {"server": cli.api.url}}
    user = {"name": "u", "user": {"tokenFile": "token"}}
    first.write_text(json.dumps({"current-context": "c", "clusters": [good]}))
    own = {"current-context": "none", "clusters": [bad], "users": [user], "contexts": [context]}
    second.write_text(json.dumps(own))
    cli.environ["KUBECONFIG"] = f"{first}:{cli.folder}/missing:{second}:"
    works(cli)
    assert {r.headers.get("Authorization") for r in cli.api.requests} == {f"Bearer {SECRET}"}


def test_the_kubeconfig_of_the_home(cli: Cli) -> None:
    (cli.home / ".kube").mkdir()
    cli.api.kubeconfig(cli.home / ".kube" / "config")
    cli.environ["KUBECONFIG"] = ""
    works(cli)


def test_private_files_stand_where_only_the_user_can_read(tmp_path: Path) -> None:
    """Where there is an XDG_RUNTIME_DIR nothing is put elsewhere; afterwards nothing is there."""
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    with tls_cluster(tmp_path) as cli:
        cli.environ["XDG_RUNTIME_DIR"] = str(runtime)
        held = cli.api.fault(method="DELETE", hold=threading.Event())
        process = cli.start("debug", "mypod", "--", "true")
        assert held.reached.wait(PATIENCE) and held.hold
        assert cli.private_files() == []
        held.hold.set()
        assert process.wait(PATIENCE) == 0
        process.communicate()
        assert os.listdir(runtime) == cli.private_files() == []


class Proxy(threading.Thread):
    """Be a proxy that knows CONNECT only, and connects to this machine whatever is asked for."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, answer: str = "") -> None:
        super().__init__(daemon=True)
        self._target = ("127.0.0.1", port)
        self._tls, self._answer = tls, answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.heads: list[str] = []

    def run(self) -> None:
        """Accept until the server is closed."""
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        if self._tls is not None:
            try:
                client = self._tls.wrap_socket(client, server_side=True)
            except OSError:
                client.close()
                return
        with client:
            head = b""
            while b"\r\n\r\n" not in head and (data := client.recv(4096)):
                head += data
            self.heads.append(head.decode())
            if not head.startswith(b"CONNECT "):
                client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
                return
            if self._answer:
                client.sendall(f"HTTP/1.1 {self._answer}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            with socket.create_connection(self._target) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _join(client, server)

    def stop(self) -> None:
        """Accept no more."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


def _join(one: socket.socket, other: socket.socket) -> None:
    peers = {one: other, other: one}
    while True:
        pending = [s for s in peers if isinstance(s, ssl.SSLSocket) and s.pending()]
        for ready in pending or select.select(list(peers), [], [])[0]:
            try:
                data = ready.recv(65536)
                if not data:
                    return
                peers[ready].sendall(data)
            except OSError:
                return


@dataclass
class Proxied:
    """A cluster behind a proxy, by a name that only the proxy knows."""

    cli: Cli
    proxy: Proxy


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Proxied]:
    """Give a cluster that can be reached through a proxy only."""
    with tls_cluster(tmp_path) as cli:
        port = int(cli.api.url.rpartition(":")[2])
        proxy = Proxy(port)
        proxy.start()
        _server(cli, server=f"https://fake.example:{port}", certificate_authority="ca.pem")
        yield Proxied(cli, proxy)
        proxy.stop()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_carries_all_requests(proxied: Proxied, variable: str) -> None:
    cli, proxy = proxied.cli, proxied.proxy
    cli.environ[variable] = f"http://me:pass@127.0.0.1:{proxy.port}"
    cli.environ["NO_PROXY"] = "other.example,10.0.0.0/8"
    works(cli)
    assert sent(cli.api, "GET", EXEC)
    assert len(proxy.heads) >= 3
    port = cli.api.url.rpartition(":")[2]
    assert {head.rpartition(" HTTP/1.")[0] for head in proxy.heads} == {
        f"CONNECT fake.example:{port}"
    }
    assert all("proxy-authorization: basic bwu6cgfzcw==" in head.lower() for head in proxy.heads)
    assert all("bearer" not in head.lower() for head in proxy.heads)
    clean(cli.api)


def test_the_proxy_of_a_kubeconfig(proxied: Proxied) -> None:
    cli, proxy = proxied.cli, proxied.proxy
    url = f"http://127.0.0.1:{proxy.port}"
    edited(cli, lambda config: config["clusters"][0]["cluster"].update({"proxy-url": url}))
    cli.environ["NO_PROXY"] = "fake.example"  # not asked where the kubeconfig names a proxy
    works(cli)
    assert len(proxy.heads) >= 3


def test_a_proxy_is_not_for_everyone(proxied: Proxied) -> None:
    cli, proxy = proxied.cli, proxied.proxy
    cli.environ["HTTPS_PROXY"] = f"http://127.0.0.1:{proxy.port}"
    cli.environ["NO_PROXY"] = "127.0.0.1,fake.example"
    works(cli, "--server", cli.api.url)
    assert proxy.heads == []


def test_a_proxy_is_never_for_this_machine(proxied: Proxied) -> None:
    """As for kubectl (golang.org/x/net/http/httpproxy): kind's and minikube's clusters are here."""
    cli, proxy = proxied.cli, proxied.proxy
    cli.environ["HTTPS_PROXY"] = f"http://127.0.0.1:{proxy.port}"
    works(cli, "--server", cli.api.url)
    assert proxy.heads == []


def test_a_proxy_that_is_not_there(proxied: Proxied) -> None:
    cli = proxied.cli
    cli.environ["HTTPS_PROXY"] = "http://127.0.0.1:1"
    cli.run("debug", "mypod", "--", "true").complains("cannot be reached", "(?i)proxy|refused")
    nothing_sent(cli.api)


def test_a_session_over_tls(tmp_path: Path) -> None:
    with tls_cluster(tmp_path) as cli:
        data = os.urandom(300_000)
        ended = cli.run("debug", "mypod", "--", "cat", data=data)
        assert (ended.code, ended.out) == (0, data)


@dataclass
class Authority:
    """A CA of its own, as PEM, and a TLS server's context by it."""

    pem: str
    context: ssl.SSLContext


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Give what a proxy that speaks TLS has."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return Authority(ca.cert_pem.bytes().decode(), context)


@contextmanager
def over_tls(folder: Path, authority: Authority, **options: Any) -> Iterator[Proxied]:
    """Give a cluster that can be reached through a proxy only, and that by TLS."""
    with tls_cluster(folder, **options) as cli:
        port = int(cli.api.url.rpartition(":")[2])
        proxy = Proxy(port, authority.context)
        proxy.start()
        _server(cli, server=f"https://fake.example:{port}", certificate_authority="ca.pem")
        (folder / "proxy.pem").write_text(authority.pem)
        yield Proxied(cli, proxy)
        proxy.stop()


@pytest.mark.parametrize("trust", ["system", "kubeconfig"])
def test_a_proxy_that_speaks_tls(tmp_path: Path, authority: Authority, trust: str) -> None:
    with over_tls(tmp_path, authority) as proxied:
        cli, proxy = proxied.cli, proxied.proxy
        url = f"https://me:p%40ss@127.0.0.1:{proxy.port}"
        edited(cli, lambda config: config["clusters"][0]["cluster"].update({"proxy-url": url}))
        if trust == "system":
            cli.environ["SSL_CERT_FILE"] = str(tmp_path / "proxy.pem")
        else:
            (tmp_path / "ca.pem").write_text(cli.api.ca + authority.pem)
        data = os.urandom(3_000_000)
        ended = cli.run("debug", "mypod", "--", "cat", data=data)
        assert (ended.code, ended.out == data, ended.errors) == (0, True, []), ended.err
        assert sent(cli.api, "GET", EXEC)
        assert len(proxy.heads) >= 3
        login = base64.b64encode(b"me:p@ss").decode().lower()
        assert all(f"authorization: basic {login}" in head.lower() for head in proxy.heads)
        clean(cli.api)


def test_a_terminal_through_a_proxy_that_speaks_tls(tmp_path: Path, authority: Authority) -> None:
    with over_tls(tmp_path, authority) as proxied:
        cli = proxied.cli
        cli.environ["SSL_CERT_FILE"] = str(tmp_path / "proxy.pem")
        cli.environ["HTTPS_PROXY"] = f"https://localhost:{proxied.proxy.port}"
        child = cli.terminal("debug", "mypod", "--", "cat")
        cli.api.wait_for(lambda a: [e for e in a.execs if e.size], PATIENCE)
        for n in range(20):
            child.send(f"{n} {'y' * 300}\n")
            child.expect_exact(f"{n} {'y' * 300}\r\n{n} {'y' * 300}\r\n")
        child.sendeof()
        assert end_of(child) == 0
        clean(cli.api)


def test_a_proxy_that_nobody_vouches_for(tmp_path: Path, authority: Authority) -> None:
    with over_tls(tmp_path, authority) as proxied:
        cli, proxy = proxied.cli, proxied.proxy
        cli.environ["HTTPS_PROXY"] = f"https://127.0.0.1:{proxy.port}"
        cli.run("debug", "mypod", "--", "true").complains("certificate cannot be verified")
        assert proxy.heads == []


PASSWORD = "p4ssw0rd"
LOGIN = f"jane:{PASSWORD}@"


def _with_server(url: str) -> Callable[[Cli], tuple[str, ...]]:
    return lambda cli: ("--server", url)


def _in_kubeconfig(**fields: str) -> Callable[[Cli], tuple[str, ...]]:
    named = {name.replace("_", "-"): value for name, value in fields.items()}

    def edit(cli: Cli) -> tuple[str, ...]:
        edited(cli, lambda config: config["clusters"][0]["cluster"].update(named))
        return ()

    return edit


def _proxied_by(url: str) -> Callable[[Cli], tuple[str, ...]]:
    def edit(cli: Cli) -> tuple[str, ...]:
        cli.environ["HTTPS_PROXY"] = url
        return ("--server", "https://fake.example")

    return edit


# Where a password may stand in a URL, and what is wrong with that URL.
URLS = {
    "server-closed": _with_server(f"https://{LOGIN}127.0.0.1:1"),
    "server-unresolved": _with_server(f"https://{LOGIN}nowhere.invalid"),
    "server-port": _with_server(f"https://{LOGIN}127.0.0.1:99999"),
    "server-scheme": _with_server(f"ftp://{LOGIN}127.0.0.1"),
    "server-no-scheme": _with_server(f"{LOGIN}127.0.0.1:1"),
    "server-no-host": _with_server(f"https://{LOGIN}"),
    "server-spaces": _with_server(f"https://{LOGIN}a b/"),
    "server-bracket": _with_server(f"https://{LOGIN}[::1"),
    "server-at": _with_server(f"https://jane:{PASSWORD}@x@127.0.0.1:1"),
    "kubeconfig": _in_kubeconfig(server=f"https://{LOGIN}127.0.0.1:1"),
    "kubeconfig-scheme": _in_kubeconfig(server=f"{LOGIN}host"),
    "proxy-url-closed": _in_kubeconfig(proxy_url=f"http://{LOGIN}127.0.0.1:1"),
    "proxy-url-tls": _in_kubeconfig(proxy_url=f"https://{LOGIN}127.0.0.1:1"),
    "proxy-url-socks": _in_kubeconfig(proxy_url=f"socks5://{LOGIN}127.0.0.1:1"),
    "proxy-url-port": _in_kubeconfig(proxy_url=f"http://{LOGIN}127.0.0.1:99999"),
    "proxy-url-bracket": _in_kubeconfig(proxy_url=f"http://{LOGIN}[::1"),
    "proxy-url-no-host": _in_kubeconfig(proxy_url=f"http://{LOGIN}"),
    "variable-closed": _proxied_by(f"http://{LOGIN}127.0.0.1:1"),
    "variable-socks": _proxied_by(f"socks5h://{LOGIN}127.0.0.1:1"),
    "variable-no-scheme": _proxied_by(f"{LOGIN}127.0.0.1:1"),
    "variable-unresolved": _proxied_by(f"https://{LOGIN}nowhere.invalid"),
}


@pytest.mark.parametrize("row", URLS)
def test_a_password_in_a_url_is_not_told(cli: Cli, row: str) -> None:
    ended = cli.run("debug", *URLS[row](cli), "mypod", "--", "true")
    ended.complains()
    assert PASSWORD not in ended.err and "jane" not in ended.err, ended


def test_a_password_in_a_url_is_not_in_the_command_that_deletes(cli: Cli) -> None:
    cli.api.fault(method="DELETE", status=403, reason="Forbidden", times=None)
    url = cli.api.url.replace("http://", f"http://{LOGIN}")
    ended = cli.run("debug", "--server", url, "--token", SECRET, "mypod", "--", "true")
    assert ended.code == 1 and f"--server={cli.api.url} " in ended.err, ended
    assert PASSWORD not in ended.err and SECRET not in ended.err
    assert "--token" not in ended.err


@pytest.mark.parametrize(
    "answer", ["407 Proxy Authentication Required", "403 Forbidden", "302 Found"]
)
def test_what_a_proxy_answers_is_told(tmp_path: Path, answer: str) -> None:
    with tls_cluster(tmp_path) as cli:
        port = int(cli.api.url.rpartition(":")[2])
        proxy = Proxy(port, answer=answer)
        proxy.start()
        _server(cli, server=f"https://fake.example:{port}", certificate_authority="ca.pem")
        cli.environ["HTTPS_PROXY"] = f"http://{LOGIN}127.0.0.1:{proxy.port}"
        ended = cli.run("debug", "mypod", "--", "true")
        proxy.stop()
        ended.complains(f"cannot be reached: its proxy answered {answer};")
        assert PASSWORD not in ended.err and "(" not in ended.err


def test_an_exec_checks_the_name_in_the_certificate(tmp_path: Path) -> None:
    with tls_cluster(tmp_path) as cli:
        _server(cli, server=cli.api.url.replace("127.0.0.1", "localhost"),
                certificate_authority="ca.pem")  # fmt: skip
        flags = ("--tls-server-name", "fake.example", "--transport", "websocket")
        works(cli, *flags)
        assert sent(cli.api, "GET", EXEC)


CERTIFICATES = {
    "no-key": ("certificate", None, "the client certificate has no key"),
    "another-key": ("certificate", "other-key", "not match the client certificate"),
    "no-pem": ("garbage", "key", "not PEM"),
    "encrypted": ("certificate", "encrypted", "encrypted"),
}


@pytest.mark.parametrize("row", CERTIFICATES)
def test_a_client_certificate_that_is_of_no_use(tmp_path: Path, row: str) -> None:
    certificate, key, said = CERTIFICATES[row]
    ca = trustme.CA()
    made, other = (ca.issue_cert("x.example", common_name=name) for name in ("jane", "jo"))
    with tls_cluster(tmp_path) as cli:
        _server(cli, server=cli.api.url, certificate_authority="ca.pem")
        files = {
            "certificate": made.cert_chain_pems[0].bytes(),
            "key": made.private_key_pem.bytes(),
            "other-key": other.private_key_pem.bytes(),
            "garbage": b"nonsense",
        }
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        change = ["openssl", "ec", "-aes128", "-passout", "pass:x", "-in", "key", "-out"]
        subprocess.run([*change, "encrypted"], cwd=tmp_path, check=True, capture_output=True)
        user = {"client-certificate": certificate, **({"client-key": key} if key else {})}
        edited(cli, lambda config: config["users"][0].update(user=user))
        cli.run("debug", "mypod", "--", "true").complains("cannot be loaded", said)
        assert cli.api.requests == []
