"""YAML files as JSON values, and back. The only importer of yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from kubectl_scratch.errors import InvalidRequest, reason_of
from kubectl_scratch.kube.objects import Json

# As a file's name, as kubectl has it.
STDIN = "-"
_SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# The API knows no dates, only texts that look like one.
_RESOLVERS = {
    key: [resolver for resolver in those if "timestamp" not in resolver[0]]
    for key, those in _SAFE.yaml_implicit_resolvers.items()
}
_LOADER = type("_Loader", (_SAFE,), {"yaml_implicit_resolvers": _RESOLVERS})


def read_documents(path: Path | None, title: str) -> list[Any]:
    """Return the documents of a YAML or JSON file, of stdin for None; ``title`` is for messages.

    Raises InvalidRequest for a file that cannot be read.
    """
    try:
        return [_to_json(d) for d in yaml.load_all(_text_of(path), Loader=_LOADER)]
    except (OSError, RecursionError, ValueError, yaml.YAMLError) as error:
        raise InvalidRequest(f"{title} cannot be read", reason_of(error)) from error


def read_objects(path: str) -> list[Json]:
    """Return the objects of a YAML or JSON file, those of its Lists too; of stdin for "-".

    Raises InvalidRequest for a file that cannot be read or has none.
    """
    file, title = (None, "stdin") if path == STDIN else (Path(path), f"file {path!r}")
    found = []
    for document in read_documents(file, title):
        items = document.get("items") if isinstance(document, dict) else None
        found += items if isinstance(items, list) else [document]
    objects = [item for item in found if isinstance(item, dict)]
    if not objects:
        raise InvalidRequest(f"{title} has no object")
    return objects


def to_yaml(document: Json) -> str:
    """Return a document as YAML, its keys in their order."""
    text = str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    if all(c.isprintable() or c == "\n" for c in text):
        return text
    # Controls and bidirectional marks would speak to the terminal: then as escapes.
    return str(yaml.safe_dump(document, sort_keys=False))


def _text_of(path: Path | None) -> str:
    if path is not None:
        return path.read_text()
    with open(0, "rb", closefd=False) as stdin:
        return stdin.read().decode()


def _to_json(value: Any, inside: tuple[int, ...] = ()) -> Any:
    """Return what YAML has read as JSON would have it: all keys are texts, as kubectl makes them.

    Raises ValueError for a key that is none, and for what is inside of itself.
    """
    if id(value) in inside:
        raise ValueError("an anchor contains itself")
    if isinstance(value, dict):
        inside = (*inside, id(value))
        return {_text_key(key): _to_json(each, inside) for key, each in value.items()}
    if isinstance(value, list):
        inside = (*inside, id(value))
        return [_to_json(each, inside) for each in value]
    return value


def _text_key(key: object) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, (str, int)):
        return str(key)
    if isinstance(key, float):
        # Go's shortest form, without the fraction that Python gives a whole number.
        return str(int(key)) if key.is_integer() and abs(key) < 1e21 else repr(key)
    raise ValueError(f"{key!r} cannot be a key")
