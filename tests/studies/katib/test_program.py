"""A trial as its container runs it: the very command line, with what Kubernetes and Katib do to it before."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from katib_searches import churn, search

from kfnb.resources.studies.katib.experiment import experiment
from kfnb.resources.studies.model import Objective
from kfnb.resources.studies.search import Search, TrialSubject

FILTER = re.compile(r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)")
"""The collector's own, with which it looks for metrics in lines."""
STAMPED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ")
GIVEN = {"lr": "0.0123", "depth": "5", "act": "tanh"}


class Container:
    """The container of a trial, in a folder of its own, with its output in a file as the webhook has it."""

    def __init__(self, made: Search, folder: Path, **assigned: str) -> None:
        template = experiment(made)["spec"]["trialTemplate"]
        text = json.dumps(template["trialSpec"])
        for one in template["trialParameters"]:
            text = text.replace(
                f"${{trialParameters.{one['name']}}}", {**GIVEN, **assigned}[one["reference"]]
            )
        self.spec = json.loads(text)["spec"]["template"]["spec"]["containers"][0]
        self.log, self._folder = folder / "metrics.log", folder

    def start(self, then: str = "") -> subprocess.Popen[bytes]:
        """Begin as Katib's webhook has it: one line for the shell, and ``then`` something more."""
        command, args = self.spec["command"], self.spec["args"]
        assert command == ["sh", "-c"]
        line = " ".join([*args, f"1>{self.log} 2>&1", *([then] if then else [])])
        environment = {one["name"]: _expanded(one["value"]) for one in self.spec["env"]}
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        return subprocess.Popen(
            [*command, _expanded(line)],
            cwd=self._folder,
            env={"PATH": path, "TMPDIR": str(self._folder), "PIP_NO_INDEX": "1", **environment},
        )

    def run(self) -> int:
        return self.start().wait(60)

    @property
    def lines(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines()

    def collected(self, *metrics: str) -> list[tuple[str, str]]:
        """What Katib's collector would report."""
        return [
            (name, value)
            for line in self.lines
            if any(metric in line for metric in metrics)
            for name, value, *_ in FILTER.findall(line)
            if name in metrics
        ]


def _expanded(text: str) -> str:
    """What Kubernetes makes of a text in a container's command or environment."""
    assert not re.search(r"(?<!\$)(\$\$)*\$\(", text), "Kubernetes would look for a variable"
    return text.replace("$$", "$")


@pytest.mark.parametrize(("depth", "loss"), [("5", "1.0123"), ("2", "4.0123")])
def test_the_command_runs_the_step_with_its_parameters_and_says_the_objective(
    tmp_path: Path, depth: str, loss: str
) -> None:
    container = Container(search(), tmp_path, depth=depth)
    assert container.run() == 0
    on_the_way = [("loss", str(int(depth) + 3 - epoch)) for epoch in range(3)]
    assert container.collected("loss") == [*on_the_way, ("loss", loss)]
    assert "types int float str bool False" in container.lines


def test_lines_that_say_a_metric_bear_their_time_and_others_are_as_they_were(tmp_path: Path) -> None:
    container = Container(search(), tmp_path)
    container.run()
    said = [line for line in container.lines if "loss=" in line]
    assert said
    assert all(STAMPED.match(line) for line in said)
    assert said == sorted(said)
    assert not any(STAMPED.match(line) for line in container.lines if line not in said)


def test_values_that_need_quoting_elsewhere_arrive_unchanged(tmp_path: Path) -> None:
    odd = "it's; rm -rf /tmp & `id` | <b> ü #!*?~"
    made = search('act=choice("relu")', subject=_with(act="relu", say="loss is 100$$ or $(HOME) \"'\\"))
    container = Container(made, tmp_path, act=odd)
    assert container.run() == 0
    assert "loss is 100$$ or $(HOME) \"'\\" in container.lines


def test_what_is_no_number_does_not_reach_the_collector(tmp_path: Path) -> None:
    container = Container(
        search(subject=_with(say="loss=nan now, loss = tensor(0.5), best_loss=nan")), tmp_path
    )
    assert container.run() == 0
    assert [value for _, value in container.collected("loss")][:-1] == ["8", "7", "6"]
    assert "loss is nan now, loss is tensor(0.5), best_loss=nan" in container.lines


@pytest.mark.parametrize(("result", "word"), [(float("nan"), "nan"), (float("inf"), "inf")])
def test_an_objective_that_is_no_finite_number_fails_the_trial_in_words(
    tmp_path: Path, result: float, word: str
) -> None:
    container = Container(search(subject=_with(result=result)), tmp_path)
    assert container.run() == 1
    assert container.lines[-1] == f"loss is {word}: an objective is a finite number"


def test_a_metric_that_is_nowhere_leaves_the_trial_without_an_objective(tmp_path: Path) -> None:
    container = Container(search(objective=Objective("accuracy")), tmp_path)
    assert container.run() == 0
    assert container.collected("accuracy") == []
    assert container.lines[-1] == "it ended without accuracy"


def test_a_step_that_fails_fails_the_trial_with_its_traceback(tmp_path: Path) -> None:
    container = Container(search("act=choice(fail)"), tmp_path, act="fail")
    assert container.run() != 0
    assert "ValueError: no such activation" in container.lines[-1]


def test_early_stopping_ends_the_step_and_katib_sees_a_trial_that_was_stopped(tmp_path: Path) -> None:
    pause = f"import time; time.sleep(600)  # {tmp_path}"
    made = search(subject=_with(say="ready"))
    container = Container(made, tmp_path)
    source = next(one for one in container.spec["env"] if one["name"] == "KFNB_SOURCE_0")
    source["value"] = source["value"].replace("    if act ==", f"    {pause}\n    if act ==")
    then = f'|| if [ "$(cat {tmp_path}/pid)" = early-stopped ]; then echo stopped; else exit 1; fi'
    (tmp_path / "pid").write_text("early-stopped")
    process = container.start(then.replace("$", "$$"))
    _wait(lambda: container.log.exists() and "ready" in container.lines)
    (child,) = _children(process.pid)
    os.kill(child, signal.SIGTERM)
    assert process.wait(20) == 0
    assert not _running(pause)


def of_churn(lr: str, folder: Path, **changes: Any) -> Container:
    subject = TrialSubject("churn", churn(), arguments={"rows": 5})
    told = {"subject": subject, "objective": Objective("train.loss", further=("train.rows",)), **changes}
    return Container(search("lr=float(0,9)", **told), folder, lr=lr)


def test_steps_hand_on_their_numbers_and_tables_within_a_trial(tmp_path: Path) -> None:
    container = of_churn("0.5", tmp_path)
    assert container.run() == 0
    assert container.collected("loss", "rows") == [
        ("loss", "10"),
        ("loss", "9"),
        ("loss", "10.5"),
        ("rows", "10.0"),
    ]
    assert [line for line in container.lines if line.startswith("kfnb: step")] == [
        "kfnb: step count",
        "kfnb: step save",
        "kfnb: step train",
        "kfnb: step other",
    ]


def test_another_steps_metric_of_the_same_name_is_not_the_trials(tmp_path: Path) -> None:
    container = of_churn("0.5", tmp_path)
    container.run()
    assert "loss is 999" in container.lines
    assert "loss is 555" in container.lines


def test_a_metric_that_is_of_no_step_is_of_any(tmp_path: Path) -> None:
    container = of_churn("0.5", tmp_path, objective=Objective("loss"))
    assert container.run() == 0
    assert container.collected("loss")[-1] == ("loss", "555")


def test_a_pipelines_own_output_is_said_by_its_name(tmp_path: Path) -> None:
    container = of_churn("0.5", tmp_path, objective=Objective("Output"))
    assert container.run() == 0
    assert container.collected("Output") == [("Output", "10.5")]


def test_a_step_that_fails_ends_the_trial_before_the_next_one(tmp_path: Path) -> None:
    container = of_churn("5", tmp_path)
    assert container.run() != 0
    assert container.lines[-1] == "ValueError: lr is too large"
    assert "kfnb: step other" not in container.lines


def _with(**arguments: Any) -> Any:
    subject = search().subject
    return replace(subject, arguments={"depth": 3, **arguments})


def _wait(good: Any) -> None:
    until = time.monotonic() + 30
    while not good():
        assert time.monotonic() < until
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in told.read_text().split()]


def _running(word: str) -> bool:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in file.read_text(errors="replace"):
                return True
        except OSError:
            continue
    return False
