"""The program: its streams, its command line, its exit code."""

from __future__ import annotations

import os
import sys

import click

from kubectl_scratch.cli.commands import scratch
from kubectl_scratch.cli.pflag import with_values
from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import ExitStatus, Interrupted
from kubectl_scratch.runtime.console import Console, columns
from kubectl_scratch.runtime.names import COMMAND

STREAMS = (0, 1, 2)
# Longer lines of help are hard to read.
WIDEST = 100
# What kubectl's completion asks for, in the word that Cobra's programs have for it.
COMPLETE = "__complete"


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
    except (KeyboardInterrupt, click.Abort):
        return ExitStatus.of_signal(2)
    except (Exception, Interrupted) as error:
        from kubectl_scratch.cli.error_report import report_error

        return report_error(error, console)
