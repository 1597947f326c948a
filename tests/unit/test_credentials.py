"""The Python client, of which only the reader of kubeconfigs is loaded, in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.logins import FIRST_RENEWED, logins

ROOT = Path(__file__).parents[2]
HEAVY = {"kubernetes.client.models", "kubernetes.client.rest", "requests", "oauthlib.common"}
# What a client has to have, wherever it has it.
SETTINGS = """
class Configuration:
    host, verify_ssl = "", True
    def get_api_key_with_prefix(self, name):
        return f"Bearer of-{__name__}"
"""
READER = """
class ConfigException(Exception): pass
def load_kube_config_from_dict(config, client_configuration, persist_config, temp_file_path):
    client_configuration.host = config["clusters"][0]["cluster"]["server"]
"""
SHOW_CREDENTIALS = """
from kubectl_scratch.kube.credentials import Credentials
from kubectl_scratch.kube.access import Access
config = {"clusters": [{"cluster": {"server": "http://one"}}], "users": [{"user": {}}]}
found = Credentials(Access(config, "default"))
print(found.host, *found.headers())
"""
USE_THE_CLIENT = """
from kubectl_scratch.kube.python_client import Configuration
import kubernetes.client
import kubernetes.dynamic
from kubernetes.client.models import V1Pod
pods = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(Configuration(host="http://one")))
print(pods.api_client.configuration.host, kubernetes.client.V1Pod is V1Pod)
"""


def run(folder: Path, *args: str) -> str:
    """Return what Python prints; modules in ``folder`` come first."""
    environ = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    command = [sys.executable, *args]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Give what the logins come to, with the client imported in both ways."""
    folder = tmp_path_factory.mktemp("logins")
    ways = ("slim", "plain")
    command = ("-m", "tests.support.logins")
    return {how: json.loads(run(folder, *command, how, str(folder))) for how in ways}


@pytest.mark.parametrize("name", logins(Path()))
def test_a_login_comes_to_the_same(settings: dict[str, Any], name: str) -> None:
    assert settings["slim"][name] == settings["plain"][name]


def test_the_rest_is_loaded_only_to_renew_a_login(settings: dict[str, Any]) -> None:
    assert set(settings["plain"]["loaded"]) >= HEAVY
    assert not HEAVY & set(settings["slim"]["loaded"])
    assert settings["slim"][FIRST_RENEWED]["shown"] != settings["slim"]["oidc, refused"]["shown"]


def test_the_whole_client_can_be_used_afterwards(tmp_path: Path) -> None:
    assert run(tmp_path, "-c", USE_THE_CLIENT) == "http://one True"


@pytest.mark.parametrize(
    "files",
    [
        {
            "client.py": SETTINGS,
            "config.py": READER,
        },
        {
            "client/__init__.py": "from .settings import Configuration",
            "client/settings.py": SETTINGS,
            "config/__init__.py": READER,
        },
        {
            "client/__init__.py": SETTINGS + "class ApiClient: pass",
            "client/configuration.py": "raise RuntimeError",
            "config/__init__.py": "from kubernetes.client import ApiClient" + READER,
        },
        {
            "client/__init__.py": SETTINGS + "class ApiClient: pass",
            "client/configuration.py": SETTINGS,
            "config.py": """\
from kubernetes.client import ApiClient
class Renewing(ApiClient): pass
"""
            + READER,
        },
    ],
    ids=["modules", "other names", "nothing to import alone", "a class to build upon"],
)
def test_a_client_that_is_laid_out_differently_does(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in {"__init__.py": "from . import client, config", **files}.items():
        path = tmp_path / "kubernetes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert run(tmp_path, "-c", SHOW_CREDENTIALS).startswith("http://one ('Authorization', 'Bearer")
