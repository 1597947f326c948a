"""kubectl scratch debug, and what it shares with check: the request that flags make."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any

import click

from kubectl_scratch.cli import debug_in_place
from kubectl_scratch.cli.connect import connect, session_request
from kubectl_scratch.cli.process import Process
from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.plan.findings import report_finding
from kubectl_scratch.request import (
    CopyOptions,
    DebugRequest,
    ModeOptions,
    SessionRequest,
    check_container,
    check_image,
    check_name,
    parse_pairs,
    parse_target,
)
from kubectl_scratch.runtime.console import printable

if TYPE_CHECKING:
    from kubectl_scratch.plan.inputs import PlanInputs
    from kubectl_scratch.plan.model import Plan
    from kubectl_scratch.runtime.tasks import Task
    from kubectl_scratch.session.context import Context

# Without a lease nothing can prolong a copy's life.
DEFAULT_DEADLINE = 3600.0


def run_debug(values: dict[str, Any], process: Process) -> int:
    """Debug a copy of a pod; ``values`` are the flags as Click read them."""
    process.console.quiet = values["quiet"]
    dry_run, output = values["dry_run"], values["output"]
    if output and dry_run == "none":
        raise InvalidRequest("-o is for --dry-run", "--dry-run=client prints the manifests")
    request = debug_request(values, session_request(values, process.command))
    if request.file == "-":
        process = process._replace(streams=without_stdin(process.streams))
    if request.in_place:
        return debug_in_place.run_in_place_debug(request, values, process)
    with connect(values, process) as context:
        reads = prefetch_for(context, request)
        from kubectl_scratch.session import workflow

        if dry_run == "none":
            return workflow.debug_copy(request, context, reads)
        plan = workflow.rehearse_copy(request, context, reads, server=dry_run == "server")
        if output:
            for finding in plan.findings:
                report_finding(finding, process.console)
    # Whoever does not read it may end us as any program.
    click.echo(plan_text(plan, output), nl=False)
    return workflow.verdict(plan)


def without_stdin(streams: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the streams of a process whose stdin is the manifest.

    As for a pager, the person at the terminal can still type; elsewhere there is no input.
    """
    _, out, err = streams
    try:
        stdin = os.open("/dev/tty" if os.isatty(out) else os.devnull, os.O_RDWR)
    except OSError:
        stdin = os.open(os.devnull, os.O_RDWR)
    return stdin, out, err


def prefetch_for(context: Context, request: DebugRequest) -> Task[PlanInputs]:
    """Have the cluster answer while the rest is imported, which takes as long."""
    from kubectl_scratch.lookup import prefetching

    return prefetching.begin_prefetch(context.cluster, request)


def plan_text(plan: Plan, output: str | None) -> str:
    """Return a plan to read, or its manifests."""
    from kubectl_scratch.cli import plan_view

    if output is None:
        # Names and texts of the cluster are untrusted.
        return "".join(f"{printable(line)}\n" for line in plan_view.plan_lines(plan))
    return as_document(plan_view.manifests(plan), output)


def as_document(document: Any, output: str) -> str:
    """Return a document as json or yaml."""
    if output == "json":
        import json

        return json.dumps(document, indent=2) + "\n"
    from kubectl_scratch.kube.client import to_yaml

    return to_yaml(document)


def debug_request(values: dict[str, Any], session: SessionRequest) -> DebugRequest:
    """Check the flags; raises InvalidRequest."""
    named, file = values["target"], values["filename"]
    if (named is None) == (file is None):
        raise InvalidRequest("name one target", "a pod, KIND/NAME, or a manifest with -f")
    request = DebugRequest(
        target=None if named is None else parse_target(named),
        container=values["container"],
        image=values["image"],
        deadline=min(session.ttl, DEFAULT_DEADLINE) if values.get("ttl") else DEFAULT_DEADLINE,
        session=session,
        file=file,
        profile=values["profile"],
        custom=read_custom(values["custom"]),
        options=copy_options_of(values),
        mode=mode_request(values),
        in_place=bool(values.get("in_place")),
        linger=debug_in_place.linger_of(values),
    )
    if file == values["custom"] == "-":
        raise InvalidRequest("-f and --custom can't both be read from stdin")
    check_container(request.container)
    if request.image is not None:
        check_image(request.image)
    return request


def mode_request(values: dict[str, Any]) -> ModeOptions:
    """Check the flags about view and hold; raises InvalidRequest."""
    hold_all, hold = values["hold_all"], values["hold"]
    if hold_all and hold is False:
        raise InvalidRequest("--hold-all holds the target, too, and --no-hold does not")
    return ModeOptions(
        view=values["view"],
        hold=True if hold_all else hold,
        hold_all=hold_all,
        command=split_words(values["command"]),
        learn=values["learn"],
        arch=values["arch"],
    )


def split_words(text: str | None) -> tuple[str, ...]:
    """Return the words of --command as a shell splits them; raises InvalidRequest."""
    if text is None:
        return ()
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise InvalidRequest("--command can't be split into words", str(error).lower()) from error
    if not words:
        raise InvalidRequest("--command has no word")
    return words


def copy_options_of(values: dict[str, Any]) -> CopyOptions:
    """Check the flags about the copy; raises InvalidRequest."""
    if values["copy_name"] is not None:
        check_name(values["copy_name"], "--copy-name")
    images = parse_pairs(tuple(_parts(values["set_image"])), "--set-image")
    for _, image in images:
        check_image(image)
    return CopyOptions(
        name=values["copy_name"],
        reason=values["reason"],
        same_node=values["same_node"],
        keep_labels=values["keep_labels"],
        keep_annotations=values["keep_annotations"],
        keep_mesh=not values["no_mesh"],
        share_processes=values["share_processes"],
        resources=values["resources"],
        writable=frozenset(_parts(values["writable"])),
        skip_volumes=frozenset(_parts(values["skip_volume"])),
        skip_init=frozenset(_parts(values["skip_init"])),
        images=images,
        env=check_env(parse_pairs(values["env"], "--env")),
        pull_policy=values["image_pull_policy"],
        pull_secrets=tuple(_parts(values["image_pull_secret"])),
    )


def check_env(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the pairs; raises InvalidRequest for what can't be the name of a variable."""
    for name, _ in pairs:
        if not re.fullmatch(r"[-._A-Za-z][-._A-Za-z0-9]*", name):
            raise InvalidRequest(f"--env {name!r} can't be the name of a variable")
    return pairs


def read_custom(path: str | None) -> dict[str, Any] | None:
    """Return the partial container of --custom FILE; raises InvalidRequest."""
    if path is None:
        return None
    from kubectl_scratch.kube.client import read_objects

    return read_objects(path)[0]


def _parts(given: tuple[str, ...]) -> list[str]:
    """Return the words of a flag that may be repeated, and may have several with commas."""
    return [part for text in given for part in text.split(",") if part]
