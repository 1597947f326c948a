"""The half of the corpus that was written before the rules."""

from __future__ import annotations

from tests.cluster.why import first_files, first_network, first_status

CASES = [*first_status.CASES, *first_files.CASES, *first_network.CASES]
