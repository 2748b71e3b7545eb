"""Manifests as JSON. What a newer kfnb has written is read as far as this one knows it; what is damaged is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kfnb.entities.manifest import Layer, LayerName, Manifest, StepEnvironment

SCHEMA = "kfnb.manifest"
VERSION = 1
_KINDS = ("kernel", "run", "study", "training", "model", "service")
_LAYERS = {str(name): name for name in LayerName}


def manifest_data(manifest: Manifest) -> dict[str, Any]:
    """A manifest as JSON data."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "ref": manifest.ref,
        "kind": manifest.kind,
        "created": manifest.created,
        "backend": manifest.backend,
        "stage": manifest.stage,
        "layers": layers_data(manifest.layers),
        "environments": [
            {"digest": one.digest, "tasks": list(one.tasks), "layers": layers_data(one.layers)}
            for one in manifest.environments
        ],
        "notes": list(manifest.notes),
    }


def layers_data(layers: Sequence[Layer]) -> dict[str, Any]:
    """Layers as JSON data, without those of which nothing is known."""
    return {
        str(layer.name): {
            "facts": dict(layer.facts),
            **({"hidden": dict(layer.hidden)} if layer.hidden else {}),
        }
        for layer in layers
        if layer.recorded
    }


def read_manifest(data: Any) -> Manifest:
    """A manifest from JSON data; its notes say what was left out. Raises ``ValueError`` for what is not a manifest."""
    if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
        raise ValueError("it is not a manifest of kfnb")
    layers, notes = read_layers(data.get("layers"))
    environments = _list(data.get("environments"))
    found = [_environment(one) for one in environments]
    if None in found:
        notes = (*notes, f"damaged: {found.count(None)} of its {len(found)} environments")
    return Manifest(
        ref=_text(data.get("ref")),
        kind=_kind(data.get("kind")),
        created=_number(data.get("created")),
        backend=_text(data.get("backend")),
        stage=_text(data.get("stage")),
        layers=layers,
        environments=tuple(one for one in found if one is not None),
        notes=(*_newer(data.get("version")), *map(_text, _list(data.get("notes"))), *notes),
    )


def read_layers(data: Any) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """Layers from JSON data, and notes on what was left out."""
    if not isinstance(data, Mapping):
        return (), ("damaged: it has no layers",)
    layers, notes = [], []
    for name, content in data.items():
        if name not in _LAYERS:
            notes.append(f"unknown layer {name}: a newer kfnb wrote it")
        elif not isinstance(content, Mapping) or not isinstance(content.get("facts"), Mapping):
            notes.append(f"damaged: the layer {name}")
        else:
            hidden = content.get("hidden")
            reasons = {key: _text(why) for key, why in hidden.items()} if isinstance(hidden, Mapping) else {}
            layers.append(Layer(_LAYERS[name], dict(content["facts"]), reasons))
    order = list(LayerName)
    return tuple(sorted(layers, key=lambda layer: order.index(layer.name))), tuple(notes)


def _environment(data: Any) -> StepEnvironment | None:
    if not isinstance(data, Mapping):
        return None
    layers, notes = read_layers(data.get("layers"))
    tasks = tuple(map(_text, _list(data.get("tasks"))))
    damaged = any(note.startswith("damaged") for note in notes)
    return None if damaged else StepEnvironment(_text(data.get("digest")), tasks, layers)


def _newer(version: Any) -> tuple[str, ...]:
    if isinstance(version, int) and version <= VERSION:
        return ()
    if not isinstance(version, int):
        return ("damaged: it has no format",)
    return (f"its format {version} is newer than {VERSION}, which this kfnb knows: what is new is left out",)


def _kind(value: Any) -> str:
    return value if value in _KINDS else "kernel"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else 0.0
