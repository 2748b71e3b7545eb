"""A step with ``--retries``: tried again within its own program where nobody else tries it again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kfnb.backends.kubeflow.failure import why_failed
from kfnb.resources.components import api
from tests.conftest import Shell
from tests.pipeline.launched import launch


def flaky(retries: int, fails: str) -> str:
    """The cell of a step that counts how often it has run, and fails where ``fails`` is true of ``times``.

    Its ``LEDGER`` is to be a whole path, which the cell spells out: no attempt has one of its own.
    """
    return f"""%%kf_component train --retries {retries} --output times
from pathlib import Path
with Path(LEDGER).open("a") as file:
    file.write("x")
times = len(Path(LEDGER).read_text())
state = globals().get("state", 0) + 1
kf.log_metrics(**dict([(f"time_{{times}}", state)]))
kf.html(f"time {{times}}")
if {fails}:
    raise ValueError(f"time {{times}}\\nand more")"""


FAILS_TWICE = flaky(2, "1 < times < 4")


@pytest.fixture
def failing(shell: Shell, tmp_path: Path) -> Path:
    """A pipeline ``p`` of a step that fails the first two times it runs; the folder in which it is to be launched."""
    shell.run(FAILS_TWICE.replace("LEDGER", repr(str(tmp_path / "ledger"))))  # the notebook's own time
    shell.run("%kf_pipeline p train")
    (tmp_path / "there").mkdir()
    return tmp_path / "there"


def test_a_step_is_tried_again_until_it_succeeds(failing: Path) -> None:
    done = launch("p", "train", failing)
    assert done.code == 0, done.log
    assert done.parameters == {"times": 4}
    assert "attempt 1 of 3 failed: ValueError: time 2; next attempt in 1 s\n" in done.log
    assert "attempt 2 of 3 failed: ValueError: time 3; next attempt in 2 s\n" in done.log


def test_each_attempt_begins_afresh_and_leaves_nothing_to_the_next(failing: Path) -> None:
    done = launch("p", "train", failing)
    assert done.metadata["kf_metrics"] == {"time_4": 1}
    assert (failing / "artifacts" / "kf_html").read_text() == "time 4\n"


def test_the_last_failure_is_the_steps(failing: Path, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "ledger").unlink()
    shell.run(flaky(1, "1 < times").replace("LEDGER", repr(str(tmp_path / "ledger"))))
    done = launch("p", "train", failing)
    assert done.code == 1
    assert done.log.count("Traceback (most recent call last)") == 2
    program = api.spec_of("p").spec["deploymentSpec"]["executors"]["exec-train"]["container"]["command"][-1]
    error = why_failed(done.log.splitlines(), program)
    assert error.message == "ValueError: time 3"
    assert error.place.startswith("cell train [")
    assert error.place.endswith("line 10")
    assert done.metadata == {}


@pytest.mark.parametrize(
    ("ending", "words"),
    [("sys.exit(3)", "exit code 3"), ("os.kill(os.getpid(), 9)", "exit code 137")],
)
def test_an_attempt_that_ends_without_words_is_told_by_its_exit_code(
    shell: Shell, tmp_path: Path, ending: str, words: str
) -> None:
    shell.run(
        "%%kf_component stop --retries 1\nimport os\nimport sys\nfrom pathlib import Path\n"
        f"if Path('there').exists():\n    {ending}"
    )
    shell.run("%kf_pipeline p stop")
    (tmp_path / "launched" / "there").mkdir(parents=True)
    done = launch("p", "stop", tmp_path / "launched")
    assert f"attempt 1 of 2 failed: {words}; next attempt in 1 s\n" in done.log
    assert done.code == int(words.rsplit(maxsplit=1)[-1])


def test_a_step_is_not_tried_again_where_that_is_done_from_outside(failing: Path, tmp_path: Path) -> None:
    done = launch("p", "train", failing, KFNB_RETRIES="outside")
    assert (done.code, (tmp_path / "ledger").read_text()) == (1, "xx")
    assert "attempt" not in done.log


@pytest.mark.parametrize(
    ("strategy", "outside"),
    [
        (None, False),
        ({"limit": "2"}, True),
        ({"limit": "2", "retryPolicy": "Always"}, True),
        ({"limit": "2", "retryPolicy": "OnError"}, False),
        ({"limit": "2", "retryPolicy": "OnTransientError"}, False),
    ],
)
def test_argo_tries_a_failed_program_again_by_its_policy_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, strategy: object, outside: bool
) -> None:
    import builtins

    from kfnb.capture.embedded.attempts import kfnb_retried_from_outside

    file = tmp_path / "template"
    file.write_text(json.dumps({"name": "retry-system-container-impl", "retryStrategy": strategy}))
    real = builtins.open
    monkeypatch.delenv("KFNB_RETRIES", raising=False)
    monkeypatch.setattr(
        builtins, "open", lambda path, **how: real(file if path == "/var/run/argo/template" else path, **how)
    )
    assert kfnb_retried_from_outside() is outside


def test_a_run_here_shows_the_attempts(failing: Path, shell: Shell) -> None:
    run = shell.submit("p")
    (task,) = run.snapshot().tasks
    assert (task.attempts, len(task.began), task.outputs["times"]) == (3, 3, 4)
    pauses = [later - earlier for earlier, later in zip(task.began, task.began[1:], strict=False)]
    assert pauses[0] >= 1
    assert pauses[1] >= 2
    assert task.outputs["kf_metrics"].metadata == {"time_4": 1}


def test_a_function_with_retries_is_tried_again_too(shell: Shell, tmp_path: Path) -> None:
    shell.run(
        "%%kf_component count --retries 1\n"
        "def count() -> int:\n"
        '    """Fail once."""\n'
        "    from pathlib import Path\n"
        "    with Path('times').open('a') as file:\n        file.write('x')\n"
        "    times = len(Path('times').read_text())\n"
        "    if times < 2:\n        raise ValueError('once')\n"
        "    return times"
    )
    shell.run("%kf_pipeline p count")
    (tmp_path / "there").mkdir()
    done = launch("p", "count", tmp_path / "there")
    assert (done.code, done.parameters) == (0, {"Output": 2}), done.log
    assert "attempt 1 of 2 failed: ValueError: once" in done.log
