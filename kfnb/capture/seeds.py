"""Seeds of random numbers: in the kernel while a component's cell runs, and what a seed does not reach."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from kfnb.capture.component import Component
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.embedded.seeds import kfnb_seed
from kfnb.capture.global_settings import full_name

_OF_THE_SYSTEM = ("uuid.uuid[14]", "secrets.*", "os.urandom", "posix.urandom", "random.SystemRandom*")
"""Functions that draw from the operating system."""

_GENERATORS = frozenset({"default_rng", "RandomState", "SeedSequence", "Random", "Generator"})
"""Functions that make a new generator, which draws differently each time unless they get a seed."""


class KernelSeed:
    """The global generators of this process, seeded as in a step until ``stop``; left alone without a seed."""

    def __init__(self, seed: int | None) -> None:
        self.given = seed is not None
        self._finder = None if seed is None else kfnb_seed(seed)

    def stop(self) -> None:
        """Leave libraries that are imported from now on alone; again does nothing."""
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)


def unseeded(component: Component, dependencies: Dependencies, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Notes on the random numbers of a seeded component that its seed does not reach, each once."""
    if component.options.seed is None:
        return
    trees = [
        component.cell.tree,
        *(source.node for source in dependencies.sources if source.node is not None),
        *(one.cell.tree for one in dependencies.setups),
    ]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    yield from dict.fromkeys(filter(None, (_unreached(call, namespace) for call in calls)))
    if component.options.pod.gpu and "torch" in {one.module for one in dependencies.imports.values()}:
        yield "torch on a GPU: results may differ unless the cell calls torch.use_deterministic_algorithms(True)"


def _unreached(call: ast.Call, namespace: Mapping[str, Any]) -> str:
    """The note on a call; empty where the seed reaches it, or it has its own seed."""
    written, full = ast.unparse(call.func), full_name(call.func, namespace)
    if any(fnmatchcase(full, pattern) for pattern in _OF_THE_SYSTEM):
        return f"the seed does not reach {written}(), which draws from the operating system"
    if (
        full.rpartition(".")[2] in _GENERATORS
        and full.startswith(("numpy.", "random."))
        and not _has_seed(call)
    ):
        return f"the seed does not reach {written}(): give the generator a seed, as {written}(0)"
    return ""


def _has_seed(call: ast.Call) -> bool:
    given = [*call.args, *(one.value for one in call.keywords)]
    return any(not (isinstance(one, ast.Constant) and one.value is None) for one in given)
