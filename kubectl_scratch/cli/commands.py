"""The verbs on the command line: their flags, help and examples.

What a verb does is a file of its own, imported when it is called, so that help is fast.
"""

from __future__ import annotations

from typing import Any

import click

from kubectl_scratch import __version__
from kubectl_scratch.cli.completion import completers
from kubectl_scratch.cli.connection_options import connection_options, verbose_connection_options
from kubectl_scratch.cli.help import OPTIONS, Example, Flag, Verb, Verbs
from kubectl_scratch.cli.options import (
    copy_options,
    extra_words,
    flag,
    in_place_options,
    inside_options,
    session_options,
    target_options,
    why_options,
)
from kubectl_scratch.cli.process import Process
from kubectl_scratch.runtime.names import COMMAND, DEFAULT_IMAGE

DEBUGGING = "Debugging Commands"


@click.group(
    cls=Verbs,
    examples=(
        Example("Open a shell in a copy of mypod, which is deleted when you leave", "debug mypod"),
    ),
)
@click.version_option(__version__, prog_name=COMMAND, cls=Flag)
def scratch() -> None:
    """Debug a copy of a pod, and leave nothing behind."""


@scratch.command(
    cls=Verb,
    heading=DEBUGGING,
    takes_command=True,
    short_help="Open a shell in a copy of a pod, or run a command there.",
    examples=(
        Example("Open a shell in a copy of mypod", "debug mypod"),
        Example("Name the target container, in namespace shop", "debug mypod -c app -n shop"),
        Example("Run one command, in a script", "debug mypod -q -- cat /etc/resolv.conf"),
        Example("Debug a pod of a Deployment", "debug deployment/shop"),
        Example("Print the plan and change nothing", "debug mypod --dry-run"),
        Example(
            "Use an image with your own tools, beside the target",
            f"debug mypod --image {DEFAULT_IMAGE}",
        ),
        Example("Debug the running pod itself", "debug mypod --in-place"),
    ),
)
@click.argument(
    "target", required=False, metavar="TARGET", shell_complete=completers.complete_targets
)
@target_options
@inside_options
@in_place_options
@copy_options
@flag(
    "--dry-run",
    type=click.Choice(["none", "client", "server"]),
    default="none",
    metavar="[=none|client|server]",
    help="Only print the plan; server: the API server validates it, too. [default: none]",
)
@flag(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    help="Print the manifests of --dry-run in this format.",
)
@session_options
@connection_options
@click.pass_obj
def debug_command(process: Process, /, **values: Any) -> int:
    """Open a shell in a copy of a pod, or run COMMAND there.

    TARGET is the name of a pod, or KIND/NAME of a deployment, statefulset, daemonset,
    replicaset, job, cronjob or service. If it has several pods, crashing pods are preferred,
    then pods that are not ready, then the newest.

    The session runs inside the target container of the copy. If the app crashes, it is on
    hold: type run-app to start it. The copy gets no traffic and belongs to no workload. It is
    deleted when the session ends, or by Kubernetes if this process dies.
    """
    from kubectl_scratch.cli import debug, parse

    return debug.run_debug(parse.parse_debug(values, process.command), process)


@scratch.command(
    cls=Verb,
    heading=DEBUGGING,
    short_help="Explain why a pod does not run.",
    examples=(
        Example("Explain why mypod does not run", "why mypod"),
        Example("Explain why the pods of a Deployment do not run", "why deployment/shop"),
        Example("Run the app for up to 2 minutes, and print what it did", "why mypod --for 2m -v"),
    ),
)
@click.argument(
    "target", required=False, metavar="TARGET", shell_complete=completers.complete_targets
)
@why_options
@copy_options
@extra_words
@verbose_connection_options
@click.pass_obj
def why_command(process: Process, /, **values: Any) -> int:
    """Explain why TARGET does not run.

    First read the status in Kubernetes: images, volumes, ConfigMaps, probes, limits, events. If
    the status does not show the cause, run the app once in a copy of the pod, and record every
    file, connection and name that it does not find. The answer is the failure that stopped the
    app, or what it waits for when the time of --for is over. The copy is deleted.

    The exit code is 0 if a cause was found, and 1 if not.
    """
    from kubectl_scratch.cli import parse, why

    return why.run_why(parse.parse_why(values, process.command), process)


@scratch.command(
    cls=Verb,
    heading=DEBUGGING,
    takes_command=True,
    short_help="Open another session in a copy that debug created.",
    examples=(
        Example("Open a second shell in a copy", "attach mypod-scratch-x7k2p"),
        Example("List the processes there", "attach mypod-scratch-x7k2p -- top -b -n 1"),
    ),
)
@click.argument("copy", shell_complete=completers.complete_copies)
@flag(
    "--view",
    type=click.Choice(["app", "tools"]),
    help="Run the session inside the target (app) or beside it, in the debug container (tools)."
    " [default: as in the first session]",
)
@session_options
@connection_options
@click.pass_obj
def attach_command(process: Process, /, **values: Any) -> int:
    """Open another session in COPY, a pod that debug created.

    The last session to leave deletes the copy.
    """
    from kubectl_scratch.cli import attach, parse

    return attach.run_attach(parse.parse_attach(values, process.command), process)


