"""A version as custom properties of the registry's ModelVersion.

All that kfnb knows of a version is in that one object, so that a version is there complete or absent. Metrics are
numbers and tags are texts under their own names, as other clients write them and the registry's page shows them (a tag
without a value is a label there); the rest begins with ``kfnb.``. No struct values: the server takes them encoded and
returns them decoded, so that a page that sends back what it read is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.models.model import ModelSource, ModelState, VersionSnapshot
from kfnb.resources.models.signature import signature_of

Json = Mapping[str, Any]

OWN = "kfnb."
_METRIC, _PARAMETER, _TAG = "kfnb.metric.", "kfnb.parameter.", "kfnb.tag."
_DIGESTS = f"{OWN}data_digests"
_TEXTS = ("digest", "format", "uri", "python", "code", "transform", "metrics_data")
_DIGESTS = "kfnb.data_digests"
_NUMBERS = ("MetadataDoubleValue", "MetadataIntValue")
_PAGES = ("_lastModified", "_registeredFrom")
"""Prefixes of what the registry's page notes for itself."""
_LONGEST_NAME = 255
"""Characters of a property's name, and of an external id, in the registry's database."""


def text(value: str) -> Json:
    """A text as the registry has it."""
    return {"metadataType": "MetadataStringValue", "string_value": value}


def plain(properties: Json) -> dict[str, Any]:
    """Properties as Python values; those of a kind that kfnb does not read are left out."""
    found: dict[str, Any] = {}
    for name, value in properties.items():
        kind = str(value.get("metadataType", ""))
        if kind == "MetadataStringValue":
            found[name] = str(value.get("string_value", ""))
        elif kind == "MetadataDoubleValue":
            found[name] = float(value.get("double_value", 0.0))
        elif kind == "MetadataIntValue":
            found[name] = int(value.get("int_value", 0))
        elif kind == "MetadataBoolValue":
            found[name] = bool(value.get("bool_value"))
    return found


def encoded(version: VersionSnapshot) -> dict[str, Json]:
    """The custom properties of a version. Raises ``UsageError`` for a metric that is not a finite number."""
    found: dict[str, Json] = {f"{OWN}{name}": text(getattr(version, name)) for name in _TEXTS}
    found[f"{OWN}size"] = text(str(version.size))
    found[f"{OWN}created"] = text(repr(version.created))
    found[f"{OWN}data"] = text(_json(version.data))
    if version.data_digests:
        found[_DIGESTS] = text(_json(dict(version.data_digests)))
    found[f"{OWN}packages"] = text(_json(dict(version.packages)))
    found[f"{OWN}source"] = text(_json(asdict(version.source)))
    found[f"{OWN}signature"] = text(_json(asdict(version.signature)))
    found |= {f"{_PARAMETER}{name}": text(_json(value)) for name, value in version.parameters.items()}
    found |= _encoded_metrics(version.metrics)
    found |= _encoded_tags(version.tags, found)
    for name in found:
        if len(name) > _LONGEST_NAME:
            raise UsageError(
                f"{name[:40]}... is too long: Kubeflow's model registry takes at most {_LONGEST_NAME} characters"
            )
    return found


def completed(properties: Json, draft: VersionSnapshot) -> dict[str, Json]:
    """A version's properties, with the metrics, data and tags of a ``draft`` of the same content added.

    Metrics are added only if they were measured on the same data: properties hold the metrics on one data version.
    """
    own = plain(properties)
    digests = {**draft.data_digests, **_digests(own)}
    data = dict.fromkeys([*map(str, _read(own.get(f"{OWN}data"), ())), *draft.data])
    measured_on = str(own.get(f"{OWN}metrics_data") or draft.metrics_data)
    same = draft.metrics_data == measured_on and draft.data_digests.get(measured_on) in (
        None,
        digests.get(measured_on),
    )
    metrics = draft.metrics if same else {}
    found = _encoded_metrics(metrics) | dict(properties) | {f"{OWN}data": text(_json([*data]))}
    found[f"{OWN}metrics_data"] = text(measured_on)
    if digests:
        found[_DIGESTS] = text(_json(digests))
    return _encoded_tags(draft.tags, found) | found


