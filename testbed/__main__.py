"""The command line: `python -m testbed up | down | load | status | containers | node-exec`."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from testbed import cluster
from testbed.proc import Failed, say

INTERRUPTED = 130


def main() -> int:
    """Do one command and return the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _do(_parser().parse_args())
    except BrokenPipeError:
        # nobody reads on, as in `status | head`; Python would complain again when it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Failed, OSError) as failure:
        say(f"failed: {failure}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """End as on Ctrl-C, so that the programs that were started end too."""
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m testbed", description="A real Kubernetes.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    nodes = argparse.ArgumentParser(add_help=False)
    nodes.add_argument(
        "--workers", type=int, default=0, metavar="N", help="the cluster with N worker nodes"
    )
    commands.add_parser("up", parents=[nodes], help="bring the cluster up, print KUBECONFIG")
    commands.add_parser("down", help="delete this checkout's clusters")
    load = commands.add_parser("load", parents=[nodes], help="load a docker-archive")
    load.add_argument("archives", type=Path, nargs="+", metavar="IMAGE.tar")
    commands.add_parser("status", parents=[nodes], help="tell what is there; exit 1 if not up")
    commands.add_parser("containers", parents=[nodes], help="list what runs on the nodes, as JSON")
    node_exec = commands.add_parser("node-exec", parents=[nodes], help="run a command on a node")
    node_exec.add_argument("--node", metavar="NAME", help="default: the control plane")
    node_exec.add_argument("words", nargs=argparse.REMAINDER, metavar="CMD...")
    return parser


def _do(args: argparse.Namespace) -> int:
    if args.command == "up":
        print(f"export KUBECONFIG={cluster.up(args.workers)}")
    elif args.command == "down":
        cluster.down()
    elif args.command == "load":
        cluster.load(args.archives, args.workers)
    elif args.command == "status":
        return 0 if cluster.status(args.workers) else 1
    elif args.command == "containers":
        print(json.dumps(cluster.containers(args.workers), indent=2))
    else:
        words = args.words[1:] if args.words[:1] == ["--"] else args.words
        if not words:
            raise Failed("node-exec: no command")
        return cluster.node_exec_through(words, args.node, args.workers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
