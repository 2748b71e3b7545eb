"""The predictor of a revision: a container that runs the program of its folder, without a serving runtime."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.resources.services.kserve.objects import CONTAINER, REVISION
from kfnb.resources.services.kserve.runtimes import runtime_named
from kfnb.resources.services.model import Target

FOLDER = "/mnt/models"
"""Where KServe puts the folder that ``STORAGE_URI`` names, read-only."""
PORT = 8080
FACTS = "kfnb_model.json"
"""The file of a model folder that is another one for each version."""
_PACKAGES = ("python", "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", "--quiet")
_ENVIRONMENT = {"HOME": "/tmp", "PYTHONPYCACHEPREFIX": "/tmp/pycache", "PYTHONUNBUFFERED": "1"}  # noqa: S108 - the pod's own
"""A pod may run as any user, who owns no folder but this."""


@dataclass(frozen=True)
class ServingPlace:
    """Where a revision's folder is for KServe, and what its pods run as; no ``account`` is the namespace's.

    ``facts`` is the SHA-256 of the version's ``kfnb_model.json``, where kfnb has not put the folder there. ``log`` is
    where KServe's logger puts requests and responses; empty for nowhere.
    """

    uri: str
    image: str
    account: str = ""
    index_urls: tuple[str, ...] = ()
    facts: str = ""
    log: str = ""


def predictor_of(service: str, target: Target, place: ServingPlace) -> dict[str, Any]:
    """The predictor of a target."""
    found: dict[str, Any] = {"labels": {REVISION: str(target.revision)}, "minReplicas": 1}
    if place.account:
        found["serviceAccountName"] = place.account
    if place.log:
        found["logger"] = _logger(place)
    resources = _resources(target)
    if target.runtime:
        return {
            **found,
            "model": {**runtime_named(target.runtime).model(target.format, place.uri), **resources},
        }
    return {**found, "containers": [{**_container(service, target, place), **resources}]}


def _logger(place: ServingPlace) -> dict[str, Any]:
    """KServe's logger, which writes to the store with the keys that read the folder."""
    storage: dict[str, Any] = {"parameters": {"format": "json"}}
    if place.account:
        storage["serviceAccountName"] = place.account
    return {"mode": "all", "url": place.log, "storage": storage}


def _resources(target: Target) -> dict[str, Any]:
    """What a pod requests and may use at most; what is not given is KServe's default."""
    given = {name: amount for name, amount in (("cpu", target.cpu), ("memory", target.memory)) if amount}
    return {"resources": {"requests": given, "limits": given}} if given else {}


def _container(service: str, target: Target, place: ServingPlace) -> dict[str, Any]:
    variables = {"STORAGE_URI": place.uri, **_ENVIRONMENT}
    return {
        "name": CONTAINER,
        "image": place.image,
        "command": ["sh", "-c", _command(service, target, place)],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": {
            "httpGet": {"path": "/v2/health/ready", "port": PORT},
            "periodSeconds": 5,
            "timeoutSeconds": 5,
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _command(service: str, target: Target, place: ServingPlace) -> str:
    """Install what the model needs, check it, serve it. The folder of an image comes with its own container."""
    allowed = ["--pickle"] if target.pickle else []
    allowed += [word for one in target.trust for word in ("--trust", one)]
    program = ["python", f"{FOLDER}/serve.py"]
    serve = ["--host", "0.0.0.0", "--name", service, "--version", str(target.version)]  # noqa: S104 - in a pod
    serve += ["--on-bad-input", target.on_bad_input, *allowed]
    facts = f"{place.facts}  {FOLDER}/{FACTS}"
    steps = [
        *(
            [f"until [ -e {FOLDER}/requirements.txt ]; do sleep 1; done"]
            if place.uri.startswith("oci:")
            else []
        ),
        *([f"echo {shlex.quote(facts)} | sha256sum -c"] if place.facts else []),
        shlex.join([*_PACKAGES, *_index_options(place.index_urls), "-r", f"{FOLDER}/requirements.txt"]),
        *([] if target.unchecked else [shlex.join([*program, "check", *allowed])]),
        f"exec {shlex.join([*program, *serve])}",
    ]
    return " && ".join(steps)


def _index_options(urls: Sequence[str]) -> list[str]:
    names = ["--index-url", *["--extra-index-url"] * (len(urls) - 1)][: len(urls)]
    return [word for name, url in zip(names, urls, strict=True) for word in (name, url)]
