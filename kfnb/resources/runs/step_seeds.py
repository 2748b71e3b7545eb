"""The seeds of a pipeline's steps, as its PipelineSpec has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SEED = re.compile(r"(?m)^ *kfnb_seed\((\d+)\)$")


def seed_of(spec: Mapping[str, Any]) -> int | dict[str, int] | None:
    """The seed that all steps of a PipelineSpec have; by component where they differ, and None for none."""
    seeds: dict[str, int | None] = {}
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    for name, executor in executors.items():
        command = (executor.get("container") or {}).get("command") or []
        if command:
            found = _SEED.search(str(command[-1]))
            seeds[name.removeprefix("exec-")] = int(found[1]) if found else None
    known = {name: seed for name, seed in seeds.items() if seed is not None}
    if len(set(seeds.values())) == 1 and known:
        return next(iter(known.values()))
    return known or None
