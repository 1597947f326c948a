"""Shell code that runs in containers, from the files in shell/."""

from __future__ import annotations

from pathlib import Path

SCRIPTS = Path(__file__).parent / "shell"


def read_script(name: str, **values: str) -> str:
    """Return a script without its comments; ``@NAME@`` in it becomes the value of ``name``."""
    lines = (SCRIPTS / f"{name}.sh").read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("#"))
    for key, value in values.items():
        text = text.replace(f"@{key.upper()}@", value)
    return text


def one_line(script: str) -> str:
    """Return a script whose lines may be joined as one line."""
    return " ".join(line.strip() for line in script.splitlines())
