"""What things are called.

The public krew index may refuse "scratch" as too generic: ``make dist NAME=debug-scratch`` builds
the same plugin under another name, by replacing the line below. What it makes in a cluster is
labelled the same under every name.
"""

PLUGIN = "scratch"

COMMAND = f"kubectl {PLUGIN}"
# kubectl looks for a dash of a plugin's name as an underscore.
PROGRAM = f"kubectl-{PLUGIN.replace('-', '_')}"
COMPLETER = f"kubectl_complete-{PLUGIN.replace('-', '_')}"

# The toolkit image that is used if none is named.
DEFAULT_IMAGE = "docker.io/library/busybox:1.37.0"
# For which there are tools.
ARCHITECTURES = ("amd64", "arm64")
