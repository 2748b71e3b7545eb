"""A manifest as the metadata of a Workflow Run RO-Crate (https://w3id.org/ro/wfrun/workflow), for publishing a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from kfnb.entities.manifest import LayerName, Manifest

_CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
_PROFILES = (
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
)
_WORKFLOW = "pipeline.yaml"
_LANGUAGE = "https://www.kubeflow.org/docs/components/pipelines/"


def ro_crate(manifest: Manifest) -> str:
    """The text of ``ro-crate-metadata.json``; ``pipeline.yaml`` beside it is what ``kfnb compile`` writes."""
    made = datetime.fromtimestamp(manifest.created, timezone.utc).isoformat(timespec="seconds")
    inputs, outputs = list(_inputs(manifest)), list(_outputs(manifest))
    software = [_software(one.name, one.version) for one in manifest.packages]
    graph = [
        _metadata(),
        _root(manifest, made),
        *(
            {
                "@id": one,
                "@type": "CreativeWork",
                "name": one.split("/")[-2],
                "version": one.rpartition("/")[2],
            }
            for one in _PROFILES
        ),
        _workflow(manifest, software),
        {"@id": _LANGUAGE, "@type": "ComputerLanguage", "name": "Kubeflow Pipelines", "url": _LANGUAGE},
        _action(manifest, made, inputs, outputs),
        {
            "@id": "#user",
            "@type": "Person",
            "name": str(manifest[LayerName.UX].facts.get("user") or "unknown"),
        },
        *inputs,
        *outputs,
        *(_layer(str(layer.name), layer.facts) for layer in manifest if layer.recorded),
        *software,
    ]
    return json.dumps({"@context": _CONTEXT, "@graph": graph}, indent=2, default=str)


def _metadata() -> dict[str, Any]:
    return {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": _ref("./"),
        "conformsTo": [_ref("https://w3id.org/ro/crate/1.1"), _ref(_PROFILES[-1])],
    }


def _root(manifest: Manifest, made: str) -> dict[str, Any]:
    """The crate as a whole."""
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{manifest.kind} {manifest.ref}",
        "description": f"What {manifest.ref} was made with, recorded by kfnb",
        "datePublished": made,
        "license": "unspecified",
        "conformsTo": [_ref(one) for one in _PROFILES],
        "hasPart": [_ref(_WORKFLOW)],
        "mainEntity": _ref(_WORKFLOW),
        "mentions": [_ref("#run")],
    }


def _workflow(manifest: Manifest, software: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The pipeline, and the packages that it ran with."""
    return {
        "@id": _WORKFLOW,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": str(manifest[LayerName.MODEL].facts.get("pipeline") or manifest.ref),
        "programmingLanguage": _ref(_LANGUAGE),
        "softwareRequirements": [_ref(one["@id"]) for one in software],
    }


def _action(manifest: Manifest, made: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> dict[str, Any]:
    """The run: what it took, what it made, and where."""
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"{manifest.kind} {manifest.ref}",
        "startTime": made,
        "instrument": _ref(_WORKFLOW),
        "object": [_ref(one["@id"]) for one in inputs],
        "result": [_ref(one["@id"]) for one in outputs],
        "environment": [_ref(f"#{layer.name}") for layer in manifest if layer.recorded],
        "agent": _ref("#user"),
    }


def _inputs(manifest: Manifest) -> Iterator[dict[str, Any]]:
    facts = manifest[LayerName.MODEL].facts
    for name, value in {**dict(facts.get("parameters") or {}), **dict(facts.get("arguments") or {})}.items():
        yield _value(f"#argument/{name}", name, value)
    for ref, digest in dict(facts.get("data") or {}).items():
        yield {**_value(f"#data/{ref}", ref, digest), "alternateName": "data version"}


def _outputs(manifest: Manifest) -> Iterator[dict[str, Any]]:
    facts = manifest[LayerName.MODEL].facts
    for part in ("outputs", "metrics"):
        for name, value in dict(facts.get(part) or {}).items():
            yield _value(f"#{part}/{name}", name, value)


def _layer(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in facts.items() if key != "packages"}
    return _value(f"#{name}", name, kept)


def _value(id: str, name: str, value: Any) -> dict[str, Any]:
    text = value if isinstance(value, str | int | float) else json.dumps(value, default=str)
    return {"@id": id, "@type": "PropertyValue", "name": name, "value": text}


def _software(name: str, version: str) -> dict[str, Any]:
    return {
        "@id": f"https://pypi.org/project/{name}/{version}/",
        "@type": "SoftwareApplication",
        "name": name,
        "softwareVersion": version,
    }


def _ref(id: str) -> dict[str, str]:
    return {"@id": id}
