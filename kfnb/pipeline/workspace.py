"""What this kernel has defined: its notebook and its pipelines, by name."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from kfnb.capture.notebook import ExecutedNotebook
from kfnb.errors import UsageError
from kfnb.pipeline.pipeline import Pipeline


class Workspace:
    """The notebook of this process and the pipelines that it has defined."""

    def __init__(self, notebook: ExecutedNotebook) -> None:
        self.notebook = notebook
        self.pipelines: dict[str, Pipeline] = {}

    def pipeline(self, name: str) -> Pipeline:
        """The pipeline ``name``. Raises ``UsageError`` with the known names."""
        if name in self.pipelines:
            return self.pipelines[name]
        if name in self.notebook.components:
            raise UsageError(
                f"{name} is a component, not a pipeline:",
                code="unknown-pipeline",
                hint=f"create a pipeline with %kf_pipeline NAME {name}",
                ref=name,
            )
        hint = self.like(name) or f"pipelines: {', '.join(self.pipelines) or _NO_PIPELINES}"
        if (close := self._close(name)) in self.notebook.components:
            hint += f" Create a pipeline of it with %kf_pipeline NAME {close}"
        raise UsageError(f"unknown pipeline {name}", code="unknown-pipeline", hint=hint, ref=name)

    def unknown(self, name: str) -> UsageError:
        """The error for a name that is neither a component nor a pipeline."""
        if name in self.notebook.failed:
            message = f"{name} is not a component: its cell has failed or was interrupted:"
            return UsageError(message, code="unknown-component", hint="run it to its end", ref=name)
        known = ", ".join([*self.notebook.components, *self.pipelines]) or "none yet"
        hint = self.like(name) or f"known names: {known}"
        message = f"unknown component or pipeline {name}"
        return UsageError(message, code="unknown-component", hint=hint, ref=name)

    def like(self, name: str) -> str:
        """A suggestion of a component or pipeline for an unknown name; empty where none is similar."""
        close = self._close(name)
        kind = "component" if close in self.notebook.components else "pipeline"
        return f"did you mean the {kind} {close}?" if close else ""

    def _close(self, name: str) -> str:
        return next(iter(get_close_matches(name, [*self.pipelines, *self.notebook.components], 1)), "")


_NO_PIPELINES = "none yet: define one with %kf_pipeline"


def workspace() -> Workspace:
    """The workspace of this process; empty where no notebook runs."""
    global _current
    if _current is None:
        _current = Workspace(ExecutedNotebook({}, Path.cwd()))
    return _current


def use(current: Workspace) -> None:
    """Set the workspace of this process."""
    global _current
    _current = current


_current: Workspace | None = None
