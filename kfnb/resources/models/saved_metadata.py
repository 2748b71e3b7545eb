"""What ``kf.save`` writes beside the artifact with the models that a step saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.entities import Artifact

SAVED = "kfnb_models"
"""The key of what a step saved, in its artifact's metadata."""


def saved_with(model: Any) -> Mapping[str, Any]:
    """What ``kf.save`` was given beside the one model of an artifact: metrics, data, description; else nothing."""
    saved = model.metadata.get(SAVED) if isinstance(model, Artifact) else None
    return saved[0] if isinstance(saved, list) and len(saved) == 1 and isinstance(saved[0], dict) else {}
