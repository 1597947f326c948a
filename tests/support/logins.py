"""What the Python client makes of kubeconfigs: ``python -m tests.support.logins HOW FOLDER``.

HOW is ``slim``, as the plugin imports the client, or ``plain``. It writes JSON: for each login
the settings that it comes to, or the error; and under ``loaded`` the modules that were loaded
before anything had to be renewed.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import urllib3
from urllib3.connectionpool import HTTPConnectionPool

ISSUER = "https://issuer.example"
FIRST_RENEWED = "oidc, renewed"
FILES = ("ssl_ca_cert", "cert_file", "key_file")
FAR = 32472144000
LATER, EARLIER = "2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z"
PRINT_TOKEN = """echo '{"credential": {"access_token": "of-gcloud", "token_expiry": "%s"}}'"""


def encoded(data: object) -> str:
    """Return data as base64, as a kubeconfig has it."""
    text = data if isinstance(data, str) else json.dumps(data)
    return base64.b64encode(text.encode()).decode()


def id_token(**claims: object) -> str:
    """Return a token as an OpenID Connect provider gives it; its signature is nobody's."""
    return ".".join(encoded(part).replace("=", "") for part in ({}, claims, "signature"))


def oidc(expires: int, secret: str = "right", **more: str) -> dict[str, Any]:
    """Return a user who logs in by OpenID Connect; ``secret`` "wrong" is refused."""
    config = {
        "id-token": id_token(exp=expires),
        "refresh-token": "again",
        "client-id": "me",
        "client-secret": secret,
        "idp-issuer-url": ISSUER,
        **more,
    }
    return {"auth-provider": {"name": "oidc", "config": config}}


def provider(name: str, **config: str) -> dict[str, Any]:
    """Return a user of another provider."""
    dashed = {key.replace("_", "-"): value for key, value in config.items()}
    return {"auth-provider": {"name": name, "config": dashed}}


def write_files(folder: Path) -> None:
    """Write the files that the logins name."""
    for name in ("ca", "cert", "key", "token"):
        (folder / name).write_text(f"the {name}'s file")
    gcloud = folder / "gcloud"
    gcloud.write_text(f"#!/bin/sh\n{PRINT_TOKEN % LATER}\n")
    gcloud.chmod(0o755)


def logins(folder: Path) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return clusters and users by name; those of which the login has to be renewed are last."""
    plain = {"server": "https://one.example:6443/"}
    data = {"client-certificate-data": encoded("a cert"), "client-key-data": encoded("a key")}
    files = {"client-certificate": str(folder / "cert"), "client-key": str(folder / "key")}
    trusted = {**plain, "certificate-authority-data": encoded("a CA")}
    return {
        "certificates": (trusted, data),
        "certificate files": ({**plain, "certificate-authority": str(folder / "ca")}, files),
        "certificates of both kinds": (trusted, {**files, **data, "token": "abc"}),
        "no certificate file": ({**plain, "certificate-authority": str(folder / "none")}, {}),
        "no base64": ({**plain, "certificate-authority-data": "x"}, {}),
        "not verified": ({**plain, "insecure-skip-tls-verify": True}, {}),
        "server name": ({**plain, "tls-server-name": "other.example"}, {}),
        "no TLS": ({"server": "http://one.example", "tls-server-name": "unused"}, data),
        "token": (plain, {"token": "abc"}),
        "token file": (plain, {"tokenFile": str(folder / "token")}),
        "no token file": (plain, {"tokenFile": str(folder / "none")}),
        "password": (plain, {"username": "jane", "password": "p\u00e4ss"}),
        "nothing": (plain, {}),
        "gcp": (plain, provider("gcp", access_token="abc", expiry=LATER)),
        "gcp, by gcloud": (plain, provider("gcp", expiry=EARLIER, cmd_path=str(folder / "gcloud"))),
        "gcp, no login": (plain, provider("gcp", expiry=EARLIER, access_token="old")),
        "gcp, no time": (plain, provider("gcp", expiry="soon", access_token="abc")),
        "azure": (plain, provider("azure", access_token="abc", expires_on=str(FAR))),
        "azure, a date": (
            plain,
            provider("azure", access_token="abc", expires_on="2999-01-01 00:00:00.000000"),
        ),
        "azure, expired": (
            plain,
            provider("azure", access_token="abc", expires_on="1", tenant_id="t"),
        ),
        "oidc": (plain, oidc(FAR)),
        "oidc, no token": (plain, provider("oidc", id_token="nonsense")),
        "other provider": (plain, provider("other", id_token="nonsense")),
        FIRST_RENEWED: (plain, oidc(1)),
        "oidc, renewed, with a CA": (
            plain,
            oidc(1, **{"idp-certificate-authority-data": encoded("a CA")}),
        ),
        "oidc, refused": (plain, oidc(1, "wrong")),
        "oidc, unreachable": (plain, oidc(1, **{"idp-issuer-url": "https://gone.example"})),
    }


def answer(pool: HTTPConnectionPool, method: str, url: str, *_: Any, **how: Any) -> Any:
    """Answer as the issuer does, instead of a network."""
    status, body = 200, {"token_endpoint": f"{ISSUER}/token"}
    if pool.host != "issuer.example":
        raise urllib3.exceptions.MaxRetryError(pool, url, None)
    if url == "/token":
        basic = how["headers"]["Authorization"].removeprefix("Basic ")
        if base64.b64decode(basic) == b"me:right":
            token = {"id_token": id_token(exp=FAR), "refresh_token": "again"}
            body = {**token, "access_token": "of-oidc", "token_type": "Bearer"}
        else:
            status, body = 401, {"error": "invalid_request", "error_description": "client_id"}
    return urllib3.HTTPResponse(
        io.BytesIO(json.dumps(body).encode()),
        status=status,
        headers={"Content-Type": "application/json"},
        preload_content=bool(how.get("preload_content", True)),
    )


def settings(client: Any, cluster: dict[str, Any], user: dict[str, Any]) -> dict[str, Any]:
    """Return what a login comes to."""
    found = client.Configuration()
    config = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "it", "user": user}],
    }
    with tempfile.TemporaryDirectory() as folder:
        try:
            client.load_kube_config_from_dict(
                config, client_configuration=found, persist_config=False, temp_file_path=folder
            )
        except Exception as error:
            return {"error": f"{type(error).__module__}.{type(error).__name__}: {error}"}
        shown = {key: found.__dict__[key] for key in found.__dict__ if key not in FILES}
        told = {key: repr(value) for key, value in shown.items() if " at 0x" not in repr(value)}
        files = {key: Path(path).read_text() for key in FILES if (path := getattr(found, key))}
        return {**told, **files, "shown": found.get_api_key_with_prefix("authorization")}


def main() -> None:
    """Write what each login comes to."""
    how, folder = sys.argv[1], Path(sys.argv[2])
    client: Any
    if how == "slim":
        from kubectl_scratch.kube import python_client as client
    else:
        import kubernetes

        client = kubernetes.config
        client.Configuration = kubernetes.client.Configuration
    HTTPConnectionPool.urlopen = answer  # type: ignore[assignment, method-assign]
    write_files(folder)
    told: dict[str, Any] = {}
    for name, (cluster, user) in logins(folder).items():
        if name == FIRST_RENEWED:
            told["loaded"] = sorted(sys.modules)
        told[name] = settings(client, cluster, user)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
