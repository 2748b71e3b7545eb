"""The verbs of pipelines, and of what Kubeflow Pipelines keeps beside runs."""

from __future__ import annotations

from kfnb import options
from kfnb.commands.output import show
from kfnb.commands.terminal import tell
from kfnb.errors import UsageError
from kfnb.model import UploadedPipeline
from kfnb.resources.experiments.view import draw_experiments
from kfnb.resources.runs import api, line
from kfnb.resources.schedules.handle import Schedule
from kfnb.resources.schedules.view import draw_schedules
from kfnb.resources.uploads.view import draw_uploads


def compile_(words: list[str]) -> int:
    """``kfnb compile``."""
    found = options.compile_().for_command("kfnb compile").read(words)
    if not found.to and not found.python:
        raise UsageError("kfnb compile: say where to: --to FILE.yaml")
    for path in filter(None, (found.to, found.python)):
        print(api.compile(found.pipeline, path))
    return 0


def experiments(words: list[str]) -> int:
    """``kfnb experiments``."""
    parser = options.experiments().for_command("kfnb experiments")
    parser.add_argument("--json", action="store_true", help="print the experiments as JSON")
    found = parser.read(words)
    listed = api.experiments()
    show(listed, draw_experiments(listed), json_wanted=found.json)
    return 0


def upload(words: list[str]) -> int:
    """``kfnb upload``."""
    parser = options.upload().for_command("kfnb upload")
    parser.add_argument("--json", action="store_true", help="print the uploaded pipelines as JSON")
    found = parser.read(words)
    done = line.upload(found, tell)
    listed = [done] if isinstance(done, UploadedPipeline) else list(done)
    show(listed, draw_uploads(listed), json_wanted=found.json)
    return 0


def schedule(words: list[str]) -> int:
    """``kfnb schedule``."""
    parser = options.schedule().for_command("kfnb schedule")
    parser.add_argument("--json", action="store_true", help="print the schedules as JSON")
    found, arguments = parser.read_with_arguments(words)
    done = line.schedule(found, arguments, tell)
    if done is not None:
        listed = [one.told for one in ([done] if isinstance(done, Schedule) else done)]
        show(listed, draw_schedules(listed), json_wanted=found.json)
    return 0
