"""Steps that are containers, run by docker or podman.

The container sees the run's folder, and inputs outside of it, at the same paths as this machine does. Its image's user
writes the outputs. It is named after its task, so that it can be ended with it; while it may exist, a file in the
task's folder names it, so that recovery can remove it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kfnb.jobs import private
from kfnb.resources.runs.local.executor_io import TaskInvocation, executor_input
from kfnb.resources.runs.local.placeholder import Context, fill
from kfnb.resources.runs.local.spec import Container

_NOTE = "container.json"
_TIMEOUT = 10.0
"""Seconds that an engine may take to remove a container."""


def command(work: TaskInvocation, container: Container, program: str, run: Path) -> list[str]:
    """The command that runs ``work`` with the engine ``program``; ``run`` is the run's folder."""
    called, *first = _words(container.command, work) or [""]
    options = [option for place in _seen(work, run) for option in ("--volume", place)]
    for name, value in container.env.items():
        options += ["--env", f"{name}={value}"]
    for name in work.supply.env:
        options += ["--env", name]  # its value is passed in the environment, which process lists do not show
    if called:
        options += ["--entrypoint", called]
    return [
        program, "run", "--rm", "--init", "--name", _name(work, run),
        *options, container.image, *first, *_words(container.args, work),
    ]  # fmt: skip


def act(command: list[str], env: Mapping[str, str], folder: Path) -> int:
    """In the process of the task in ``folder``: run the container, end it with this process; its exit status."""
    program, name, note = command[0], command[command.index("--name") + 1], folder / _NOTE
    private.write(note, json.dumps([program, name]))
    process = subprocess.Popen(command, env={**os.environ, **env}, stdin=subprocess.DEVNULL)

    def end(*_: object) -> None:
        subprocess.run([program, "kill", name], capture_output=True, check=False)

    signal.signal(signal.SIGTERM, end)
    status = process.wait()
    note.unlink(missing_ok=True)
    return status


def remove(folder: Path) -> None:
    """Remove the container that the task in ``folder`` left behind, if any."""
    with suppress(OSError, ValueError, subprocess.TimeoutExpired):
        program, name = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        subprocess.run([program, "rm", "--force", name], capture_output=True, check=False, timeout=_TIMEOUT)


def _seen(work: TaskInvocation, run: Path) -> Iterator[str]:
    """The container's mounts of this machine's folders, as options of the engine."""
    yield f"{run}:{run}"
    for mount in work.supply.mounts:
        if mount.folder is not None:
            yield f"{mount.folder}:{mount.path}"
    for value in work.artifacts.values():
        for artifact in value if isinstance(value, list) else [value]:
            if Path(artifact.uri).is_absolute() and not Path(artifact.uri).is_relative_to(run):
                yield f"{artifact.uri}:{artifact.uri}:ro"


def _name(work: TaskInvocation, run: Path) -> str:
    return f"kfnb-{run.name}-{re.sub('[^a-zA-Z0-9_.-]', '-', work.id)}"


def _words(texts: tuple[str, ...], work: TaskInvocation) -> list[str]:
    """A container's command or arguments with all placeholders filled in."""
    context = Context(work.parameters, work.artifacts, _outputs(work))
    return [word for text in texts for word in _expanded(_structure(text), context)]


def _outputs(work: TaskInvocation) -> dict[str, str]:
    """The paths of the step's outputs, by placeholder."""
    planned = executor_input(work)["outputs"]
    words = {"outputs.output_file": planned["outputFile"]}
    for name, parameter in planned["parameters"].items():
        words[f"outputs.parameters['{name}'].output_file"] = parameter["outputFile"]
    for name, artifact in planned["artifacts"].items():
        for field in ("path", "uri"):
            words[f"outputs.artifacts['{name}'].{field}"] = artifact["artifacts"][0]["uri"]
    return words | {"": json.dumps(executor_input(work))}


def _structure(text: str) -> Any:
    """A ``Concat`` or ``IfPresent``, which the compiler writes as JSON, as data; else the text."""
    if text.startswith(('{"Concat"', '{"IfPresent"')):
        with suppress(ValueError):
            return json.loads(text)
    return text


def _expanded(value: Any, context: Context) -> list[str]:
    if isinstance(value, list):
        return [word for item in value for word in _expanded(item, context)]
    if isinstance(value, dict) and "Concat" in value:
        return ["".join(_expanded(value["Concat"], context))]
    if isinstance(value, dict):
        condition = value["IfPresent"]
        given = condition["InputName"] in context.parameters or condition["InputName"] in context.artifacts
        return _expanded(condition["Then"] if given else condition.get("Else", []), context)
    if value == "{{$}}":
        return [context.words[""]]
    return [str(fill(value, context))]
