"""``kf.save`` in a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kfnb.capture.embedded.models import kfnb_write_model
from kfnb.capture.embedded.reports import kfnb_number


def kfnb_model_saver(artifact: Any, keep: Callable[..., dict[str, Any]] | None = None) -> Callable[..., None]:
    """``kf.save``, which writes model folders into the artifact ``model``, and what is to be registered beside it.

    ``keep`` writes transforms, in a step that has them.
    """

    def save(
        model: Any,
        name: str | None = None,
        *,
        example: Any = None,
        transform: Any = None,
        data: str | None = None,
        description: str = "",
        pickle: bool = False,
        trust: Sequence[str] = (),
        **metrics: Any,
    ) -> None:
        """Save a model in its field's safe format; with a name, the run registers it when it has succeeded.

        ``transform`` makes of rows what the model takes, and is kept with it. ``example`` is a DataFrame or an array
        that the model takes, or the transform; up to 100 rows are kept. ``data`` is the version of a data set that it
        was measured on, ``metrics`` are numbers by name.
        """
        import os
        import shutil

        numbers = kfnb_checked(name, data, metrics)
        before = artifact.metadata.get("kfnb_models", [])
        if any(one["folder"] == (name or "model") for one in before):
            raise ValueError(
                f"a model is saved as {name or 'model'} already: give each model of a step its own name"
            )
        folder = os.path.join(artifact.path, name or "model")
        shutil.rmtree(folder, ignore_errors=True)
        facts = kfnb_write_model(
            model, folder, example, transform=transform, keep=keep, pickle=pickle, trust=trust
        )
        for text in facts["remarks"]:
            print(f"warning: {text}")
        entry = {"folder": name or "model", "name": name or "", "metrics": numbers}
        entry.update(data=data or "", description=description)
        entry.update({"remarks": facts["remarks"]} if facts["remarks"] else {})
        artifact.metadata["kfnb_models"] = [*before, entry]

    return save


def kfnb_checked(name: str | None, data: str | None, metrics: dict[str, Any]) -> dict[str, float]:
    """The metrics of a model as floats. Raises ``ValueError`` for what a registry does not take."""
    import re

    if name is not None and not (isinstance(name, str) and re.fullmatch("[a-z0-9][a-z0-9_.-]{0,62}", name)):
        raise ValueError(
            f"model name {name!r}: use lower-case letters, digits, '-', '_' and '.', at most 63 of them,"
            " the first a letter or a digit"
        )
    if data is not None and not re.fullmatch("[a-z0-9][a-z0-9_.-]{0,62}@[1-9][0-9]*", str(data)):
        raise ValueError(f"data={data!r}: give a version of a data set, such as churn-data@2")
    numbers = {key: float(kfnb_number(value, key)) for key, value in metrics.items()}
    for key, value in numbers.items():
        if value - value != 0.0:
            raise ValueError(f"metric {key} is {value}: a metric must be a finite number")
    return numbers
