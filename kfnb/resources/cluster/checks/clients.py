"""The clients that are installed here, and whether they fit the servers."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kfnb.resources.cluster.model import Check, CheckOutcome, Status

_BEHIND = 6
"""Minor versions of Kubernetes that a client may be away from the server; kfnb asks for JSON, which changes little."""
_HOUR = 3600


def clients(status: Status) -> Iterator[Check]:
    """The Kubernetes client and KFP's SDK, against what the cluster has."""
    yield kubernetes(status)
    yield pipelines(status)


def kubernetes(status: Status) -> Check:
    """The Kubernetes client: release 30 is made for Kubernetes 1.30."""
    here = _installed("kubernetes")
    there = status.version.value.version if status.version.value else ""
    minor = there.removeprefix("v").split(".")[1] if there.count(".") else ""
    if not minor.isdigit():
        return Check("Kubernetes client", CheckOutcome.GOOD, f"kubernetes {here} is installed")
    text = f"kubernetes {here} is installed, the server is {there}"
    behind = abs(int(here.split(".")[0]) - int(minor)) > _BEHIND
    return Check("Kubernetes client", CheckOutcome.DOUBTFUL if behind else CheckOutcome.GOOD, text)


def pipelines(status: Status) -> Check:
    """KFP's SDK: pipelines that it compiles run on servers that are not much older."""
    here = _installed("kfp")
    parts = status.kubeflow.value or ()
    there = next((one.version for one in parts if one.name == "Pipelines"), "")
    if not there:
        return Check(
            "KFP SDK", CheckOutcome.GOOD, f"kfp {here} is installed; the server's version is not known"
        )
    text = f"kfp {here} is installed, Kubeflow Pipelines is {there}"
    if _pair(here) > _pair(there):
        return Check("KFP SDK", CheckOutcome.DOUBTFUL, f"{text}: newer features of the SDK may not run there")
    return Check("KFP SDK", CheckOutcome.GOOD, text)


def token(file: Path | None) -> Check:
    """The token that Kubeflow puts into a notebook for Kubeflow Pipelines: whether it is there, and for how long."""
    if file is None:
        return Check("token for Pipelines", CheckOutcome.SKIPPED, "no token file")
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        return Check("token for Pipelines", CheckOutcome.BAD, f"{file} cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        return Check("token for Pipelines", CheckOutcome.BAD, f"{file} holds no token")
    ends = _end_of(text)
    if ends is None:
        return Check(
            "token for Pipelines",
            CheckOutcome.GOOD,
            f"the token in {file} has no expiry date",
        )
    left = ends - time.time()
    if left <= 0:
        problem, fix = (
            f"the token in {file} has expired",
            "restart the notebook, or set a new one: token_file=FILE",
        )
        return Check("token for Pipelines", CheckOutcome.BAD, problem, fix)
    return Check(
        "token for Pipelines",
        CheckOutcome.GOOD,
        f"the token in {file} is valid for {left / _HOUR:.1f} h more",
    )


def _end_of(text: str) -> float | None:
    """When a JSON web token expires; None where it does not say."""
    parts = text.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(payload["exp"])
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "0"


def _pair(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
