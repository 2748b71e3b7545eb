"""The model registry: which versions of its API it speaks, and whether the client that is installed speaks one.

The paths are ``/api/model_registry/v1alpha3`` and, in newer ones, ``/api/model_registry/v1``: a client of one against a
registry of the other gets a 404 for all that it asks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, files, version

from kfnb.errors import Absent, BackendError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.model_registry.discovery import PORT, SERVICE, VERSIONS, path_to_list
from kfnb.resources.cluster.model import Check, CheckOutcome

_NAME = "model registry"
_CLIENT, _WRITTEN_IN = "model-registry", "mr_openapi/api/model_registry_service_api.py"
_PATH = re.compile(r"/api/model_registry/(v\w+)/")


def registry(kubernetes: Kubernetes, installed: str) -> Check:
    """Asks it through the API server, which needs the right to; ``installed`` is Kubeflow's namespace."""
    service = f"/api/v1/namespaces/{installed}/services/{SERVICE}:{PORT}/proxy"
    spoken = []
    for one in VERSIONS:
        try:
            kubernetes.get(f"{service}{path_to_list(one)}")
        except Absent as error:
            if error.kind == "object":  # the service itself
                return Check(_NAME, CheckOutcome.SKIPPED, f"not found in namespace {installed}")
        except BackendError as error:
            return Check(_NAME, CheckOutcome.SKIPPED, str(error))
        else:
            spoken.append(one)
    return fit(spoken, *client())


def fit(spoken: Sequence[str], installed: str, requested: str) -> Check:
    """Whether a client, of which release ``installed`` says, asks for a version that is spoken; empty for none."""
    if not spoken:
        return Check(_NAME, CheckOutcome.DOUBTFUL, f"it speaks none of {', '.join(VERSIONS)}")
    text = f"it speaks {' and '.join(spoken)}"
    if not requested:
        return Check(_NAME, CheckOutcome.GOOD, text)
    text = f"{text}; {_CLIENT} {installed} asks for {requested}"
    if requested in spoken:
        return Check(_NAME, CheckOutcome.GOOD, text)
    return Check(
        _NAME,
        CheckOutcome.BAD,
        text,
        f"install a {_CLIENT} that asks for {spoken[0]}: pip install {_CLIENT}==VERSION",
    )


def client() -> tuple[str, str]:
    """The release of the client that is installed, and the version that it asks for; empty where there is none."""
    try:
        release, written = version(_CLIENT), files(_CLIENT) or ()
    except PackageNotFoundError:
        return "", ""
    source = next((one for one in written if one.as_posix() == _WRITTEN_IN), None)
    try:
        found = _PATH.search(source.read_text()) if source is not None else None
    except OSError:
        found = None
    return release, found[1] if found else ""
