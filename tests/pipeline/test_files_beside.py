"""Files beside the notebook: which of them a step finds in its folder, and what is said of those that have changed."""

import os
from pathlib import Path

import pytest

from kfnb.entities import importers
from kfnb.errors import RunFailed
from kfnb.resources.components import api
from tests.pipeline.launched import launch

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def notebook(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shell.run("import os, glob\nfrom pathlib import Path")
    return shell


def component(shell, name, body, options=""):
    shell.run(f"%%kf_component {name} {options}\n{body}")
    return shell.component(name)


def files(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)


def both_ways(notebook, tmp_path, step, **arguments):
    """The outputs of the pipeline ``p`` of one step, here; they must be those in a pod's empty folder."""
    here = dict(notebook.submit("p", **arguments).outputs[step])
    here.pop("kf_files", None)
    pod = tmp_path / "pod"
    pod.mkdir()
    done = launch("p", step, pod)
    assert (done.code, done.parameters) == (0, here), done.log
    return here


LISTINGS = {
    "listdir": 'names = sorted(os.listdir("in"))',
    "iterdir": 'names = sorted(path.name for path in Path("in").iterdir())',
    "glob": 'names = sorted(os.path.basename(path) for path in glob.glob("in/*"))',
}


@pytest.mark.parametrize("way", LISTINGS)
def test_a_folder_that_is_listed_is_whole_in_the_step(notebook, tmp_path, way):
    files("in/a.txt", "in/b.txt")
    component(notebook, "r", LISTINGS[way], "--output names")
    notebook.run("%kf_pipeline p r")
    assert both_ways(notebook, tmp_path, "r") == {"names": ["a.txt", "b.txt"]}


def test_a_tree_that_is_walked_is_whole_in_the_step(notebook, tmp_path):
    files("in/a.txt", "in/x/b.txt")
    component(notebook, "r", 'n = len(list(Path("in").rglob("*.txt")))', "--output n")
    notebook.run("%kf_pipeline p r")
    assert both_ways(notebook, tmp_path, "r") == {"n": 2}


def test_a_listed_file_that_is_too_large_for_the_program_is_imported(notebook):
    files("in/a.txt")
    Path("in/big.bin").write_bytes(os.urandom(200_000))
    component(notebook, "r", 'n = len(os.listdir("in"))', "--output n")
    notebook.run("%kf_pipeline p r")
    assert [one.paths for _, one in importers(api.spec_of("p").spec)] == [("in/big.bin",)]
    assert dict(notebook.submit("p").outputs["r"]) == {"n": 2}


def test_what_cells_have_left_in_a_listed_folder_is_not_there_before_they_run(notebook):
    files("in/a.txt")
    component(notebook, "r", 'n = len(os.listdir("in"))\nPath("in/later").write_text("1")', "--output n")
    notebook.run("%kf_pipeline p r")
    assert notebook.submit("p").outputs["r"]["n"] == 1


def test_a_parameter_that_is_in_a_path_may_have_another_value(notebook):
    files("data/one.csv", "data/two.csv")
    component(
        notebook, "r", 'text = Path(f"data/{name}.csv").read_text()', "--param name:str=one --output text"
    )
    notebook.run("%kf_pipeline p r")
    assert dict(notebook.submit("p", name="two").outputs["r"]) == {"text": "data/two.csv"}


def test_a_hidden_file_is_read_here_and_never_travels(notebook):
    files(".env")
    component(notebook, "r", 'Path("out").write_text("1")\ntext = Path(".env").read_text()', "--output text")
    notebook.run("%kf_pipeline p r")
    assert notebook.submit("p").outputs["r"]["text"] == ".env"
    compiled = api.spec_of("p")
    assert "a hidden file that may hold secrets" in "".join(compiled.notes)
    assert not list(importers(compiled.spec))


def test_a_file_that_a_cell_has_appended_to_is_told(notebook, capsys):
    files("log.txt")
    component(notebook, "w", 'open("log.txt", "a").write("more")')
    notebook.run("%kf_pipeline p w")
    assert (
        "w reads log.txt and changes it: a run begins with log.txt as this cell left it"
        in capsys.readouterr().out
    )


def test_a_file_that_a_later_cell_has_overwritten_is_told(notebook, capsys):
    files("d.csv")
    component(notebook, "r", 'text = open("d.csv").read()', "--output text")
    component(notebook, "w", 'open("d.csv", "w").write("new")')
    notebook.run("%kf_pipeline p r w")
    assert "r reads d.csv, which w has overwritten since" in capsys.readouterr().out


def test_a_set_up_cells_files_are_in_every_step(notebook, tmp_path):
    files("conf.txt")
    notebook.run('%%kf_setup\nCONF = open("conf.txt").read()')
    component(notebook, "r", 'Path("out").write_text(CONF)\nconf = CONF', "--output conf")
    notebook.run("%kf_pipeline p r")
    assert both_ways(notebook, tmp_path, "r") == {"conf": "conf.txt"}


def test_a_set_up_cell_that_writes_does_not_write_beside_the_notebook(notebook):
    notebook.run('%%kf_setup\nopen("log.txt", "a").write("x")')
    component(notebook, "r", "n = 1", "--output n")
    notebook.run("%kf_pipeline p r")
    notebook.submit("p")
    assert Path("log.txt").read_text() == "x"


def test_a_step_begins_in_the_folder_in_which_its_cell_began(notebook):
    Path("sub").mkdir()
    component(notebook, "w", 'os.chdir("sub")\nPath("a.txt").write_text("1")')
    component(
        notebook, "r", 'there = [Path("a.txt").exists(), Path("../sub/a.txt").exists()]', "--output there"
    )
    notebook.run("%kf_pipeline p w r")
    assert notebook.submit("p").outputs["r"]["there"] == [True, True]


def test_empty_folders_and_looked_for_files_reach_the_next_step(notebook):
    component(notebook, "w", 'os.makedirs("d/empty")\nopen("flag", "w").close()')
    component(notebook, "r", 'seen = [*os.listdir("d"), str(os.path.exists("flag"))]', "--output seen")
    notebook.run("%kf_pipeline p w r")
    assert dict(notebook.submit("p").outputs["r"]) == {"seen": ["empty", "True"]}


def test_links_and_pipes_that_a_step_leaves_do_no_harm(notebook):
    component(
        notebook,
        "w",
        'os.makedirs("v1")\nPath("v1/m").write_text("1")\nos.symlink("v1", "latest")\n'
        'os.symlink("nowhere", "dangling")\nos.symlink(".", "v1/self")\nos.mkfifo("pipe")',
    )
    component(notebook, "r", 'text = Path("latest/m").read_text()', "--output text")
    notebook.run("%kf_pipeline p w r")
    assert dict(notebook.submit("p").outputs["r"]) == {"text": "1"}


def test_a_file_that_the_cell_did_not_use_here_is_told_when_its_step_fails(notebook):
    files("d/small.csv", "d/large.csv", "d/other")
    branch = 'Path("out").write_text("1")\ntext = Path("d/large.csv" if big else "d/small.csv").read_text()'
    component(notebook, "r", branch, "--param big:bool=False --output text")
    notebook.run("%kf_pipeline p r")
    with pytest.raises(RunFailed) as failed:
        notebook.submit("p", big=True)
    assert "d/large.csv is in the notebook's folder, but the cell did not use it in the notebook" in str(
        failed.value
    )
    assert "add os.path.exists('d/large.csv') to it" in str(failed.value)


def test_a_file_that_is_nowhere_is_told_plainly(notebook):
    component(
        notebook,
        "r",
        'Path("out").write_text("1")\nif big: Path("nowhere").read_text()',
        "--param big:bool=False",
    )
    notebook.run("%kf_pipeline p r")
    with pytest.raises(RunFailed) as failed:
        notebook.submit("p", big=True)
    assert "did not use it" not in str(failed.value)


def test_a_file_in_a_hidden_folder_is_as_a_hidden_file(notebook):
    files(".cache/x")
    component(notebook, "r", 'text = Path(".cache/x").read_text()', "--output text")
    notebook.run("%kf_pipeline p r")
    assert notebook.submit("p").outputs["r"]["text"] == ".cache/x"
    assert "r reads .cache/x, a hidden file that may hold secrets" in "".join(api.spec_of("p").notes)


def test_what_a_step_writes_into_a_hidden_folder_travels(notebook):
    component(notebook, "w", 'os.makedirs(".cache", exist_ok=True)\nPath(".cache/x").write_text("1")')
    component(notebook, "r", 'seen = [*os.listdir(".cache"), Path(".cache/x").read_text()]', "--output seen")
    notebook.run("%kf_pipeline p w r")
    Path(".cache/x").unlink()
    assert notebook.submit("p").outputs["r"]["seen"] == ["x", "1"]


def test_a_module_that_one_step_writes_is_the_one_that_the_next_imports(notebook):
    component(notebook, "w", 'Path("generated.py").write_text(f"VALUE = {n}")', "--param n:int=1")
    component(notebook, "r", "import generated\nvalue = generated.VALUE", "--output value")
    notebook.run("%kf_pipeline p w r")
    assert notebook.submit("p", n=7).outputs["r"]["value"] == 7
    assert Path("generated.py").read_text() == "VALUE = 1"


def test_a_program_beside_the_notebook_that_the_cell_runs_travels(notebook, tmp_path):
    Path("train.py").write_text("print(6 * 7)")
    component(notebook, "r", "!python train.py > out\ntext = Path('out').read_text()", "--output text")
    notebook.run("%kf_pipeline p r")
    assert both_ways(notebook, tmp_path, "r") == {"text": "42\n"}


def test_a_module_finds_the_data_that_lies_beside_it(notebook, tmp_path):
    files("d.csv")
    Path("loader.py").write_text(
        "from pathlib import Path\n\n\ndef load():\n    return (Path(__file__).parent / 'd.csv').read_text()\n"
    )
    notebook.run("import loader")
    component(notebook, "r", "text = loader.load()", "--output text")
    notebook.run("%kf_pipeline p r")
    assert both_ways(notebook, tmp_path, "r") == {"text": "d.csv"}


@pytest.mark.parametrize(
    "look", ["Path('later').exists()", "os.path.exists('later')", "os.access('later', os.R_OK)"]
)
def test_a_file_that_was_looked_for_in_vain_is_seen_once_it_is_there(notebook, tmp_path, look):
    component(notebook, "r", f"there = {look}", "--output there")
    notebook.run("%kf_pipeline p r")
    assert both_ways(notebook, tmp_path, "r") == {"there": False}
    files("later")
    assert notebook.submit("p").outputs["r"]["there"] is True


def test_what_a_cell_makes_where_it_is_missing_is_made_by_its_step_again(notebook):
    files("other")
    body = "new = not Path('model').exists()\nif new:\n    Path('model').write_text('1')\nPath('other').read_text()"
    component(notebook, "w", body, "--output new")
    notebook.run("%kf_pipeline p w")
    assert notebook.submit("p").outputs["w"]["new"] is True
