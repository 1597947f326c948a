"""Where the API has a kind of objects."""

from __future__ import annotations

import pytest

from kubectl_scratch.kube.kinds import BUDGET, CLAIM, KINDS, Kind


@pytest.mark.parametrize(
    "kind, group, root",
    [
        (KINDS["pod"], "", "/api/v1"),
        (KINDS["cronjob"], "batch", "/apis/batch/v1"),
        (BUDGET, "policy", "/apis/policy/v1"),
        (CLAIM, "", "/api/v1"),
    ],
)
def test_the_core_has_no_group_and_a_path_of_its_own(kind: Kind, group: str, root: str) -> None:
    assert (kind.group, kind.root) == (group, root)
