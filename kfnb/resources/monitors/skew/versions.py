"""Causes of skew that are not of one column's values: another code path, library or model."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.resources.monitors.model import SkewCause
from kfnb.resources.monitors.skew.evidence import SkewEvidence
from kfnb.ui.words import short

_SHOWN = 12
"""Digits of a digest that are shown."""


def other_features(whole: SkewEvidence) -> Iterator[SkewCause]:
    """Rows that were served have other features than the transform of the training gives them."""
    if whole.replay is None:
        return
    for name, (count, served, trained) in whole.replay.columns.items():
        evidence = (
            f"{count:,} of {whole.replay.rows:,} replayed rows have another value: {short(served)} was served,"
            f" {short(trained)} by the training's transform"
        )
        yield SkewCause("transform", evidence, name, "feature")


def other_packages(whole: SkewEvidence) -> Iterator[SkewCause]:
    """The model is served with another version of a package than it was saved with."""
    for name, (saved, serving) in sorted(whole.packages.items()):
        if saved and serving and saved != serving:
            yield SkewCause("package", f"{name} {serving} is served, {saved} made the model")


def other_model(whole: SkewEvidence) -> Iterator[SkewCause]:
    """What is served is not what the registry has under that version: model, transform or its state."""
    registered, served = whole.digests
    if registered and served and registered != served:
        evidence = f"{served[:_SHOWN]} is served, and the registry has {registered[:_SHOWN]}"
        yield SkewCause("model", evidence)
