"""What a server keeps of the runs that were started on it: they are listed, put away, put back and removed.

The recordings have each of these once, of a run of their own. For others it is made up here, in the recorded form:
filters by the documents of KFP's API, a run as it was recorded.
"""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from replay import RUN_PATH, RUNS, Replay, exchanges

EXPERIMENTS = "/apis/v2beta1/experiments"


class Shelf:
    """The runs of a replay; to be its ``invented``."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._away: set[str] = set()
        self._gone: set[str] = set()

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any] | None:
        url = urlsplit(path)
        name, _, action = url.path.partition(":")
        run = RUN_PATH.match(name)
        if method == "GET" and name == RUNS:
            runs = [self._seen(one) for one in self._replay.recording.clocks if one not in self._gone]
            return listed(runs, dict(parse_qsl(url.query)))
        if method == "GET" and name == EXPERIMENTS:
            return self._experiments(path)
        return self._run(run[1], method, action) if run else None

    def _run(self, run_id: str, method: str, action: str) -> tuple[int, Any] | None:
        there = run_id in self._replay.recording.clocks and run_id not in self._gone
        if action in ("archive", "unarchive"):
            (self._away.add if action == "archive" else self._away.discard)(run_id)
        elif method == "DELETE":
            self._gone.add(run_id)
        elif method != "GET":
            return None  # it is recorded, if it is one of those
        if not there:
            return 404, {"code": 5, "message": f"Run {run_id} not found"}
        return 200, self._seen(run_id) if method == "GET" else {}

    def _experiments(self, path: str) -> tuple[int, Any]:
        row = self._replay.recording.find("GET", path, None)
        if row is not None:
            return row["status"], row["response"]
        made = next(
            row for row in exchanges("success") if (row["method"], row["path"]) == ("POST", EXPERIMENTS)
        )
        return 200, {} if "filter=" in path else {"experiments": [made["response"]]}

    def _seen(self, run_id: str) -> dict[str, Any]:
        seen = self._replay.recording.find("GET", f"{RUNS}/{run_id}", None)["response"]
        return {**seen, "storage_state": "ARCHIVED" if run_id in self._away else "AVAILABLE"}


def listed(runs: list[Any], query: dict[str, str], *, forgets: bool = True) -> tuple[int, Any]:
    """A page of runs, as KFP 2.17.0 gives it. It ``forgets`` on the second page what it was asked on the first, unless
    it was asked for plain strings: the recording ``stock/paging`` has each case.
    """
    predicates = json.loads(query.get("filter") or "{}").get("predicates", [])
    begin, size = int(query.get("page_token") or 0), int(query["page_size"])
    if begin and forgets and any("string_value" not in one for one in predicates):
        refused = next(row for row in exchanges("stock/paging") if row["status"] == 400)
        return 400, refused["response"]
    wanted = [
        run
        for run in runs
        if query.get("experiment_id") in (None, run["experiment_id"])
        and all(_holds(predicate, run) for predicate in predicates)
    ]
    newest = sorted(wanted, key=lambda run: str(run["created_at"]), reverse=True)
    more = {"next_page_token": str(begin + size)} if begin + size < len(newest) else {}
    return 200, {"runs": newest[begin : begin + size], "total_size": len(newest), **more}


def _holds(predicate: Any, run: Any) -> bool:
    value, wanted = run.get(predicate["key"], ""), predicate.get("string_value", "")
    match predicate["operation"]:
        case "EQUALS":
            return bool(value == wanted)
        case "NOT_EQUALS":
            return bool(value != wanted)
        case "IS_SUBSTRING":
            return wanted.casefold() in value.casefold()
        case other:
            raise AssertionError(other)
