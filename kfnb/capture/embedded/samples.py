"""The rows that are kept with a model, ``sample.json``: what it takes, and what it predicted for them when saved."""

from __future__ import annotations

from typing import Any

from kfnb.capture.embedded.exact_tables import kfnb_read_table, kfnb_write_table
from kfnb.capture.embedded.model_facts import kfnb_signature


def kfnb_describe(model: Any, folder: str, example: Any = None) -> dict[str, Any]:
    """What ``kfnb_model.json`` says of what a model takes and returns; rows of the ``example`` are kept in the folder.

    ``modules`` are those that it needs, ``remarks`` are for who saves it.
    """
    if example is None:
        return {**kfnb_signature(model), "modules": [], "remarks": []}
    rows = kfnb_example(example)
    facts = kfnb_signature(model, example, rows)
    sample = kfnb_write_sample(folder, rows, facts.pop("predictions", None))
    return {**facts, **sample}


def kfnb_example(example: Any, most: int = 100) -> Any:
    """At most ``most`` rows of an example, evenly spread over it, without an index. Raises ``TypeError``."""
    shape = getattr(example, "shape", None)
    if not (shape or isinstance(example, list)):
        raise TypeError(f"the example is a {type(example).__name__}; give a DataFrame or an array")
    count = shape[0] if shape else len(example)
    if not count:
        raise TypeError("the example has no rows")
    wide = 1
    for size in (shape or ())[1:]:
        wide *= size
    most = min(most, max(100_000 // max(wide, 1), 5))  # pictures
    places = list(range(count))
    if count > most:  # one of each hundredth, and not always at the same place in it
        places = [int((index + index * 0.618 % 1) * count / most) for index in range(most)]
    if hasattr(example, "iloc"):
        return example.iloc[places].reset_index(drop=True)
    return [example[place] for place in places] if isinstance(example, list) else example[places]


def kfnb_write_sample(folder: str, rows: Any, predictions: Any = None) -> dict[str, Any]:
    """Write rows and predictions into a model folder; what ``kfnb_model.json`` has of them, modules and remarks.

    Rows that would not come back as they are, are not kept.
    """
    import json
    import os

    facts: dict[str, Any] = {"modules": [type(rows).__module__.partition(".")[0]], "remarks": []}
    kept = {}
    for part, value in (("rows", rows), ("predictions", predictions)):
        try:
            kept.update({} if value is None else {part: kfnb_write_table(value)})
        except Exception as error:  # whatever a library raises of types that are not known here
            facts["remarks"].append(f"the example's {part} are not kept with the model: {error}")
    if "rows" in kept:
        with open(os.path.join(folder, "sample.json"), "w", encoding="utf-8") as file:
            json.dump(kept, file, allow_nan=False)
        facts["sample"] = {"file": "sample.json", "rows": len(rows), "kind": kept["rows"]["kind"]}
    return facts


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
