"""Executes trials, one after the other, in a process that the driver forked: the step's program stays loaded.

Each trial runs the step's function in its own namespace, as a step runs in its own process. What the trial
has found goes back over a socket, a line of JSON each: ``{"report": [step, value]}``, which is answered by whether the
trial is to end, and ``{"ended": ..., "cpu_seconds": ...}`` (see ``outcome``).
"""

from __future__ import annotations

import copy
import json
import logging
import os
import random
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import CodeType, ModuleType, TracebackType
from typing import Any

from kfnb import compat
from kfnb.resources.runs.local.runner import MODULE, describe, record
from kfnb.resources.studies.local import trial_log
from kfnb.text.shorten import shorten

_SLOW_TO_READ = frozenset({"parquet", "series-parquet", "polars-parquet", "arrow-parquet", "skops"})
"""Formats of inputs that are read once, and copied for each trial."""


class EndTrial(BaseException):
    """The trial has no prospect and ends here. No ``except Exception`` of the step's keeps it."""


@dataclass(frozen=True)
class TrialProgram:
    """The step as a program: ``source`` in ``file``, whose ``function`` it is. ``measured`` are the objective's name
    and those of the further metrics. ``record`` says where a worker records what it runs on.
    """

    source: str
    file: str
    function: str
    measured: tuple[str, ...]
    record: Mapping[str, str] = field(default_factory=dict)


def serve(file: int, program: TrialProgram) -> int:
    """Execute the trials that come over the socket that is open as ``file``, until there are no more."""
    line = socket.socket(fileno=file)
    os.environ.update(KFNB_OBJECTIVE=program.measured[0], KFNB_RETRIES="outside")
    sys.argv[:] = [program.file]
    sys.path.insert(0, str(Path(program.file).parent))
    sys.modules["__main__"] = ModuleType("__main__")
    worker = Worker(program, line.makefile("r", encoding="utf-8"), line)
    recorded = False
    while order := worker.receive():
        before = _cpu_seconds()
        ended = worker.trial(json.loads(order))
        spent = _cpu_seconds() - before
        if not recorded:  # when the first trial has ended, its libraries are loaded
            record(program.record)
            recorded = True
        worker.send({"ended": ended, "cpu_seconds": spent})
    return 0


