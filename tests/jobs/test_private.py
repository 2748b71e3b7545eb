"""Folders and files of a home are their user's alone; what was there before kfnb keeps its rights."""

from pathlib import Path

from kfnb.jobs import private


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_folders_that_are_made_are_shut_and_those_above_stay_as_they_are(tmp_path):
    tmp_path.chmod(0o755)
    private.make(tmp_path / "home" / "runs")
    assert [rights(path) for path in (tmp_path, tmp_path / "home", tmp_path / "home" / "runs")] == [
        0o755,
        0o700,
        0o700,
    ]


def test_one_that_is_there_is_shut_once_and_that_is_said(tmp_path):
    (tmp_path / "runs").mkdir(mode=0o755)
    assert private.shut(tmp_path / "runs").startswith(f"other users could read {tmp_path / 'runs'} until now")
    assert rights(tmp_path / "runs") == 0o700
    assert private.shut(tmp_path / "runs") == ""


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    private.write(tmp_path / "told", "one")
    private.write(tmp_path / "told", "two")
    private.append(tmp_path / "told", " three")
    private.append(tmp_path / "log", "a line")
    assert (tmp_path / "told").read_text() == "two three"
    assert [rights(tmp_path / name) for name in ("told", "log")] == [0o600, 0o600]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log", "told"]


def test_the_user_of_a_containers_image_may_read_what_is_mounted_and_nothing_above_it(tmp_path):
    run = tmp_path / "runs" / "one"
    private.make(run / "tasks")
    private.write(run / "tasks" / "input", "x")
    (run / "elsewhere").symlink_to(tmp_path / "nowhere")
    private.let_in(run)
    assert [rights(run), rights(run / "tasks"), rights(run / "tasks" / "input")] == [0o755, 0o755, 0o644]
    assert rights(run.parent) == 0o700
