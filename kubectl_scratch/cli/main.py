"""The command line: wires streams, words errors, picks exit codes."""

from __future__ import annotations

import errno
import os
import sys

import click

from kubectl_scratch.cli.commands import scratch
from kubectl_scratch.cli.pflag import with_values
from kubectl_scratch.cli.process import Process
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
from kubectl_scratch.runtime.console import Console, columns
from kubectl_scratch.runtime.names import COMMAND

STREAMS = (0, 1, 2)
# Longer lines of help are hard to read.
WIDEST = 100
# What kubectl's completion asks for, in the word that Cobra's programs have for it.
COMPLETE = "__complete"
# What a stream says that takes no more: a full disk, a limit, a terminal that is gone.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def split_command(argv: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Split at the first ``--``, which Click would drop."""
    at = argv.index("--") if "--" in argv else len(argv)
    return with_values(argv[:at]), tuple(argv[at + 1 :])


def main() -> None:
    """Run the command line and exit."""
    open_closed_streams()
    code = run_program(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Python would flush once more at exit, and make 120 of the exit code.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def main_complete() -> None:
    """Answer kubectl's own completion; the name by which it looks for us is a program's."""
    sys.argv.insert(1, COMPLETE)
    main()


def open_closed_streams() -> None:
    """Open what the caller has closed: the next socket would become our stderr."""
    for descriptor in STREAMS:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def run_program(argv: list[str]) -> int:
    """Run the command line; return the exit code."""
    console = Console(sys.stderr)
    try:
        return run_verb(argv, console)
    finally:
        console.finish()


def run_verb(argv: list[str], console: Console) -> int:
    """Run the command line; return the exit code that its end means, in words on stderr."""
    if argv[:1] == [COMPLETE]:
        from kubectl_scratch.cli.completion.protocol import complete

        click.echo(complete(scratch, argv[1:]), nl=False)
        return ExitStatus.OK
    arguments, command = split_command(argv)
    try:
        code = scratch.main(
            arguments,
            prog_name=COMMAND,
            standalone_mode=False,
            terminal_width=min(columns(1), WIDEST) - 1,
            obj=Process(command, STREAMS, console),
        )
        return int(code or ExitStatus.OK)
    except click.ClickException as error:
        console.error("; ".join(part for part in word_usage(error) if part))
        return ExitStatus.FAILURE
    except (ScratchError, Interrupted) as error:
        return report_error(error, console)
    except (KeyboardInterrupt, click.Abort):
        return ExitStatus.of_signal(2)
    except Exception as error:
        return report_unknown(error, console)


def word_usage(error: click.ClickException) -> tuple[str, str]:
    """Return what is wrong with the command line, and a hint."""
    problem = _lower(error.message)
    near = getattr(error, "possibilities", None)
    if near:
        return problem, f"did you mean {near[0]}?"
    if isinstance(error, click.NoSuchCommand):
        return problem, f"to debug a pod: {COMMAND} debug {error.command_name}"
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption) and context and context.parent is None:
        return problem, "flags go behind the verb"
    # What Click says of a value names the parameter only in the whole message.
    return _lower(error.format_message()), f"see {context.command_path} --help" if context else ""


def report_error(error: BaseException, console: Console) -> int:
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
    before = error.__context__
    if isinstance(before, (ScratchError, Interrupted)):
        code = report_error(before, console)
    elif isinstance(before, Exception):
        code = report_unknown(before, console)
    console.warning(f"the copy could not be deleted ({error.cause}); {error.otherwise}")
    console.warning(f"to delete it now: {error.command}")
    return code


def report_unknown(error: Exception, console: Console) -> int:
    """Word what nobody has caught; only a stdout that can't be written is no bug."""
    # An error about a file of ours would name it.
    if isinstance(error, OSError) and error.errno in UNWRITABLE and error.filename is None:
        console.error(f"stdout can't be written: {error.strerror}")
    else:
        console.error(f"this is a bug; its traceback is in {_save_traceback()}")
    return ExitStatus.FAILURE


def word(error: ScratchError) -> tuple[str, str]:
    """Return a problem and a hint in words."""
    if isinstance(error, (InvalidRequest, SessionError)):
        return error.problem, error.hint
    if isinstance(error, CopyNotReady):
        if error.waited is None:
            return error.last.rstrip("."), error.hint
        from kubectl_scratch.runtime.durations import duration_words

        waited = f"no shell after {duration_words(error.waited)}: {error.last.rstrip('.')}"
        return waited, error.hint
    if isinstance(error, Unreachable):
        return f"the cluster can't be reached: {error.message}", "is the kubeconfig right?"
    if isinstance(error, ClusterError):
        return word_refusal(error)
    return str(error), ""


def word_refusal(error: ClusterError) -> tuple[str, str]:
    """Return a refusal of the API server in words."""
    from kubectl_scratch.kube.answers import NOT_KUBERNETES, REDIRECTED

    if error.reason == NOT_KUBERNETES:
        problem = f"no Kubernetes API server has answered: {error.message}"
        return problem, "is a proxy or a login page in between?"
    if error.reason == REDIRECTED:
        return error.message, "is the server's address right?"
    if error.status == 401:
        return "the cluster does not accept your credentials", "log in again"
    if error.status == 403:
        return f"the cluster forbids it: {error.message}", ""
    return f"the cluster refuses: {error.message}", ""


def _lower(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line[:1].lower() + line[1:]


# The text of somebody else's exception may quote a header, a URL or a kubeconfig's user.
SECRETS = (
    r"(?i)(bearer |basic )[^\s'\"\\]+",
    # A password may have any character in it.
    r"(://).*@",
    r"()[^\s'\"]+:[^\s'\"]*@",
    r"(?i)((?:token|password|secret|-key-data)['\"]?\s*[:=]\s*b?['\"])[^'\"]*",
)


def _save_traceback() -> str:
    import re
    import tempfile
    import traceback

    text = traceback.format_exc()
    for secret in SECRETS:
        text = re.sub(secret, r"\1(redacted)", text)
    descriptor, path = tempfile.mkstemp(prefix="kubectl-scratch-", suffix=".txt")
    # What a cluster has sent may be half a character.
    with os.fdopen(descriptor, "w", errors="backslashreplace") as file:
        file.write(text)
    return path
