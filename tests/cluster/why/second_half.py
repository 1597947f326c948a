"""The half of the corpus that was written by somebody who had not seen the rules."""

from __future__ import annotations

from tests.cluster.why import (
    second_files,
    second_healthy,
    second_limits,
    second_network,
    second_programs,
    second_refs,
    second_rights,
    second_status,
)

CASES = [
    *second_refs.CASES,
    *second_status.CASES,
    *second_files.CASES,
    *second_rights.CASES,
    *second_programs.CASES,
    *second_limits.CASES,
    *second_network.CASES,
    *second_healthy.CASES,
]
