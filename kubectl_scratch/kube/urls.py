"""URLs of servers and proxies."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from kubectl_scratch.errors import InvalidRequest

# What comes after a URL's scheme, if it has one, and before its last @: a password may have any
# character in it, those that end a URL's host too.
_LOGIN = re.compile(r"^([a-z][a-z0-9+.-]*://)?.*@", re.IGNORECASE | re.DOTALL)


def without_login(url: str) -> str:
    """Return a URL, or what is meant for one, without the user's name and password in it."""
    return _LOGIN.sub(lambda found: found[1] or "", url)


def server_url(text: str) -> str:
    """Return the API server's URL with its scheme in lower case.

    Raises InvalidRequest for what is none.
    """
    try:
        url = urlsplit(text)
        good = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        good = False
    if not good:
        shown = without_login(text)
        raise InvalidRequest(f"server {shown!r} is not a URL", "write it like https://HOST:6443")
    return url.geturl()
