"""What a run's steps wrote is copied beside the notebook where somebody asks for it, and overwrites nothing."""

import json
from pathlib import Path

import pytest

from kfnb.entities import FILES, Artifact, RunSnapshot, RunState, Task
from kfnb.errors import UsageError
from kfnb.resources.runs.output_files import copy_files, written


def task(folder, id, finished, files, removed=()):
    for path, text in files.items():
        (folder / id / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / id / path).write_text(text)
    (folder / id).mkdir(parents=True, exist_ok=True)
    artifact = Artifact(FILES, "system.Artifact", str(folder / id), {"removed": json.dumps(list(removed))})
    name = id.rpartition("/")[2]
    return Task(id, name, RunState.SUCCEEDED, finished=finished, outputs={FILES: artifact})


@pytest.fixture
def here(tmp_path):
    (tmp_path / "notebook").mkdir()
    return tmp_path / "notebook"


@pytest.fixture
def files(tmp_path):
    told = {"plots/a.png": "a", "plots/deep/b.png": "b", "plots/c.csv": "c", "d.png": "d"}
    return written(RunSnapshot("1", "r", "p", "local", tasks=(task(tmp_path / "run", "w", 1.0, told),)))


def texts(files):
    return {path: Path(file.uri).read_text() for path, file in files.items()}


def test_the_files_of_a_run_are_by_the_paths_that_the_cells_wrote(files):
    assert texts(files) == {"plots/a.png": "a", "plots/deep/b.png": "b", "plots/c.csv": "c", "d.png": "d"}


def test_of_a_path_that_several_steps_wrote_the_last_counts_and_what_was_removed_is_gone(tmp_path):
    first = task(tmp_path, "first", 1.0, {"log": "1", "gone": "x"})
    second = task(tmp_path, "second", 2.0, {"log": "12"}, removed=["gone"])
    assert texts(written(RunSnapshot("1", "r", "p", "local", tasks=(second, first)))) == {"log": "12"}


def test_of_a_loops_turns_the_last_one_counts_whichever_ended_last(tmp_path):
    turns = [
        task(tmp_path, f"for-loop-1/{turn}/s", 20.0 - turn, {"x": str(turn), f"x{turn}": ""})
        for turn in (0, 10, 9)
    ]
    found = texts(written(RunSnapshot("1", "r", "p", "local", tasks=tuple(turns))))
    assert found == {"x": "10", "x0": "", "x9": "", "x10": ""}


def test_a_temporary_file_is_known_by_its_path_and_is_not_copied_back(tmp_path, here):
    found = written(
        RunSnapshot("1", "r", "p", "local", tasks=(task(tmp_path, "w", 1.0, {"absolute/tmp/t": "1"}),))
    )
    assert texts(found) == {"/tmp/t": "1"}
    with pytest.raises(UsageError, match=r"cannot copy /tmp/t: the path leads out of the folder"):
        copy_files(found, [], here)


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        ("plots/*.png", ["plots/a.png"]),
        ("plots", ["plots/a.png", "plots/c.csv", "plots/deep/b.png"]),
        ("./plots/", ["plots/a.png", "plots/c.csv", "plots/deep/b.png"]),
        ("**/*.png", ["d.png", "plots/a.png", "plots/deep/b.png"]),
        ("plots/**/b.png", ["plots/deep/b.png"]),
        ("*.png", ["d.png"]),
        (".", ["d.png", "plots/a.png", "plots/c.csv", "plots/deep/b.png"]),
        ("*", ["d.png", "plots/a.png", "plots/c.csv", "plots/deep/b.png"]),
    ],
)
def test_a_pattern_chooses_by_the_path(files, here, pattern, chosen):
    assert sorted(copy_files(files, [pattern], here).copied) == chosen
    assert sorted(str(path.relative_to(here)) for path in here.rglob("*") if path.is_file()) == chosen


@pytest.mark.parametrize("pattern", ["a [1].txt", "*.txt", "a [[]1].txt"])
def test_a_name_may_have_characters_of_patterns_in_it(tmp_path, here, pattern):
    files = written(
        RunSnapshot("1", "r", "p", "local", tasks=(task(tmp_path / "run", "w", 1.0, {"a [1].txt": "x"}),))
    )
    assert copy_files(files, [pattern], here).copied == ("a [1].txt",)
    assert (here / "a [1].txt").read_text() == "x"


def test_a_pattern_that_no_file_fits_is_told_with_those_there_are(files, here):
    with pytest.raises(
        UsageError, match=r"no file of the run matches plot/\*; it wrote d\.png, plots/a\.png, "
    ):
        copy_files(files, ["*", "plot/*"], here)
    assert not list(here.iterdir())


