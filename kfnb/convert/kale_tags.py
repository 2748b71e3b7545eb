"""Kale's tags: what a cell is to Kale, and the options of its step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.convert.draft import Flags
from kfnb.errors import NotebookError

ROLES = ("imports", "functions", "pipeline-parameters", "pipeline-metrics", "skip")
"""Tags that say by themselves what a cell is."""

_SETTINGS = ("annotation", "label", "limit", "secret", "image", "cache", "report")
_TPU = "cloud-tpus.google.com"


@dataclass(frozen=True)
class Settings:
    """The options of a step, and ``missing``: the tags that have no counterpart in kfnb."""

    flags: Flags = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class KaleTags:
    """The tags of a cell. ``role`` is one of ``ROLES``, ``step``, or empty for a cell that goes with the one before."""

    role: str = ""
    step: str = ""
    previous: tuple[str, ...] = ()
    settings: Settings = Settings()


def read_tags(tags: Iterable[str], place: str) -> KaleTags:
    """What the tags of the cell at ``place`` say. Raises ``NotebookError`` for what cannot be converted."""
    kale = [tag for tag in tags if _is_kale(tag)]
    role = next((tag for tag in kale if tag in ROLES), "")
    if role:
        return KaleTags(role)
    pairs = [tag.partition(":")[::2] for tag in kale]
    steps = [value for key, value in pairs if key in ("step", "block") and value]
    if len(steps) > 1:
        raise NotebookError(f"{place} has the tags of more than one step: {', '.join(steps)}", ref=place)
    if any(key == "notebook" for key, _ in pairs):
        raise NotebookError(
            f"{place} refers to another notebook, which cannot be converted with this one:",
            hint="convert that notebook, and copy its cells",
            ref=place,
        )
    settings = read_settings((tag for tag in kale if tag.partition(":")[0] in _SETTINGS), place)
    previous = tuple(value for key, value in pairs if key == "prev")
    return KaleTags("step" if steps else "", steps[0] if steps else "", previous, settings)


def read_settings(tags: Iterable[str], place: str) -> Settings:
    """The options that tags of a step give it, or those of ``steps_defaults``."""
    flags: list[tuple[str, str]] = []
    missing: list[str] = []
    for tag in tags:
        found = _flags(tag)
        if found is None:
            missing.append(f"{place}: {tag} has no counterpart in kfnb")
        else:
            flags += found
    return Settings(tuple(flags), tuple(missing))


def _is_kale(tag: Any) -> bool:
    if not isinstance(tag, str):
        return False
    return tag in ROLES or (
        tag.partition(":")[0] in ("step", "block", "prev", "notebook", *_SETTINGS) and ":" in tag
    )


def _flags(tag: str) -> list[tuple[str, str]] | None:
    """The options for one tag; None for a tag without counterpart."""
    key, _, value = tag.partition(":")
    if key == "image":
        return [("--image", value)]
    if tag in ("cache:enabled", "cache:disabled"):
        return [("--no-cache", "")] if tag == "cache:disabled" else []
    if tag == "report:disabled":
        return []
    if key == "limit":
        return _limit(*value.rpartition(":")[::2])
    parts = value.split(":")
    if key == "secret" and len(parts) == len(("name", "key", "variable")):
        return [("--secret", f"{parts[0]}:{parts[1]}={parts[2]}")]
    return None


def _limit(resource: str, amount: str) -> list[tuple[str, str]] | None:
    if resource in ("cpu", "memory"):
        return [(f"--{resource}", amount)]
    if "/" not in resource or resource.startswith(_TPU) or not amount.isdecimal():
        return None
    accelerator = [] if resource == "nvidia.com/gpu" else [("--accelerator", resource)]
    return [("--gpu", amount), *accelerator]


def merged(own: Flags, defaults: Flags) -> Flags:
    """A step's own options, and those of the pipeline's defaults that it does not have itself."""
    keys: Mapping[str, None] = dict.fromkeys(flag for flag, _ in own)
    return (
        *own,
        *((flag, value) for flag, value in defaults if flag not in keys or flag in ("--secret", "--pvc")),
    )
