"""What is seen of the files of a cell while it runs."""

import contextlib
import importlib
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kfnb.capture.file_watch import FileWatch
from kfnb.capture.files import Files


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """``watched(action)``: the files that ``action`` was seen to read and write in the empty folder."""
    (tmp_path / "nb").mkdir()
    monkeypatch.chdir(tmp_path / "nb")

    def watched(action):
        watch = FileWatch(tmp_path / "nb")
        try:
            action()
        finally:
            seen = watch.stop()
        return seen

    return watched


def test_code_notebooks_and_what_is_in_hidden_folders_are_no_data(tmp_path):
    (tmp_path / ".git").mkdir()
    for name in ("mod.py", ".git/x", "nb.ipynb"):
        (tmp_path / name).write_text("1")
    watch = FileWatch(tmp_path)
    for name in ("mod.py", ".git/x", "nb.ipynb"):
        (tmp_path / name).read_text()
    assert not watch.stop()


def test_a_cells_own_files_are_no_inputs(tmp_path):
    watch = FileWatch(tmp_path)
    (tmp_path / "a").write_text("1")
    (tmp_path / "a").read_text()
    (tmp_path / "b").write_text("1")
    (tmp_path / "b").rename(tmp_path / "c")
    seen = watch.stop()
    assert (seen.reads, seen.writes, seen.removed) == (frozenset(), {"a", "c"}, frozenset())


@pytest.mark.parametrize(
    "look", [os.path.exists, os.path.getsize, lambda name: os.access(name, os.R_OK), Path.is_file]
)
def test_a_look_at_whether_a_file_is_there_reads_it(watched, look):
    Path("flag").write_text("1")
    assert watched(lambda: look(Path("flag"))).reads == {"flag"}


def test_a_look_at_a_file_that_the_cell_replaces_does_not_read_it(watched):
    Path("out.png").write_text("old")
    seen = watched(lambda: Path("out.png").exists() and Path("out.png").write_text("new"))
    assert (seen.reads, seen.writes) == (frozenset(), {"out.png"})


def test_a_look_that_finds_nothing_reads_nothing(watched):
    assert not watched(lambda: Path("nothing").exists())


def test_looks_are_as_they_were_once_the_cell_has_run(watched):
    before = os.stat, os.lstat, os.access
    watched(lambda: None)
    assert (os.stat, os.lstat, os.access) == before


def test_an_empty_folder_is_left_and_one_with_files_is_its_files(watched):
    def make():
        Path("a/b").mkdir(parents=True)
        Path("c").mkdir()
        Path("c/f").write_text("1")

    assert watched(make).writes == {"a/b/", "c/f"}


def test_a_folder_that_is_renamed_takes_its_files_along(watched):
    Path("s/t").mkdir(parents=True)
    Path("s/t/f").write_text("1")
    seen = watched(lambda: Path("s").rename("c"))
    assert (seen.reads, seen.removed, seen.writes) == ({"s/t/f"}, {"s/t/f"}, {"c/t/f"})


def test_a_tree_that_is_removed_takes_no_file_of_the_same_name_along(watched):
    def make_and_remove():
        Path("t").mkdir()
        Path("t/f").write_text("x")
        Path("f").write_text("1")
        shutil.rmtree("t")

    seen = watched(make_and_remove)
    assert (seen.writes, seen.removed, seen.folders) == ({"f"}, frozenset(), frozenset())


def test_files_below_a_linked_folder_are_the_notebooks(watched, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.csv").write_text("1")
    Path("data").symlink_to(tmp_path / "real")
    assert watched(lambda: Path("data/a.csv").read_text()).reads == {"data/a.csv"}


@pytest.mark.skipif(sys.platform != "linux", reason="inotify tells of other processes")
def test_the_files_of_forked_workers_are_seen(watched):
    for number in range(4):
        Path(f"{number}.txt").write_text("1")

    def read():
        with multiprocessing.get_context("fork").Pool(2) as pool:
            pool.map(_text, [f"{number}.txt" for number in range(4)], chunksize=1)

    assert watched(read).reads == {f"{number}.txt" for number in range(4)}


def _text(name):
    return Path(name).read_text()


def test_looking_for_a_module_lists_nothing(watched, monkeypatch):
    Path("a_module_beside.py").write_text("")
    monkeypatch.syspath_prepend(Path.cwd())
    importlib.invalidate_caches()
    assert not watched(lambda: importlib.import_module("a_module_beside")).listed


def test_the_folder_in_which_a_cell_begins_is_known(watched):
    Path("sub").mkdir()
    os.chdir("sub")
    seen = watched(lambda: Path("a").write_text("1"))
    assert (seen.start, seen.writes) == ("sub", {"sub/a"})


def test_what_a_set_up_cell_writes_is_neither_an_edge_nor_an_input():
    set_up = Files(reads=frozenset({"conf"}), writes=frozenset({"log"}))
    seen = set_up.before(Files(reads=frozenset({"log", "x"}), writes=frozenset({"y"})))
    assert (seen.reads, seen.writes) == ({"conf", "x"}, {"y"})


def test_to_be_seen_costs_little_for_each_file_that_is_opened(watched):
    for number in range(1000):
        Path(f"{number}.txt").write_text("x")

    def opens():
        for number in range(1000):
            Path(f"{number}.txt").read_text()

    def cost(action):
        began = time.process_time()
        action()
        return time.process_time() - began

    plain = min(cost(opens) for _ in range(3))
    seen = min(cost(lambda: watched(opens)) for _ in range(3))
    assert (seen - plain) / 1000 < 0.1e-3


def test_an_editor_that_saves_a_module_writes_nothing_of_the_cells(watched):
    def saved():
        subprocess.run(["sh", "-c", "echo 1 > other.py"], check=True)

    assert not watched(saved).writes


def test_a_removed_file_that_is_asked_for_again_stays_removed(watched):
    Path("a").write_text("1")

    def asked():
        Path("a").unlink()
        with contextlib.suppress(FileNotFoundError):
            Path("a").read_text()

    assert watched(asked).removed == {"a"}


def test_hidden_folders_that_are_only_walked_through_are_a_tools(watched):
    for name in (".tool/deep", ".cache", "data"):
        Path(name).mkdir(parents=True)
    assert watched(lambda: list(os.walk("."))).listed == {".", "data"}
    assert watched(lambda: list(os.walk(".cache"))).listed == {".cache"}
