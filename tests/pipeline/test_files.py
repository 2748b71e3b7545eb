"""Files between cells are edges of a pipeline: what a run does with them is what the kernel did."""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from kfnb.capture.embedded.files import kfnb_files_in
from kfnb.entities import importers
from kfnb.errors import RunFailed
from kfnb.resources.components import api as components_api
from kfnb.resources.runs import api
from tests.pipeline.launched import launch

# cells open files as people do, and leave them to the garbage collector
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def component(shell, name, body, options=""):
    shell.run(f"%%kf_component {name} {options}\n{body}")
    return shell.component(name)


@pytest.fixture
def notebook(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shell.run("import os, pandas as pd")
    return shell


def outputs(run, task):
    return dict(run.outputs[task])


def test_a_file_that_one_step_writes_and_the_next_reads_is_an_edge(notebook):
    component(
        notebook, "w", 'pd.DataFrame({"a": range(n)}).to_csv("lit.csv", index=False)', "--param n:int=3"
    )
    component(notebook, "rd", 'tot = len(pd.read_csv("lit.csv"))', "--output tot")
    notebook.run("%kf_pipeline q w rd")
    assert outputs(notebook.submit("q", n=7), "rd") == {"tot": 7}
    assert outputs(notebook.submit("q", n=9), "rd") == {"tot": 9}
    assert len(Path("lit.csv").read_text().splitlines()) == 4  # the notebook's own is as the kernel left it


def test_a_file_beside_the_notebook_counts_by_its_content(notebook):
    Path("in").mkdir()
    Path("in/d.csv").write_text("a\n1\n2\n3\n")
    notebook.run('DIR = "in"')
    component(notebook, "read", 's = int(pd.read_csv(f"{DIR}/d.csv").a.sum())', "--output s")
    notebook.run("%kf_pipeline p read")
    assert outputs(notebook.submit("p"), "read") == {"s": 6}
    again = notebook.submit("p")
    assert again.tasks["read"].cached
    Path("in/d.csv").write_text("a\n100\n200\n")
    assert outputs(notebook.submit("p"), "read") == {"s": 300}


def test_a_run_never_writes_into_the_notebooks_folder(notebook, tmp_path):
    component(notebook, "w", 'open("out.txt", "w").write(f"run {n}")\nx = n', "--param n:int=1 --output x")
    notebook.run("%kf_pipeline p w")
    run = notebook.submit("p", n=2)
    assert Path("out.txt").read_text() == "run 1"
    kept = run.artifacts["w"]["kf_files"]
    assert (kept.download(tmp_path / "kept") / "out.txt").read_text() == "run 2"


def test_appending_and_replacing_follow_the_kernels_order(notebook):
    component(notebook, "a", 'open("log.txt", "w").write("a")')
    component(notebook, "b", 'open("log.txt", "a").write("b")')
    component(notebook, "c", 'text = open("log.txt").read()', "--output text")
    notebook.run("%kf_pipeline p a b c")
    assert outputs(notebook.submit("p"), "c") == {"text": "ab"}


def test_a_folder_that_two_steps_fill_is_whole_for_the_third(notebook):
    component(notebook, "a", 'os.makedirs("out", exist_ok=True)\nopen("out/a.txt", "w").write("1")')
    component(notebook, "b", 'os.makedirs("out", exist_ok=True)\nopen("out/b.txt", "w").write("2")')
    component(
        notebook,
        "c",
        'import glob\nnames = sorted(glob.glob("out/*.txt"))\nn = len(names)',
        "--output n --output names",
    )
    notebook.run("%kf_pipeline p a b c")
    assert outputs(notebook.submit("p"), "c") == {"n": 2, "names": ["out/a.txt", "out/b.txt"]}


def test_what_a_step_removes_is_gone_for_those_after_it(notebook):
    component(
        notebook, "a", 'os.makedirs("d", exist_ok=True)\nopen("d/1", "w").close(); open("d/2", "w").close()'
    )
    component(notebook, "b", 'os.remove("d/1")')
    component(notebook, "c", 'left = sorted(os.listdir("d"))', "--output left")
    notebook.run("%kf_pipeline p a b c")
    assert outputs(notebook.submit("p"), "c") == {"left": ["2"]}


def test_a_temporary_file_lies_where_it_lay(notebook):
    component(
        notebook,
        "a",
        'import tempfile\nwith tempfile.NamedTemporaryFile("w", delete=False) as f:\n    f.write("t")\npath = f.name',
    )
    component(notebook, "b", "text = open(path).read()", "--output text")
    notebook.run("%kf_pipeline p a b")
    assert outputs(notebook.submit("p"), "b") == {"text": "t"}


def test_a_path_that_a_parameter_makes_is_another_one_in_a_run(notebook):
    component(notebook, "w", 'open(f"{P}_x.txt", "w").write(P)\nname = P', "--param P:str=one")
    component(notebook, "r", 'text = open(f"{name}_x.txt").read()', "--output text")
    notebook.run("%kf_pipeline p w r")
    assert outputs(notebook.submit("p", P="two"), "r") == {"text": "two"}


def test_a_writer_that_is_not_in_the_pipeline_is_named(notebook):
    component(notebook, "w", 'open("x.txt", "w").write("1")')
    component(notebook, "r", 'text = open("x.txt").read()', "--output text")
    told = notebook.fails("%kf_pipeline p r")
    assert "r reads the file x.txt, which w writes: add w to the pipeline, before it" in told


def test_what_a_loop_writes_is_not_read_outside_of_it(notebook):
    component(notebook, "w", 'open("x.txt", "w").write(str(i))', "--param i:int=1")
    component(notebook, "r", 'text = open("x.txt").read()', "--output text")
    told = notebook.fails("%%kf_pipeline p\nwith dsl.ParallelFor([1, 2]) as i:\n    w(i=i)\nr()")
    assert "r reads the file x.txt, which w writes inside a block" in told


def test_within_a_loop_each_turn_has_its_own_files(notebook):
    component(notebook, "w", 'open("x.txt", "w").write(str(i))', "--param i:int=1")
    component(notebook, "r", 'text = open("x.txt").read()', "--output text")
    notebook.run("%%kf_pipeline p\nwith dsl.ParallelFor([1, 2, 3]) as i:\n    w(i=i)\n    r()")
    assert outputs(notebook.submit("p"), "r") == {"text": ["1", "2", "3"]}


def test_a_file_that_is_gone_since_is_named(notebook):
    Path("d.txt").write_text("x")
    component(notebook, "r", 'text = open("d.txt").read()', "--output text")
    notebook.run("%kf_pipeline p r")
    Path("d.txt").unlink()
    assert "r read the file d.txt when its cell ran, which no longer exists" in notebook.fails("%kf_submit p")
    Path("d.txt").mkdir()
    assert "r read the file d.txt when its cell ran, which is now a folder" in notebook.fails("%kf_submit p")


WRITERS = {
    "to_csv": ('pd.DataFrame({"a": [1]}).to_csv("f.csv")', 'n = len(pd.read_csv("f.csv"))'),
    "parquet": ('pd.DataFrame({"a": [1]}).to_parquet("f.pq")', 'n = len(pd.read_parquet("f.pq"))'),
    "native": (
        'import pyarrow as pa, pyarrow.parquet as pq\npq.write_table(pa.table({"a": [1]}), "f.pq")',
        'import pyarrow.parquet as pq\nn = len(pq.read_table("f.pq"))',
    ),
    "joblib": (
        'import joblib\njoblib.dump([1], "f.joblib")',
        'import joblib\nn = len(joblib.load("f.joblib"))',
    ),
    "numpy": (
        'import numpy as np\nnp.save("f.npy", np.arange(1))',
        'import numpy as np\nn = len(np.load("f.npy"))',
    ),
    "savefig": (
        'import matplotlib; matplotlib.use("agg")\nimport matplotlib.pyplot as plt\nplt.savefig("f.png")',
        'n = int(os.path.getsize("f.png") > 0 and len(open("f.png", "rb").read(1)))',
    ),
    "sqlite": (
        'import sqlite3\nc = sqlite3.connect("f.db")\nc.execute("create table t as select 1")\nc.commit(); c.close()',
        'import sqlite3\nc = sqlite3.connect("f.db")\nn = c.execute("select count(*) from t").fetchone()[0]\nc.close()',
    ),
    "zip": (
        'import zipfile\nwith zipfile.ZipFile("f.zip", "w") as z:\n    z.writestr("a", "1")',
        'import zipfile\nwith zipfile.ZipFile("f.zip") as z:\n    n = len(z.namelist())',
    ),
    "shell": ("!echo 1 > f.txt", "!cat f.txt > g.txt\nn = int(open('g.txt').read())"),
    "shutil": (
        'import shutil\nopen("a.txt", "w").write("1")\nshutil.copy("a.txt", "f.txt")',
        'n = int(open("f.txt").read())',
    ),
    "pathlib": (
        'from pathlib import Path\nPath("deep/er").mkdir(parents=True)\nPath("deep/er/f").write_text("1")',
        'from pathlib import Path\nn = int(Path("deep/er/f").read_text())',
    ),
}


@pytest.mark.parametrize("way", WRITERS)
def test_whatever_writes_a_file_and_reads_it_is_seen(notebook, way):
    write, read = WRITERS[way]
    written, reading = component(notebook, "w", write), component(notebook, "r", read, "--output n")
    assert written.files.writes
    assert reading.files.reads & written.files.writes
    notebook.run("%kf_pipeline p w r")
    for file in Path().iterdir():  # what the kernel left must not help
        if file.is_file():
            file.unlink()
    assert outputs(notebook.submit("p"), "r")["n"] == 1


def test_large_files_beside_the_notebook_are_imported_once_for_all_that_read_them(notebook):
    Path("data").mkdir()
    for name in ("data/train.bin", "data/test.bin", "shared.bin"):
        Path(name).write_bytes(os.urandom(200_000))
    Path("small.txt").write_text("x")
    reads = "n = sum(len(open(name, 'rb').read()) for name in {})"
    component(notebook, "a", reads.format(["data/train.bin", "data/test.bin", "shared.bin"]), "--output n")
    component(notebook, "b", reads.format(["shared.bin", "small.txt"]), "--output n")
    notebook.run("%%kf_pipeline p\na()\nwith dsl.ParallelFor([1, 2]) as i:\n    b()")
    spec = components_api.spec_of("p").spec
    assert {one.title: one.paths for _, one in importers(spec)} == {
        "test.bin and 1 more file": ("data/test.bin", "data/train.bin"),
        "shared.bin": ("shared.bin",),
    }
    assert {"test.bin and 1 more file", "shared.bin"} < {node.name for node in components_api.show("p").nodes}
    run = notebook.submit("p")
    assert {"test.bin and 1 more file", "shared.bin"} < {task.title for task in run.snapshot().tasks}
    assert outputs(run, "a") == {"n": 600_000}
    assert outputs(run, "b") == {"n": [200_001, 200_001]}


def test_a_component_shows_the_files_that_its_cell_read(notebook):
    Path("d.txt").write_text("x")
    component(notebook, "r", 'text = open("d.txt").read()', "--output text")
    assert [one.name for one in components_api.show("r").travellers if one.kind == "file"] == ["d.txt"]


def test_a_large_file_beside_the_notebook_counts_by_its_content(notebook):
    Path("big.bin").write_bytes(os.urandom(300_000))
    component(notebook, "r", 'n = len(open("big.bin", "rb").read())', "--output n")
    notebook.run("%kf_pipeline p r")
    assert outputs(notebook.submit("p"), "r") == {"n": 300_000}
    assert notebook.submit("p").tasks["r"].cached
    before = components_api.spec_of("p").spec["deploymentSpec"]["executors"]["exec-r"]
    Path("big.bin").write_bytes(os.urandom(300_000))
    assert (
        components_api.spec_of("p").spec["deploymentSpec"]["executors"]["exec-r"] != before
    )  # KFP caches by the text
    assert not notebook.submit("p").tasks["r"].cached


def test_a_large_file_that_is_gone_when_its_step_runs_is_named(notebook, tmp_path):
    Path("big.bin").write_bytes(os.urandom(300_000))
    component(notebook, "r", 'n = len(open("big.bin", "rb").read())', "--output n")
    notebook.run("%kf_pipeline p r")
    components_api.compile("p", tmp_path / "p.yaml")
    Path("big.bin").unlink()
    with pytest.raises(RunFailed, match=r"it reads big\.bin: .* does not exist"):
        api.submit(tmp_path / "p.yaml").wait()


def test_an_imported_file_lies_in_a_pods_folder_at_its_path(notebook, tmp_path):
    Path("data").mkdir()
    Path("data/big.bin").write_bytes(os.urandom(300_000))
    component(notebook, "r", 'n = len(open("data/big.bin", "rb").read())', "--output n")
    notebook.run("%kf_pipeline p r")
    shutil.copytree("data", tmp_path / "store/data")
    (tmp_path / "pod").mkdir()
    done = launch("p", "r", tmp_path / "pod", takes={"kf_beside_1": tmp_path / "store"})
    assert (done.code, done.parameters) == (0, {"n": 300_000}), done.log


def test_a_small_file_travels_to_a_pods_empty_folder(notebook, tmp_path):
    Path("d.csv").write_text("a\n1\n2\n")
    component(notebook, "w", 'df = pd.read_csv("d.csv")\ndf.to_csv("out.csv")\nn = len(df)', "--output n")
    notebook.run("%kf_pipeline p w")
    (tmp_path / "pod").mkdir()
    done = launch("p", "w", tmp_path / "pod")
    assert (done.code, done.parameters) == (0, {"n": 2}), done.log
    assert (tmp_path / "pod/artifacts/kf_files/out.csv").read_text() == Path("out.csv").read_text()
    assert sorted(path.name for path in Path().iterdir() if path.is_file()) == ["d.csv", "out.csv"]


def test_an_artifact_from_elsewhere_reaches_nothing_outside_of_the_steps_folder(tmp_path, monkeypatch):
    kept = tmp_path / "kept.txt"
    kept.write_text("x")
    for place in ("absolute/etc", "absolute/tmp/kfnb-parent/etc", "kfnb-parent/kfnb-parent"):
        (tmp_path / "artifact" / place).mkdir(parents=True)
        (tmp_path / "artifact" / place / "kfnb-test-escape").write_text("x")
    removed = json.dumps([str(kept), "../kept.txt", "../../kept.txt"])
    folders = json.dumps(["../../made/"])
    metadata = {"removed": removed, "folders": folders}
    artifact = SimpleNamespace(path=str(tmp_path / "artifact"), metadata=metadata)
    monkeypatch.setenv("KFNB_WORK", str(tmp_path / "work"))
    monkeypatch.chdir(tmp_path)
    assert kfnb_files_in("notebooks", [], {}, artifact)[2] == {}
    assert kept.exists()
    assert not (tmp_path / "made").exists()
    assert not Path("/etc/kfnb-test-escape").exists()
    assert list(tmp_path.rglob("kfnb-test-escape")) == list((tmp_path / "artifact").rglob("kfnb-test-escape"))
