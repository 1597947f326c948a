"""Programs that fail in known ways, for the tracer."""

from __future__ import annotations

import sys

# Not what a version manager has put before it.
PYTHON = sys._base_executable  # type: ignore[attr-defined]
