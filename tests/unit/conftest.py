"""The pure tier: no sockets."""

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def no_network() -> None:
    """Refuse sockets: what needs one belongs to another tier."""
    disable_socket(allow_unix_socket=True)
