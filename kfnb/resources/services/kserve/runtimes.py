"""KServe's own serving runtimes, for whom wants them instead of the program of the model folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.errors import UsageError, did_you_mean
from kfnb.remote.kubernetes.fields import word

_LOST = (
    "the transform, explain, the checks of inputs, the check before it gets requests, and the headers that say which "
    "version answered"
)


_FACE = ("huggingface", "transformers")
"""What other clients of a registry call the format of a folder with a model of Hugging Face's."""


@dataclass(frozen=True)
class ServingRuntime:
    """A runtime of KServe's. ``files`` is the name that it reads a model by, for each format of kfnb that it reads.

    ``runtime`` is the ServingRuntime that is named in the spec, empty where KServe finds it by the format.
    """

    name: str
    files: Mapping[str, str]
    runtime: str = ""
    protocol: str = ""
    formats: Mapping[str, str] = field(default_factory=dict)
    why_not: str = ""

    def model(self, model_format: str, uri: str) -> dict[str, Any]:
        """The ``model`` of a predictor."""
        found: dict[str, Any] = {"modelFormat": {"name": self.formats[model_format]}, "storageUri": uri}
        found |= {"runtime": self.runtime} if self.runtime else {}
        return found | ({"protocolVersion": self.protocol} if self.protocol else {})

    def check(self, ref: str, model_format: str) -> None:
        """Refuse a version that the runtime cannot read. Raises ``UsageError``."""
        if model_format in self.files:
            return
        reads = " or ".join(self.files) or "no format of kfnb"
        what = f"{ref}, which is {model_format or 'of an unknown format'}"
        message = f"--runtime {self.name} cannot serve {what}; it reads {reads}"
        why = f"{message}: {self.why_not}" if self.why_not else message
        raise UsageError(
            f"{why};",
            code="invalid-argument",
            hint="leave --runtime out: the model's own program serves it",
            ref=ref,
        )

    @property
    def lost(self) -> str:
        """What a version does without in this runtime."""
        return f"KServe's runtime {self.name} serves it: without {_LOST}"


_RUNTIMES = (
    ServingRuntime(
        "sklearn",
        {"pickle": "model.pkl"},
        formats={"pickle": "sklearn"},
        why_not="KServe's server unpickles its models, which executes code",
    ),
    ServingRuntime("xgboost", {"xgboost": "model.ubj"}, formats={"xgboost": "xgboost"}),
    ServingRuntime("lightgbm", {"lightgbm": "model.bst"}, formats={"lightgbm": "lightgbm"}),
    ServingRuntime("huggingface", dict.fromkeys(_FACE, ""), formats=dict.fromkeys(_FACE, "huggingface")),
    ServingRuntime(
        "mlserver",
        {"xgboost": "model.ubj", "lightgbm": "model.bst"},
        runtime="kserve-mlserver",
        protocol="v2",
        formats={"xgboost": "xgboost", "lightgbm": "lightgbm"},
    ),
)
RUNTIMES = tuple(one.name for one in _RUNTIMES)


def is_v2(predictor: Mapping[str, Any]) -> bool:
    """Whether a predictor answers protocol V2 alone."""
    return word(predictor, "model", "protocolVersion") == "v2"


def runtime_named(name: str) -> ServingRuntime:
    """The runtime of that name. Raises ``UsageError``."""
    for one in _RUNTIMES:
        if one.name == name:
            return one
    hint = did_you_mean(name, RUNTIMES, f"there are {', '.join(RUNTIMES)}")
    raise UsageError(f"unknown runtime {name}", code="invalid-argument", hint=hint, ref=name)
