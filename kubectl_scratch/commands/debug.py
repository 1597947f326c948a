"""kubectl scratch debug, and what it shares with check: the request that flags make."""

from __future__ import annotations

import re
from typing import Any

import click

from kubectl_scratch.commands.common import make_session, sit_down
from kubectl_scratch.console import printable
from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.options import Process
from kubectl_scratch.request import (
    DebugRequest,
    SessionRequest,
    Wishes,
    check_container,
    check_image,
    check_name,
    parse_pairs,
    parse_target,
)

# Without a lease nothing can prolong a copy's life.
DEFAULT_DEADLINE = 3600.0


def run(values: dict[str, Any], process: Process) -> int:
    """Debug a copy of a pod; ``values`` are the flags as Click read them."""
    process.console.quiet = values["quiet"]
    dry_run, output = values["dry_run"], values["output"]
    if output and dry_run == "none":
        raise InvalidRequest("-o is for --dry-run", "--dry-run=client prints the manifests")
    request = make_request(values, make_session(values, process.command))
    with sit_down(values, process) as desk:
        from kubectl_scratch import session

        if dry_run == "none":
            return session.debug(request, desk)
        plan = session.rehearse(request, desk, server=dry_run == "server")
        if output:
            for finding in plan.findings:
                process.console.finding(finding)
        click.echo(shown(plan, output), nl=False)
        return session.verdict(plan)


def shown(plan: Any, output: str | None) -> str:
    """Return a plan to read, or its manifests."""
    from kubectl_scratch import planview

    if output is None:
        # Names and texts of the cluster are untrusted.
        return "".join(f"{printable(line)}\n" for line in planview.lines(plan))
    return as_document(planview.manifests(plan), output)


def as_document(document: Any, output: str) -> str:
    """Return a document as json or yaml."""
    if output == "json":
        import json

        return json.dumps(document, indent=2) + "\n"
    from kubectl_scratch.cluster import to_yaml

    return to_yaml(document)


def make_request(values: dict[str, Any], session: SessionRequest) -> DebugRequest:
    """Check the flags; raises InvalidRequest."""
    named, file = values["target"], values["filename"]
    if (named is None) == (file is None):
        raise InvalidRequest("name one target", "a pod, KIND/NAME, or a manifest with -f")
    request = DebugRequest(
        target=None if named is None else parse_target(named),
        container=values["container"],
        image=values["image"],
        deadline=min(session.ttl, DEFAULT_DEADLINE) if values["ttl"] else DEFAULT_DEADLINE,
        session=session,
        file=file,
        profile=values["profile"],
        custom=read_custom(values["custom"]),
        wishes=make_wishes(values),
    )
    check_container(request.container)
    check_image(request.image)
    return request


def make_wishes(values: dict[str, Any]) -> Wishes:
    """Check the flags about the copy; raises InvalidRequest."""
    if values["copy_name"] is not None:
        check_name(values["copy_name"], "--copy-name")
    images = parse_pairs(tuple(_parts(values["set_image"])), "--set-image")
    for _, image in images:
        check_image(image)
    return Wishes(
        name=values["copy_name"],
        reason=values["reason"],
        same_node=values["same_node"],
        keep_labels=values["keep_labels"],
        keep_annotations=values["keep_annotations"],
        mesh=not values["no_mesh"],
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
    from kubectl_scratch.cluster import read_objects

    return read_objects(path)[0]


def _parts(given: tuple[str, ...]) -> list[str]:
    """Return the words of a flag that may be repeated, and may have several with commas."""
    return [part for text in given for part in text.split(",") if part]
