"""InferenceServices that something else than kfnb made: what their objects show of them."""

from __future__ import annotations

from datetime import datetime

from kfnb.remote.kubernetes.fields import Item, mapping, rows, word
from kfnb.resources.services.kserve.record import ServiceRecord
from kfnb.resources.services.model import DesiredState, ServiceMove, Target

_PLAIN = (
    "model",
    "sklearn",
    "xgboost",
    "lightgbm",
    "tensorflow",
    "pytorch",
    "triton",
    "onnx",
    "huggingface",
    "pmml",
    "paddle",
)


def record_of_another(service: Item) -> ServiceRecord:
    """What there would be in a record, as far as the object says it. Its revision is 0, and so is that of its pods."""
    name = word(service, "metadata", "name")
    created = _seconds(word(service, "metadata", "creationTimestamp"))
    predictor = mapping(service, "spec", "predictor")
    kind = next((one for one in _PLAIN if one in predictor), "")
    model_format = word(predictor, "model", "modelFormat", "name") if kind == "model" else kind
    target = Target(0, name, 0, "", uri=_uri(predictor, kind), format=model_format, registry="")
    move = ServiceMove(0, "serve", "", created or 0.0, after={target.ref: target.percent})
    return ServiceRecord(name, DesiredState(0, (target,), move), {}, created=created, made_here=False)


def _uri(predictor: Item, kind: str) -> str:
    variables = [one for container in rows(predictor, "containers") for one in rows(container, "env")]
    given = next((word(one, "value") for one in variables if one.get("name") == "STORAGE_URI"), "")
    return word(predictor, kind, "storageUri") or given


def _seconds(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
