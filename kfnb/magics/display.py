"""How kfnb's objects are displayed: each type's drawing, given to IPython's formatters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kfnb import model, widgets
from kfnb.backends.run import Run, RunList
from kfnb.config import Kfnb
from kfnb.errors import KfnbError
from kfnb.magics.following import follow as keep_up
from kfnb.model import Artifact

_READ = ("system.HTML", "system.Markdown")
_LONGEST = 2_000_001


def bundle(thing: Any) -> dict[str, str]:
    """One of kfnb's objects as a mimebundle."""
    return _DRAWINGS[type(thing)](thing)


def draw(run: model.Run, texts: dict[str, str] | None = None) -> dict[str, str]:
    """A run as a mimebundle, with the content of its reports; ``texts`` keeps what was read, by URI."""
    texts = {} if texts is None else texts
    for task in run.tasks:
        for artifact in task.artifacts.values():
            if artifact.type in _READ and not texts.get(artifact.uri):
                texts[artifact.uri] = _text(artifact)
    return widgets.draw_run(run, texts)


def show(run: Run, *, follow: bool) -> None:
    """Display a run; with ``follow``, the display changes as the run does, until it is finished."""
    from IPython.display import display

    try:
        now = run.snapshot()
    except KfnbError as error:  # IPython would print a traceback
        print(f"{type(error).__name__}: {error}")
        return
    texts: dict[str, str] = {}
    handle = display(draw(now, texts), raw=True, display_id=True)
    if follow and not now.state.finished and handle is not None and _can_change():
        keep_up(run, handle, lambda later: draw(later, texts))


def _can_change() -> bool:
    """Whether what is displayed can be displayed anew: a terminal would print it again below."""
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")


def _text(artifact: Artifact) -> str:
    try:
        with artifact.open("r") as file:
            return str(file.read(_LONGEST))
    except Exception:  # whatever a file system of fsspec's raises: the artifact is shown without its content
        return ""


_DRAWINGS: dict[type, Callable[[Any], dict[str, str]]] = {
    Run: lambda run: draw(run.snapshot()),
    RunList: widgets.draw_runs,
    model.ComponentView: widgets.draw_component,
    model.Graph: widgets.draw_graph,
    Kfnb: lambda settings: widgets.draw_settings(settings.items()),
}
