"""Environment variables that a step's own code reads are its inputs: a run does with them what the kernel did."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kfnb.ipython.kernel import Kernel
from kfnb.resources.components import api as components_api
from kfnb.resources.runs import api
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.submission import order
from kfnb.resources.runs.kubeflow.submitter import Submitter


def component(shell, name, body, options=""):
    shell.run(f"%%kf_component {name} {options}\n{body}")
    return shell.component(name)


@pytest.fixture
def notebook(shell, monkeypatch):
    monkeypatch.setenv("STAGE", "one")
    shell.run("import os, pandas as pd")
    return shell


# -- what is cached -------------------------------------------------------------------------------------------


def test_a_step_runs_again_when_a_variable_that_it_reads_has_changed(notebook):
    component(notebook, "envr", 'import os\ne = os.environ.get("STAGE", "none")', "--output e")
    notebook.run("%kf_pipeline p envr")
    assert notebook.submit("p").outputs["envr"]["e"] == "one"
    assert notebook.submit("p").tasks["envr"].cached
    notebook.run('os.environ["STAGE"] = "two"')
    assert notebook.submit("p").outputs["envr"]["e"] == "two"
    notebook.run("%env STAGE=three")
    assert notebook.submit("p").outputs["envr"]["e"] == "three"
    notebook.run('del os.environ["STAGE"]')
    assert notebook.submit("p").outputs["envr"]["e"] == "none"
    os.environ["STAGE"] = "one"
    assert notebook.submit("p").tasks["envr"].cached


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ("x = os.environ.get(which)", "REGION"),
        ("x = os.environ.get(which.upper())", "region"),
        ("x = [os.environ[name] for name in [which]]", "REGION"),
        ("def of(name):\n    return os.getenv(name)\nx = of(which)", "REGION"),
        ("x = os.environ.get(f'REG{which}', 'none')", "ION"),
    ],
)
def test_a_variable_that_a_parameter_names_is_looked_at_before_the_cache_is_used(
    notebook, monkeypatch, body, given
):
    notebook.run(f"%%kf_component c --param which:str=STAGE --output x\n{body}")
    notebook.run("%kf_pipeline p c")
    monkeypatch.setenv("REGION", "north")
    before = notebook.submit("p", which=given).outputs["c"]["x"]
    monkeypatch.setenv("REGION", "south")
    again = notebook.submit("p", which=given)
    assert "north" in before
    assert "south" in again.outputs["c"]["x"]


def test_a_secret_that_is_given_plainly_is_noted(notebook):
    address = "postgres://me:hunter2@db/x"
    noted = component(notebook, "c", "x = 1", f"--env DB={address} --env MODE=fast")
    (note,) = noted.notes
    assert note.startswith(
        "--env DB: the value looks like a secret, and anyone who sees the pipeline can read it"
    )
    assert address not in note


def test_what_a_step_sets_where_it_has_no_value_counts_and_is_not_noted(notebook, monkeypatch):
    monkeypatch.delenv("THREADS", raising=False)
    body = 'os.environ.setdefault("THREADS", "4")\nn = os.environ["THREADS"]'
    assert component(notebook, "c", body, "--output n").notes == ()
    notebook.run("%kf_pipeline p c")
    assert notebook.submit("p").outputs["c"] == {"n": "4"}
    assert notebook.submit("p").tasks["c"].cached
    monkeypatch.setenv("THREADS", "8")
    assert notebook.submit("p").outputs["c"] == {"n": "8"}


def test_other_variables_leave_it_cached(notebook, monkeypatch):
    component(notebook, "envr", 'e = os.environ["STAGE"]', "--output e")
    notebook.run("%kf_pipeline p envr")
    notebook.submit("p")
    monkeypatch.setenv("ANOTHER", "1")
    assert notebook.submit("p").tasks["envr"].cached


def test_the_value_stands_in_no_file_of_the_run_and_the_cache(notebook, monkeypatch, tmp_path):
    monkeypatch.setenv("API_TOKEN", "hunter2-hunter2")
    component(notebook, "fetch", 'n = len(os.environ["API_TOKEN"])', "--output n")
    notebook.run("%kf_pipeline p fetch")
    run = notebook.submit("p")
    assert run.outputs["fetch"]["n"] == 15
    notebook.run("%kf_compile p --to p.yaml --python p.py")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {"p.yaml", "spec.json", "outputs.json", "cache.key"} <= {file.name for file in files}
    assert [file for file in files if b"hunter2" in file.read_bytes()] == []
    assert (tmp_path / "kfnb-home" / "cache.key").stat().st_mode & 0o077 == 0


def test_short_secrets_cannot_be_tried_without_the_homes_key(notebook, tmp_path):
    component(notebook, "envr", 'e = len(os.environ["STAGE"])', "--output e")
    notebook.run("%kf_pipeline p envr")
    notebook.submit("p")
    before = {entry.name for entry in (tmp_path / "kfnb-home" / "cache").iterdir()}
    (tmp_path / "kfnb-home" / "cache.key").unlink()
    assert not notebook.submit("p").tasks["envr"].cached
    assert len({entry.name for entry in (tmp_path / "kfnb-home" / "cache").iterdir()} - before) == 1


def test_a_value_from_a_secret_counts_as_well(notebook, tmp_path):
    (tmp_path / "secrets" / "db").mkdir(parents=True)
    password = tmp_path / "secrets" / "db" / "password"
    password.write_text("one")
    notebook.run(f"%kf_config secrets={tmp_path / 'secrets'}")
    component(notebook, "ask", 'n = os.environ["DB_PASSWORD"]', "--output n --secret db:password=DB_PASSWORD")
    assert [note for note in notebook.component("ask").notes if "environment" in note] == []
    notebook.run("%kf_pipeline p ask")
    assert notebook.submit("p").outputs["ask"]["n"] == "one"
    assert notebook.submit("p").tasks["ask"].cached
    password.write_text("three")
    assert notebook.submit("p").outputs["ask"]["n"] == "three"


def test_a_compiled_file_runs_with_the_environment_of_whoever_runs_it(notebook, tmp_path):
    component(notebook, "envr", 'e = os.environ.get("STAGE", "none")', "--output e")
    notebook.run("%kf_pipeline p envr\n")
    notebook.run("%kf_compile p --to p.yaml")
    for stage in ("dev", "test"):
        done = in_terminal("submit", "p.yaml", "--json", STAGE=stage)
        assert json.loads(done.stdout)["tasks"][0]["outputs"]["e"] == stage


def in_terminal(*words, **environ):
    return subprocess.run(
        [sys.executable, "-m", "kfnb.cli", *words],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )


def test_a_notebook_that_nobody_attends_sees_the_same(tmp_path, monkeypatch):
    import nbformat

    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    sources = [
        "%load_ext kfnb",
        '%%kf_component envr --output e\nimport os\nname = "ST" + "AGE"\ne = os.environ.get(name, "none")',
        "%kf_pipeline p envr",
        "run = %kf_submit p\nprint('gave', run.outputs['envr']['e'], run.tasks['envr'].cached)",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), "n.ipynb")
    said = []
    for stage in ("one", "one", "two"):
        in_terminal("run", "n.ipynb", "--output-dir", "done", STAGE=stage)
        (file,) = Path("done").rglob("*.ipynb")
        said += re.findall(r"gave \w+ \w+", file.read_text())
        file.unlink()
    assert said == ["gave one False", "gave one True", "gave two False"]


# -- on a cluster ---------------------------------------------------------------------------------------------


@pytest.fixture
def sent(monkeypatch):
    """What is sent to a cluster to start runs: a server that takes each and says nothing of it."""
    bodies = []

    class Cluster(KubeflowRunEngine):
        def __init__(self):
            self.submitter = Submitter(None)

        def submit(self, submission):
            bodies.append(order(submission, ""))
            return "0" * 8

    monkeypatch.setattr(api._connection, "engine", Cluster)
    monkeypatch.setattr(Kernel, "attended", True)  # nobody waits
    return bodies


def submitted(notebook, capsys, line):
    """What is told when a run is submitted."""
    capsys.readouterr()
    notebook.run(f"run = {line} --backend kubeflow")
    return [said for said in capsys.readouterr().out.splitlines() if said.startswith("note: ")]


def containers(body):
    executors = body["pipeline_spec"]["deploymentSpec"]["executors"]
    return {label.removeprefix("exec-"): executor["container"] for label, executor in executors.items()}


@pytest.fixture
def two(notebook, monkeypatch):
    """A pipeline of two steps, of which one reads variables."""
    monkeypatch.setenv("API_TOKEN", "hunter2-hunter2")
    component(notebook, "reads", 'x = os.environ["STAGE"] + os.environ["HOME"] + os.environ["API_TOKEN"]')
    component(notebook, "does_not", "y = 1")
    notebook.run("%kf_pipeline p reads does_not")
    return notebook


def test_what_a_pod_does_not_have_is_told_before_the_run(two, sent, capsys):
    missing = "which is set here and not in the pod, unless its image sets it"
    how = "store it in a Kubernetes secret, and add --secret NAME:KEY=API_TOKEN to the component"
    assert submitted(two, capsys, "%kf_submit p") == [
        f"note: reads reads API_TOKEN, {missing}: {how}",
        f"note: reads reads STAGE, {missing}: --env STAGE passes the value",
    ]
    assert "hunter2" not in str(sent)
    told = []
    api.submit("p", backend="kubeflow", notify=told.append)
    assert [one[:28] for one in told] == ["note: reads reads API_TOKEN,", "note: reads reads STAGE, whi"]


def test_env_passes_a_value_to_the_steps_that_read_it(two, sent, capsys, monkeypatch):
    (told,) = submitted(two, capsys, "%kf_submit p --env STAGE")
    assert "API_TOKEN" in told
    steps = containers(sent[0])
    assert {"name": "STAGE", "value": "one"} in steps["reads"]["env"]
    assert "STAGE" not in str(steps["does-not"])
    monkeypatch.setenv("STAGE", "two")
    submitted(two, capsys, "%kf_submit p --env STAGE")
    # KFP takes a step from its cache by its command
    assert containers(sent[1])["reads"]["command"] != steps["reads"]["command"]
    assert containers(sent[1])["does-not"] == steps["does-not"]
    ast.parse(steps["reads"]["command"][-1])


def test_env_passes_a_value_to_steps_that_may_read_it_too(notebook, sent, capsys):
    component(notebook, "reads", 'x = os.environ["STAGE"]')
    component(notebook, "computes", "y = os.environ.get(which)", "--param which:str=OTHER")
    component(notebook, "sets", 'os.environ.setdefault("STAGE", "one")')
    component(notebook, "does_not", "z = 1", "--param n:int=1")
    notebook.run("%kf_pipeline p reads computes sets does_not")
    submitted(notebook, capsys, "%kf_submit p --env STAGE")
    having = {name for name, one in containers(sent[0]).items() if "STAGE" in str(one.get("env"))}
    assert having == {"reads", "computes", "sets"}


def test_env_passes_what_only_libraries_read_to_all_steps(two, sent, capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    submitted(two, capsys, "%kf_submit p --env OMP_NUM_THREADS")
    for step in containers(sent[0]).values():
        assert {"name": "OMP_NUM_THREADS", "value": "2"} in step["env"]


def test_what_looks_like_a_secret_is_refused_and_never_sent(two, sent):
    said = two.fails("%kf_submit p --backend kubeflow --env API_TOKEN")
    assert "--env API_TOKEN: the value looks like a secret" in said
    assert "--secret NAME:KEY=API_TOKEN" in said
    assert "hunter2" not in said
    assert sent == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NOT_SET", "no environment variable NOT_SET is set here"),
        ("STAGE=two", "only give the name, --env STAGE: its value is taken from here"),
    ],
)
def test_env_names_a_variable_that_is_set(two, sent, name, said):
    assert two.fails(f"%kf_submit p --backend kubeflow --env {name}") == f"--env {name}: {said}"
    assert sent == []


def test_here_env_changes_nothing(two, tmp_path):
    two.run("%kf_submit p --env STAGE -o run")
    specs = [file.read_text() for file in tmp_path.rglob("spec.json")]
    assert len(specs) == 1
    assert '"value": "one"' not in specs[0]


def test_what_a_component_asks_for_itself_stands(notebook, sent, capsys):
    component(notebook, "a", 'x = os.environ["STAGE"]', "--env STAGE=fixed")
    notebook.run("%kf_pipeline p a")
    assert submitted(notebook, capsys, "%kf_submit p --env STAGE") == []
    assert [one for one in containers(sent[0])["a"]["env"] if one["name"] == "STAGE"] == [
        {"name": "STAGE", "value": "fixed"}
    ]


def test_a_variable_of_a_secret_is_not_missed(notebook, sent, capsys, monkeypatch):
    monkeypatch.setenv("DB_PASSWORD", "x")
    component(notebook, "b", 'y = len(os.environ["DB_PASSWORD"])', "--secret db:password=DB_PASSWORD")
    notebook.run("%kf_pipeline p b")
    assert submitted(notebook, capsys, "%kf_submit p") == []


def test_a_step_that_reads_nothing_has_a_program_without_a_word_of_it(two):
    program = components_api.built("p").program
    assert program.count("reads the environment variables") == 1
    assert "# kfnb: reads the environment variables API_TOKEN, HOME, STAGE" in program
