"""The way to a server: its name, the proxy before it, its certificate, its clock."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from kfnb.errors import BackendError
from kfnb.remote.environment import proxy_to
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.resources.cluster.model import Check, CheckOutcome

_DAY = 86400
_SOON = 14
"""Days before its end in which a certificate is worth a word."""
_SKEW, _TOO_MUCH = 30.0, 300.0
"""Seconds between two clocks: tokens are refused from five minutes on."""
_WITHIN = 5.0


def network(kubernetes: Kubernetes) -> Iterator[Check]:
    """All checks of the way to a Kubernetes API server."""
    try:
        url = kubernetes.host
    except BackendError as error:
        yield Check("address", CheckOutcome.BAD, str(error))
        return
    address = urlsplit(url)
    yield name(address)
    yield proxy(url)
    if address.scheme == "https":
        yield certificate(address, kubernetes.configuration.ssl_ca_cert)
    yield clock(kubernetes)


def name(address: SplitResult) -> Check:
    """Whether the server's name leads to an address."""
    host = address.hostname or ""
    try:
        found = {str(row[4][0]) for row in socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM)}
    except OSError as error:
        message = f"{host} cannot be resolved ({error.strerror or error})"
        return Check(
            "DNS", CheckOutcome.BAD, message, "is the VPN up? Is the server's name in the kubeconfig right?"
        )
    return Check("DNS", CheckOutcome.GOOD, f"{host} is {', '.join(sorted(found))}")


def proxy(url: str) -> Check:
    """Whether requests go through a proxy. Only a proxy's host is shown: its address may hold a password."""
    found = proxy_to(url)
    if not found:
        return Check("proxy", CheckOutcome.GOOD, "no proxy for Kubernetes")
    host = urlsplit(found).hostname or "one"
    fix = f"if it cannot reach the cluster: export NO_PROXY={urlsplit(url).hostname}"
    return Check("proxy", CheckOutcome.DOUBTFUL, f"requests to Kubernetes go through {host}", fix)


def certificate(address: SplitResult, authority: str | None) -> Check:
    """Whether the server's certificate is trusted, and for how long."""
    host, port = address.hostname or "", address.port or 443
    try:
        trusted = ssl.create_default_context(cafile=authority)
        with (
            socket.create_connection((host, port), _WITHIN) as plain,
            trusted.wrap_socket(plain, server_hostname=host) as secured,
        ):
            shown: Any = secured.getpeercert()
    except ssl.SSLCertVerificationError as error:
        fix = "name the certificate that signed it as certificate-authority in the kubeconfig"
        return Check("certificate", CheckOutcome.BAD, f"not trusted: {error.verify_message}", fix)
    except (OSError, ValueError) as error:
        return Check(
            "certificate",
            CheckOutcome.SKIPPED,
            f"the server did not present a certificate ({type(error).__name__})",
        )
    days = int((ssl.cert_time_to_seconds(shown["notAfter"]) - time.time()) / _DAY)
    if days < _SOON:
        return Check("certificate", CheckOutcome.DOUBTFUL, f"trusted, but expires in {days} days")
    return Check("certificate", CheckOutcome.GOOD, f"trusted for {days} more days")


def clock(kubernetes: Kubernetes) -> Check:
    """Whether the clock here agrees with the server's."""
    before = time.time()
    try:
        answer = kubernetes.open("/version/", silent_for=_WITHIN)
        stamp = answer.headers.get("date", "")
        answer.close()
        there = parsedate_to_datetime(stamp).timestamp()
    except BackendError as error:
        return Check("clock", CheckOutcome.SKIPPED, str(error))
    except (TypeError, ValueError):
        return Check("clock", CheckOutcome.SKIPPED, "the server does not send its time")
    apart = abs((before + time.time()) / 2 - there)
    if apart > _SKEW:
        outcome = CheckOutcome.BAD if apart > _TOO_MUCH else CheckOutcome.DOUBTFUL
        return Check(
            "clock",
            outcome,
            f"{apart:.0f} s apart from the server's",
            "set this machine's clock: tokens depend on it",
        )
    return Check("clock", CheckOutcome.GOOD, "agrees with the server's")
