"""Rows as the table that a model was made of, by the types of its example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kfnb.capture.embedded.samples import kfnb_read_sample
from kfnb.extras import require
from kfnb.resources.models.handle import ModelVersion


def typed_table(version: ModelVersion, columns: Mapping[str, Sequence[Any]]) -> Any:
    """A DataFrame of columns, with the types of the example that the model was saved with; without one, as they are.

    Raises what pandas does where values do not have these types.
    """
    require("pandas", "monitoring a service")
    import pandas as pd

    sample = kfnb_read_sample(str(version.path()))
    example = None if sample is None else sample[0]
    table = pd.DataFrame({name: pd.Series(some, dtype=object) for name, some in columns.items()})
    if not isinstance(example, pd.DataFrame):
        return table.infer_objects()
    return table.astype({name: kind for name, kind in example.dtypes.items() if name in table.columns})
