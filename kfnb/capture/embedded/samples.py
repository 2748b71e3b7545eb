"""The rows that are kept with a model, ``sample.json``: what it takes, and what it predicted for them when it was saved."""

from __future__ import annotations

from typing import Any

from kfnb.capture.embedded.exact_tables import kfnb_read_table, kfnb_write_table


def kfnb_write_sample(folder: str, rows: Any, predictions: Any = None) -> dict[str, Any]:
    """Write rows and predictions into a model folder; what ``kfnb_model.json`` has of them.

    Rows that would not come back as they are, are not kept, and a warning says so.
    """
    import json
    import os
    import warnings

    try:
        kept = {"rows": kfnb_write_table(rows)}
    except Exception as error:  # whatever a library raises of types that are not known here
        warnings.warn(f"the example is not kept with the model: {error}", stacklevel=2)
        return {}
    try:
        kept.update({} if predictions is None else {"predictions": kfnb_write_table(predictions)})
    except Exception as error:
        warnings.warn(f"the predictions for the example are not kept with the model: {error}", stacklevel=2)
    with open(os.path.join(folder, "sample.json"), "w", encoding="utf-8") as file:
        json.dump(kept, file, allow_nan=False)
    return {"sample": {"file": "sample.json", "rows": len(rows), "kind": kept["rows"]["kind"]}}


def kfnb_read_sample(folder: str) -> tuple[Any, Any] | None:
    """The rows of a model folder and the predictions for them, which may be None; None if it has none."""
    import json
    import os

    path = os.path.join(folder, "sample.json")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        kept = json.load(file)
    predictions = kept.get("predictions")
    return kfnb_read_table(kept["rows"]), None if predictions is None else kfnb_read_table(predictions)
