"""Answers that no recording has, made in the form of those that were recorded: a big run, a long list."""

import copy
from typing import Any

from replay import GOOD, looks

from kfnb.resources.runs.kubeflow.argo_nodes import Path

START, END = "2026-11-23T14:36:12Z", "2026-11-23T14:38:12Z"


def big_run(tasks: int, width: int = 50) -> dict[str, Any]:
    """A run whose pipeline is so many loops of ``width`` turns that there are ``tasks`` tasks, all done."""
    loops = [f"for-loop-{number}" for number in range(tasks // width)]
    answer = copy.deepcopy(looks(GOOD)[-1])
    spec = answer["pipeline_spec"]
    spec["root"]["dag"] = {
        "tasks": {
            name: {
                "componentRef": {"name": "comp-for-loop-5"},
                "parameterIterator": {"itemInput": "x", "items": {"raw": "[]"}},
                "taskInfo": {"name": name},
            }
            for name in loops
        }
    }
    rows = [
        _row("big-abcde", ".root-driver"),
        _row("root-driver", ".root"),
        _row("root", *[f".root.{name}" for name in loops]),
    ]
    for name in loops:
        rows += _loop(name, f".root.{name}", width)
    answer["run_details"] = {"task_details": rows}
    return answer


def _loop(name: str, path: str, width: int) -> list[dict[str, Any]]:
    turns = f"{path}.iteration-iterations"
    each = [f"{turns}({turn}:{turn})" for turn in range(width)]
    rows = [
        _row(name, f"{path}.iteration-driver"),
        _row("iteration-driver", turns),
        _row("iteration-iterations", *each),
    ]
    for turn, own in enumerate(each):
        item = f"{own}.iteration-item"
        rows += [
            _row(f"iteration-iterations({turn}:{turn})", f"{own}.iteration-item-driver"),
            _row("iteration-item-driver", item),
            _row("iteration-item", f"{item}.score-driver"),
            _row("score-driver", f"{item}.score"),
            _row("score", f"{item}.score.executor"),
            _row("executor"),
        ]
    return rows


def _row(name: str, *children: str) -> dict[str, Any]:
    run = Path("big-abcde")
    return {
        "task_id": "05818bf7-bb00-499a-960d-715955f8c2ca",
        "display_name": name,
        "create_time": START,
        "start_time": START,
        "end_time": END,
        "state": "SUCCEEDED",
        "state_history": [
            {"update_time": START, "state": "RUNNING"},
            {"update_time": END, "state": "SUCCEEDED"},
        ],
        "child_tasks": [{"pod_name": (run + child).id} for child in children],
    }


def many_runs(number: int) -> list[dict[str, Any]]:
    """So many runs, the newest first; each with its pipeline, without its tasks."""
    answer = {name: value for name, value in looks(GOOD)[-1].items() if name != "run_details"}
    return [
        {
            **answer,
            "run_id": f"{one:08x}-0000-0000-0000-000000000000",
            "display_name": f"run {one}",
            "state": ("SUCCEEDED", "FAILED")[one % 2],
        }
        for one in range(number)
    ]
