"""A component that is executed by several processes: how many there are, and how they find each other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kfnb.capture.mutations import mutated_names
from kfnb.errors import CaptureError

if TYPE_CHECKING:
    from kfnb.capture.component import Component
    from kfnb.capture.dependencies import Dependencies

_IMPLIED_BY = {
    "torch": frozenset({"torch", "lightning", "pytorch_lightning", "accelerate"}),
    "jax": frozenset({"jax", "flax", "optax", "equinox"}),
    "tensorflow": frozenset({"tensorflow"}),
    "xgboost": frozenset({"xgboost"}),
    "lightgbm": frozenset({"lightgbm"}),
}
"""The frameworks, and the modules whose import says that one is used."""

FRAMEWORKS = ("auto", *_IMPLIED_BY, "none")
"""What ``--framework`` takes: ``auto`` is what the cell imports, ``none`` are processes that kfnb does not connect."""

_OPENS = {
    "torch": r"init_process_group|\b(Trainer|Fabric|Accelerator)\b",
    "jax": r"distributed(\.| import )initialize",
    "xgboost": r"CommunicatorContext|RabitTracker|collective\.init\b",
    "lightgbm": r"\bmachines\b|\bset_network\b",
}
"""Of each framework that kfnb connects, the code with which a cell does it itself."""


@dataclass(frozen=True)
class Training:
    """``nodes`` x ``procs`` processes. ``runtime`` and ``queue`` are a cluster's: who trains, and whose turn it is."""

    nodes: int = 1
    procs: int = 1
    framework: str = "auto"
    max_restarts: int = 0
    runtime: str = ""
    queue: str = ""

    @property
    def size(self) -> int:
        """The number of processes."""
        return self.nodes * self.procs

    def described(self) -> Iterator[tuple[str, str]]:
        """Each setting and its value."""
        yield "nodes", str(self.nodes)
        yield "processes on a node", str(self.procs)
        yield "framework", self.framework
        if self.max_restarts:
            yield "restarts", str(self.max_restarts)
        if self.runtime:
            yield "runtime", self.runtime
        if self.queue:
            yield "queue", self.queue


def framework_of(component: Component, dependencies: Dependencies) -> str:
    """The framework of a training: as given, or as imported. Raises ``CaptureError`` where it could be several."""
    training = component.options.training
    if training is None or training.framework != "auto":
        return training.framework if training else "none"
    roots = {module.partition(".")[0] for module in dependencies.needed}
    found = [name for name, modules in _IMPLIED_BY.items() if modules & roots]
    if len(found) > 1:
        raise CaptureError(
            f"cell {component.cell} imports {' and '.join(found)}, and one of them connects the processes:",
            hint=f"choose it, --framework {found[0]}",
            ref=f"cell {component.cell}",
        )
    return found[0] if found else "none"


def connects(framework: str, trees: Iterable[ast.AST]) -> bool:
    """Whether kfnb connects the processes: it knows how, and no code of ``trees`` does it."""
    code = _OPENS.get(framework)
    return code is not None and not any(re.search(code, ast.unparse(tree)) for tree in trees)


def names_to_keep(component: Component) -> list[str]:
    """The names whose values a training hands back to the notebook: those it writes, and inputs that it changes."""
    names = component.names
    changed = {*names.changes, *(mutated_names(component.cell.tree) & component.inputs.keys())}
    return sorted({*names.writes, *changed})
