"""How kfnb's objects are displayed: each type's drawing, given to IPython's formatters."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from kfnb import model, widgets
from kfnb.config import Kfnb
from kfnb.model import Artifact
from kfnb.runs.run import Run, RunList

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_HTML_TYPES = ("system.HTML", "system.Markdown")


def register(shell: InteractiveShell, live: Callable[[], bool]) -> None:
    """Teach a shell to display kfnb's objects; ``live()`` says whether a run is to be followed where it is shown."""
    bundles = shell.display_formatter.mimebundle_formatter  # type: ignore[union-attr]
    for kind, draw in _DRAWINGS.items():
        bundles.for_type(kind, _bundle(draw))
    bundles.for_type(Run, _bundle(lambda run: draw(run.snapshot())))
    displays = shell.display_formatter.ipython_display_formatter  # type: ignore[union-attr]
    displays.for_type(Run, lambda run: show(shell, run, follow=live()))


def draw(run: model.Run) -> dict[str, str]:
    """A run as a mimebundle, with the content of its reports."""
    return widgets.draw_run(run, dict(_contents(run)))


def show(shell: InteractiveShell, run: Run, *, follow: bool) -> None:
    """Display a run; with ``follow``, the display changes as the run does, until it is finished."""
    from IPython.display import display

    now = run.snapshot()
    handle = display(draw(now), raw=True, display_id=True)
    if follow and not now.state.finished and handle is not None:
        threading.Thread(target=_follow, args=(run, handle), name=f"kfnb-{run.id}", daemon=True).start()


def _follow(run: Run, handle: Any) -> None:
    import time

    shown: model.Run | None = None
    while shown is None or not shown.state.finished:
        time.sleep(0.3)
        now = run.snapshot()
        if now != shown:
            handle.update(draw(now), raw=True)
        shown = now


def _contents(run: model.Run) -> Iterator[tuple[str, str]]:
    for task in run.tasks:
        for artifact in task.artifacts.values():
            if artifact.type in _HTML_TYPES:
                yield artifact.uri, _text(artifact)


def _text(artifact: Artifact) -> str:
    try:
        with artifact.open("r") as file:
            return str(file.read())
    except (OSError, UnicodeDecodeError):
        return ""


def _bundle(draw: Callable[[Any], dict[str, str]]) -> Callable[..., dict[str, str]]:
    def bundle(thing: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
        del include, exclude  # IPython filters the bundle itself
        return draw(thing)

    return bundle


_DRAWINGS: dict[type, Callable[[Any], dict[str, str]]] = {
    RunList: widgets.draw_runs,
    model.ComponentView: widgets.draw_component,
    model.Graph: widgets.draw_graph,
    Kfnb: lambda settings: widgets.draw_settings(settings.items()),
}
