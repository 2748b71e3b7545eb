"""How a cluster's status and checks are shown."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from kfnb.aliases import with_former_names
from kfnb.commands.display import Display
from kfnb.diagnostics import LogList
from kfnb.resources.cluster.model import CheckList, Status, StatusItem
from kfnb.resources.cluster.view.checks import draw_checks
from kfnb.resources.cluster.view.logs import draw_logs
from kfnb.resources.cluster.view.status import draw_status
from kfnb.resources.runs.display import as_row

_FORMER = {"asked": "as_of", "told": "description", "wanted": "desired"}
"""Fields of a status that ``--json`` prints under their former names, too."""


def as_data(status: Status) -> dict[str, Any]:
    """A status as ``--json`` prints it: of a run as much as elsewhere."""
    runs = [as_row(run) for run in status.runs.value or ()] if status.runs.known else None
    data = asdict(replace(status, runs=StatusItem(status.runs.knowledge, None, status.runs.reason)))
    data = with_former_names(data, _FORMER)
    data["runs"]["value"] = runs
    return dict(data)


def _checks_as_data(checks: CheckList) -> Any:
    return with_former_names([asdict(one) for one in checks], {"told": "message"})


DISPLAYS = {
    Status: Display(draw_status, as_data),
    LogList: Display(draw_logs, lambda logs: [asdict(one) for one in logs.files]),
    CheckList: Display(draw_checks, _checks_as_data),
}
