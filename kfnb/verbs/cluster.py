"""The verbs that tell of the cluster."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from typing import Any

from kfnb import options
from kfnb.commands.output import as_row
from kfnb.commands.terminal import in_terminal
from kfnb.model.check import Outcome
from kfnb.model.cluster import Part, Status
from kfnb.resources.cluster import api
from kfnb.resources.cluster.view.checks import draw_checks
from kfnb.resources.cluster.view.status import draw_status

_CLEAR = "\x1b[H\x1b[2J"


def status(words: list[str]) -> int:
    """``kfnb status``."""
    parser = options.status().for_command("kfnb status")
    parser.add_argument(
        "--json", action="store_true", help="print the status as JSON; with --watch, a line each time"
    )
    found = parser.read(words)
    if not found.watch:
        once = api.status()
        print(json.dumps(as_data(once), indent=2, default=str) if found.json else _drawn(once))
        return 0
    try:
        for one in api.following():
            if sys.stdout.isatty() and not found.json:
                print(_CLEAR, end="")
            # a line each time, so that who reads them knows where one ends
            print(json.dumps(as_data(one), default=str) if found.json else _drawn(one), flush=True)
    except KeyboardInterrupt:
        print()
    return 0


def doctor(words: list[str]) -> int:
    """``kfnb doctor``."""
    parser = options.doctor()
    found = parser.read(words)
    checks = [replace(one, mend=in_terminal(one.mend)) for one in api.examine()]
    if found.json:
        print(json.dumps([asdict(one) for one in checks], indent=2))
    else:
        print(in_terminal(draw_checks(checks)["text/plain"]))
    return 1 if any(one.outcome is Outcome.BAD for one in checks) else 0


def _drawn(status: Status) -> str:
    return in_terminal(draw_status(status)["text/plain"])


def as_data(status: Status) -> dict[str, Any]:
    """A status as ``--json`` prints it: of a run as much as elsewhere."""
    runs = [as_row(run) for run in status.runs.value or ()] if status.runs.known else None
    data = asdict(replace(status, runs=Part(status.runs.knowledge, None, status.runs.reason)))
    data["runs"]["value"] = runs
    return data
