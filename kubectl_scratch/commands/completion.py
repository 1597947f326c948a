"""kubectl scratch completion."""

from __future__ import annotations

import os
from pathlib import Path

import click

from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.help import Example, Verb, Verbs
from kubectl_scratch.names import COMMAND, COMPLETER, PLUGIN, PROGRAM
from kubectl_scratch.options import Process

SHELLS = Path(__file__).parents[1] / "shells"
# Which file of that name is ours, and may be replaced or removed.
MARK = "made by kubectl scratch completion install"

EXAMPLES = (
    Example("kubectl's own completion then completes this plugin, too", "completion install"),
    Example("For a bash without kubectl's completion, in ~/.bashrc", "completion bash"),
    Example("To undo the first", "completion uninstall"),
)


@click.group("completion", cls=Verbs, examples=EXAMPLES)
def completion() -> None:
    """Complete verbs, flags, pods and containers in bash, zsh and fish.

    Where kubectl's own completion is loaded, install is all that it needs (kubectl 1.26 or
    later). Otherwise load what bash, zsh or fish prints.
    """


def _printer(shell: str, load: str) -> click.Command:
    @click.command(
        shell,
        cls=Verb,
        short_help=f"Print the code for {shell}.",
        help=f"Print the code for {shell}. To load it: {load}",
        examples=(Example("Print it", f"completion {shell}"),),
    )
    def show() -> int:
        click.echo(filled_in((SHELLS / f"scratch.{shell}").read_text()), nl=False)
        return 0

    return show


for _shell, _load in (
    ("bash", f'eval "$({COMMAND} completion bash)"'),
    ("zsh", f'eval "$({COMMAND} completion zsh)"'),
    ("fish", f"{COMMAND} completion fish | source"),
):
    completion.add_command(_printer(_shell, _load))


@completion.command(
    "install", cls=Verb, examples=(Example("Beside the plugin", "completion install"),)
)
@click.pass_obj
def install(process: Process, /) -> int:
    """Put kubectl_complete-scratch on PATH, where kubectl's own completion finds it."""
    path = _folder() / COMPLETER
    _check_ours(path)
    try:
        path.write_text(filled_in((SHELLS / "completer.sh").read_text()))
        path.chmod(0o755)
    except OSError as error:
        raise InvalidRequest(f"{str(path)!r} can't be written", str(error.strerror)) from error
    process.console.info(f"made {path}; {COMMAND} <TAB> works where kubectl's completion does")
    process.console.info("kubectl's own, where you lack it: kubectl completion --help")
    return 0


@completion.command(
    "uninstall", cls=Verb, examples=(Example("As it was before", "completion uninstall"),)
)
@click.pass_obj
def uninstall(process: Process, /) -> int:
    """Remove what install has made."""
    path = _folder() / COMPLETER
    _check_ours(path)
    existed = path.exists()
    path.unlink(missing_ok=True)
    process.console.info(f"removed {path}" if existed else f"there was no {path}")
    return 0


def _folder() -> Path:
    """Return the folder of PATH in which kubectl finds the plugin; raises InvalidRequest."""
    for part in os.environ.get("PATH", "").split(os.pathsep):
        if part and os.access(Path(part) / PROGRAM, os.X_OK):
            return Path(part)
    raise InvalidRequest(f"{PROGRAM} is not on PATH", "kubectl finds its plugins only there")


def _check_ours(path: Path) -> None:
    if path.exists() and MARK not in path.read_text(errors="replace"):
        raise InvalidRequest(f"{str(path)!r} is not ours", "it came with the plugin's package")


def filled_in(text: str) -> str:
    """Return a file of shells/ under the plugin's own name."""
    identifier = PLUGIN.replace("-", "_")
    text = text.replace("@PLUGIN@", PLUGIN).replace("@PROGRAM@", PROGRAM)
    return text.replace("@NAME@", identifier).replace("@MARK@", MARK)
