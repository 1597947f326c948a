"""kubectl scratch completion."""

from __future__ import annotations

import os
from pathlib import Path

import click

from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.runtime.names import COMMAND, COMPLETER, PLUGIN, PROGRAM

SHELLS = Path(__file__).parent / "shells"
# Which file of that name is ours, and may be replaced or removed.
MARK = "made by kubectl scratch completion install"


def print_script(shell: str) -> int:
    """Print the code for a shell."""
    click.echo(filled_in((SHELLS / f"scratch.{shell}").read_text()), nl=False)
    return 0


def install_completer(process: Process) -> int:
    """Put the program that kubectl's completion looks for beside the plugin."""
    path = completer_path()
    try:
        path.write_text(filled_in((SHELLS / "completer.sh").read_text()))
        path.chmod(0o755)
    except OSError as error:
        raise InvalidRequest(f"{str(path)!r} can't be written", str(error.strerror)) from error
    process.console.info(f"made {path}; {COMMAND} <TAB> works where kubectl's completion does")
    process.console.info("kubectl's own, where you lack it: kubectl completion --help")
    return 0


def uninstall_completer(process: Process) -> int:
    """Remove what install has made."""
    path = completer_path()
    existed = path.exists()
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidRequest(f"{str(path)!r} can't be removed", str(error.strerror)) from error
    process.console.info(f"removed {path}" if existed else f"there was no {path}")
    return 0


def completer_path() -> Path:
    """Return the file that install makes, in the folder of PATH where kubectl finds the plugin.

    Raises InvalidRequest where the plugin is not on PATH, and for a file of somebody else's.
    """
    folders = [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    folder = next((f for f in folders if os.access(f / PROGRAM, os.X_OK)), None)
    if folder is None:
        raise InvalidRequest(f"{PROGRAM} is not on PATH", "kubectl finds its plugins only there")
    path = folder / COMPLETER
    if path.exists() and MARK not in path.read_text(errors="replace"):
        raise InvalidRequest(f"{str(path)!r} came with the plugin", "there is nothing to do")
    return path


def filled_in(text: str) -> str:
    """Return a file of shells/ under the plugin's own name."""
    names = {"PLUGIN": PLUGIN, "PROGRAM": PROGRAM, "NAME": PLUGIN.replace("-", "_"), "MARK": MARK}
    for key, value in names.items():
        text = text.replace(f"@{key}@", value)
    return text
