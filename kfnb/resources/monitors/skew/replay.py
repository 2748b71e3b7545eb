"""Served rows through the transform of the training again: its features must be those that were served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kfnb.diagnostics import logger
from kfnb.errors import KfnbError, UsageError
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.monitors.skew.evidence import Replay
from kfnb.resources.monitors.skew.serving import ServedRows
from kfnb.resources.monitors.skew.typed_table import typed_table
from kfnb.server.differences import TOLERANCE, alike
from kfnb.server.encoding import json_value
from kfnb.server.logged_rows import table_columns

_logger = logger(__package__)

_ROWS = 200
"""Rows that are replayed: the newest."""


def replayed(version: ModelVersion, rows: ServedRows) -> Replay | None:
    """Transform served rows as the training did, as one table with the types of the training data.

    None without a transform, or without rows. Raises ``UsageError`` where that cannot be done, with the reason.
    """
    if not rows.features or not rows.inputs:
        return None
    taken = {one.name for one in version.signature.inputs}
    lost = [name for name in rows.hidden if name in taken]
    if lost:
        raise UsageError(f"rows cannot be replayed: {', '.join(lost)} is not kept")
    try:
        transform = version.transform
        if transform is None:
            return None
        found = table_columns(
            transform.transform(
                typed_table(version, {name: some[-_ROWS:] for name, some in rows.inputs.items()})
            )
        )
    except KfnbError as error:
        raise UsageError(f"rows cannot be replayed: {error}") from None
    except Exception as error:  # whatever the transform raises of rows that it was served
        _logger.debug("The rows of %s cannot be replayed.", version.ref, exc_info=True)
        raise UsageError(f"rows cannot be replayed: {type(error).__name__}: {error}") from None
    count = min(_ROWS, len(next(iter(rows.inputs.values()))))
    return Replay(
        count, dict(_different({name: some[-_ROWS:] for name, some in rows.features.items()}, found))
    )


def _different(
    served: Mapping[str, Sequence[Any]], trained: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[int, Any, Any]]]:
    """The features that differ: in how many rows, and the two values of one of them."""
    for name, values in served.items():
        if name not in trained:
            yield name, (len(values), json_value(values[0]), "no column")
            continue
        pairs = [
            (json_value(one), json_value(other)) for one, other in zip(values, trained[name], strict=True)
        ]
        others = [pair for pair in pairs if not alike(*pair, TOLERANCE)]
        if others:
            yield name, (len(others), *others[0])
    for name in trained:
        if name not in served:
            yield name, (len(trained[name]), "no column", json_value(next(iter(trained[name]))))