@scratch.command(
    cls=Verb,
    heading=DEBUGGING,
    short_help="Check whether a pod can be debugged.",
    examples=(
        Example("Check a pod", "check mypod"),
        Example("Print the result as JSON", "check deployment/shop -o json"),
    ),
)
@click.argument(
    "target", required=False, metavar="TARGET", shell_complete=completers.complete_targets
)
@target_options
@inside_options
@copy_options
@flag(
    "-o", "--output", type=click.Choice(["yaml", "json"]), help="Output format. [default: a table]"
)
@extra_words
@connection_options
@click.pass_obj
def check_command(process: Process, /, **values: Any) -> int:
    """Check whether TARGET can be debugged, and change nothing.

    It checks your rights, whether the copy is admitted (by a dry run), and whether a node can
    run it. The exit code is 1 if debug would fail.
    """
    from kubectl_scratch.cli import check, parse

    return check.run_check(parse.parse_check(values), process)


@scratch.command(
    "ls",
    cls=Verb,
    heading=DEBUGGING,
    short_help="List copies, and debug containers of --in-place.",
    examples=(
        Example("List what is in the namespace", "ls"),
        Example("List what is in all namespaces, with the reasons", "ls -A -o wide"),
        Example("Print the list as JSON", "ls -o json"),
    ),
)
@flag("-A", "--all-namespaces", is_flag=True, help="List in all namespaces.")
@flag(
    "-o",
    "--output",
    type=click.Choice(["wide", "json", "yaml", "name"]),
    help="Output format. [default: a table]",
)
@extra_words
@connection_options
@click.pass_obj
def ls_command(process: Process, /, **values: Any) -> int:
    """List copies, and the debug containers that --in-place added to pods.

    SESSIONS is the number of sessions in a copy. EXPIRES is when Kubernetes deletes the copy
    if its sessions do not continue; a debug container ends then at the latest.
    """
    from kubectl_scratch.cli import ls, parse

    return ls.run_ls(parse.parse_ls(values), process)


@scratch.group(
    cls=Verbs,
    short_help="Complete verbs, flags, pods and containers in your shell.",
    examples=(
        Example("Let kubectl's own completion complete this plugin", "completion install"),
        Example("Print the code for bash, to be loaded in ~/.bashrc", "completion bash"),
        Example("Undo install", "completion uninstall"),
    ),
)
def completion_group() -> None:
    """Complete verbs, flags, pods and containers in bash, zsh and fish.

    If kubectl's own completion is loaded (kubectl 1.26 or later), run install once. Otherwise
    load the code that bash, zsh or fish prints.
    """


def _completion_of(shell: str, load: str) -> None:
    @completion_group.command(
        shell,
        cls=Verb,
        heading="Commands",
        short_help=f"Print the completion code for {shell}.",
        help=f"Print the completion code for {shell}. To load it:\n\n\b\n  {load}",
        examples=(Example("Print the code", f"completion {shell}"),),
    )
    def show() -> int:
        from kubectl_scratch.cli.completion import scripts

        return scripts.print_script(shell)


_completion_of("bash", f'eval "$({COMMAND} completion bash)"')
_completion_of("zsh", f'eval "$({COMMAND} completion zsh)"')
_completion_of("fish", f"{COMMAND} completion fish | source")


@completion_group.command(
    "install",
    cls=Verb,
    heading="Commands",
    short_help="Let kubectl's own completion complete the plugin.",
    examples=(Example("Run this once, after installing the plugin", "completion install"),),
)
@click.pass_obj
def install_command(process: Process, /) -> int:
    """Create kubectl_complete-scratch beside the plugin, for kubectl's own completion."""
    from kubectl_scratch.cli.completion import scripts

    return scripts.install_completer(process)


@completion_group.command(
    "uninstall",
    cls=Verb,
    heading="Commands",
    short_help="Remove the file that install created.",
    examples=(Example("Run this before uninstalling the plugin", "completion uninstall"),),
)
@click.pass_obj
def uninstall_command(process: Process, /) -> int:
    """Remove the file that install created."""
    from kubectl_scratch.cli.completion import scripts

    return scripts.uninstall_completer(process)


@scratch.command(
    OPTIONS,
    cls=Verb,
    short_help="List the connection flags, which every verb accepts.",
    examples=(Example("List the connection flags", OPTIONS),),
)
@connection_options
@click.pass_context
def options_command(ctx: click.Context, /, **values: Any) -> int:
    """List the connection flags, which every verb accepts. They are kubectl's."""
    click.echo(ctx.get_help())
    return 0


@scratch.command(
    cls=Verb,
    short_help="Print the versions of plugin, Python, kubectl and server.",
    examples=(
        Example("Print the versions, for a bug report", "version"),
        Example(
            "Print the client's versions as JSON, without a cluster", "version --client -o json"
        ),
    ),
)
@flag("--client", is_flag=True, help="Print only the versions of the plugin and of Python.")
@flag("-o", "--output", type=click.Choice(["json"]), help="Output format. [default: text]")
@connection_options
@click.pass_obj
def version_command(process: Process, /, **values: Any) -> int:
    """Print the versions of the plugin, Python, kubectl and the server."""
    from kubectl_scratch.cli import parse, version

    return version.run_version(parse.parse_version(values), process)


@scratch.command("help", cls=Verb, hidden=True)
@click.argument("verb", nargs=-1)
@click.pass_context
def help_command(ctx: click.Context, /, verb: tuple[str, ...]) -> int:
    """Print the help of a verb."""
    scratch.main(
        [*verb, "--help"],
        prog_name=COMMAND,
        standalone_mode=False,
        terminal_width=ctx.terminal_width,
    )
    return 0
