"""How verbs are named and how what they did is printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kfnb import options, widgets
from kfnb.backends.events import encode
from kfnb.model import Run as RunData
from kfnb.widgets.states import shown
from kfnb.widgets.words import clean


def named(parser: options.Parser, prog: str) -> options.Parser:
    """A magic's parser as that of the command."""
    parser.prog = prog
    return parser


def tell(text: str) -> None:
    """Say something that is not the result; what acts on a terminal instead of being read is left out."""
    print(clean(text), file=sys.stderr)


def show(listed: Sequence[Any], drawn: dict[str, str], *, json_wanted: bool) -> None:
    """Print things that were listed, as they are drawn or as JSON."""
    rows = [asdict(one) for one in listed] if json_wanted else []
    print(json.dumps(rows, indent=2, default=str) if json_wanted else drawn["text/plain"])


def print_run(run: RunData, *, json_wanted: bool) -> None:
    """Print a run, as it is drawn or as JSON."""
    print(
        json.dumps(as_json(run), indent=2, default=str)
        if json_wanted
        else widgets.draw_run(run)["text/plain"]
    )


def as_json(run: RunData) -> dict[str, Any]:
    """A run as ``--json`` prints it."""
    return {
        "id": run.id,
        "name": run.name,
        "pipeline": run.pipeline,
        "state": str(run.state),
        "experiment": run.experiment,
        "arguments": encode(run.arguments),
        "result": encode(run.result),
        "metrics": encode(run.metrics),
        "error": run.error,
        "doing": "; ".join(dict.fromkeys(task.doing for task in run.tasks if task.doing)),
        "seconds": run.seconds,
        "tasks": [
            {
                "name": task.name,
                "id": task.id,
                "state": str(shown(task).state),
                "doing": task.doing,
                "outputs": encode(task.outputs),
                "metrics": encode(task.metrics),
                "error": task.error.message if task.error else None,
                "seconds": task.seconds,
                "cached": task.cached,
            }
            for task in run.tasks
            if not task.group
        ],
    }
