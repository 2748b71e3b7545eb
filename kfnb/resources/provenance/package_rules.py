"""What another version of a package may do to results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kfnb.resources.provenance.effects import Effect, Judgement

_NUMERIC = frozenset(
    (
        *(
            "numpy",
            "scipy",
            "pandas",
            "polars",
            "pyarrow",
            "scikit-learn",
            "statsmodels",
            "numba",
            "numexpr",
            "bottleneck",
        ),
        *(
            "torch",
            "torchvision",
            "torchaudio",
            "tensorflow",
            "keras",
            "jax",
            "jaxlib",
            "flax",
            "optax",
            "cupy",
            "triton",
        ),
        *(
            "xgboost",
            "lightgbm",
            "catboost",
            "transformers",
            "tokenizers",
            "datasets",
            "sentence-transformers",
        ),
        *(
            "mkl",
            "openblas",
            "intel-openmp",
            "scikit-image",
            "opencv-python",
            "pillow",
            "nltk",
            "spacy",
            "gensim",
        ),
        *(
            "optuna",
            "patsy",
            "imbalanced-learn",
            "shap",
            "networkx",
            "dask",
            "ray",
            "accelerate",
            "lightning",
        ),
    )
)
"""Packages that compute what comes out, by their normalized names."""

_PREFIXES = ("nvidia-", "cupy-", "tensorflow-", "torch-", "jax-", "scikit-", "faiss-")


def judge_package(name: str, before: Any, after: Any) -> Judgement:
    """What it may do that a package differs; None where it is not installed."""
    computes = _computes(name)
    if before is None or after is None:
        return _missing(computes, gone=after is None)
    versions = [str(one.get("version") or "") if isinstance(one, Mapping) else "" for one in (before, after)]
    if versions[0] != versions[1]:
        return _other_version(computes, *versions)
    digests = [one.get("digest") for one in (before, after)]
    if computes and all(digests) and digests[0] != digests[1]:
        return Judgement(Effect.DIGITS, "another build of the same version")
    return Judgement(Effect.SAME, "the same version, installed in another way")


def _computes(name: str) -> bool:
    normalized = re.sub(r"[-_.]+", "-", name).lower()
    return normalized in _NUMERIC or normalized.startswith(_PREFIXES)


def _missing(computes: bool, *, gone: bool) -> Judgement:
    if not gone:
        return Judgement(Effect.SAME, "further packages do not change what is computed")
    if computes:
        return Judgement(Effect.FAILS, "code that imports it fails")
    return Judgement(Effect.SAME, "not installed: it matters only to code that imports it")


def _other_version(computes: bool, before: str, after: str) -> Judgement:
    if not computes:
        return Judgement(Effect.SAME, "is not known to compute what comes out")
    if _series(before) == _series(after):
        return Judgement(Effect.DIGITS, "a release that corrects errors")
    return Judgement(Effect.RESULTS, "defaults and algorithms may have changed")


def _series(version: str) -> list[str]:
    return re.split(r"[.+!-]", version)[:2]
