"""Container components, run by docker or podman. Here a stand-in for them runs the command on this machine."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from kfp import dsl
from local_runs import marked, submission, task, text, wait, wait_until
from steps import write

from kfnb.entities import RunState
from kfnb.resources.runs.local import LocalRunEngine

STAND_IN = """#!{python}
import json, os, subprocess, sys
from pathlib import Path
here = Path(__file__).parent
words = sys.argv[1:]
if words[0] == "info":
    sys.exit(0)
if words[0] in ("kill", "rm"):
    (here / words[0]).write_text(words[-1])
    os.kill(int((here / "pid").read_text()), 9)
    sys.exit(0)
(here / "words").write_text(json.dumps(words))
options, rest, entry = {{}}, words[1:], []
while rest[0].startswith("--"):
    name = rest.pop(0)
    if name == "--entrypoint":
        entry = [rest.pop(0)]
    elif name not in ("--rm", "--init"):
        value = rest.pop(0)
        if name == "--env" and "=" in value:
            os.environ.update([value.split("=", 1)])
os.environ.pop("KFNB_RUN")  # a daemon starts it, who knows nothing of a run
process = subprocess.Popen(entry + rest[1:], start_new_session=True)
(here / "pid").write_text(str(process.pid))
sys.exit(process.wait() & 255)
"""


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """A folder in which a stand-in for docker lies, and where it writes what it was told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker").write_text(STAND_IN.format(python=sys.executable))
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


@dsl.container_component
def box(
    name: str,
    data: dsl.Input[dsl.Dataset],
    out: dsl.Output[dsl.Dataset],
    note: dsl.OutputPath(str),
    extra: str = None,  # noqa: RUF013 - as KFP has it
):
    script = 'cp "$1" "$2"; shift 2; file="$1"; shift; printf "%s|" "$WORD" "$@" > "$file"; echo ran'
    return dsl.ContainerSpec(
        image="alpine:3",
        command=["sh", "-c", script, "sh"],
        args=[
            data.path,
            out.path,
            note,
            dsl.ConcatPlaceholder(["--name=", name]),
            dsl.IfPresentPlaceholder("extra", ["--extra", extra], ["--none"]),
            dsl.IfPresentPlaceholder("name", dsl.ConcatPlaceholder(["<", name, ">"])),
        ],
    )


@dsl.container_component
def wait_long():
    return dsl.ContainerSpec(image="alpine:3", command=["sleep", "300"])


@dsl.container_component
def break_down():
    return dsl.ContainerSpec(image="alpine:3", command=["sh"], args=["-c", "echo oh no; exit 3"])


def test_a_container_gets_its_inputs_and_gives_its_outputs(docker, backend, tmp_path):
    @dsl.pipeline
    def pipeline() -> str:
        made = box(name="a b", data=write(text="hello").outputs["out"]).set_env_variable("WORD", "w")
        return made.outputs["note"]

    run_id = backend.submit(submission(pipeline, tmp_path))
    run = wait(backend, run_id)

    assert run.result == {"Output": "w|--name=a b|--none|<a b>|"}, run.error
    assert task(run, "box").outputs["out"].preview == "hello"
    assert text(backend, run_id, "box").splitlines()[-1] == "ran"
    words = json.loads((docker / "words").read_text())
    folder = backend._home / "runs" / run_id
    assert words[:7] == [
        "run",
        "--rm",
        "--init",
        "--name",
        f"kfnb-{run_id}-box",
        "--volume",
        f"{folder}:{folder}",
    ]


def test_an_optional_input_that_is_given(docker, run_pipeline):
    @dsl.pipeline
    def pipeline() -> str:
        return box(name="n", extra="x", data=write(text="").outputs["out"]).outputs["note"]

    assert run_pipeline(pipeline).result == {"Output": "|--name=n|--extra|x|<n>|"}


def test_a_container_that_fails_says_how(docker, run_pipeline):
    @dsl.pipeline
    def pipeline():
        break_down()

    run = run_pipeline(pipeline)

    assert run.error == (
        "break-down failed: its container ended with exit code 3 before the step was done; "
        "the last line of its log: oh no"
    )


def test_a_container_is_ended_with_its_run(docker, tmp_path):
    backend = LocalRunEngine(tmp_path / "home")

    @dsl.pipeline
    def pipeline():
        wait_long()

    run_id = backend.submit(submission(pipeline, tmp_path))
    wait_until((docker / "pid").exists, bool)
    backend.stop(run_id)

    assert wait(backend, run_id, 5).state is RunState.CANCELED
    assert (docker / "kill").read_text() == f"kfnb-{run_id}-wait-long"
    assert wait_until(lambda: marked(backend, run_id), lambda left: not left) == []


@pytest.mark.parametrize("victim", ["supervisor", "worker"])
def test_a_container_is_ended_when_the_process_that_runs_it_is_killed(docker, backend, tmp_path, victim):
    @dsl.pipeline
    def pipeline():
        wait_long()

    run_id = backend.submit(submission(pipeline, tmp_path))
    container = int(wait_until(lambda: (docker / "pid").exists() and (docker / "pid").read_text(), bool))
    supervisor = int((backend._home / "runs" / run_id / "supervisor.pid").read_text())
    (worker,) = children(supervisor)
    os.kill(supervisor if victim == "supervisor" else worker, signal.SIGKILL)

    assert wait(backend, run_id).state is RunState.FAILED
    assert (docker / "rm").read_text() == f"kfnb-{run_id}-wait-long"
    assert wait_until(lambda: Path(f"/proc/{container}").exists(), lambda there: not there) is False


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_container_is_cached_by_what_it_does(docker, run_pipeline):
    @dsl.pipeline
    def pipeline() -> str:
        return box(name="n", data=write(text="t").outputs["out"]).outputs["note"]

    first, second = run_pipeline(pipeline, cache=True), run_pipeline(pipeline, cache=True)

    assert [task(run, "box").cached for run in (first, second)] == [False, True]
    assert first.result == second.result
