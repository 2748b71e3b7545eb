"""What KServe cannot do of what is requested here."""

from __future__ import annotations

from typing import NoReturn

from kfnb.entities.log_policy import KEEP_ALL
from kfnb.errors import Conflict, UsageError
from kfnb.resources.services.engine import ServiceSpec
from kfnb.resources.services.kserve.runtimes import runtime_named
from kfnb.resources.services.log_checks import NOT_ON_CLUSTERS
from kfnb.resources.services.model import DesiredState

ONLY_HERE = "requests are kept for services of this machine alone"


def _protocols(desired: DesiredState) -> int:
    """How many protocols the versions speak."""
    return len({runtime_named(one.runtime).protocol if one.runtime else "" for one in desired.targets})


def refuse(desired: DesiredState, spec: ServiceSpec | None = None) -> None:
    """Refuse what KServe cannot do, with all reasons at once. Raises ``UsageError``."""
    shadow = desired.of("shadow")
    reasons = [
        "KServe sends no copies of requests (--shadow)" if shadow is not None else "",
        "KServe splits requests by share alone, not by a header (--sticky)" if desired.sticky else "",
        NOT_ON_CLUSTERS if any(one.log != KEEP_ALL and one.log.keep for one in desired.targets) else "",
        "a canary has to speak the protocol of the default (--runtime)" if _protocols(desired) > 1 else "",
    ]
    if spec is not None:
        local = spec.port or spec.token or spec.host not in ("", "127.0.0.1")
        reasons.append("the cluster decides on address and token (--host, --port, --token)" if local else "")
    message = "; ".join(filter(None, reasons))
    if message:
        raise UsageError(
            f"{message}:", code="invalid-argument", hint="leave that out, or serve here: --backend local"
        )


def not_kept(name: str, what: str = "keep its requests") -> UsageError:
    """The error for what needs the requests that a service has answered."""
    return UsageError(f"service {name} does not {what}:", hint=ONLY_HERE, ref=name)


def no_labels(name: str) -> NoReturn:
    """Refuse labels where the store of a cluster is not known. Raises ``UsageError``."""
    raise not_kept(name, "remember its answers")


def taken(name: str, namespace: str) -> Conflict:
    """The error for a new service whose name another one has."""
    hint = f"%kf_services show {name} shows it; change it, or choose another name"
    message = f"service {name} exists already in namespace {namespace}"
    return Conflict(message, exists=True, hint=hint, ref=name)
