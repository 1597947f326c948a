"""Packages of which ``__init__`` runs late."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_scratch.kube.slim_import import Parts, late_packages

PARTS: Parts = {"heavy": {}, "heavy.engine": {"Small": "small", "Seldom": None}}
FILES = {
    "heavy/__init__.py": "from . import engine\nweight = 'a ton'\n",
    "heavy/engine/__init__.py": """\
from heavy.engine.small import Small
import heavy.engine.big
class Seldom:
    def __init__(self, name, *, size=1):
        self.told = (name, size)
""",
    "heavy/engine/small.py": "class Small: pass\n",
    "heavy/engine/big.py": "import heavy.engine\n",
    "heavy/reader.py": """\
from heavy.engine import Seldom, Small
def read():
    return Seldom("it", size=2)
""",
    "heavy/wrong.py": "from heavy.engine import Missing\n",
    "flat.py": "",
}


@pytest.fixture(autouse=True)
def heavy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give a package that loads much, of which one module is wanted."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield
    for name in loaded():
        del sys.modules[name]


def loaded() -> set[str]:
    return {name for name in sys.modules if name.partition(".")[0] in ("heavy", "flat")}


def slim() -> Any:
    with late_packages(PARTS):
        return importlib.import_module("heavy.reader")


def test_a_module_is_imported_without_the_rest() -> None:
    with late_packages(PARTS):
        importlib.import_module("heavy.reader")
        assert loaded() == {"heavy", "heavy.engine", "heavy.engine.small", "heavy.reader"}
    assert not loaded()


def test_what_is_called_seldom_is_loaded_when_it_is_called() -> None:
    assert slim().read().told == ("it", 2)
    assert "heavy.engine.big" in loaded()


def test_what_a_package_lacks_is_found_in_the_whole_one() -> None:
    with late_packages(PARTS):
        import heavy.engine  # type: ignore[import-not-found]
    assert heavy.weight == "a ton"
    assert heavy.engine.big is sys.modules["heavy.engine.big"]
    with pytest.raises(AttributeError):
        _ = heavy.other


def test_who_imports_afterwards_gets_the_whole_package() -> None:
    slim()
    heavy = importlib.import_module("heavy.reader")
    assert isinstance(heavy.read(), heavy.Seldom)
    assert sys.modules["heavy"].engine.big


def test_a_loaded_package_is_taken_as_it_is() -> None:
    heavy = importlib.import_module("heavy")
    assert slim().Seldom is heavy.engine.Seldom
    assert sys.modules["heavy"] is heavy


@pytest.mark.parametrize(
    "parts, module",
    [
        (PARTS, "heavy.wrong"),
        ({**PARTS, "heavy.none": {}}, "heavy.reader"),
        ({**PARTS, "none": {}}, "heavy.reader"),
        ({**PARTS, "flat": {}}, "heavy.reader"),
        ({"heavy": {}, "heavy.engine": {"Small": "none"}}, "heavy.reader"),
        ({"heavy": {}, "heavy.engine": {"Other": "small"}}, "heavy.reader"),
        ({"heavy": {}, "heavy.engine": {"Small": "small"}}, "heavy.reader"),
    ],
)
def test_after_a_failure_the_usual_import_works(parts: Parts, module: str) -> None:
    with pytest.raises((ImportError, AttributeError)), late_packages(parts):
        importlib.import_module(module)
    assert not loaded()
    assert importlib.import_module("heavy.reader").read().told == ("it", 2)
