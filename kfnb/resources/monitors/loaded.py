"""A version that is loaded here, to predict the baseline and to estimate how right it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kfnb.errors import BackendError, UsageError
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.services.model import Target


@dataclass(frozen=True)
class LoadedVersion:
    """A version that predicts here: a predictor, or None; the columns that it takes, and notes."""

    predictor: Any = None
    inputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    transforms: bool = False

    @property
    def transform(self) -> Any:
        """What makes features of rows; None without a transform."""
        return self.predictor.features if self.predictor is not None and self.transforms else None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes that it has scores of; empty for other models."""
        return () if self.predictor is None else tuple(self.predictor.outputs)

    def predict(self, rows: Any) -> list[Any]:
        """Its predictions for rows, as JSON has them. Raises ``UsageError`` where it cannot, with the reason."""
        from kfnb.server.predictor import listed

        return listed(self._run("predict", rows))

    def score(self, rows: Any) -> Any:
        """Its scores for rows, a row each. Raises ``UsageError`` where it cannot, with the reason."""
        return self._run("score", rows)

    def _run(self, name: str, rows: Any) -> Any:
        from kfnb.server.predictor import ModelFailed

        if self.predictor is None:
            raise UsageError("the model cannot be loaded here")
        try:
            return getattr(self.predictor, name)(rows)
        except ModelFailed as failed:
            first = (str(failed.error).splitlines() or [""])[0]
            raise UsageError(f"the model cannot predict the baseline: {first}") from None


def load_version(version: ModelVersion, target: Target) -> LoadedVersion:
    """Load a version as its service was allowed to."""
    from kfnb.server.folder import read_folder
    from kfnb.server.predictor import NotServable, predictor_of

    named = tuple(one.name for one in version.signature.inputs if one.name)
    try:
        folder = read_folder(version.path(), pickle=target.pickle, trust=target.trust)
        taken = [
            one for one in folder.facts.get("inputs") or () if one.get("name") and not one.get("optional")
        ]
        names = tuple(str(one["name"]) for one in taken)
        return LoadedVersion(predictor_of(folder), names, transforms=folder.transform is not None)
    except (TypeError, ValueError, OSError, ImportError, NotServable, BackendError) as error:
        note = (
            f"{version.ref} cannot be loaded here, so its predictions and importances are not known: {error}"
        )
        return LoadedVersion(None, named, (note,))
