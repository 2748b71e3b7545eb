"""The verbs that tell of the cluster."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from typing import Any

from kfnb import options, standing, widgets
from kfnb.model.check import Outcome
from kfnb.model.cluster import Part, Status
from kfnb.verbs.printing import as_json, named

_CLEAR = "\x1b[H\x1b[2J"


def status(words: list[str]) -> int:
    """``kfnb status``."""
    parser = named(options.status(), "kfnb status")
    parser.add_argument("--json", action="store_true", help="print the status as JSON")
    found = parser.read(words)
    if not found.watch:
        _print(standing.status(), json_wanted=found.json)
        return 0
    try:
        for one in standing.following():
            if sys.stdout.isatty() and not found.json:
                print(_CLEAR, end="")
            _print(one, json_wanted=found.json)
            sys.stdout.flush()
    except KeyboardInterrupt:
        print()
    return 0


def doctor(words: list[str]) -> int:
    """``kfnb doctor``."""
    parser = options.doctor()
    found = parser.read(words)
    checks = standing.examine()
    if found.json:
        print(json.dumps([asdict(one) for one in checks], indent=2))
    else:
        print(widgets.draw_checks(checks)["text/plain"])
    return 1 if any(one.outcome is Outcome.BAD for one in checks) else 0


def _print(status: Status, *, json_wanted: bool) -> None:
    text = widgets.draw_status(status)["text/plain"]
    print(json.dumps(as_data(status), indent=2, default=str) if json_wanted else text)


def as_data(status: Status) -> dict[str, Any]:
    """A status as ``--json`` prints it: of a run as much as elsewhere."""
    runs = [as_json(run) for run in status.runs.value or ()] if status.runs.known else None
    data = asdict(replace(status, runs=Part(status.runs.knowledge, None, status.runs.reason)))
    data["runs"]["value"] = runs
    return data
