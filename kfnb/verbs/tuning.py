"""The verbs of studies: ``kfnb tune`` waits for what it starts."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from kfnb import model, options
from kfnb.commands.terminal import sub_verb, tell
from kfnb.errors import UsageError
from kfnb.jobs.polling import poll
from kfnb.model import RunState
from kfnb.resources.runs import line as managing
from kfnb.resources.runs.events import encode
from kfnb.resources.studies import api
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.view.studies import draw_studies
from kfnb.resources.studies.view.study import draw_study

INTERRUPTED = 130
_OF_STUDIES = "further verbs: kfnb studies show NAME shows a study; it also stops, resumes or deletes one"


def tune(words: list[str]) -> int:
    """``kfnb tune``."""
    parser = options.tune_line().for_command("kfnb tune")
    parser.add_argument("--json", action="store_true", help="print the study as JSON when it is finished")
    found, arguments = parser.read_with_arguments(words)
    how = options.search_of(found, "kfnb tune")
    space = options.space_of(found, {}, "kfnb tune")
    how["arguments"] = arguments
    if found.dry_run:
        print(api.drafted(found.subject, space, name=found.study, **how))
        return 0
    return _see_through(api.tune(found.subject, space, name=found.study, **how), json_wanted=found.json)


def _see_through(study: Study, *, json_wanted: bool) -> int:
    """Follow a study to its end and print what came of it; the exit code."""
    try:
        last = _follow(study)
    except KeyboardInterrupt:
        print(f"\nstudy {study.name} goes on; kfnb studies show {study.name} shows it", file=sys.stderr)
        return INTERRUPTED
    _print(last, json_wanted=json_wanted)
    return 0 if last.state is RunState.SUCCEEDED else 1


def _follow(study: Study) -> model.Study:
    """Print a line on stderr as the study gets on, at most one a second; its last state."""
    tell(f"study {study.name}")
    observed, said, told = study.observe(), 0.0, ""
    for _ in poll(observed, study.pace):
        if (observed.over or time.monotonic() - said >= 1) and (line := _progress(observed.study)) != told:
            tell(line)
            said, told = time.monotonic(), line
    return observed.study


def _progress(study: model.Study) -> str:
    """How far a study is, in a line."""
    of = "" if study.max_trials is None else f" of {study.max_trials}"
    best = study.best
    value = "" if best is None or best.value is None else f", best {study.objective.metric} {best.value:.6g}"
    return f"{str(study.state).lower()}: {study.done}{of} trials{value}"


def studies(words: list[str]) -> int:
    """``kfnb studies`` and ``kfnb studies show``."""
    parser = options.studies().for_command("kfnb studies", verbs=_OF_STUDIES)
    if sub_verb(parser, words, ("show",)):
        return show(words[1:])
    parser.add_argument("--json", action="store_true", help="print the studies as JSON")
    found = parser.read(words)
    listed = api.studies(backend=found.backend)
    if found.json:
        print(json.dumps([as_json(one) for one in listed], indent=2, default=str))
    else:
        print(draw_studies(listed)["text/plain"])
    return 0


def show(words: list[str]) -> int:
    """``kfnb studies show``, which also stops a study, goes on with it, or forgets it."""
    parser = options.study().for_command("kfnb studies show")
    parser.add_argument("--json", action="store_true", help="print the study as JSON")
    found = parser.read(words)
    study = api.study(found.name, backend=found.backend)
    if found.trials is not None and not found.resume:
        raise UsageError("kfnb studies show: --trials goes with --resume")
    if found.resume:
        return _see_through(study.resume(found.trials), json_wanted=found.json)
    if found.logs is not None:
        managing.trial_log(study, found, None, print, tell)
    elif found.delete:
        study.delete()
        tell(f"deleted study {study.name}")
    elif found.stop:
        study.stop()
        tell(f"stopping study {study.name}")
    else:
        _print(study.snapshot(), json_wanted=found.json)
    return 0


def _print(study: model.Study, *, json_wanted: bool) -> None:
    text = json.dumps(as_json(study), indent=2, default=str) if json_wanted else ""
    print(text or draw_study(study)["text/plain"])


def as_json(study: model.Study) -> dict[str, Any]:
    """A study as ``--json`` prints it."""
    best = study.best
    return {
        "name": study.name,
        "subject": study.subject,
        "backend": study.backend,
        "state": str(study.state),
        "objective": study.objective.metric,
        "maximize": study.objective.maximize,
        "best": None if best is None else _trial(best),
        "reason": study.reason,
        "error": study.error,
        "trials": [_trial(trial) for trial in study.trials],
    }


def _trial(trial: model.Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": str(trial.state),
        "params": encode(trial.params),
        "value": trial.value,
        "metrics": encode(trial.metrics),
        "error": trial.error.message if trial.error else None,
        "seconds": trial.seconds,
        "run": trial.run or None,
    }
