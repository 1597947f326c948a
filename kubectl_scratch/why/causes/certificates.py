"""Servers whose certificates the app does not trust, and certificates that it cannot load."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.fates import went_wrong
from kubectl_scratch.why.last_words import line_with
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.peers import address_words
from kubectl_scratch.why.rank import Evidence
from kubectl_scratch.why.report import Call, Peer
from kubectl_scratch.why.wording import call_line, cut

EXPIRED = re.compile(
    r"(?i)certificate has expired|CERT_HAS_EXPIRED|not yet valid|CertificateExpired|"
    r"certificate is not valid (?:yet|before)|NotAfter|validity check failed"
)
OTHER_NAME = re.compile(
    r"(?i)certificate is (?:not )?valid for|hostname mismatch|doesn't match|ERR_TLS_CERT_ALTNAME|"
    r"doesn't contain any IP SANs|No subject alternative|IP address mismatch|"
    r"cannot validate certificate for"
)
UNTRUSTED = re.compile(
    r"(?i)x509: certificate signed by unknown authority|certificate verify failed|"
    r"unable to get (?:local )?issuer|self[- ]signed certificate|PKIX path|"
    r"UNABLE_TO_VERIFY_LEAF|unable to verify the first certificate|unknown ca\b|"
    r"failed to verify certificate|unable to find valid certification path|trustAnchors|"
    r"UNABLE_TO_GET_ISSUER|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|invalid peer certificate|"
    r"SSL certificate problem|certificate unknown|bad certificate|CERTIFICATE_VERIFY_FAILED|"
    r"error adding trust anchors|unable to load (?:trusted )?(?:CA )?cert"
)
AUTHORITIES = re.compile(
    r"ca-certificates\.crt$|ca-bundle\.(crt|pem)$|tls-ca-bundle\.pem$|/etc/ssl/(cert\.pem|certs/?$)|"
    r"/ssl/(cert\.pem|certs/?)$|ca-bundle\.pem$|/cacerts(/|$)|/certs/ca-root|/etc/pki/tls/certs/?$"
)
BY_HASH = re.compile(r"/[0-9a-f]{8}\.\d$")
COMPLAINTS = (
    (
        EXPIRED,
        "has expired or is not yet valid",
        "renew the server's certificate, or correct the clock of the node",
    ),
    (
        OTHER_NAME,
        "is issued for a different host name",
        "connect to the host name in the certificate, or add the host name to the certificate",
    ),
    (UNTRUSTED, "is signed by an unknown certificate authority", ""),
)
TLS_PORTS = (443, 8443, 6443, 5671, 6380, 636, 465, 993, 9093)
ALL_MISSING = 3


def find_certificates(evidence: Evidence) -> Iterator[Cause]:
    """Yield connections that TLS ended, by the last words, else by what was looked for."""
    if not went_wrong(evidence.run):
        return
    for pattern, why, remedy in COMPLAINTS:
        found = line_with(evidence.words, pattern)
        if found:
            yield _cause(evidence, why, remedy, (cut(found.string),), 93)
            return
    yield from _silent(evidence)


def _missing(evidence: Evidence) -> list[Call]:
    """Return what was looked for in vain of the image's certificate authorities."""
    return [
        call
        for call in evidence.run.calls
        if call.error == "ENOENT" and AUTHORITIES.search(call.path) and not call.found
    ]


def _has_authorities(evidence: Evidence) -> bool:
    return any(AUTHORITIES.search(opened.path) for opened in evidence.run.opened)


def _cause(evidence: Evidence, why: str, remedy: str, lines: tuple[str, ...], weight: int) -> Cause:
    missing = _missing(evidence)
    server = _server(evidence)
    to = (
        f" of {address_words(evidence.run, evidence.facts, server.address, server.port)}"
        if server
        else ""
    )
    if missing and not _has_authorities(evidence) and not remedy:
        lines = (*lines, call_line(missing[-1], evidence.run))
        return Cause(
            "tls-trust",
            f"the app does not trust the certificate{to}: the image has no certificate authorities",
            lines,
            "install ca-certificates in the image, or mount a CA certificate and set SSL_CERT_FILE",
            weight,
        )
    trust = "mount the CA certificate and configure the app to use it (SSL_CERT_FILE,"
    trust += " NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE, or the JVM's trust store)"
    return Cause("tls-trust", f"the app does not trust the certificate{to}: it {why}", lines,
                 remedy or trust, weight)  # fmt: skip


def _server(evidence: Evidence) -> Peer | None:
    found = [
        p for p in evidence.run.connected if p.address and p.protocol == "tcp" and p.port != 53
    ]
    return max(found, key=lambda peer: peer.at, default=None)


def _silent(evidence: Evidence) -> Iterator[Cause]:
    """Yield a connection after which authorities were looked for in vain, and the app ended."""
    run, server = evidence.run, _server(evidence)
    if run.running or not evidence.silent or server is None:
        return
    missing = [call for call in _missing(evidence) if call.at >= server.at]
    hashes = [c for c in run.calls if c.error == "ENOENT" and BY_HASH.search(c.path)
              and c.at >= server.at]  # fmt: skip
    none = len(missing) >= ALL_MISSING and not _has_authorities(evidence)
    if none or hashes:
        line = call_line((hashes or missing)[-1], run)
        yield _cause(evidence, "is signed by an unknown certificate authority", "", (line,),
                     74 if server.port in TLS_PORTS else 66)  # fmt: skip
