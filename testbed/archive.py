"""Write container images as docker-archive tars."""

import gzip
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Entry:
    """One file (from bytes or from a path), symbolic link (to a str) or folder (None)."""

    content: bytes | Path | str | None = None
    mode: int = 0o755
    uid: int = 0


@dataclass(frozen=True)
class Image:
    """An image of one layer: its names, its tree by path without a leading slash, its config."""

    names: Sequence[str]
    tree: Mapping[str, Entry]
    config: Mapping[str, Any] = field(default_factory=dict)
    compress: bool = False


def architecture() -> str:
    """Return this machine's architecture as images and Go call it."""
    return ARCHITECTURES.get(platform.machine(), platform.machine())


def write_archive(path: Path, images: Sequence[Image]) -> None:
    """Write images into one docker-archive."""
    manifest = []
    with tarfile.open(path, "w") as archive:
        for image in images:
            layer = _layer(image.tree)
            config = describe(image.config, hashlib.sha256(layer).hexdigest())
            name = hashlib.sha256(config).hexdigest()
            blob = gzip.compress(layer, 4, mtime=0) if image.compress else layer
            _add(archive, f"{name}.json", Entry(config))
            _add(archive, f"{name}/layer.tar", Entry(blob))
            manifest.append(manifest_item(f"{name}.json", image.names, f"{name}/layer.tar"))
        _add(archive, "manifest.json", Entry(json.dumps(manifest).encode()))


def describe(config: Mapping[str, Any], layer_digest: str) -> bytes:
    """Return the config blob of an image with one layer."""
    return json.dumps(
        {
            "architecture": architecture(),
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": dict(config),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
            "history": [{"created_by": "kubectl-scratch testbed"}],
        }
    ).encode()


def manifest_item(config: str, names: Sequence[str], layer: str) -> dict[str, Any]:
    """Return an image's item of an archive's manifest.json."""
    return {"Config": config, "RepoTags": list(names), "Layers": [layer]}


def _layer(tree: Mapping[str, Entry]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for path in sorted(_with_parents(tree)):
            _add(layer, path, tree.get(path, Entry()))
    return buffer.getvalue()


def _with_parents(tree: Mapping[str, Entry]) -> set[str]:
    paths = set(tree)
    for path in tree:
        paths.update(str(parent) for parent in Path(path).parents)
    return paths - {"."}


def _add(archive: tarfile.TarFile, path: str, entry: Entry) -> None:
    info = tarfile.TarInfo(path)
    info.mode = entry.mode
    info.uid = info.gid = entry.uid
    content = entry.content.read_bytes() if isinstance(entry.content, Path) else entry.content
    if content is None:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    elif isinstance(content, str):
        info.type = tarfile.SYMTYPE
        info.linkname = content
        archive.addfile(info)
    else:
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
