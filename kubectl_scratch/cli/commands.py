"""The verbs, as the command line has them: their flags, help and examples.

What a verb does is in commands/, imported when it is called: help has to be there at once.
"""

from __future__ import annotations

from typing import Any

import click

from kubectl_scratch import __version__
from kubectl_scratch.cli.completion import completers
from kubectl_scratch.cli.help import OPTIONS, Example, Flag, Verb, Verbs
from kubectl_scratch.cli.options import (
    connection_options,
    copy_options,
    extra_words,
    flag,
    in_place_options,
    inside_options,
    session_options,
    target_options,
)
from kubectl_scratch.cli.process import Process
from kubectl_scratch.runtime.names import COMMAND, DEFAULT_IMAGE

DEBUGGING = "Debugging Commands"


@click.group(
    cls=Verbs,
    examples=(
        Example(
            "A shell beside a copy of mypod; the copy is deleted when you leave", "debug mypod"
        ),
    ),
)
@click.version_option(__version__, prog_name=COMMAND, cls=Flag)
def scratch() -> None:
    """Debug a copy of a pod, and leave nothing behind."""


@scratch.command(
    cls=Verb,
    heading=DEBUGGING,
    takes_command=True,
    short_help="Open a shell beside a copy of a pod, or run a command there.",
    examples=(
        Example("A shell beside a copy of mypod", "debug mypod"),
        Example("The same for its container app, in namespace shop", "debug mypod -c app -n shop"),
        Example("One question, in a script", "debug mypod -q -- cat /etc/resolv.conf"),
        Example("The pod of a Deployment that needs it most", "debug deployment/shop"),
        Example("What it would do", "debug mypod --dry-run"),
        Example("With tools of your own", f"debug mypod --image {DEFAULT_IMAGE}"),
        Example("In the pod itself, where a container stays listed", "debug mypod --in-place"),
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
    help="Print the plan and stop; server also asks the API server.",
)
@flag("-o", "--output", type=click.Choice(["yaml", "json"]), help="With --dry-run: the manifests.")
@session_options
@connection_options
@click.pass_obj
def debug_command(process: Process, /, **values: Any) -> int:
    """Open a shell beside a copy of a pod, or run COMMAND there.

    TARGET is a pod, or KIND/NAME of what has pods: deployment, statefulset, daemonset,
    replicaset, job, cronjob, service. Of several pods a crashing one is taken before one that
    is not ready, and that before the newest.

    The copy gets no traffic and belongs to no workload. It is deleted when the session ends,
    and by the cluster itself if this process can't.
    """
    from kubectl_scratch.cli import debug, parse

    return debug.run_debug(parse.parse_debug(values, process.command), process)


@scratch.command(
    cls=Verb,
    heading=DEBUGGING,
    takes_command=True,
    short_help="Open one more session in a copy that debug has made.",
    examples=(
        Example("A second shell, beside a colleague's", "attach mypod-scratch-x7k2p"),
        Example("What uses the CPU there", "attach mypod-scratch-x7k2p -- top -b -n 1"),
    ),
)
@click.argument("copy", shell_complete=completers.complete_copies)
@flag(
    "--view",
    type=click.Choice(["app", "tools"]),
    help="Inside the target, or in the debug container. [default: as debug made it]",
)
@session_options
@connection_options
@click.pass_obj
def attach_command(process: Process, /, **values: Any) -> int:
    """Open one more session in COPY, which debug has made.

    The session that leaves as the last deletes the copy.
    """
    from kubectl_scratch.cli import attach, parse

    return attach.run_attach(parse.parse_attach(values, process.command), process)


@scratch.command(
    cls=Verb,
    heading=DEBUGGING,
    short_help="Check rights, admission, node and images before a debug.",
    examples=(
        Example("Would it work?", "check mypod"),
        Example("For a program", "check deployment/shop -o json"),
    ),
)
@click.argument(
    "target", required=False, metavar="TARGET", shell_complete=completers.complete_targets
)
@target_options
@inside_options
@copy_options
@flag("-o", "--output", type=click.Choice(["yaml", "json"]), help="Write it for programs to read.")
@extra_words
@connection_options
@click.pass_obj
def check_command(process: Process, /, **values: Any) -> int:
    """Check whether TARGET can be debugged, and change nothing.

    It asks for the rights that are needed, lets the API server judge lease and copy by a dry
    run, and looks at the node. The exit code is 1 where a debug would fail.
    """
    from kubectl_scratch.cli import check, parse

    return check.run_check(parse.parse_check(values), process)


@scratch.command(
    "ls",
    cls=Verb,
    heading=DEBUGGING,
    short_help="List copies, and what --in-place has left in pods.",
    examples=(
        Example("What is there", "ls"),
        Example("In the whole cluster, and why", "ls -A -o wide"),
        Example("For a program", "ls -o json"),
    ),
)
@flag("-A", "--all-namespaces", is_flag=True, help="Of all namespaces.")
@flag(
    "-o",
    "--output",
    type=click.Choice(["wide", "json", "yaml", "name"]),
    help="More columns, for programs to read, or names only.",
)
@extra_words
@connection_options
@click.pass_obj
def ls_command(process: Process, /, **values: Any) -> int:
    """List the copies that are there, and the containers that --in-place has put into pods.

    SESSIONS are those that run in a copy, EXPIRES is when the cluster removes it unless they
    go on. A container in a pod can't be removed, only end.
    """
    from kubectl_scratch.cli import ls, parse

    return ls.run_ls(parse.parse_ls(values), process)


@scratch.group(
    cls=Verbs,
    short_help="Complete verbs, flags, pods and containers in your shell.",
    examples=(
        Example("kubectl's own completion then completes this plugin, too", "completion install"),
        Example("For a bash without kubectl's completion, in ~/.bashrc", "completion bash"),
        Example("To undo the first", "completion uninstall"),
    ),
)
def completion_group() -> None:
    """Complete verbs, flags, pods and containers in bash, zsh and fish.

    Where kubectl's own completion is loaded, install is all that it needs (kubectl 1.26 or
    later). Otherwise load what bash, zsh or fish prints.
    """


def _completion_of(shell: str, load: str) -> None:
    @completion_group.command(
        shell,
        cls=Verb,
        heading="Commands",
        short_help=f"Print the code for {shell}.",
        help=f"Print the code for {shell}. To load it:\n\n\b\n  {load}",
        examples=(Example("Look at it", f"completion {shell}"),),
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
    examples=(Example("Once, after the plugin was installed", "completion install"),),
)
@click.pass_obj
def install_command(process: Process, /) -> int:
    """Put kubectl_complete-scratch beside the plugin, where kubectl's own completion finds it."""
    from kubectl_scratch.cli.completion import scripts

    return scripts.install_completer(process)


@completion_group.command(
    "uninstall",
    cls=Verb,
    heading="Commands",
    short_help="Remove what install has made.",
    examples=(Example("Before the plugin is uninstalled", "completion uninstall"),),
)
@click.pass_obj
def uninstall_command(process: Process, /) -> int:
    """Remove what install has made."""
    from kubectl_scratch.cli.completion import scripts

    return scripts.uninstall_completer(process)


@scratch.command(
    OPTIONS,
    cls=Verb,
    short_help="List the connection flags that every verb takes.",
    examples=(Example("All connection flags, as kubectl's", OPTIONS),),
)
@connection_options
@click.pass_context
def options_command(ctx: click.Context, /, **values: Any) -> int:
    """List the connection flags that every verb takes."""
    click.echo(ctx.get_help())
    return 0


@scratch.command(
    cls=Verb,
    short_help="Print the versions of plugin, Python, kubectl and server.",
    examples=(
        Example("What a report of a bug needs", "version"),
        Example("Without asking a cluster, for a program", "version --client -o json"),
    ),
)
@flag("--client", is_flag=True, help="Only what is known without cluster and kubectl.")
@flag("-o", "--output", type=click.Choice(["json"]), help="Write it for programs to read.")
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
    """Print the help of a verb, as kubectl's own help does."""
    scratch.main(
        [*verb, "--help"],
        prog_name=COMMAND,
        standalone_mode=False,
        terminal_width=ctx.terminal_width,
    )
    return 0