def _cpu_seconds() -> float:
    """The seconds of cores that this process has used, with what it started and waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass
class Worker:
    """One process's life: ``lines`` come in, ``line`` is where answers go."""

    program: TrialProgram
    lines: Any
    line: socket.socket
    _code: CodeType | None = None
    _loaded: dict[str, Any] = field(default_factory=dict)
    _ended: bool = False
    _installed: bool = False
    _start: str = field(default_factory=os.getcwd)

    def receive(self) -> str:
        """The next line; empty where the driver is gone, or has no more."""
        return str(self.lines.readline())

    def send(self, message: dict[str, Any]) -> None:
        """Send the driver a message."""
        self.line.sendall(json.dumps(message).encode() + b"\n")

    def trial(self, order: dict[str, Any]) -> dict[str, Any]:
        """Execute one trial; how it ended."""
        self._ended = False
        os.chdir(self._start)
        os.environ.pop("KFNB_CHECKPOINTS", None)  # those of another trial
        trial_log.redirect(order["log"])
        _seed(order["seed"])
        try:
            values = _numbers(self._values(order["executor_input"]), self.program.measured)
        except EndTrial:
            return {"early": True}
        except BaseException as error:
            if self._ended:
                return {"early": True}
            missing = self._unassigned(error)
            if missing:
                return {"missing": missing}
            if not (isinstance(error, SystemExit) and error.code in (None, 0)):
                return {"error": describe(error, set())}
            values = {}
        finally:
            trial_log.flush()
        return {"early": True} if self._ended else {"values": values}

    def _values(self, executor_input: dict[str, Any]) -> dict[str, Any]:
        """What the step put out and logged, by name."""
        function = self._function()
        executor = compat.kfp_executor(executor_input, function)
        results: list[Any] = []
        executor.write_executor_output = results.append
        executor.execute()
        fields = getattr(function.__annotations__.get("return"), "_fields", ())
        returned = results[0] if results and fields else results  # a single value has no name
        found = {
            name: value
            for artifact in executor.output_artifacts.values()
            for name, value in artifact.metadata.items()
            if name in self.program.measured
        }
        return found | dict(zip(fields or ("Output",), returned, strict=False))

    def _function(self) -> Callable[..., Any]:
        """The step's function in a namespace that no other trial has."""
        module = ModuleType(MODULE)
        module.__file__ = self.program.file
        sys.modules[MODULE] = module
        if self._code is None:
            self._code = compile(self.program.source, self.program.file, "exec", dont_inherit=True)
        names: dict[str, Any] = module.__dict__
        exec(self._code, names)  # noqa: S102 - as KFP has it
        if "kfnb_unpack" in names:
            names["kfnb_unpack"]()
            names["kfnb_unpack"] = lambda: None  # the step would undo what follows
        names["kfnb_value"] = lambda value, _kind, _name: value  # a wrong value is an error of the trial
        if "kfnb_modules" in names:
            names["kfnb_modules"] = self._once(names["kfnb_modules"])
        if "kfnb_load" in names:
            names["kfnb_load"] = self._loading(names["kfnb_load"])
        if "kfnb_report" in names:
            self._intercept_reports(names)
        function: Callable[..., Any] = names[self.program.function]
        return function

    def _once(self, install: Callable[..., None]) -> Callable[..., None]:
        """``kfnb_modules``, which writes the modules that were beside the notebook, for the first trial."""

        def installed(files: dict[str, str]) -> None:
            if not self._installed:
                install(files)
                self._installed = True

        return installed

    def _loading(self, load: Callable[..., Any]) -> Callable[..., Any]:
        """``kfnb_load``, which reads what is slow to read once."""

        def loaded(artifact: Any, classes: Any) -> Any:
            if artifact is None or artifact.metadata.get("format") not in _SLOW_TO_READ:
                return load(artifact, classes)
            if artifact.path not in self._loaded:
                self._loaded[artifact.path] = load(artifact, classes)
            return copy.deepcopy(self._loaded[artifact.path])

        return loaded

    def _intercept_reports(self, names: dict[str, Any]) -> None:
        """Make ``kf.report`` notify the driver too, and end the trial if the driver says so."""
        log_into, report_by = names["kfnb_log_metrics"], names["kfnb_report"]
        metadata: dict[str, Any] = {}
        last, own, alone = [None], os.getpid(), Lock()

        def logging_into(metrics: Any, by_step: Callable[..., None]) -> Callable[..., None]:
            nonlocal metadata
            metadata = metrics.metadata
            made: Callable[..., None] = log_into(metrics, by_step)
            return made

        def reporting_by(log_metrics: Callable[..., None]) -> Callable[..., None]:
            log = report_by(log_metrics)

            def report(value: Any = None, *, step: int | None = None, **values: Any) -> None:
                if os.getpid() != own:
                    logging.getLogger("kf").warning("report works in the trial's own process only")
                    return
                with alone:  # threads of the trial may report at once, and each answer is to one of them
                    log(value, step=step, **values)
                    curves = metadata.get("kfnb_curves", {})
                    point = curves.get(self.program.measured[0], [None])[-1]
                    if point is not None and point != last[0] and not isinstance(point[1], str):  # finite
                        last[0] = point
                        self._report(point)

            return report

        names["kfnb_log_metrics"], names["kfnb_report"] = logging_into, reporting_by

    def _report(self, point: list[float]) -> None:
        self.send({"report": point})
        if json.loads(self.receive() or "true"):
            self._ended = True
            raise EndTrial

    def _unassigned(self, error: BaseException) -> str:
        """The measured name that the step's cell never assigned, where that is what went wrong."""
        if not isinstance(error, NameError) or error.name not in self.program.measured:
            return ""
        lines = self.program.source.splitlines()
        line = lines[_last(error.__traceback__) - 1].strip()
        return str(error.name) if line.startswith("return (kfnb_value(") else ""


def _last(frames: TracebackType | None) -> int:
    line = 1
    while frames is not None:
        line, frames = frames.tb_lineno, frames.tb_next
    return line


def _seed(seed: int | None) -> None:
    """Random numbers that no other trial has had; the same ones in a study with the same seed."""
    random.seed(seed)
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed(seed)


def _numbers(values: dict[str, Any], measured: tuple[str, ...]) -> dict[str, Any]:
    """The values as JSON has them: a number, or in a text what is there instead."""
    return {name: number_or_text(values[name]) for name in measured if name in values}


def number_or_text(value: Any) -> float | str:
    """A value as a float; of a value that is not a number, a text with its type."""
    try:
        plain = value.item() if hasattr(value, "item") else value
    except (ValueError, RuntimeError, TypeError):
        plain = value
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        return f"{shorten(repr(plain), 60)} ({type(plain).__name__})"
    return float(plain)
