"""The command line: wires streams, words errors, picks exit codes."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import traceback
from typing import Any

import click

from kubectl_scratch import __version__
from kubectl_scratch.console import Console
from kubectl_scratch.debugger import DEFAULT_IMAGE
from kubectl_scratch.errors import (
    ClusterError,
    CopyNotReady,
    ExitStatus,
    Interrupted,
    InvalidRequest,
    LeftoverCopy,
    ScratchError,
    SessionError,
    Unreachable,
)
from kubectl_scratch.options import (
    Process,
    SessionCommand,
    connection_options,
    session_options,
)
from kubectl_scratch.request import duration_words

STREAMS = (0, 1, 2)
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="kubectl scratch")
def scratch() -> None:
    """Debug a copy of a pod, and leave nothing behind."""


@scratch.command(cls=SessionCommand)
@click.argument("pod")
@click.option("-c", "--container", "--target", metavar="NAME", help="The target container.")
@click.option(
    "--image",
    metavar="IMAGE",
    default=DEFAULT_IMAGE,
    show_default=True,
    help="The toolkit image; it must have sh, sleep and true.",
)
@session_options
@connection_options
@click.pass_obj
def debug(process: Process, /, **values: Any) -> int:
    """Open a shell beside a copy of POD, or run COMMAND there.

    \b
    Examples:
      kubectl scratch debug mypod
      kubectl scratch debug mypod -c app -n shop
      kubectl scratch debug mypod -- ps

    The copy gets no traffic and belongs to no workload. It is deleted when the session ends,
    and by the cluster itself if this process can't.
    """
    from kubectl_scratch.commands import debug as verb

    process.console.quiet = values["quiet"]
    return verb.run(values, process)


@scratch.command(cls=SessionCommand)
@click.argument("copy")
@session_options
@connection_options
@click.pass_obj
def attach(process: Process, /, **values: Any) -> int:
    """Open one more session in COPY, which debug has made.

    \b
    Examples:
      kubectl scratch attach mypod-scratch-x7k2p
      kubectl scratch attach mypod-scratch-x7k2p -- top -b -n 1

    The session that leaves as the last deletes the copy.
    """
    from kubectl_scratch.commands import attach as verb

    process.console.quiet = values["quiet"]
    return verb.run(values, process)


def split_command(argv: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Split at the first ``--``, which Click would drop."""
    if "--" not in argv:
        return argv, ()
    at = argv.index("--")
    return argv[:at], tuple(argv[at + 1 :])


def main() -> None:
    """Run the command line and exit."""
    open_closed_streams()
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Python would flush once more at exit, and make 120 of the exit code.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def open_closed_streams() -> None:
    """Open what the caller has closed: the next socket would become our stderr."""
    for descriptor in STREAMS:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def run(argv: list[str]) -> int:
    """Run the command line; return the exit code."""
    console = Console(sys.stderr)
    arguments, command = split_command(argv)
    try:
        code = scratch.main(
            arguments,
            prog_name="kubectl scratch",
            standalone_mode=False,
            obj=Process(command, STREAMS, console),
        )
        return int(code or ExitStatus.OK)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitStatus.FAILURE
    except click.ClickException as error:
        console.error(_lower(error.format_message()))
        return ExitStatus.FAILURE
    except (ScratchError, Interrupted) as error:
        return report(error, console)
    except (KeyboardInterrupt, click.Abort):
        return ExitStatus.of_signal(2)
    except Exception:
        console.error(f"this is a bug; its traceback is in {_save_traceback()}")
        return ExitStatus.FAILURE


def report(error: BaseException, console: Console) -> int:
    """Word an error on stderr; return the exit code that it means."""
    if isinstance(error, Interrupted):
        return ExitStatus.of_signal(error.signum)
    if isinstance(error, LeftoverCopy):
        return report_leftover(error, console)
    if isinstance(error, ScratchError):
        problem, hint = word(error)
        console.error(f"{problem}; {hint}" if hint else problem)
    return ExitStatus.FAILURE


def report_leftover(error: LeftoverCopy, console: Console) -> int:
    """Word a copy that could not be deleted, after what went wrong before."""
    code = error.code
    if isinstance(error.__context__, (ScratchError, Interrupted)):
        code = report(error.__context__, console)
    console.warning(f"the copy could not be deleted ({error.cause}); {error.otherwise}")
    console.warning(f"to delete it now: {error.command}")
    return code


def word(error: ScratchError) -> tuple[str, str]:
    """Return a problem and a hint in words."""
    if isinstance(error, (InvalidRequest, SessionError)):
        return error.problem, error.hint
    if isinstance(error, CopyNotReady):
        if error.waited is None:
            return error.last.rstrip("."), ""
        waited = f"no shell after {duration_words(error.waited)}: {error.last}"
        return waited, "--timeout waits longer"
    if isinstance(error, Unreachable):
        return f"the cluster can't be reached: {error.message}", "is the kubeconfig right?"
    if isinstance(error, ClusterError):
        return word_refusal(error)
    return str(error), ""


def word_refusal(error: ClusterError) -> tuple[str, str]:
    """Return a refusal of the API server in words."""
    if error.status == 401:
        return "the cluster does not accept your credentials", "log in again"
    if error.status == 403:
        return f"the cluster forbids it: {error.message}", ""
    return f"the cluster refuses: {error.message}", ""


def _lower(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line[:1].lower() + line[1:]


def _save_traceback() -> str:
    descriptor, path = tempfile.mkstemp(prefix="kubectl-scratch-", suffix=".txt")
    with os.fdopen(descriptor, "w") as file:
        # The text of somebody else's exception may quote a header.
        file.write(
            re.sub(r"(?i)(bearer|basic) [^\s'\"\\]+", r"\1 (redacted)", traceback.format_exc())
        )
    return path
