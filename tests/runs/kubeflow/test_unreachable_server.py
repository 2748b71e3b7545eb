"""A server that is away, or refuses the token that it is shown, while a run is followed."""

import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from replay import GOOD, HASTE, RECORDINGS, RUNS, Replay, looks

from kfnb import settings as config
from kfnb.cli import main
from kfnb.entities import RunState
from kfnb.errors import BackendError, BackendUnavailable
from kfnb.jobs.polling import Pace, Pause
from kfnb.remote.credentials import Credentials
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.runs import api
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.run_cache import RunCache


@pytest.fixture
def idle(replay: Replay) -> Replay:
    """The recorded run as it was when one of its tasks ran; nothing happens to it."""
    answer = looks(GOOD)[7]
    replay.invented = lambda method, path, _: (200, answer) if path == f"{RUNS}/{GOOD}" else None
    return replay


def until(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_who_waits_for_a_server_that_is_away_gathers_no_tracebacks():
    def look():
        raise BackendUnavailable("it is away")

    watch, lengths = RunCache(look, lambda: Pace(60.0, 60.0)), []
    for _ in range(3):
        with pytest.raises(BackendUnavailable) as caught:
            watch.run()
        lengths.append(len(caught.traceback))
    assert lengths[1] == lengths[2]


def test_after_a_change_and_after_an_outage_the_pause_is_short_again():
    pause, seconds = Pause(Pace(1.0, 4.0)), []
    for happens in ("", "", "", "", "away", "away", "", "", "new", ""):
        if happens == "away":
            pause.unanswered()
        else:
            pause.answered(changed=bool(happens))
        seconds.append(pause.seconds)
    assert seconds == [1.5, 2.25, 3.375, 4.0, 4.0, 4.0, 1.0, 1.5, 1.0, 1.5]


def test_what_a_server_says_first_after_an_outage_is_soon_followed_by_another_look(
    idle: Replay, monkeypatch: pytest.MonkeyPatch
):
    """The pause had grown until then."""
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.05, 100.0))
    backend = KubeflowRunEngine(KfpServer(idle.url, retry=HASTE))
    view = Run(backend, GOOD).observe()
    watch = backend._track(GOOD).watch

    def looked() -> bool:
        with suppress(BackendError):
            view.refresh()
        return not view.run.notes

    assert looked()
    idle.fail(times=18, drop=True)  # six looks of three tries
    until(lambda: not looked())
    until(looked)
    assert watch._pause.seconds == 0.05
    idle.invented = lambda method, path, _: (200, looks(GOOD)[-1]) if path == f"{RUNS}/{GOOD}" else None
    until(lambda: looked() and view.run.state is RunState.SUCCEEDED)


def test_a_token_that_is_refused_is_waited_for_where_its_file_is_written_anew(
    replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.05, 0.1))
    monkeypatch.setattr(api, "_connection", api._Connection())
    replay.recording.speed = 5.0
    replay.tokens = {"old"}
    file = tmp_path / "token"
    file.write_text("old")

    def rotate() -> None:
        until(lambda: any(path.endswith(GOOD) for path in replay.paths()))
        replay.tokens = {"new"}
        time.sleep(1.0)
        file.write_text("new")

    rotating = threading.Thread(target=rotate)
    rotating.start()
    settings = config.reset(start=tmp_path)
    settings.set("host", replay.url)
    settings.set("token_file", str(file))
    try:
        words = [
            "submit",
            str(RECORDINGS / "pipeline-good.yaml"),
            "--backend",
            "kubeflow",
            "-p",
            "rows",
            "300",
        ]
        assert main([*words, "--experiment", "summaries"]) == 0
    finally:
        rotating.join()
        config.reset()
    told = [line for line in capsys.readouterr().err.splitlines() if "401" in line]
    assert len(told) == 1
    assert f"retrying: Kubeflow Pipelines at {replay.url} refused the token in {file} (401)" in told[0]
    assert "Write a new token into that file" in told[0]


def test_a_token_without_a_file_that_is_refused_ends_it_at_once_with_what_to_do(
    idle: Replay, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.01, 0.02))
    idle.tokens = {"old"}
    watching = Run(KubeflowRunEngine(KfpServer(idle.url, Credentials("old"), retry=HASTE)), GOOD).watch()
    next(watching)
    idle.tokens = {"new"}
    with pytest.raises(BackendError, match=r"refused a token \(401\)\. Set a valid one: %kf_config"):
        list(watching)


def test_a_token_file_that_is_gone_for_a_moment_is_waited_for(
    replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.01, 0.02))
    file = tmp_path / "token"
    file.write_text("token")
    watching = Run(
        KubeflowRunEngine(KfpServer(replay.url, Credentials(file=file), retry=HASTE)), GOOD
    ).watch()
    next(watching)
    file.unlink()
    threading.Timer(0.3, file.write_text, ("token",)).start()
    assert list(watching)[-1].state is RunState.SUCCEEDED


def test_who_waits_in_vain_for_hours_is_told_in_the_end(idle: Replay, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.01, 0.02))
    monkeypatch.setattr("kfnb.resources.runs.kubeflow.run_cache.TIMEOUT", 0.2)
    watching = Run(KubeflowRunEngine(KfpServer(idle.url, retry=HASTE)), GOOD).watch()
    next(watching)
    idle.fail(times=10_000, status=503)
    with pytest.raises(BackendError, match="too busy or not up"):
        list(watching)
