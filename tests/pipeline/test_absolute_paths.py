"""Whole paths of the notebook's folder: a step finds there what the notebook does, and writes nothing."""

import sys
from pathlib import Path

import pytest

from kfnb.capture.absolute_paths import holds_whole_path
from kfnb.capture.embedded.files import kfnb_moved
from tests.pipeline.launched import launch

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def notebook(shell, tmp_path, monkeypatch):
    (tmp_path / "nb/data").mkdir(parents=True)
    (tmp_path / "nb/data/x.txt").write_text("1")
    monkeypatch.chdir(tmp_path / "nb")
    shell.kernel.notebook.folder = tmp_path / "nb"
    shell.run("import os\nfrom pathlib import Path")
    return shell


def component(shell, name, body, options=""):
    shell.run(f"%%kf_component {name} {options}\n{body}")
    return shell.component(name)


CONSTANTS = {
    "text": 'DATA = "{}/data"',
    "path": 'DATA = Path("{}/data")',
    "made of one": 'HOME = "{}"\nDATA = os.path.join(HOME, "data")',
}


@pytest.mark.parametrize("way", CONSTANTS)
def test_a_constant_that_is_a_whole_path_is_the_steps_own(notebook, tmp_path, way):
    notebook.run(CONSTANTS[way].format(tmp_path / "nb"))
    body = 'text = Path(DATA, "x.txt").read_text() + str(n)\nPath(DATA, "out.txt").write_text(text)\nd = str(DATA)'
    component(notebook, "r", body, "--param n:int=1 --output text --output d")
    component(notebook, "last", 'again = Path("data/out.txt").read_text()', "--output again")
    notebook.run("%kf_pipeline p r last")
    run = notebook.submit("p", n=2)
    assert {**run.outputs["r"]}["text"] == "12"
    assert run.outputs["r"]["d"] == str(tmp_path / "nb/data")  # as in the notebook
    assert run.outputs["last"]["again"] == "12"
    assert Path("data/out.txt").read_text() == "11"
    (tmp_path / "pod").mkdir()
    done = launch("p", "r", tmp_path / "pod")
    assert (done.code, done.parameters["text"]) == (0, "11"), done.log
    assert (tmp_path / "pod/artifacts/kf_files/data/out.txt").read_text() == "11"


def test_a_folder_that_one_step_finds_out_is_the_next_steps_own(notebook):
    component(notebook, "a", 'base = os.getcwd()\nfound = [Path.cwd() / "data"]', "--output base")
    component(
        notebook,
        "b",
        'text = Path(base, "data/x.txt").read_text() + (found[0] / "x.txt").read_text()',
        "--output text",
    )
    notebook.run("%kf_pipeline p a b")
    run = notebook.submit("p")
    assert run.outputs["b"]["text"] == "11"
    assert run.outputs["a"]["base"] == str(Path.cwd())


def test_a_whole_path_in_a_cells_text_is_told_with_its_line(notebook, tmp_path):
    told = component(
        notebook, "r", f'\ntext = open("{tmp_path}/nb/data/x.txt").read()', "--output text"
    ).notes
    assert any("cell r [2], line 3" in note and "Write 'data/x.txt'" in note for note in told), told
    notebook.run("%kf_pipeline p r")
    assert notebook.submit("p").outputs["r"]["text"] == "1"


def test_what_is_not_data_of_the_notebook_is_no_whole_path(tmp_path):
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/pyvenv.cfg").touch()
    for value in (
        sys.executable,
        f"{tmp_path}/venv/bin/python",
        f"{tmp_path}/.venv/x",
        "data",
        1,
        None,
        ["x"],
    ):
        assert not holds_whole_path(value, tmp_path), value
    assert holds_whole_path({"a": [tmp_path / "x"]}, tmp_path)


def test_paths_are_moved_in_lists_and_dicts_and_no_other_text_is():
    moved = kfnb_moved({"a": ["/old/x", "/older", "at /old/x"], "b": (Path("/old"), 1)}, "/old", "/new")
    assert moved == {"a": ["/new/x", "/older", "at /old/x"], "b": (Path("/new"), 1)}
    assert kfnb_moved("/old/new/x", "/old", "/old/new") == "/old/new/x"


def test_a_parameter_that_is_a_whole_path_is_told(notebook, tmp_path):
    told = component(
        notebook, "r", "text = open(path).read()", f"--param path:str={tmp_path}/nb/data/x.txt"
    ).notes
    assert any("Write 'data/x.txt'" in note for note in told), told


def test_a_list_that_holds_itself_or_many_others_is_not_searched_for_paths(tmp_path):
    loop = [str(tmp_path / "data.csv")]
    loop.append(loop)
    many = []
    for _ in range(12):
        many = [many] * 1000
    assert not holds_whole_path(loop, tmp_path)
    assert not holds_whole_path(many, tmp_path)
    assert holds_whole_path({"train": [tmp_path / "data.csv"]}, tmp_path)
