"""Run the benchmarks that have a bound: ``python -m bench``, with a cluster in $KUBECONFIG."""

import sys

from bench import completion, plan, shell, startup, why

sys.exit(max(startup.main(), completion.main(), plan.main(), shell.main(), why.main()))
