"""The pure tier: no sockets."""

import pytest
from hypothesis import settings
from pytest_socket import disable_socket

# A deadline is a timing asserted, and machines are shared.
settings.register_profile("patient", deadline=None, print_blob=True)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def no_network() -> None:
    """Refuse sockets: what needs one belongs to another tier."""
    disable_socket(allow_unix_socket=True)
