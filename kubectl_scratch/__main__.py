"""Run the command line as ``python -m kubectl_scratch``."""

from kubectl_scratch.cli import main

main()
