"""The real Kubernetes that tests, demo and benchmarks start: `python -m testbed up`."""

from testbed.cluster import containers, node_exec
from testbed.proc import Failed

__all__ = ["Failed", "containers", "node_exec"]
