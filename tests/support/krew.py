"""krew's rules for a manifest and its archive.

As krew v0.5 has them: internal/index/validation/validate.go, internal/download/downloader.go and
cmd/validate-krew-manifest/main.go; and the public index's review: a short description of at most
50 characters.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

API_VERSION = "krew.googlecontainertools.github.com/v1alpha2"
SYSTEMS = ("linux", "darwin")
MACHINES = ("amd64", "arm64")
LONGEST = 50
DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])")
VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[\w.]+)?")


def problems(manifest: Path, archive: Path) -> list[str]:
    """Return what krew would refuse, one line each."""
    document = yaml.safe_load(manifest.read_text())
    return [
        *_of_names(document, manifest),
        *_of_words(document["spec"]),
        *_of_platforms(document["spec"]["platforms"], archive),
        *_of_archive(document["spec"]["platforms"], archive),
    ]


def _of_names(document: dict[str, Any], manifest: Path) -> Iterator[str]:
    name = document["metadata"]["name"]
    if document["apiVersion"] != API_VERSION or document["kind"] != "Plugin":
        yield "apiVersion or kind is not krew's"
    if not re.fullmatch(r"[\w-]+", name, re.ASCII) or DEVICES.fullmatch(name):
        yield f"{name!r} can't be the name of a plugin"
    if manifest.stem != name:
        yield f"the file is {manifest.name}, the plugin {name}"


def _of_words(spec: dict[str, Any]) -> Iterator[str]:
    short = str(spec.get("shortDescription") or "")
    if not short or len(short.splitlines()) != 1 or len(short) > LONGEST:
        yield "shortDescription is not one line of at most 50 characters"
    if not VERSION.fullmatch(str(spec["version"])):
        yield f"version {spec['version']!r} is not semantic with a v"
    if not str(spec.get("homepage") or "").startswith("https://"):
        yield "homepage is missing"
    if not spec.get("description"):
        yield "description is missing"


def _of_platforms(platforms: list[dict[str, Any]], archive: Path) -> Iterator[str]:
    sha = hashlib.sha256(archive.read_bytes()).hexdigest()
    for platform in platforms:
        if platform["sha256"] != sha or not re.fullmatch(r"[a-f0-9]{64}", str(platform["sha256"])):
            yield "sha256 is not the archive's, in lower case"
        if not str(platform["uri"]).startswith("https://"):
            yield f"uri {platform['uri']!r} can't be downloaded"
        files = platform.get("files", [{"from": "*", "to": "."}])
        if not files or any(".." in Path(f["from"]).parts + Path(f["to"]).parts for f in files):
            yield "files is empty or leads out of the plugin's folder"
    for system in SYSTEMS:
        for machine in MACHINES:
            matching = [p for p in platforms if _matches(p["selector"], system, machine)]
            if len(matching) != 1:
                yield f"{system}/{machine} has {len(matching)} platforms"


def _matches(selector: dict[str, Any], system: str, machine: str) -> bool:
    labels = {"os": system, "arch": machine}
    for expression in selector.get("matchExpressions", []):
        if expression["key"] not in labels or expression["operator"] != "In":
            return False
        if labels[expression["key"]] not in expression["values"]:
            return False
    wanted = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in wanted.items())


def _of_archive(platforms: list[dict[str, Any]], archive: Path) -> Iterator[str]:
    with tarfile.open(archive, "r:gz") as tar:
        entries = {entry.name.removeprefix("./"): entry for entry in tar}
    for name, entry in entries.items():
        if not (entry.isreg() or entry.isdir()):
            yield f"{name} is neither a file nor a folder"
        if ".." in name or name.startswith("/"):
            yield f"{name} may lead out of the folder"
    if not any(re.match(r"(?i)(LICENSE|COPYING)(\.|$)", name) for name in entries):
        yield "there is no LICENSE"
    for platform in platforms:
        program = entries.get(platform["bin"])
        if program is None or not program.isreg() or not program.mode & 0o111:
            yield f"{platform['bin']} is not a program of the archive"