def _encoded_metrics(metrics: Mapping[str, float]) -> dict[str, Json]:
    """Metrics as custom properties. Raises ``UsageError`` for one that is not a finite number."""
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise UsageError(f"metric {name} is {value}: a metric must be a finite number", ref=name)
    return {
        f"{_METRIC if _is_reserved(name) else ''}{name}": {
            "metadataType": "MetadataDoubleValue",
            "double_value": float(value),
        }
        for name, value in metrics.items()
    }


def _encoded_tags(tags: Mapping[str, str], taken: Json) -> dict[str, Json]:
    """Tags as custom properties, beside those that are ``taken`` for something else."""
    return {tag_property(name, taken): text(value) for name, value in tags.items()}


def tag_property(name: str, taken: Json) -> str:
    """The property that holds a tag: of the tag's own name, unless that is a metric's or reserved."""
    other = taken.get(name)
    clashes = other is not None and other.get("metadataType") in _NUMBERS
    return f"{_TAG}{name}" if clashes or _is_reserved(name) else name


def decoded(answer: Json, model: str, number: int) -> VersionSnapshot:
    """The version in a ModelVersion of the registry, which kfnb or another client wrote."""
    properties = plain(answer.get("customProperties") or {})
    own = {name.removeprefix(OWN): value for name, value in properties.items() if name.startswith(OWN)}
    texts: dict[str, Any] = {name: str(own.get(name, "")) for name in _TEXTS}
    return VersionSnapshot(
        name=model,
        version=number,
        **texts,
        size=int(_number(own.get("size"))),
        state=state_of(answer),
        metrics=_metrics(properties),
        parameters={
            name.removeprefix(_PARAMETER): _read(value, value)
            for name, value in properties.items()
            if name.startswith(_PARAMETER)
        },
        data=tuple(map(str, _read(own.get("data"), ()))),
        data_digests=_digests(properties),
        source=_source(_read(own.get("source"), {})),
        signature=signature_of(_read(own.get("signature"), {})),
        packages={str(name): str(one) for name, one in _read(own.get("packages"), {}).items()},
        owner=str(answer.get("author") or ""),
        created=_number(own.get("created")) or created_of(answer),
        description=str(answer.get("description") or ""),
        tags=_tags(properties),
    )


def created_of(answer: Json) -> float:
    """When the registry made an object, in seconds since 1970."""
    return _number(answer.get("createTimeSinceEpoch")) / 1000


def state_of(answer: Json) -> ModelState:
    """The state of an object; what a newer registry may call otherwise is live."""
    return ModelState.ARCHIVED if answer.get("state") == ModelState.ARCHIVED.value else ModelState.LIVE


def _is_reserved(name: str) -> bool:
    return name.startswith((OWN, "_"))


def _digests(properties: Mapping[str, Any]) -> dict[str, str]:
    return {str(ref): str(digest) for ref, digest in _read(properties.get(_DIGESTS), {}).items()}


def _metrics(properties: Mapping[str, Any]) -> dict[str, float]:
    """Numbers under their own names, whoever wrote them."""
    return {
        name.removeprefix(_METRIC): float(value)
        for name, value in properties.items()
        if not isinstance(value, str | bool) and (name.startswith(_METRIC) or not _is_reserved(name))
    }


def _tags(properties: Mapping[str, Any]) -> dict[str, str]:
    return {
        name.removeprefix(_TAG): str(value).lower() if isinstance(value, bool) else value
        for name, value in properties.items()
        if isinstance(value, str | bool) and (name.startswith(_TAG) or not name.startswith((OWN, *_PAGES)))
    }


def _source(answer: Any) -> ModelSource:
    fields = ModelSource.__dataclass_fields__
    answer = answer if isinstance(answer, dict) else {}
    return ModelSource(**{name: str(value) for name, value in answer.items() if name in fields})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _read(value: Any, otherwise: Any) -> Any:
    """The value of a JSON text; ``otherwise`` if it is none, or of another kind: any client may edit a property."""
    try:
        found = json.loads(value)
    except (TypeError, ValueError):
        return otherwise
    if isinstance(otherwise, dict):
        return found if isinstance(found, dict) else otherwise
    if isinstance(otherwise, tuple):
        return found if isinstance(found, list) else otherwise
    return found


def _texts(value: Any) -> dict[str, str]:
    """The texts of a JSON object."""
    return {str(name): str(one) for name, one in _read(value, {}).items()}


def _number(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return 0.0
    return found if math.isfinite(found) else 0.0
