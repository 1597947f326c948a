"""What help imports: it has to be there at once."""

import subprocess
import sys

SHOW = """
import sys
sys.argv = ["kubectl-scratch", "--help"]
from kubectl_scratch.__main__ import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
OURS = {
    "kubectl_scratch",
    "kubectl_scratch.__main__",
    "kubectl_scratch.cli",
    "kubectl_scratch.cli.completion",
    "kubectl_scratch.cli.completion.completers",
    "kubectl_scratch.cli.connection_options",
    "kubectl_scratch.cli.help",
    "kubectl_scratch.cli.main",
    "kubectl_scratch.cli.options",
    "kubectl_scratch.cli.pflag",
    "kubectl_scratch.cli.process",
    "kubectl_scratch.cli.commands",
    "kubectl_scratch.errors",
    "kubectl_scratch.kube",
    "kubectl_scratch.kube.kinds",
    "kubectl_scratch.runtime",
    "kubectl_scratch.runtime.console",
    "kubectl_scratch.runtime.names",
    "kubectl_scratch.runtime.tasks",
    "kubectl_scratch.runtime.sink",
}
# Of the standard library, what is slow to import and a session alone needs.
SLOW = {"asyncio", "email", "http", "json", "logging", "socket", "ssl", "subprocess", "tempfile"}
OTHERS = {"kubernetes", "pexpect", "requests", "urllib3", "websocket", "yaml"}


def test_help_imports_no_more_than_it_shows() -> None:
    done = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "debug mypod" in done.stdout
    imported = set(done.stderr.split())
    assert {name for name in imported if name.startswith("kubectl_scratch")} <= OURS
    assert not (SLOW | OTHERS) & imported
