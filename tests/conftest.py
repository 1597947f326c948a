"""What all tiers need."""

import signal


def pytest_configure() -> None:
    """Take signals as a person's shell does: what runs in the background has some ignored."""
    for signum in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(signum, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
