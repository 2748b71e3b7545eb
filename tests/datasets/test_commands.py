"""Data sets in a notebook, in a terminal and in a program."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

import kfnb
from kfnb.cli import main
from kfnb.errors import BackendError, NotFound, UsageError
from kfnb.resources.datasets.api import digest_of
from tests.conftest import Shell

MAKE = "import pandas as pd\ndf = pd.DataFrame({'x': range(100), 's': ['a', 'b'] * 50})"


def test_a_frame_becomes_a_version_and_comes_back(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run(MAKE)
    shell.run("%kf_data add churn-data df -o first")
    assert shell["first"].ref == "churn-data@1"
    assert "churn-data@1" in capsys.readouterr().out
    shell.run("%kf_data add churn-data df")
    assert "churn-data@1 has this content already" in capsys.readouterr().out
    shell.run("df.loc[5, 'x'] = -1")
    shell.run("%kf_data add churn-data df --description 'row 5 fixed' -o second")
    assert (shell["second"].version, shell["second"].description) == (2, "row 5 fixed")
    assert shell["second"].source["name"] == "df"
    pd.testing.assert_frame_equal(kfnb.dataset("churn-data").load(), shell["df"])
    assert kfnb.dataset("churn-data@1").load().x[5] == 5
    assert [one.ref for one in kfnb.datasets()] == ["churn-data@2"]
    assert [one.ref for one in kfnb.datasets("churn-data")] == ["churn-data@2", "churn-data@1"]
    shell.run("%kf_data show first")
    assert "frame 100 \N{MULTIPLICATION SIGN} 2 (pandas)" in capsys.readouterr().out


def test_a_program_adds_values_and_paths(shell: Shell, tmp_path: Path) -> None:
    version = kfnb.add_data("numbers", pd.DataFrame({"x": [1]}), description="one")
    (tmp_path / "f.txt").write_text("hello")
    assert kfnb.add_data("notes", str(tmp_path / "f.txt")).load().read_text() == "hello"
    assert kfnb.add_data("notes", tmp_path / "f.txt").version == 1
    assert kfnb.add_data("copy", version).digest == version.digest
    assert version == kfnb.dataset("numbers@latest")
    with pytest.raises(
        UsageError, match=r"data\.csv is not the address of an object store: download the file"
    ):
        kfnb.add_data("web", "https://example.com/data.csv")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%kf_data add X df", "invalid name of a data set: 'X'"),
        ("%kf_data add a/b df", "invalid name of a data set: 'a/b'"),
        ("%kf_data add churn-data dff", "dff is neither a name of the notebook nor a path; did you mean df?"),
        ("%kf_data add churn-data ./missing", "missing does not exist"),
        ("%kf_data add churn-data shell_name", "shell_name is of type int, which cannot be added as data"),
        ("%kf_data add churn-data 7", "7 is neither a name of the notebook nor a path"),
        ("%kf_data add churn-data pd.concat([df, df])", "nor a path; assign the expression to a name"),
        ("%kf_data add churn-data df.x", "nor a path; assign the expression to a name"),
        ("%kf_data add churn-data words", "words is the text 'hello', which is not the path of a file"),
        ("%kf_data show churn-dta", "unknown data set churn-dta; did you mean churn-data?"),
        ("%kf_data show churn-data@0", "invalid version '0' in churn-data@0"),
        ("%kf_data show churn-data@x", "invalid version 'x' in churn-data@x"),
        ("%kf_data show churn-data@9", "unknown version churn-data@9; churn-data has version 1"),
        ("%kf_data shwo churn-data", "unexpected argument churn-data; did you mean show?"),
    ],
)
def test_wrong_use_is_one_line(shell: Shell, line: str, message: str) -> None:
    shell.run(MAKE + "\nshell_name, words = 5, 'hello'")
    shell.run("%kf_data add churn-data df")
    assert message in shell.fails(line)


def test_a_store_at_an_unknown_kind_of_address_is_refused(shell: Shell) -> None:
    shell.run("%kf_config data_store=ftp://host/data")
    assert "data_store=ftp://host/data: the scheme ftp:// is not allowed" in shell.fails("%kf_data")


def test_a_team_shares_a_store(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    shell.run(f"%kf_config data_store={tmp_path}/team owner=ann")
    shell.run(MAKE)
    shell.run("%kf_data add churn-data df")
    kfnb.settings.settings().home = str(tmp_path / "other-home")  # type: ignore[attr-defined]
    assert kfnb.dataset("churn-data").owner == "ann"
    assert len(kfnb.dataset("churn-data").load()) == 100


def test_a_bucket_is_a_store(shell: Shell, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    shell.run(MAKE)
    shell.run(f"%kf_config data_store=s3://bucket/commands?endpoint={s3}&region=us-east-1")
    shell.run("%kf_data add churn-data df")
    assert len(kfnb.dataset("churn-data@1").load()) == 100
    assert kfnb.dataset("churn-data@1").uri.startswith("s3://bucket/commands/objects/sha256/")


# -- a terminal -----------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from kfnb import settings

    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    settings.reset()
    return tmp_path / "home"


def run(*words: str) -> int:
    return main(["data", *words])


def test_a_terminal_adds_shows_gets_and_lists(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("f.csv").write_text("a,b\n1,x\n")
    assert run("add", "notes", "f.csv", "--json") == 0
    added = json.loads(capsys.readouterr().out)
    assert (added["name"], added["version"], added["kind"]) == ("notes", 1, "file")
    assert added["columns"][0]["type"] == "int64"
    assert run("--json") == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["notes"]
    assert run("show", "notes@1") == 0
    assert run("get", "notes", "copy.csv") == 0
    assert Path("copy.csv").read_text() == "a,b\n1,x\n"
    assert run("show", "nothing") == 1
    assert run("add", "notes", "missing.csv") == 2


def test_a_terminal_checks_every_byte(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("f.txt").write_text("hello")
    run("add", "notes", "f.txt")
    assert run("check") == 0
    [content] = [one for one in (home / "data" / "objects").rglob("*") if one.is_file()]
    content.chmod(0o600)
    content.write_text("HELLO")
    capsys.readouterr()
    assert run("check", "notes@1", "--json") == 1
    assert json.loads(capsys.readouterr().out)["damages"] == [
        {"ref": "notes@1", "path": "f.txt", "problem": "changed", "models": []}
    ]


def test_a_terminal_prunes_after_a_confirmation(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("f.txt").write_text("hello")
    run("add", "notes", "f.txt")
    assert run("prune") == 0
    assert "nothing to remove" in capsys.readouterr().err
    old = home / "data" / "objects" / "sha256" / "aa" / ("b" * 62)
    old.parent.mkdir(parents=True, exist_ok=True)
    old.write_text("left")
    os.utime(old, (1, 1))
    assert run("prune") == 2
    assert "1 object (4 B; 4 B in all) that no version refers to" in capsys.readouterr().err
    assert run("prune", "--yes") == 0
    assert not old.exists()
    assert run("check") == 0


def test_a_terminal_names_a_damaged_record(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("f.txt").write_text("hello")
    run("add", "notes", "f.txt")
    record = home / "data" / "versions" / "notes" / "000001.json"
    record.chmod(0o600)
    record.write_text("{ not json")
    capsys.readouterr()
    assert run() == 0
    assert "The records of notes@1 cannot be read; kfnb data check names them." in capsys.readouterr().out
    assert run("notes") == 0
    assert "The records of notes@1 cannot be read" in capsys.readouterr().out
    assert run("check") == 1
    assert "versions/notes/000001.json" in capsys.readouterr().out


@pytest.mark.parametrize("path", ["", " "])
def test_an_empty_path_is_not_the_folder_of_work(home: Path, path: str) -> None:
    with pytest.raises(UsageError, match="the path of the data is empty"):
        kfnb.add_data("notes", path)
    assert run("add", "notes", path) == 2


@pytest.mark.parametrize("name", [None, 5])
def test_a_name_that_is_no_text_is_refused(home: Path, name: object) -> None:
    for call in (lambda: kfnb.add_data(name, "x"), lambda: kfnb.dataset(name)):  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=f"invalid name of a data set: {name}"):
            call()


def test_a_file_is_written_where_the_message_says(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.txt").write_text("hello")
    kfnb.add_data("t", "t.txt")
    Path("folder").mkdir()
    for path, written in {"folder": "folder/t.txt", "new/": "new/t.txt", "other": "other"}.items():
        assert run("get", "t", path) == 0
        assert f"to {written}\n" in capsys.readouterr().err
        assert Path(written).read_text() == "hello"


def test_a_value_is_not_written_under_the_name_of_another_format(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kfnb.add_data("d", pd.DataFrame({"x": [1]}))
    assert run("get", "d", "out.csv") == 2
    assert "d@1 is kept as .parquet, not as .csv: write out.parquet" in capsys.readouterr().err
    assert run("get", "d", "out.parquet") == 0
    assert pd.read_parquet("out.parquet").x[0] == 1


def test_one_version_has_one_digest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    version = kfnb.add_data("d", pd.DataFrame({"x": [1]}))
    run("--json")
    [listed] = json.loads(capsys.readouterr().out)
    run("show", "d", "--json")
    shown = json.loads(capsys.readouterr().out)
    assert listed["digest"] == shown["digest"] == version.digest != shown["manifest"]


def test_drafts_of_killed_processes_are_pruned(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = home / "data-drafts" / "old", home / "data-drafts" / "new"
    for draft in (old, new):
        draft.mkdir(parents=True)
        (draft / "data.parquet").write_text("left")
    os.utime(old, (1, 1))
    assert run("prune") == 2
    assert "1 draft of values that were not added (4 B)" in capsys.readouterr().err
    assert run("prune", "--yes") == 0
    assert (old.exists(), new.exists()) == (False, True)


def test_a_changed_copy_of_a_file_is_never_loaded(home: Path) -> None:
    Path("f.txt").write_text("hello")
    version = kfnb.add_data("notes", "f.txt")
    path = version.path()
    path.chmod(0o600)
    path.write_text("HELLO")  # the store's own file, by a link
    with pytest.raises(BackendError, match="was changed in the data store"):
        version.load()
    kfnb.add_data("notes", "f.txt")  # repairs it
    assert run("check") == 0
    assert version.load().read_text() == "hello"


# -- completion -----------------------------------------------------------------------------------------------------


def completions(shell: Shell, text: str) -> list[str]:
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        return [one.text for one in shell.ip.Completer.completions(text, len(text))]


def test_names_versions_and_values_are_completed(shell: Shell) -> None:
    shell.run(MAKE)
    shell.run("%kf_data add churn-data df")
    assert "add" in completions(shell, "%kf_data a")
    assert "df" in completions(shell, "%kf_data add churn-data d")
    assert "churn-data" in completions(shell, "%kf_data show ch")
    assert "churn-data@1" in completions(shell, "%kf_data show churn-data@")
    assert "churn=churn-data@1" in completions(shell, "%%kf_component train --data churn=churn-data@")


def test_an_unknown_name_is_an_error_of_its_own(shell: Shell) -> None:
    with pytest.raises(NotFound):
        kfnb.dataset("nothing")


def test_the_digest_of_a_reference_is_that_of_its_content(shell: Shell) -> None:
    version = kfnb.add_data("numbers", pd.DataFrame({"x": [1]}))
    kfnb.add_data("copy", pd.DataFrame({"x": [1]}))
    assert digest_of("numbers@1") == digest_of("copy") == version.digest
    with pytest.raises(NotFound, match="unknown version numbers@2"):
        digest_of("numbers@2")


def test_content_that_was_added_as_something_else_is_said_to_be(
    shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run(
        "import pandas as pd, polars as pl\ndf = pd.DataFrame({'x': [1, 2]})\npf = pl.DataFrame({'x': [1, 2]})"
    )
    shell["df"].to_parquet(tmp_path / "f.parquet")
    shell.run(f"%kf_data add d {tmp_path}/f.parquet")
    capsys.readouterr()
    shell.run("%kf_data add d df --description 'from memory'")
    said = capsys.readouterr().out
    assert "d@1 has this content already, as a file: no version was added, and load() returns that" in said
    assert "its description is not changed" in said
    shell.run("%kf_data add e df")
    capsys.readouterr()
    shell.run("%kf_data add e pf")
    assert "e@1 has this content already, as a frame of pandas: no version" in capsys.readouterr().out
    shell.run("%kf_data add e df")
    assert "e@1 has this content already: no version was added" in capsys.readouterr().out
