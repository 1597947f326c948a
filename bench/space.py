"""A namespace full of objects, for a benchmark."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def namespace(
    environ: Mapping[str, str], objects: Callable[[], Iterable[dict[str, Any]]]
) -> Iterator[str]:
    """Give a namespace with these objects; it is deleted at the end."""
    name = f"bench-{secrets.token_hex(3)}"

    def kubectl(*words: str, stdin: str = "") -> None:
        how: dict[str, Any] = {"env": environ, "input": stdin, "text": True, "check": True}
        subprocess.run(["kubectl", *words], stdout=subprocess.DEVNULL, **how)

    kubectl("create", "namespace", name)
    try:
        kubectl("-n", name, "wait", "--for=create", "serviceaccount/default")
        print(f"bench: filling namespace {name}", file=sys.stderr)
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects())}
        kubectl("-n", name, "create", "-f", "-", stdin=json.dumps(listed))
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")
