"""TLS contexts: whom to trust, and which certificate to show."""

from __future__ import annotations

import ssl


def trusting(ca: str | None, verify: bool) -> ssl.SSLContext:
    """Return a TLS context; without a CA's file those of the system are trusted."""
    if ca or verify:
        context = ssl.create_default_context(cafile=ca or None)
    else:
        # Without those of the system: to read them takes longer than a request.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # The CAs of many clusters have no key usage and identifier extensions, which 3.13 asks for.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    return context


def load_certificate(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    """Load the client's certificate; raises ValueError with what is wrong with it, or OSError."""
    try:
        # Without a password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(certificate, key or None, password="")
    except ssl.SSLError as error:
        if not key:
            raise ValueError("the client certificate has no key; set client-key") from error
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ValueError("the client key does not match the client certificate") from error
        text = "the client certificate or its key cannot be read: not PEM, or encrypted"
        raise ValueError(text) from error
