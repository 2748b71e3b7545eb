"""The edges between steps that are files: which step wrote each file, along the body of a pipeline."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from kfnb.capture.component import Component
from kfnb.errors import PipelineError


@dataclass
class WrittenFiles:
    """The files that the tasks so far have written or removed, each with the variable of the last such task.

    ``closed`` are those that were written in a block that has ended, with their components.
    """

    components: Mapping[str, Component]
    tasks: dict[str, str] = field(default_factory=dict)
    order: dict[str, Component] = field(default_factory=dict)
    closed: dict[str, Component] = field(default_factory=dict)

    def copy(self) -> WrittenFiles:
        """Copy the current state."""
        return replace(self, tasks=dict(self.tasks), order=dict(self.order), closed=dict(self.closed))

    def leave(self, before: WrittenFiles) -> None:
        """End a block: the files that it wrote are not available after it."""
        self.closed |= {
            name: self.order[task] for name, task in self.tasks.items() if before.tasks.get(name) != task
        }
        self.tasks = before.tasks

    def write(self, component: Component, task: str) -> None:
        """Record a task of ``component``, in the variable ``task``."""
        self.order[task] = component
        for name in (*component.files.writes, *component.files.removed):
            self.tasks[name] = task
            self.closed.pop(name, None)

    def read(self, component: Component, modules: Collection[str]) -> tuple[list[str], set[str]]:
        """The tasks whose files ``component`` reads, in their order, and the files of the notebook's folder.

        It imports ``modules``, which tasks may have written.
        Raises ``PipelineError`` where another component writes what it reads, and no task before does.
        """
        files = component.files
        producers = {name: self.tasks.get(name) for name in files.reads}
        producers |= {name: self.tasks[name] for name in files.removed if name in self.tasks}
        producers |= {name: self.tasks[name] for name in modules if name in self.tasks}
        for folder in files.listed:
            producers |= {name: task for name, task in self.tasks.items() if _is_in(name, folder)}
        for name in sorted(name for name, task in producers.items() if task is None):
            self._check(name, component)
        found = {task for task in producers.values() if task is not None}
        beside = {name for name, task in producers.items() if task is None and not name.startswith("/")}
        return [task for task in self.order if task in found], beside

    def _check(self, name: str, component: Component) -> None:
        if name in self.closed:
            writer = self.closed[name].name
            raise PipelineError(
                f"{component.name} reads the file {name}, which {writer} writes inside a block: what is used after"
                f" the block must be an output of {writer} (--output)"
            )
        writers = [
            one.name
            for one in self.components.values()
            if one is not component and name in one.files.writes and one.cell.order < component.cell.order
        ]
        if writers:
            raise PipelineError(
                f"{component.name} reads the file {name}, which {writers[-1]} writes: add {writers[-1]} to the"
                " pipeline, before it"
            )


def _is_in(name: str, folder: str) -> bool:
    """Whether a file is in a folder, at any depth."""
    return not name.startswith(("../", "/")) if folder == "." else name.startswith(f"{folder}/")
