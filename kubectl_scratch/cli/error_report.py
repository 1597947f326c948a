"""Word errors, and pick the exit code that they mean: the only place that does."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import traceback

import click

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
from kubectl_scratch.runtime.console import Console
from kubectl_scratch.runtime.durations import duration_words
from kubectl_scratch.runtime.names import COMMAND

# What a stream says that takes no more: a full disk, a limit, a terminal that is gone.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def report_error(error: BaseException, console: Console) -> int:
    """Word an error on stderr; return the exit code that it means."""
    if isinstance(error, Interrupted):
        return ExitStatus.of_signal(error.signum)
    if isinstance(error, LeftoverCopy):
        return report_leftover(error, console)
    if isinstance(error, click.ClickException):
        problem, hint = word_usage(error)
    elif isinstance(error, ScratchError):
        problem, hint = word(error)
    # An error about a file of ours would name it.
    elif isinstance(error, OSError) and error.errno in UNWRITABLE and error.filename is None:
        problem, hint = f"stdout can't be written: {error.strerror}", ""
    else:
        problem, hint = f"this is a bug; its traceback is in {save_traceback()}", ""
    console.error(f"{problem}; {hint}" if hint else problem)
    return ExitStatus.FAILURE


def report_leftover(error: LeftoverCopy, console: Console) -> int:
    """Word a copy that could not be deleted, after what went wrong before."""
    before = error.__context__
    told = isinstance(before, (Exception, Interrupted))
    code = report_error(before, console) if before and told else error.code
    console.warning(f"the copy could not be deleted ({error.cause}); {error.otherwise}")
    console.warning(f"to delete it now: {error.command}")
    return code


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


def word(error: ScratchError) -> tuple[str, str]:
    """Return a problem and a hint in words."""
    if isinstance(error, (InvalidRequest, SessionError)):
        return error.problem, error.hint
    if isinstance(error, CopyNotReady):
        if error.waited is None:
            return error.last.rstrip("."), error.hint
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


def save_traceback() -> str:
    """Write the traceback of the current exception to a file, without secrets; return its path."""
    text = traceback.format_exc()
    for secret in SECRETS:
        text = re.sub(secret, r"\1(redacted)", text)
    descriptor, path = tempfile.mkstemp(prefix="kubectl-scratch-", suffix=".txt")
    # What a cluster has sent may be half a character.
    with os.fdopen(descriptor, "w", errors="backslashreplace") as file:
        file.write(text)
    return path
