"""The verbs of runs: they wait for what they start."""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import Any

from kfnb import options
from kfnb.commands.output import as_row, print_run
from kfnb.commands.terminal import sub_verb, tell
from kfnb.execute import command
from kfnb.jobs.polling import poll
from kfnb.model import Comparison, RunState
from kfnb.model import Run as RunData
from kfnb.resources.runs import api, line
from kfnb.resources.runs.events import encode
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.view.comparison import draw_comparison
from kfnb.resources.runs.view.progress import draw_progress
from kfnb.resources.runs.view.runs import draw_runs

INTERRUPTED = 130
_OF_RUNS = "further verbs: kfnb runs show ID shows a run, kfnb runs prune removes all but the newest"


def run_notebooks(words: list[str]) -> int:
    """``kfnb run``."""
    parser = options.Parser("kfnb run", command.SUMMARY)
    command.add_arguments(parser)
    return command.main(parser.read(words))


def submit(words: list[str]) -> int:
    """``kfnb submit``."""
    parser = options.submit().for_command("kfnb submit")
    parser.add_argument("--json", action="store_true", help="print the run as JSON when it is finished")
    found, arguments = parser.read_with_arguments(words)
    run = line.submit(found, arguments, tell, found.from_study)
    code = _see_through(run, json_wanted=found.json)
    if found.keep_files and code != INTERRUPTED:
        line.keep_files(run, found.keep_files, tell)
    return code


def _see_through(run: Run, *, json_wanted: bool) -> int:
    """Follow a run to its end and print what came of it; the exit code."""
    try:
        last = _follow(run)
    except KeyboardInterrupt:
        told = f"run {run.id} is still running; follow it with kfnb logs -f {run.id}, stop it with kfnb stop {run.id}"
        print(f"\n{told}", file=sys.stderr)
        return INTERRUPTED
    print_run(last, json_wanted=json_wanted)
    return 0 if last.state is RunState.SUCCEEDED else 1


def _follow(run: Run) -> RunData:
    """Print a line on stderr as the run gets on, at most one a second, and each note on it once; its last state."""
    print(f"run {run.id}", file=sys.stderr)
    observed = run.observe()
    said, told = 0.0, observed.run
    noted: set[str] = set()
    for _ in poll(observed, observed.pace):
        now = observed.run
        for note in now.notes:
            if note not in noted:
                tell(f"note: {note}")
        noted.update(now.notes)
        if now != told and (observed.over or time.monotonic() - said >= 1):
            print(draw_progress(now), file=sys.stderr)
            said, told = time.monotonic(), now
    return observed.run


def runs(words: list[str]) -> int:
    """``kfnb runs``, ``kfnb runs show`` and ``kfnb runs prune``."""
    parser = options.runs().for_command("kfnb runs", verbs=_OF_RUNS)
    verb = sub_verb(parser, words, ("show", "prune"))
    if verb:
        return {"show": show_run, "prune": prune}[verb](words[1:])
    parser.add_argument("--json", action="store_true", help="print the runs as JSON")
    found = parser.read(words)
    listed = line.runs(found)
    if found.json:
        print(json.dumps([as_row(run) for run in listed], indent=2, default=str))
    else:
        print(draw_runs(listed)["text/plain"])
    return 0


def show_run(words: list[str]) -> int:
    """``kfnb runs show``."""
    parser = options.run().for_command("kfnb runs show")
    parser.add_argument("--json", action="store_true", help="print the run as JSON")
    found = parser.read(words)
    print_run(line.shown(api.run(found.run), found, tell).snapshot(), json_wanted=found.json)
    return 0


def prune(words: list[str]) -> int:
    """``kfnb runs prune``."""
    removed = api.prune(keep=options.prune().read(words).keep)
    print("\n".join(removed) if removed else "nothing to remove", file=None if removed else sys.stderr)
    return 0


def compare(words: list[str]) -> int:
    """``kfnb compare``."""
    parser = options.compare().for_command("kfnb compare")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")
    found = parser.read(words)
    comparison = api.compare(*found.runs, whole=found.all)
    if found.json:
        print(json.dumps(_comparison_as_json(comparison), indent=2, default=str))
    else:
        print(draw_comparison(comparison)["text/plain"])
    return 0


def _comparison_as_json(comparison: Comparison) -> dict[str, Any]:
    """A comparison as ``--json`` prints it: each thing by its name, in the order of the runs."""
    parts = ("arguments", "metrics", "environment", "states", "seconds")
    rows = {part: {row.name: encode(row.values) for row in getattr(comparison, part)} for part in parts}
    return {"runs": [run.id for run in comparison.runs], **rows}


def stop(words: list[str]) -> int:
    """``kfnb stop``."""
    run = api.run(options.stop().for_command("kfnb stop").read(words).run)
    state = run.snapshot().state
    if state.finished:
        print(f"run {run.id} is already finished: {state}", file=sys.stderr)
        return 0
    run.stop()
    print(f"stopping run {run.id}", file=sys.stderr)
    return 0


def retry(words: list[str]) -> int:
    """``kfnb retry``."""
    parser = options.retry().for_command("kfnb retry")
    parser.add_argument("--json", action="store_true", help="print the run as JSON when it is finished")
    found = parser.read(words)
    return _see_through(api.run(found.run).retry(), json_wanted=found.json)


def logs(words: list[str]) -> int:
    """``kfnb logs``."""
    found = options.logs().for_command("kfnb logs").read(words)
    run = api.newest() if found.run is None else api.run(found.run)
    line.logs(run, found, None, partial(print, flush=found.follow), tell)
    return 0


def archive(words: list[str]) -> int:
    """``kfnb archive``."""
    found = options.archive().for_command("kfnb archive").read(words)
    line.archive(found, api.handles(*found.runs), tell)
    return 0


def delete(words: list[str]) -> int:
    """``kfnb delete``."""
    found = options.delete().for_command("kfnb delete").read(words)
    line.delete(found, api.handles(*found.runs), tell, None)
    return 0
