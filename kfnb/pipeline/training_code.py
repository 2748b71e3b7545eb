"""What a training's step has beside the cell: how it becomes several processes, and how these are connected."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kfnb.capture.component import Component
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.training import Training, connects, framework_of
from kfnb.text.ranks import DeclaredTraining


@dataclass(frozen=True)
class TrainingCode:
    """The statements of a step of a training; none for another step (``training`` is None).

    ``framework`` is what connects the processes; ``joins`` the function that does, empty where kfnb does not; ``gpus``
    are those of a process.
    """

    training: Training | None = None
    framework: str = "none"
    joins: str = ""
    gpus: int = 0

    @classmethod
    def of(cls, component: Component, dependencies: Dependencies, trees: Iterable[ast.AST]) -> TrainingCode:
        """The statements for a component, whose own code is ``trees``. Raises ``CaptureError``."""
        options = component.options
        if options.training is None:
            return cls()
        framework = framework_of(component, dependencies)
        joins = f"kfnb_join_{framework}" if connects(framework, trees) else ""
        return cls(options.training, framework, joins, options.pod.gpu)

    def helpers(self, uses: Sequence[str]) -> Iterator[str]:
        """The embedded functions that the statements call; ``uses`` are the functions of ``kf`` in the cell."""
        if self.training is not None:
            yield from ("kfnb_ranks", "kfnb_end_cell", "kfnb_end_rank")
        if self.joins:
            yield self.joins
        yield from filter(None, map(self._wrapper, uses))

    def comment(self) -> list[str]:
        """The declaration of the processes."""
        one = self.training
        if one is None:
            return []
        size = one.nodes, one.procs
        return DeclaredTraining(*size, self.framework, one.runtime, one.queue, one.max_restarts).comments()

    def launching(self, written: Sequence[str]) -> list[str]:
        """The first statement; ``written`` are the step's artifacts."""
        if self.training is None:
            return []
        size = f"{self.training.nodes}, {self.training.procs}, {self.training.max_restarts}"
        return [f"kfnb_ranks({size}, {self.gpus}, [{', '.join(written)}])"]

    def joining(self) -> list[str]:
        """The statement that connects the processes."""
        return [f"kfnb_leave = {self.joins}()"] if self.joins else []

    def leaving(self, uses: Sequence[str]) -> list[str]:
        """The statements after the cell."""
        lines = [] if self.training is None else ["kfnb_end_cell()"]
        lines += ["kfnb_leave()"] if self.joins else []
        return [*lines, "kf.save.now()"] if "save" in uses and self._wrapper("save") else lines

    def ending(self, results: Sequence[str]) -> list[str]:
        """The statement with which ranks other than 0 end; ``results`` are the step's parameters."""
        if self.training is None:
            return []
        values = ", ".join(f'"{name}": {name}' for name in results)
        return [f"kfnb_end_rank({{{values}}})"]

    def wrapped(self, use: str, made: str) -> str:
        """The call ``made`` that creates a function of ``kf``, with what a training adds to the function."""
        wrapper = self._wrapper(use)
        return f"{wrapper}({made})" if wrapper else made

    def _wrapper(self, use: str) -> str:
        """The embedded function that wraps a function of ``kf``; empty for none."""
        if use == "log_metrics" and self.training is not None:
            return "kfnb_reported_metrics"
        return "kfnb_save_later" if use == "save" and self.joins == "kfnb_join_xgboost" else ""
