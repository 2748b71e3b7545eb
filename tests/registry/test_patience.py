"""TAB on what a backend must be asked for: one that hangs or fails offers nothing, says nothing, and costs 300 ms."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kfnb.commands import completion
from kfnb.commands.shell.commands import answers
from kfnb.errors import BackendError, BackendUnavailable
from kfnb.resources.experiments import api as experiments
from kfnb.resources.notebooks import api as notebooks
from kfnb.resources.runs import api as runs
from kfnb.resources.schedules import api as schedules
from kfnb.resources.studies import api as studies
from tests.conftest import Shell
from tests.ipython.test_completion import complete

MOST = 0.3
"""Seconds that TAB may take."""

MAGICS = [
    "%kf_run x",
    "%kf_logs x",
    "%kf_logs x y",
    "%kf_stop x",
    "%kf_retry x",
    "%kf_compare x",
    "%kf_archive x",
    "%kf_delete x",
    "%kf_runs --experiment x",
    "%kf_study x",
    "%kf_submit p.yaml --from-study x",
    "%kf_schedule --pause x",
    "%kf_schedule --resume x",
    "%kf_notebook stop x",
    "%kf_notebook start x",
]
VERBS = [
    "kfnb runs show x",
    "kfnb logs x",
    "kfnb stop x",
    "kfnb delete x",
    "kfnb studies show x",
    "kfnb schedule --pause x",
    "kfnb notebook stop x",
]


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "answers", completion.SlowAnswers())


@pytest.fixture
def hang() -> Iterator[Any]:
    """What does not answer before the test is over."""
    over = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        over.wait(60)
        return []

    yield hang
    over.set()


def fail(*_: Any, **__: Any) -> list[Any]:
    raise BackendUnavailable("the cluster does not answer")


def refuse(*_: Any, **__: Any) -> list[Any]:
    raise BackendError("you may not list them")


def break_down(*_: Any, **__: Any) -> list[Any]:
    raise RuntimeError("a mistake of kfnb's own")


@pytest.fixture(params=["hangs", "is away", "refuses", "breaks"])
def backend(request: pytest.FixtureRequest, hang: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each way in which a backend gives no answer; the questions that it was asked."""
    answers: list[str] = []
    does = {"hangs": hang, "is away": fail, "refuses": refuse, "breaks": break_down}[request.param]
    for api, names in {
        runs: ("runs", "run"),
        studies: ("studies", "study"),
        schedules: ("schedules",),
        notebooks: ("notebooks",),
        experiments: ("experiments",),
    }.items():
        for name in names:
            monkeypatch.setattr(api, name, lambda *_, name=name, **__: answers.append(name) or does())
    return answers


def shortest(offer: Any, capsys: pytest.CaptureFixture[str]) -> float:
    """The seconds that an offer of nothing takes, of three: how busy the machine is, is nothing of kfnb's."""
    took = []
    for _ in range(3):
        completion.answers._answers.clear()
        began = time.monotonic()
        assert offer() == []
        took.append(time.monotonic() - began)
        assert capsys.readouterr() == ("", "")
    return min(took)


@pytest.mark.parametrize("line", MAGICS)
def test_in_a_notebook(
    shell: Shell, backend: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert shortest(lambda: complete(shell, line), capsys) < MOST
    assert len(set(backend)) == 1


@pytest.mark.parametrize("line", VERBS)
def test_in_a_terminal(
    backend: list[str], line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    assert shortest(lambda: answers(line), capsys) < MOST
    assert len(set(backend)) == 1


@pytest.fixture
def silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cluster that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        config = tmp_path / "kubeconfig"
        config.write_text(
            f"""\
apiVersion: v1
kind: Config
current-context: silent
contexts: [{{name: silent, context: {{cluster: silent, user: me, namespace: team-a}}}}]
clusters: [{{name: silent, cluster: {{server: "{address}"}}}}]
users: [{{name: me, user: {{token: t}}}}]
"""
        )
        for name, value in {
            "KUBECONFIG": str(config),
            "KFNB_BACKEND": "kubeflow",
            "KFNB_HOST": address,
        }.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.mark.parametrize("line", MAGICS)
def test_a_cluster_that_never_answers(
    silence: None, shell: Shell, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert shortest(lambda: complete(shell, line), capsys) < MOST
