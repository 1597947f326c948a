"""kubectl scratch debug."""

from __future__ import annotations

from typing import Any

import click

from kubectl_scratch import candidates
from kubectl_scratch.commands.common import make_session, sit_down
from kubectl_scratch.debugger import DEFAULT_IMAGE
from kubectl_scratch.help import Example, Verb
from kubectl_scratch.options import Process, connection_options, session_options
from kubectl_scratch.request import DebugRequest, check_container, check_image, parse_target

# Without a lease nothing can prolong a copy's life.
DEFAULT_DEADLINE = 3600.0

EXAMPLES = (
    Example("A shell beside a copy of mypod", "debug mypod"),
    Example("The same for its container app, in namespace shop", "debug mypod -c app -n shop"),
    Example("One question, in a script", "debug mypod -q -- cat /etc/resolv.conf"),
    Example(
        "With tools of your own",
        "debug mypod --image docker.io/library/busybox:1.37.0",
    ),
)


@click.command(
    "debug",
    cls=Verb,
    heading="Debugging Commands",
    takes_command=True,
    examples=EXAMPLES,
    short_help="Open a shell beside a copy of a pod, or run a command there.",
)
@click.argument("pod", shell_complete=candidates.pods)
@click.option(
    "-c",
    "--container",
    "--target",
    metavar="NAME",
    help="The target container.",
    shell_complete=candidates.target_containers,
)
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

    The copy gets no traffic and belongs to no workload. It is deleted when the session ends,
    and by the cluster itself if this process can't.
    """
    process.console.quiet = values["quiet"]
    request = make_request(values, process.command)
    with sit_down(values, process) as desk:
        from kubectl_scratch import session

        return session.debug(request, desk)


def make_request(values: dict[str, Any], command: tuple[str, ...]) -> DebugRequest:
    """Check the flags; raises InvalidRequest."""
    session = make_session(values, command)
    request = DebugRequest(
        pod=parse_target(values["pod"]),
        container=values["container"],
        image=values["image"],
        deadline=min(session.ttl, DEFAULT_DEADLINE) if values["ttl"] else DEFAULT_DEADLINE,
        session=session,
    )
    check_container(request.container)
    check_image(request.image)
    return request
