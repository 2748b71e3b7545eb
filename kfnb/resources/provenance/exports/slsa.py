"""A manifest as an in-toto statement with SLSA's provenance (https://slsa.dev/spec/v1.0/provenance), unsigned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from kfnb.entities.manifest import LayerName, Manifest
from kfnb.errors import UsageError

_BUILD_TYPE = "https://pypi.org/project/kfnb/run/v1"
_BUILDER = "https://pypi.org/project/kfnb"
_DIGEST = 64


def slsa(manifest: Manifest) -> str:
    """The statement, as JSON. Raises ``UsageError`` where nothing that was made has a digest."""
    subjects = [{"name": name, "digest": {"sha256": digest}} for name, digest in _made(manifest)]
    if not subjects:
        message = f"{manifest.ref} has made nothing whose digest is known:"
        hint = "a statement needs an artifact; export as cyclonedx"
        raise UsageError(message, hint=hint, ref=manifest.ref)
    model = manifest[LayerName.MODEL].facts
    packages = [
        {"uri": f"pkg:pypi/{quote(one.name)}@{quote(one.version)}", "annotations": {"record": one.digest}}
        for one in manifest.packages
    ]
    started = datetime.fromtimestamp(manifest.created, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    external = {
        name: model[name] for name in ("pipeline", "arguments", "parameters", "seed") if name in model
    }
    internal = {
        str(layer.name): _plain(layer.facts) for layer in manifest if layer.name is not LayerName.MODEL
    }
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": external,
                "internalParameters": internal,
                "resolvedDependencies": [*_taken(manifest), *packages],
            },
            "runDetails": {
                "builder": {"id": _BUILDER, "version": {"kfnb": _version(manifest)}},
                "metadata": {"invocationId": manifest.ref, "startedOn": started},
            },
        },
    }
    return json.dumps(statement, indent=2, default=str)


def _made(manifest: Manifest) -> Iterator[tuple[str, str]]:
    facts = manifest[LayerName.MODEL].facts
    for name, value in {manifest.ref: facts.get("digest"), **dict(facts.get("outputs") or {})}.items():
        bare = str(value or "").removeprefix("sha256:")
        if len(bare) == _DIGEST and bare.isalnum():
            yield name, bare


def _taken(manifest: Manifest) -> Iterator[dict[str, Any]]:
    """What was read: code, data versions, the image."""
    tooling, runtime = manifest[LayerName.TOOLING].facts, manifest[LayerName.RUNTIME].facts
    if tooling.get("commit"):
        uri = f"git+{tooling.get('repository') or 'repository'}"
        yield {"uri": uri, "digest": {"gitCommit": str(tooling["commit"])}}
    for ref, digest in dict(manifest[LayerName.MODEL].facts.get("data") or {}).items():
        yield {"uri": f"kfnb-data:{ref}", **({"digest": {"sha256": digest}} if digest else {})}
    if runtime.get("image_digest"):
        sha = str(runtime["image_digest"]).removeprefix("sha256:")
        yield {"uri": f"docker://{runtime.get('image')}", "digest": {"sha256": sha}}


def _plain(facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name != "packages"}


def _version(manifest: Manifest) -> str:
    return str(manifest[LayerName.TOOLING].facts.get("kfnb") or "unknown")
