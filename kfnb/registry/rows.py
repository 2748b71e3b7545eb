"""The row of each noun: plain strings alone, so that no noun is imported before it is used."""

from __future__ import annotations

from kfnb.registry.model_rows import MODEL_NOUNS
from kfnb.registry.noun import Noun
from kfnb.registry.pipeline_rows import PIPELINE_NOUNS
from kfnb.registry.platform_rows import PLATFORM_NOUNS

NOUNS: list[Noun] = [*PIPELINE_NOUNS, *MODEL_NOUNS, *PLATFORM_NOUNS]
"""Every noun. A test may add one."""
