"""kubectl scratch completion."""

from __future__ import annotations

import os
from pathlib import Path

import click

from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.runtime.names import COMMAND, COMPLETER, PLUGIN, PROGRAM

SHELLS = Path(__file__).parent / "shells"
# A file with this mark is ours, and may be replaced or removed.
MARK = "made by kubectl scratch completion install"


def print_script(shell: str) -> int:
    """Print the code for a shell."""
    click.echo(filled_in((SHELLS / f"scratch.{shell}").read_text()), nl=False)
    return 0


def install_completer(process: Process) -> int:
    """Create the program that kubectl's completion looks for, beside the plugin."""
    path = completer_path()
    try:
        path.write_text(filled_in((SHELLS / "completer.sh").read_text()))
        path.chmod(0o755)
    except OSError as error:
        raise InvalidRequest(f"cannot write {str(path)!r}", str(error.strerror)) from error
    process.console.info(
        f"created {path}; {COMMAND} <TAB> works once kubectl's completion is loaded"
    )
    process.console.info("to load kubectl's completion, see kubectl completion --help")
    return 0


def uninstall_completer(process: Process) -> int:
    """Remove the file that install created."""
    path = completer_path()
    existed = path.exists()
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidRequest(f"cannot remove {str(path)!r}", str(error.strerror)) from error
    process.console.info(f"removed {path}" if existed else f"{path} does not exist")
    return 0


def completer_path() -> Path:
    """Return the path of the file that install creates, beside the plugin on PATH.

    Raises InvalidRequest if the plugin is not on PATH, and for a file that is not ours.
    """
    folders = [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    folder = next((f for f in folders if os.access(f / PROGRAM, os.X_OK)), None)
    if folder is None:
        raise InvalidRequest(f"{PROGRAM} is not on PATH", "kubectl finds plugins only on PATH")
    path = folder / COMPLETER
    if path.exists() and MARK not in path.read_text(errors="replace"):
        raise InvalidRequest(f"{str(path)!r} came with the plugin", "there is nothing to do")
    return path


def filled_in(text: str) -> str:
    """Return the text of a file of shells/ with the plugin's own name."""
    names = {"PLUGIN": PLUGIN, "PROGRAM": PROGRAM, "NAME": PLUGIN.replace("-", "_"), "MARK": MARK}
    for key, value in names.items():
        text = text.replace(f"@{key}@", value)
    return text
