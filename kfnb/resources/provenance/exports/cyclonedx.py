"""A manifest as CycloneDX 1.6 (https://cyclonedx.org), whose types of components are the layers one by one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from kfnb.entities.manifest import InstalledPackage, Layer, LayerName, Manifest

_TYPES = {
    LayerName.MODEL: "machine-learning-model",
    LayerName.UX: "application",
    LayerName.TOOLING: "application",
    LayerName.FRAMEWORK: "framework",
    LayerName.STORAGE: "data",
    LayerName.RUNTIME: "platform",
    LayerName.DRIVERS: "device-driver",
    LayerName.OS: "operating-system",
    LayerName.ACCELERATOR: "device",
    LayerName.HARDWARE: "device",
}
_NAMES = {
    LayerName.UX: ("notebook", "client"),
    LayerName.FRAMEWORK: ("blas_build",),
    LayerName.STORAGE: ("store", "filesystem"),
    LayerName.RUNTIME: ("container", "virtualization"),
    LayerName.OS: ("distribution",),
    LayerName.ACCELERATOR: ("product",),
    LayerName.HARDWARE: ("cpu",),
}
"""The facts that name the component of a layer, the first that is known."""
_DIGEST = 64


def cyclonedx(manifest: Manifest) -> str:
    """The bill of materials of a manifest, as JSON."""
    made = datetime.fromtimestamp(manifest.created, timezone.utc).isoformat(timespec="seconds")
    name = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'kfnb:{manifest.kind}:{manifest.ref}')}"
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": name,
        "version": 1,
        "metadata": {"timestamp": made, "component": _subject(manifest)},
        "components": [
            *(_layer(layer) for layer in manifest if layer.recorded and layer.name is not LayerName.MODEL),
            *_parts(manifest),
            *map(_package, manifest.packages),
        ],
    }
    return json.dumps(bill, indent=2)


def _subject(manifest: Manifest) -> dict[str, Any]:
    model = manifest[LayerName.MODEL]
    kind = _TYPES[LayerName.MODEL] if manifest.kind in ("model", "service") else "application"
    return {
        "type": kind,
        "bom-ref": "subject",
        "name": manifest.ref,
        **_hashes(model.facts.get("digest")),
        "properties": [_property("kind", manifest.kind), *_properties(model)],
    }


def _layer(layer: Layer) -> dict[str, Any]:
    names = (layer.facts.get(fact) for fact in _NAMES.get(layer.name, ()))
    name = next((str(one) for one in names if one), str(layer.name))
    return {
        "type": _TYPES[layer.name],
        "bom-ref": f"layer:{layer.name}",
        "name": name,
        "properties": list(_properties(layer)),
    }


def _parts(manifest: Manifest) -> Iterator[dict[str, Any]]:
    """What a layer has more than one of, and what has its own version or digest."""
    for ref, digest in _mapping(manifest[LayerName.MODEL].facts.get("data")).items():
        name, _, version = str(ref).partition("@")
        yield {"type": "data", "bom-ref": f"data:{ref}", "name": name, "version": version, **_hashes(digest)}
    runtime = manifest[LayerName.RUNTIME].facts
    if runtime.get("image"):
        digest = runtime.get("image_digest")
        yield {
            "type": "container",
            "name": str(runtime["image"]),
            "version": str(digest or ""),
            **_hashes(digest),
        }
    tooling = manifest[LayerName.TOOLING].facts
    for tool in ("python", "kfnb", "kfp", "pip", "uv"):
        if tooling.get(tool):
            yield {"type": "application", "name": tool, "version": str(tooling[tool])}
    drivers = manifest[LayerName.DRIVERS].facts
    for driver, version in drivers.items():
        if version:
            yield {"type": "device-driver", "name": driver, "version": str(version)}
    for device in manifest[LayerName.ACCELERATOR].facts.get("devices") or ():
        yield {"type": "device", "name": str(_mapping(device).get("model"))}
    if microcode := manifest[LayerName.HARDWARE].facts.get("microcode"):
        yield {"type": "firmware", "name": "microcode", "version": str(microcode)}


def _package(package: InstalledPackage) -> dict[str, Any]:
    purl = f"pkg:pypi/{quote(package.name)}@{quote(package.version)}"
    facts = {"record": package.digest, "installer": package.installer, "url": package.url}
    return {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "properties": [_property(name, value) for name, value in facts.items() if value],
    }


def _properties(layer: Layer) -> Iterator[dict[str, str]]:
    for name, value in layer.facts.items():
        if name != "packages":
            yield _property(f"{layer.name}:{name}", value)
    for name, why in layer.hidden.items():
        yield _property(f"{layer.name}:{name}:hidden", why)


def _property(name: str, value: Any) -> dict[str, str]:
    return {
        "name": f"kfnb:{name}",
        "value": value if isinstance(value, str) else json.dumps(value, default=str),
    }


def _hashes(digest: Any) -> dict[str, Any]:
    bare = str(digest or "").removeprefix("sha256:")
    return (
        {"hashes": [{"alg": "SHA-256", "content": bare}]} if len(bare) == _DIGEST and bare.isalnum() else {}
    )


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
