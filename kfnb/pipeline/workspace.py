"""What the kernel at hand has defined: its notebook and its pipelines, by name."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from kfnb.capture.notebook import Notebook
from kfnb.errors import UsageError
from kfnb.pipeline.pipeline import Pipeline


class Workspace:
    """The notebook that runs in this process and the pipelines that it has defined."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.pipelines: dict[str, Pipeline] = {}

    def pipeline(self, name: str) -> Pipeline:
        """The pipeline called ``name``. Raises ``UsageError`` with the names there are."""
        if name in self.pipelines:
            return self.pipelines[name]
        if name in self.notebook.components:
            raise UsageError(
                f"{name} is a component, not a pipeline: %kf_pipeline NAME {name} makes one of it"
            )
        close = get_close_matches(name, self.pipelines, 1)
        known = ", ".join(self.pipelines) or "none yet: define one with %kf_pipeline"
        hint = f"did you mean {close[0]}?" if close else f"there are {known}"
        raise UsageError(f"no pipeline is called {name}; {hint}")


def workspace() -> Workspace:
    """This process's workspace; an empty one where no notebook runs."""
    global _current
    if _current is None:
        _current = Workspace(Notebook({}, Path.cwd()))
    return _current


def use(current: Workspace) -> None:
    """Make ``current`` this process's workspace."""
    global _current
    _current = current


_current: Workspace | None = None
