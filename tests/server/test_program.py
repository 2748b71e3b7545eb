"""``serve.py`` as a pod runs it: by another user, in an empty folder, from a read-only one, without kfnb."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cloudpickle
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import FunctionTransformer

from kfnb.server import deployment
from kfnb.server.encoding import json_rows
from tests.server.model_folders import (
    LEARNS,
    Program,
    churn_folder,
    customers,
    deployed,
    plain_folder,
    program,
    write_folder,
)

ROWS = json_rows(customers(10, seed=1))
RAISES, SLEEPS = 16, 17
MOODY = LEARNS.replace(
    "    return pd.DataFrame({",
    f"""    if (df.age == {RAISES}).any():
        raise KeyError("SECRET")
    if (df.age == {SLEEPS}).any():
        import time
        time.sleep(1)
    return pd.DataFrame({{""",
)
"""A transform that fails for one age, and takes a second for another."""


@pytest.fixture(scope="module")
def moody_deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The deployment folder of that transform."""
    place = tmp_path_factory.mktemp("moody")
    return deployed(churn_folder(place / "model", MOODY), place / "served")


@pytest.fixture(scope="module")
def moody(moody_deployed: Path):
    """A program that serves it."""
    with program(moody_deployed) as one:
        yield one


def aged(age: int) -> list:
    return [{**ROWS[0], "age": age}]


def run(folder: Path, *words: str, **options) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(folder / "serve.py"), *words]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd="/",
        **{"env": environment, **options},
    )


# -- the folder


def test_the_deployment_folder_is_the_model_folder_and_the_program(churn_deployed: Path):
    model = churn_deployed.parent / "model"
    for file in sorted(one for one in model.rglob("*") if one.is_file() and one.name != "requirements.txt"):
        assert (churn_deployed / file.relative_to(model)).read_bytes() == file.read_bytes()
    own = {path.name for path in churn_deployed.iterdir()} - {path.name for path in model.iterdir()}
    assert own == {"serve.py", "kfnb_server"}


def test_the_same_model_folder_makes_the_same_bytes(churn_deployed: Path, tmp_path: Path):
    again = deployed(churn_deployed.parent / "model", tmp_path / "again")
    files = {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()}
    before = {
        path.relative_to(churn_deployed): path.read_bytes()
        for path in churn_deployed.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files == before


def test_the_program_imports_nothing_of_kfnb():
    for module, text in deployment.program_modules().items():
        for node in ast.walk(ast.parse(text)):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not [one for one in names if one.partition(".")[0] == "kfnb"], module


def test_requirements_are_those_of_the_model_and_of_the_program(churn_deployed: Path):
    lines = (churn_deployed / "requirements.txt").read_text().splitlines()
    names = [line.partition("==")[0] for line in lines]
    assert sorted(names) == ["httptools", "numpy", "pandas", "scikit-learn", "skops"]
    assert len(set(names)) == len(names)


# -- as a pod runs it


@pytest.fixture
def in_a_pod(churn_deployed: Path, tmp_path: Path):
    """The folder read-only, an empty folder to run in, and a user who may only read, where we may choose one."""
    mounted, empty = tmp_path / "mnt" / "models", tmp_path / "empty"
    shutil.copytree(churn_deployed, mounted, ignore=shutil.ignore_patterns("__pycache__"))
    empty.mkdir()
    for path in (mounted, *mounted.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    options = {"cwd": empty, "env": {"PATH": os.environ["PATH"]}}
    if os.geteuid() == 0 and shutil.which("setpriv"):
        reads = [f"--{which}={sign}dac_read_search" for which, sign in CAPABILITIES]
        options["prefix"] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reads]
    yield mounted, options
    for path in (mounted, *(one for one in mounted.rglob("*") if one.is_dir())):
        path.chmod(0o755)


CAPABILITIES = [("inh-caps", "-all,+"), ("ambient-caps", "+"), ("bounding-set", "-all,+")]
"""Those of a user who may read the Python of this one, wherever that is, and write nothing."""


def test_it_serves_as_a_pod_runs_it_and_finishes_requests_when_it_is_ended(in_a_pod):
    mounted, options = in_a_pod
    with program(mounted, **options) as one:
        expected, found = one.predict(ROWS), []
        threads = [threading.Thread(target=lambda: found.append(one.predict(ROWS))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert one.end(signal.SIGTERM) == 0
    assert found == [expected] * 8
    assert list(options["cwd"].iterdir()) == []
    assert not list(mounted.rglob("__pycache__"))


def test_the_port_is_that_of_the_environment(churn_deployed: Path):
    port = str(free_port())
    environment = {**os.environ, "PORT": port}
    command = [sys.executable, str(churn_deployed / "serve.py")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd="/")
    try:
        assert json.loads(process.stdout.readline())["listening"] == f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def test_it_serves_over_a_socket(churn_deployed: Path, tmp_path: Path):
    path = tmp_path / "churn.sock"
    with program(churn_deployed, "--socket", str(path)) as one:
        assert one.address == f"unix:{path}"
        answer = subprocess.run(
            ["curl", "-s", "--unix-socket", str(path), "http://x/v1/models"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(answer.stdout) == {"models": ["churn"]}
        assert one.end() == 0
    assert not path.exists()


def test_requests_under_way_are_finished_and_the_exit_status_is_0(moody_deployed: Path):
    with program(moody_deployed) as one:
        found = []
        thread = threading.Thread(target=lambda: found.append(one.predict(aged(SLEEPS))))
        thread.start()
        time.sleep(0.5)
        assert one.end() == 0
        thread.join()
    assert len(found[0]) == 1


def test_probes_are_answered_while_the_model_computes(moody: Program):
    finished = []
    thread = threading.Thread(target=lambda: finished.append(moody.predict(aged(SLEEPS))))
    thread.start()
    time.sleep(0.3)
    assert moody.ask("GET", "/v2/health/ready").status == 200
    assert not finished
    thread.join()


def test_it_serves_without_kfnb(churn_deployed: Path, tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['kfnb'] = None\n")
    with program(churn_deployed, env={**os.environ, "PYTHONPATH": str(tmp_path)}) as one:
        assert one.predict(ROWS)


def test_a_model_without_a_transform_or_an_example_is_served(tmp_path: Path):
    rows = customers()[["age"]].assign(height=lambda df: df.age / 2)
    folder = write_folder(tmp_path / "model", LinearRegression().fit(rows, rows.age * 2.0))
    with program(deployed(folder, tmp_path / "served")) as one:
        assert one.predict([{"height": 15, "age": 30}]) == pytest.approx([60.0])
        answer = one.ask("POST", "/v1/models/churn:explain", {"instances": [{"height": 15, "age": 30}]})
        assert (answer.status, answer.json["code"]) == (422, "no-example")


# -- safe


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_is_unpickled_unless_it_is_asked_for(tmp_path: Path):
    model = tmp_path / "model"
    write_folder(model, DummyClassifier().fit([[0], [1]], [0, 1]))
    facts = json.loads((model / "kfnb_model.json").read_text())
    (model / "kfnb_model.json").write_text(json.dumps({**facts, "format": "pickle", "file": "model.pkl"}))
    (model / "model.pkl").write_bytes(cloudpickle.dumps(Bomb(tmp_path / "exploded")))
    folder = deployed(model, tmp_path / "served")
    done = run(folder)
    assert done.returncode == 2
    assert "is a pickle, which executes code" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "exploded").exists()


def test_a_pickle_is_served_when_it_is_asked_for(tmp_path: Path):
    class Doubling:
        def predict(self, rows):
            return (rows["x"] * 2).to_numpy()

    folder = write_folder(tmp_path / "model", Doubling(), pd.DataFrame({"x": [1.0, 2.0]}), pickle=True)
    with program(deployed(folder, tmp_path / "served"), "--pickle") as one:
        assert one.predict([{"x": 4}]) == [8.0]


def test_a_type_that_is_not_known_to_be_safe_has_to_be_named(tmp_path: Path):
    model = FunctionTransformer(os.path.basename)
    model.predict = None
    trust = ["posixpath.basename"]
    folder = deployed(write_folder(tmp_path / "model", model, trust=trust), tmp_path / "served")
    done = run(folder)
    assert done.returncode == 2
    assert "posixpath.basename" in done.stderr


def test_a_transform_that_was_changed_is_not_served(churn_deployed: Path, tmp_path: Path):
    folder = shutil.copytree(churn_deployed, tmp_path / "served")
    with (folder / "code" / "transform.py").open("a") as file:
        file.write("\n# changed\n")
    done = run(folder)
    assert done.returncode == 2
    assert "is not what was saved" in done.stderr


def test_an_error_of_the_transform_is_an_answer_with_its_place_and_no_traceback(moody: Program):
    answer = moody.ask("POST", "/v1/models/churn:predict", {"instances": aged(RAISES)})
    assert (answer.status, answer.json["code"]) == (500, "model-failed")
    assert "the transform raised KeyError in transform prepare, line " in answer.json["error"]
    assert b"Traceback" not in answer.body
    assert moody.predict(aged(34))
    log = moody.log.read_text()
    assert "KeyError" in log
    assert "SECRET" not in log
    assert "SECRET" not in moody.ask("GET", "/kfnb/stats").body.decode()


def test_a_bad_row_among_requests_at_once_fails_alone(moody: Program):
    def status(number: int) -> int:
        rows = aged(34 if number % 4 else RAISES)
        return moody.ask("POST", "/v1/models/churn:predict", {"instances": rows}).status

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(status, range(40)))
    assert statuses == [200 if number % 4 else 500 for number in range(40)]


def test_a_folder_that_is_none_is_refused_in_a_line(churn_deployed: Path, tmp_path: Path):
    done = run(churn_deployed, "--folder", str(tmp_path))
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_unknown_option_is_refused(churn_deployed: Path):
    assert run(churn_deployed, "--hostt", "x").returncode == 2


def test_the_check_is_printed_as_json(churn_deployed: Path):
    done = run(churn_deployed, "check", "--version", "7")
    report = json.loads(done.stdout)
    assert done.returncode == 0, report
    assert (report["passed"], report["version"], report["rows"]) == (True, "7", 100)


def test_forests_are_served(tmp_path: Path):
    folder = deployed(plain_folder(tmp_path / "model", trees=True), tmp_path / "served")
    with program(folder) as one:
        row = {"age": 70, "city": "Bern", "income": 7000, "height": 35}
        assert one.predict([row, {**row, "age": 20, "income": 2000, "height": 10}]) == [True, False]


def test_two_programs_share_nothing(churn: Program, churn_deployed: Path):
    with program(churn_deployed, "--name", "other") as other:
        assert other.ask("GET", "/v1/models").json == {"models": ["other"]}
        assert churn.ask("GET", "/v1/models").json == {"models": ["churn"]}