def test_a_file_that_differs_is_left_and_told_unless_it_is_to_be_overwritten(files, here):
    (here / "d.png").write_text("mine")
    (here / "plots").mkdir()
    (here / "plots/a.png").write_text("a")
    kept = copy_files(files, ["*.png", "plots/*.png", "plots/*.csv"], here)
    assert (kept.copied, kept.same, kept.left) == (("plots/c.csv",), ("plots/a.png",), ("d.png",))
    assert list(kept.messages) == [
        "copied plots/c.csv",
        "unchanged: plots/a.png",
        "not overwritten, since the existing files differ: d.png; --force overwrites them",
    ]
    assert (here / "d.png").read_text() == "mine"
    assert copy_files(files, ["d.png"], here, force=True).copied == ("d.png",)
    assert (here / "d.png").read_text() == "d"
    assert sorted(path.name for path in here.rglob("*") if path.is_file()) == ["a.png", "c.csv", "d.png"]


def test_nothing_is_written_outside_of_the_folder(tmp_path, here):
    (tmp_path / "out").mkdir()
    (here / "link").symlink_to(tmp_path / "out")
    source = tmp_path / "x"
    source.write_text("x")
    hostile = {
        path: Artifact(path, "system.Artifact", str(source)) for path in ("../y", "link/y", "a/../../y")
    }
    with pytest.raises(UsageError, match="cannot copy link/y: the path leads out of the folder"):
        copy_files(hostile, ["link/*"], here)
    kept = copy_files({**hostile, "z": Artifact("z", "system.Artifact", str(source))}, [], here)
    assert kept.copied == ("z",)
    assert list(kept.messages)[1].startswith(
        "not copied, since the path leads out of the folder: ../y, link/y, "
    )
    assert not list((tmp_path / "out").iterdir())


def test_a_path_that_cannot_be_written_is_told(files, here):
    (here / "plots").write_text("a file")
    with pytest.raises(UsageError, match=r"cannot copy plots/a\.png: "):
        copy_files(files, ["plots"], here)


# -- in a notebook and in a terminal --------------------------------------------------------------------------------


@pytest.fixture
def notebook(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shell.run("import os\n")
    shell.run(
        '%%kf_component w --param n:int=1\nos.makedirs("plots", exist_ok=True)\nfor name in "ab":\n'
        '    with open(f"plots/{name}.txt", "w") as f:\n        f.write(f"{name}{n}")'
    )
    shell.run("%kf_pipeline p w")
    return shell


def test_a_submitted_run_keeps_files_when_it_is_finished(notebook, capsys):
    Path("plots/a.txt").unlink()
    notebook.run("%kf_submit p --n 2 --keep-files 'plots/*.txt' -o run")
    notebook["run"].wait(60)
    assert Path("plots/a.txt").read_text() == "a2"
    assert Path("plots/b.txt").read_text() == "b1"  # the notebook's own
    said = capsys.readouterr().out
    assert "copied plots/a.txt" in said
    assert "not overwritten, since the existing files differ: plots/b.txt; --force overwrites them" in said


def test_a_finished_run_gives_its_files(notebook, capsys):
    run = notebook.submit("p", n=3)
    assert set(run.files) == {"plots/a.txt", "plots/b.txt"}
    assert Path("plots/a.txt").read_text() == "a1"
    notebook.run(f"%kf_run {run.id} --keep-files plots/a.txt --force")
    assert (Path("plots/a.txt").read_text(), Path("plots/b.txt").read_text()) == ("a3", "b1")
    assert "copied plots/a.txt" in capsys.readouterr().out
    notebook.run(f"%kf_run {run.id} --force --keep-files")
    assert Path("plots/b.txt").read_text() == "b3"
    assert "--force requires --keep-files" in notebook.fails(f"%kf_run {run.id} --force")


def test_a_pattern_that_fits_nothing_does_not_fail_the_run(notebook, capsys):
    notebook.run("%kf_submit p --n 4 --keep-files nothing -o run")
    notebook["run"].wait(60)
    assert (
        ": no file of the run matches nothing; it wrote plots/a.txt, plots/b.txt" in capsys.readouterr().out
    )


def test_the_terminal_has_the_same_words(notebook, capsys, monkeypatch, tmp_path):
    from kfnb.cli import main
    from kfnb.resources.components import api

    run = notebook.submit("p", n=5)
    assert main(["runs", "show", run.id, "--keep-files", "plots/a.txt", "--force"]) == 0
    assert "copied plots/a.txt" in capsys.readouterr().err
    api.compile("p", tmp_path / "p.yaml")
    Path("plots/b.txt").unlink()
    assert main(["submit", "p.yaml", "--n", "6", "--keep-files", "plots/b.txt"]) == 0
    assert Path("plots/b.txt").read_text() == "b6"
