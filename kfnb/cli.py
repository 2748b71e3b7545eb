"""The command ``kfnb``: the verbs of the magics, for a terminal and for CI.

It waits for what it starts, prints progress on stderr, and with ``--json`` the handle on stdout. Exit codes:
0 succeeded, 1 failed, 2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from kfnb import __version__ as version
from kfnb import api, managing, options, widgets
from kfnb.backends.events import encode
from kfnb.backends.run import Run
from kfnb.backends.schedule import Schedule
from kfnb.errors import BackendError, KfnbError, UsageError
from kfnb.model import Comparison, RunState, UploadedPipeline
from kfnb.model import Run as RunData
from kfnb.notebooks import command

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (the process's own by default) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words)
    except options.Help as text:
        print(text)
        return 0
    except KfnbError as error:
        print(error, file=sys.stderr)
        # all but what the backend says is told before anything has started: wrong use
        return 1 if isinstance(error, BackendError) else 2
    except BrokenPipeError:
        # what read our output has had enough of it; Python must not complain when it flushes the rest at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _dispatch(words: list[str]) -> int:
    verb = words[0] if words else ""
    if verb in ("--version", "-V"):
        print(f"kfnb {version}")
        return 0
    if verb in ("", "--help", "-h"):
        print(_usage())
        return 0 if verb else 2
    if verb not in VERBS:
        raise UsageError(f"kfnb has no verb {verb}; there are {', '.join(VERBS)}")
    return VERBS[verb][0](words[1:])


def _usage() -> str:
    verbs = "\n".join(f"  {verb:<11} {told}" for verb, (_, told) in VERBS.items())
    return f"usage: kfnb VERB ...\n\n{verbs}\n\nkfnb VERB --help shows its words."


def run_notebooks(words: list[str]) -> int:
    """``kfnb run``."""
    parser = options.Parser("kfnb run", command.SUMMARY)
    command.add_arguments(parser)
    return command.main(parser.read(words))


def submit(words: list[str]) -> int:
    """``kfnb submit``."""
    parser = _named(options.submit(), "kfnb submit")
    parser.add_argument("--json", action="store_true", help="print the run as JSON when it is finished")
    found, arguments = parser.read_with_arguments(words)
    run = api.submit(
        found.pipeline,
        arguments,
        backend=found.backend,
        name=found.name,
        experiment=found.experiment,
        cache=not found.no_cache,
    )
    return _see_through(run, json_wanted=found.json)


def _see_through(run: Run, *, json_wanted: bool) -> int:
    """Follow a run to its end and print what came of it; the exit code."""
    try:
        last = _follow(run)
    except KeyboardInterrupt:
        print(f"\nrun {run.id} goes on; kfnb logs -f {run.id} follows it", file=sys.stderr)
        return INTERRUPTED
    _print(last, json_wanted=json_wanted)
    return 0 if last.state is RunState.SUCCEEDED else 1


def _follow(run: Run) -> RunData:
    """Print a line on stderr as the run gets on, at most one a second; its last state."""
    print(f"run {run.id}", file=sys.stderr)
    said, last = 0.0, run.snapshot()
    for last in run.watch():
        if last.state.finished or time.monotonic() - said >= 1:
            print(widgets.draw_progress(last), file=sys.stderr)
            said = time.monotonic()
    return last


def compile_(words: list[str]) -> int:
    """``kfnb compile``."""
    found = _named(options.compile_(), "kfnb compile").read(words)
    if not found.to and not found.python:
        raise UsageError("kfnb compile: say where to: --to FILE.yaml")
    for path in filter(None, (found.to, found.python)):
        print(api.compile(found.pipeline, path))
    return 0


def runs(words: list[str]) -> int:
    """``kfnb runs``, ``kfnb runs show`` and ``kfnb runs prune``."""
    if words[:1] == ["show"]:
        return show_run(words[1:])
    if words[:1] == ["prune"]:
        return prune(words[1:])
    parser = _named(options.runs(), "kfnb runs")
    parser.add_argument("--json", action="store_true", help="print the runs as JSON")
    found = parser.read(words)
    listed = managing.runs(found)
    if found.json:
        print(json.dumps([as_json(run) for run in listed], indent=2, default=str))
    else:
        print(widgets.draw_runs(listed)["text/plain"])
    return 0


def compare(words: list[str]) -> int:
    """``kfnb compare``."""
    parser = _named(options.compare(), "kfnb compare")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")
    found = parser.read(words)
    comparison = api.compare(*found.runs, whole=found.all)
    if found.json:
        print(json.dumps(_comparison_as_json(comparison), indent=2, default=str))
    else:
        print(widgets.draw_comparison(comparison)["text/plain"])
    return 0


def _comparison_as_json(comparison: Comparison) -> dict[str, Any]:
    """A comparison as ``--json`` prints it: each thing by its name, in the order of the runs."""
    parts = ("arguments", "metrics", "environment", "states", "seconds")
    rows = {part: {row.name: encode(row.values) for row in getattr(comparison, part)} for part in parts}
    return {"runs": [run.id for run in comparison.runs], **rows}


def show_run(words: list[str]) -> int:
    """``kfnb runs show``."""
    parser = _named(options.run(), "kfnb runs show")
    parser.add_argument("--json", action="store_true", help="print the run as JSON")
    found = parser.read(words)
    _print(api.run(found.run).snapshot(), json_wanted=found.json)
    return 0


def _print(run: RunData, *, json_wanted: bool) -> None:
    print(
        json.dumps(as_json(run), indent=2, default=str)
        if json_wanted
        else widgets.draw_run(run)["text/plain"]
    )


def prune(words: list[str]) -> int:
    """``kfnb runs prune``."""
    removed = api.prune(keep=options.prune().read(words).keep)
    print("\n".join(removed) if removed else "nothing to remove", file=None if removed else sys.stderr)
    return 0


def stop(words: list[str]) -> int:
    """``kfnb stop``."""
    run = api.run(_named(options.stop(), "kfnb stop").read(words).run)
    run.stop()
    print(f"stopping run {run.id}", file=sys.stderr)
    return 0


def retry(words: list[str]) -> int:
    """``kfnb retry``."""
    parser = _named(options.retry(), "kfnb retry")
    parser.add_argument("--json", action="store_true", help="print the run as JSON when it is finished")
    found = parser.read(words)
    return _see_through(api.run(found.run).retry(), json_wanted=found.json)


def logs(words: list[str]) -> int:
    """``kfnb logs``."""
    found = _named(options.logs(), "kfnb logs").read(words)
    for line in api.log_lines(found.run, found.task, follow=found.follow):
        print(line, flush=found.follow)
    return 0


def archive(words: list[str]) -> int:
    """``kfnb archive``."""
    found = _named(options.archive(), "kfnb archive").read(words)
    managing.archive(found, api.handles(*found.runs), _tell)
    return 0


def delete(words: list[str]) -> int:
    """``kfnb delete``."""
    found = _named(options.delete(), "kfnb delete").read(words)
    managing.delete(found, api.handles(*found.runs), _tell, None)
    return 0


def experiments(words: list[str]) -> int:
    """``kfnb experiments``."""
    parser = _named(options.experiments(), "kfnb experiments")
    parser.add_argument("--json", action="store_true", help="print the experiments as JSON")
    found = parser.read(words)
    listed = api.experiments()
    _show(listed, widgets.draw_experiments(listed), json_wanted=found.json)
    return 0


def upload(words: list[str]) -> int:
    """``kfnb upload``."""
    parser = _named(options.upload(), "kfnb upload")
    parser.add_argument("--json", action="store_true", help="print the uploaded pipelines as JSON")
    found = parser.read(words)
    done = managing.upload(found)
    listed = [done] if isinstance(done, UploadedPipeline) else list(done)
    _show(listed, widgets.draw_uploads(listed), json_wanted=found.json)
    return 0


def schedule(words: list[str]) -> int:
    """``kfnb schedule``."""
    parser = _named(options.schedule(), "kfnb schedule")
    parser.add_argument("--json", action="store_true", help="print the schedules as JSON")
    found, arguments = parser.read_with_arguments(words)
    done = managing.schedule(found, arguments, _tell)
    if done is not None:
        listed = [one.told for one in ([done] if isinstance(done, Schedule) else done)]
        _show(listed, widgets.draw_schedules(listed), json_wanted=found.json)
    return 0


def _show(listed: Sequence[Any], drawn: dict[str, str], *, json_wanted: bool) -> None:
    rows = [asdict(one) for one in listed] if json_wanted else []
    print(json.dumps(rows, indent=2, default=str) if json_wanted else drawn["text/plain"])


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


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
        "seconds": run.seconds,
        "tasks": [
            {
                "name": task.name,
                "id": task.id,
                "state": str(task.state),
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


def _named(parser: options.Parser, prog: str) -> options.Parser:
    parser.prog = prog
    return parser


VERBS: dict[str, tuple[Callable[[list[str]], int], str]] = {
    "run": (run_notebooks, "execute notebooks from top to bottom"),
    "submit": (submit, "run a pipeline: a compiled file, or a program of KFP's SDK"),
    "compile": (compile_, "write a pipeline of a program of KFP's SDK as YAML"),
    "runs": (
        runs,
        "the newest runs; kfnb runs show ID shows one, kfnb runs prune --keep N removes the others",
    ),
    "compare": (compare, "runs side by side: what differs between them"),
    "logs": (logs, "what a run's tasks wrote"),
    "stop": (stop, "end a run and all of its processes"),
    "retry": (retry, "run again what did not succeed of a run"),
    "archive": (archive, "put runs away; --undo puts them back"),
    "delete": (delete, "remove finished runs for good"),
    "experiments": (experiments, "the experiments there are"),
    "upload": (upload, "keep a pipeline on the cluster, or a new version of one"),
    "schedule": (schedule, "run a pipeline on the cluster again and again; list, pause, resume, delete"),
}

if __name__ == "__main__":
    sys.exit(main())
