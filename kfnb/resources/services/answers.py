"""What services answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.entities import Listing


@dataclass(frozen=True)
class ServedPredictions:
    """Predictions of a service, a row each, and the versions that gave them."""

    values: tuple[Any, ...]
    versions: tuple[str, ...] = ()


@dataclass(frozen=True)
class SentenceShares:
    """How much each sentence of a text moved the prediction, by output and sentence."""

    texts: tuple[str, ...]
    base: tuple[float, ...]
    contributions: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class RowExplanation:
    """How much each column moved the prediction of one row, for each output of the model.

    ``contributions`` are by output and column, and with the ``base`` of an output they add up to its ``value``. The
    base is what the model answers on average for the example rows that were saved with it. ``sentences`` are those of a
    model that takes one text.
    """

    prediction: Any
    outputs: tuple[str, ...]
    columns: tuple[str, ...]
    base: tuple[float, ...]
    value: tuple[float, ...]
    contributions: tuple[tuple[float, ...], ...]
    method: str = ""
    sentences: SentenceShares | None = None

    @property
    def predicted(self) -> tuple[int, ...]:
        """The places of the outputs that the prediction is about.

        Of a class it is its own, of several amounts each, of several classes one each.
        """
        several = isinstance(self.prediction, list | Mapping)
        if several and len(self.prediction) == len(self.outputs):
            return tuple(range(len(self.outputs)))
        parts = self.prediction.values() if isinstance(self.prediction, Mapping) else self.prediction
        named = [f"{place}: {one}" for place, one in enumerate(parts)] if several else [str(self.prediction)]
        found = tuple(self.outputs.index(one) for one in named if one in self.outputs)
        return found or (len(self.outputs) - 1,)

    def strongest(self, place: int) -> list[tuple[str, float]]:
        """Columns and their contributions to the output of that place, the strongest first."""
        found = zip(self.columns, self.contributions[place], strict=True)
        return sorted(found, key=lambda pair: -abs(pair[1]))


class Explanations(Listing[RowExplanation]):
    """Explanations of some rows, in their order."""

    def to_frame(self, output: str | None = None) -> Any:
        """A pandas DataFrame with a row for each row and a column for each column of the rows.

        ``output`` is one of the model's, by default the one that each prediction is about; of a model of several
        amounts or several classes, there is a row for each of them. The columns ``prediction``, ``output`` and
        ``base`` come first.
        """
        from kfnb.extras import require

        require("pandas", "to_frame")
        import pandas as pd

        return pd.DataFrame(
            {
                "prediction": one.prediction,
                "output": one.outputs[at],
                "base": one.base[at],
                **dict(zip(one.columns, one.contributions[at], strict=True)),
            }
            for one in self
            for at in (one.predicted if output is None else (one.outputs.index(output),))
        )


def explanation_of(answered: Mapping[str, Any]) -> RowExplanation:
    """An explanation, from what a server answers. Raises ``KeyError``, ``TypeError``."""
    return RowExplanation(
        answered["prediction"],
        tuple(map(str, answered["outputs"])),
        tuple(map(str, answered["columns"])),
        _numbers(answered["base"]),
        _numbers(answered["value"]),
        tuple(map(_numbers, answered["contributions"])),
        str(answered.get("method", "")),
        _sentences(answered["sentences"]) if "sentences" in answered else None,
    )


def _sentences(answered: Mapping[str, Any]) -> SentenceShares:
    return SentenceShares(
        tuple(map(str, answered["texts"])),
        _numbers(answered["base"]),
        tuple(map(_numbers, answered["contributions"])),
    )


def _numbers(values: Sequence[Any]) -> tuple[float, ...]:
    return tuple(map(float, values))
