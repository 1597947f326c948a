"""Import modules of a package without all that the package's ``__init__`` imports.

docs/adr/0007-slim-client.md says why.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

# Packages, each before those in it, and the names that others take from each: the submodule
# that has the name, or None for a class that is seldom called.
Parts = Mapping[str, Mapping[str, str | None]]


class LatePackage(ModuleType):
    """A package without its ``__init__``; what is missing is looked up in the whole package."""

    def __getattr__(self, name: str) -> object:
        """Import the whole package for a name that is not here."""
        whole = importlib.import_module(self.__name__)
        if whole is self:
            raise AttributeError(f"{self.__name__} has no {name} yet")
        return getattr(whole, name)


@contextmanager
def late_packages(parts: Parts) -> Iterator[None]:
    """Let the body import modules of packages without the packages' ``__init__``.

    They are its own: whoever imports them afterwards gets the whole packages. Packages that are
    loaded already are used as they are. Raises ImportError or AttributeError if a package
    is not as ``parts`` say, and what the body raises.
    """
    before = set(sys.modules)
    late = {name: wanted for name, wanted in parts.items() if root_of(name) not in before}
    try:
        for name in late:
            make_late(name)
        for name, wanted in late.items():
            vars(sys.modules[name]).update(exported_names(name, wanted))
        yield
    finally:
        roots = {root_of(name) for name in late}
        for name in set(sys.modules) - before:
            if root_of(name) in roots:
                del sys.modules[name]


def root_of(name: str) -> str:
    """Return the outermost package of a module."""
    return name.partition(".")[0]


def make_late(name: str) -> None:
    """Put a late package where imports look for it; raises ImportError if there is none."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"there is no package {name}", name=name)
    package = sys.modules[name] = importlib.util.module_from_spec(spec)
    package.__class__ = LatePackage
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], own, package)


def exported_names(package: str, wanted: Mapping[str, str | None]) -> dict[str, object]:
    """Return what others take from a late package."""
    found: dict[str, object] = {}
    for name, submodule in wanted.items():
        if submodule is None:
            found[name] = stand_in(package, name)
        else:
            found[name] = getattr(importlib.import_module(f"{package}.{submodule}"), name)
    return found


def stand_in(package: str, name: str) -> Callable[..., object]:
    """Return what imports a class when it is called, and calls it."""

    def call(*args: object, **kwargs: object) -> object:
        return getattr(importlib.import_module(package), name)(*args, **kwargs)

    return call
