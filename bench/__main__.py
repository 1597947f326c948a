"""Run the benchmarks that have a bound: ``python -m bench``, with a cluster in $KUBECONFIG."""

import sys

from bench import completion, plan, shell, startup

sys.exit(max(startup.main(), completion.main(), plan.main(), shell.main()))
