"""What the command line offers, against what there is."""

from __future__ import annotations

from kubectl_scratch.cli import options
from kubectl_scratch.plan import profiles


def test_every_profile_is_offered_and_no_other() -> None:
    assert (profiles.AUTO, *profiles.PROFILES) == options.PROFILE_NAMES
