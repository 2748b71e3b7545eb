"""Files beside the notebook's own folder: ``../data``, as projects have it, here and in a pod."""

import ast
import json
import os
import tempfile
from pathlib import Path

import pytest

from kfnb.capture.named_files import files_named
from kfnb.capture.project import top_of
from tests.pipeline.launched import launch

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def notebook(shell, tmp_path, monkeypatch):
    """A notebook in ``project/notebooks``, with ``project/data`` beside it."""
    for name in ("notebooks", "data"):
        (tmp_path / "project" / name).mkdir(parents=True)
    (tmp_path / "project/pyproject.toml").touch()
    monkeypatch.chdir(tmp_path / "project/notebooks")
    shell.kernel.notebook.folder = tmp_path / "project/notebooks"
    shell.run("import os, glob, pandas as pd\nfrom pathlib import Path")
    return shell


def component(shell, name, body, options=""):
    shell.run(f"%%kf_component {name} {options}\n{body}")
    return shell.component(name)


def tree(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


READS = {
    "open": 'text = open("../data/x.csv").read()',
    "path": 'text = (Path("..") / "data" / "x.csv").read_text()',
    "parent": 'text = (Path.cwd().parent / "data" / "x.csv").read_text()',
    "glob": 'text = open(glob.glob("../data/*.csv")[0]).read()',
    "look": 'text = "a\\n" if os.path.exists("../data/x.csv") else ""',
    "native": 'import pyarrow.csv as pc\ntext = pc.read_csv("../data/x.csv").column_names[0] + "\\n"',
    "shell": "!cat ../data/x.csv > copy\ntext = open('copy').read()",
}


@pytest.mark.parametrize("way", READS)
def test_a_file_beside_the_notebooks_folder_is_an_input_here_and_in_a_pod(notebook, tmp_path, way):
    Path("../data/x.csv").write_text("a\n")
    component(notebook, "r", READS[way], "--output text")
    notebook.run("%kf_pipeline p r")
    before = tree(tmp_path / "project")
    assert notebook.submit("p").outputs["r"]["text"] == "a\n"
    assert tree(tmp_path / "project") == before
    (tmp_path / "pod").mkdir()
    done = launch("p", "r", tmp_path / "pod")
    assert (done.code, done.parameters) == (0, {"text": "a\n"}), done.log


def test_what_a_step_writes_beside_the_notebooks_folder_is_an_edge(notebook, tmp_path):
    component(
        notebook,
        "w",
        'os.makedirs("../out", exist_ok=True)\nopen("../out/x.txt", "w").write(str(n))\nopen("y", "w").write("1")',
        "--param n:int=1",
    )
    component(
        notebook,
        "r",
        'text = open("../out/x.txt").read()\nopen("../out/x.txt", "a").write("!")',
        "--output text",
    )
    component(
        notebook, "last", 'seen = [open("../out/x.txt").read(), *os.listdir("../out")]', "--output seen"
    )
    notebook.run("%kf_pipeline p w r last")
    before = tree(tmp_path / "project")
    run = notebook.submit("p", n=7)
    assert run.outputs["r"]["text"] == "7"
    assert run.outputs["last"]["seen"] == ["7!", "x.txt"]
    assert tree(tmp_path / "project") == before
    assert {*run.files} == {"../out/x.txt", "y"}
    assert run.keep_files(folder=tmp_path / "kept/nb").copied == ("y",)
    run.keep_files("../out/*", folder=tmp_path / "kept/nb")
    assert tree(tmp_path / "kept") == {"nb/y": "1", "out/x.txt": "7!"}


def test_a_steps_files_above_lie_in_its_artifact_under_names_that_any_store_has(notebook, tmp_path):
    component(notebook, "w", 'open("../x.txt", "w").write("1")')
    notebook.run("%kf_pipeline p w")
    (tmp_path / "pod").mkdir()
    done = launch("p", "w", tmp_path / "pod")
    assert done.code == 0, done.log
    assert tree(tmp_path / "pod/artifacts/kf_files") == {"kfnb-parent/x.txt": "1"}
    assert done.metadata["kf_files"]["files"] == 1
    assert json.loads(done.metadata["kf_files"]["removed"]) == []


def test_a_large_file_beside_the_notebooks_folder_is_imported(notebook):
    Path("../data/big.bin").write_bytes(os.urandom(200_000))
    component(notebook, "r", 'n = len(open("../data/big.bin", "rb").read())', "--output n")
    notebook.run("%kf_pipeline p r")
    assert notebook.submit("p").outputs["r"]["n"] == 200_000


def test_a_file_beyond_the_project_is_told(notebook, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "far.csv").write_text("a\n")
    read = component(notebook, "r", 'text = open("../../far.csv").read()', "--output text")
    assert not read.files
    assert any(
        "../../far.csv is a file on this machine, which a cluster does not have" in note
        for note in read.notes
    )
    notebook.run("%kf_pipeline p r")
    assert notebook.submit("p").outputs["r"]["text"] == "a\n"


def test_the_trial_of_a_study_has_what_its_text_names(notebook):
    Path("../data/x.csv").write_text("a\n")
    Path("../data/x.csv").write_text("a\n")
    assert files_named(Path.cwd(), [ast.parse('open("../data/x.csv")')]).reads == {"../data/x.csv"}


def test_how_far_up_files_count(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    deep = tmp_path / "home/a/b/c/d"
    deep.mkdir(parents=True)
    assert top_of(deep) == tmp_path / "home/a/b"
    (tmp_path / "home/a/.git").mkdir()
    assert top_of(deep) == tmp_path / "home/a"
    (tmp_path / "home/.git").mkdir()
    assert top_of(tmp_path / "home/x/notebooks") == tmp_path / "home/x"
    assert top_of(tmp_path / "home") == tmp_path / "home"
    assert top_of(Path("/data/notebooks")) == Path("/data/notebooks")
