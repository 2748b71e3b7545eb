"""What ``kfnb image`` writes: by Kubeflow's conventions, complete, and without anything of this machine."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from dockerfiles import environment, instructions

from kfnb.cli import main
from kfnb.errors import UsageError
from kfnb.resources.images.recipe import BASE, Recipe

WAYS = pytest.mark.parametrize("words", [[], ["--base"]], ids=["slim", "base"])
NAME = "registry.example/team/kfnb:1"


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(*words):
        assert main(["image", *words]) == 0
        return tmp_path / "kfnb-image"

    return write


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def refuse(*words):
        assert main(["image", *words]) == 2
        assert not (tmp_path / "kfnb-image").exists()
        return capsys.readouterr().err

    return refuse


def test_a_slim_image_keeps_kubeflows_conventions(written):
    folder = written("--python", "3.11")
    text = (folder / "Dockerfile").read_text()
    found = instructions(text)
    assert found[0].rest == "python:3.11-slim"
    assert [one.rest for one in found if one.word == "EXPOSE"] == ["8888"]
    assert [json.loads(one.rest) for one in found if one.word == "ENTRYPOINT"] == [["/init"]]
    told = environment(text)
    assert (told["NB_USER"], told["NB_UID"], told["NB_GID"], told["HOME"]) == (
        "jovyan",
        "1000",
        "0",
        "/home/jovyan",
    )
    serve = (folder / "s6/services.d/jupyterlab/run").read_text()
    assert '--ServerApp.base_url="$NB_PREFIX"' in serve
    assert "--ServerApp.port=8888" in serve
    for script in (folder / "s6").rglob("*"):
        if script.is_file():
            assert os.access(script, os.X_OK)
            assert script.read_text().startswith("#!/command/with-contenv bash\n")
            assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_on_kubeflows_own_image_nothing_is_done_twice(written):
    folder = written("--base")
    found = instructions((folder / "Dockerfile").read_text())
    assert found[0].rest == BASE
    assert {one.word for one in found} <= {"FROM", "USER", "ARG", "COPY", "WORKDIR", "RUN", "ENV"}
    assert sorted(file.name for file in folder.iterdir()) == ["Dockerfile", "packages"]


@WAYS
def test_a_dockerfile_is_in_order(written, words):
    folder = written(*words, "--name", NAME)
    found = instructions((folder / "Dockerfile").read_text())
    assert found[0].word == "FROM"
    assert ":" in found[0].rest
    assert [one.rest for one in found if one.word == "USER"][-1] == "1000", "nothing runs as root"
    for one in found:
        if one.word == "COPY":
            source = one.rest.split()[1]
            assert (folder / source).exists()
        if one.word == "RUN":
            assert subprocess.run(["bash", "-n", "-c", one.rest], check=False).returncode == 0
            assert "apt-get" not in one.rest or "rm -rf /var/lib/apt/lists" in one.rest
            assert "pip install" not in one.rest or "--no-cache-dir" in one.rest


@WAYS
def test_nothing_is_put_where_the_volume_hides_it(written, words):
    for one in instructions((written(*words) / "Dockerfile").read_text()):
        if one.word == "COPY":
            assert "/home" not in one.rest


@WAYS
def test_steps_find_in_the_image_what_they_would_install(written, words):
    folder = written(*words, "--name", NAME, "--package", "pandas>=2", "--kfnb", "0.1.0")
    lines = (folder / "packages/requirements.txt").read_text().splitlines()
    kfp, extra = version("kfp"), version("kfp-kubernetes")
    assert lines == ["kfnb[all]==0.1.0", f"kfp=={kfp}", f"kfp-kubernetes=={extra}", "pandas>=2"]
    told = environment((folder / "Dockerfile").read_text())
    assert (told["KFNB_BASE_IMAGE"], told["KFNB_AUTOLOAD"]) == (NAME, "1")


def test_without_a_name_steps_run_where_they_would(written, capsys):
    assert "KFNB_BASE_IMAGE" not in (written() / "Dockerfile").read_text()
    assert "without --name, steps" in capsys.readouterr().err


def test_a_file_of_requirements_and_a_wheel_come_along(written, tmp_path):
    (tmp_path / "mine.txt").write_text("polars\n# a comment\n")
    (tmp_path / "kfnb-9.9-py3-none-any.whl").write_text("a wheel")
    folder = written("--requirements", "mine.txt", "--kfnb", "kfnb-9.9-py3-none-any.whl")
    assert (folder / "packages/more.txt").read_text() == "polars\n# a comment\n"
    assert (folder / "packages/kfnb-9.9-py3-none-any.whl").read_text() == "a wheel"
    assert (folder / "packages/requirements.txt").read_text().startswith("./kfnb-9.9-py3-none-any.whl[all]\n")
    assert "-r requirements.txt -r more.txt" in (folder / "Dockerfile").read_text()


def test_writing_again_leaves_nothing_of_before(written, tmp_path):
    (tmp_path / "mine.txt").write_text("polars\n")
    written("--requirements", "mine.txt")
    folder = written("--base")
    assert [file.name for file in (folder / "packages").iterdir()] == ["requirements.txt"]
    assert not (folder / "s6").exists()


def test_a_dockerfile_of_somebody_else_is_left_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theirs/packages").mkdir(parents=True)
    (tmp_path / "theirs/Dockerfile").write_text("FROM scratch\n")
    assert main(["image", "--to", "theirs"]) == 2
    assert "did not write it" in capsys.readouterr().err
    assert (tmp_path / "theirs/packages").exists()


@pytest.mark.parametrize("name", ["packages", "s6"])
def test_a_folder_of_somebody_else_is_left_alone(tmp_path, monkeypatch, capsys, name):
    """A project may well have a folder named packages, and no Dockerfile yet."""
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / name / "mine.py"
    mine.parent.mkdir()
    mine.write_text("precious")
    assert main(["image", "--to", "."]) == 2
    assert f"{name} is there, and kfnb image did not write it" in capsys.readouterr().err
    assert mine.read_text() == "precious"
    assert not (tmp_path / "Dockerfile").exists()


@WAYS
def test_nothing_of_this_machine_is_written(written, words):
    for file in written(*words).rglob("*"):
        if file.is_file():
            assert str(Path.home()) not in file.read_text()
            assert os.getcwd() not in file.read_text()  # noqa: PTH109


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--name", "My Image"], "--name My Image"),
        (["--name", "kfnb"], "say which version, kfnb:TAG"),
        (["--base", "jupyter-scipy"], "say which version"),
        (["--python", "2.7"], "2.7"),
        (["--package", "pandas=2"], "--package pandas=2"),
        (["--kfnb", "newest"], "give a version"),
        (["--kfnb", "none.whl"], "no such wheel"),
        (["--requirements", "none.txt"], "--requirements none.txt"),
        (["--spawner"], "--spawner requires --name"),
        (["--nam", "a"], "did you mean --name?"),
    ],
)
def test_what_makes_no_image_is_said_before_anything_is_written(refused, words, told):
    assert told in refused(*words)


@pytest.mark.parametrize(
    "name",
    ["here:1", "a/b:v1.2-x", "registry.example:5000/a/b:1", "localhost:5000/a:1", f"a@sha256:{'0' * 64}"],
)
def test_images_are_named_in_many_ways(name):
    assert Recipe(name).name == name


@pytest.mark.parametrize(
    "line", ["-r other.txt", "-e .", "./local", "../up", "file:///x", "x @ file:///x", "-c pins.txt"]
)
def test_requirements_that_would_not_be_there_are_refused(line):
    with pytest.raises(UsageError, match="line 2"):
        Recipe(requirements=f"pandas\n{line}\n")


@pytest.mark.skipif(
    not all(map(shutil.which, ("curl", "xz", "sha256sum"))), reason="needs curl, xz, sha256sum"
)
@pytest.mark.parametrize("genuine", [True, False])
def test_s6_overlay_is_unpacked_only_where_its_checksum_is_right(written, tmp_path, genuine):
    """The image's own command, with a mirror in a folder."""
    text = (written() / "Dockerfile").read_text()
    (command,) = [one.rest for one in instructions(text) if "S6_RELEASES" in one.rest and one.word == "RUN"]
    releases, root = tmp_path / "releases/v1", tmp_path / "root"
    releases.mkdir(parents=True)
    (root / "run").mkdir(parents=True)
    for part in ("noarch", platform.machine()):
        (tmp_path / f"of-{part}").write_text(part)
        file = releases / f"s6-overlay-{part}.tar.xz"
        subprocess.run(["tar", "-C", tmp_path, "-cJf", file, f"of-{part}"], check=True)
        told = hashlib.sha256(file.read_bytes() if genuine else b"another").hexdigest()
        (releases / f"{file.name}.sha256").write_text(f"{told}  {file.name}\n")
    command = command.replace("tar -C / ", f"tar -C {root} ").replace("/run", f"{root}/run")
    command = command.replace("/tmp/$file", f"{tmp_path}/$file")
    variables = {**os.environ, "S6_RELEASES": f"file://{releases.parent}", "S6_VERSION": "1"}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], env=variables, check=False, capture_output=True
    )
    assert (done.returncode == 0) is genuine
    unpacked = sorted(file.name for file in root.glob("of-*"))
    assert unpacked == (sorted(["of-noarch", f"of-{platform.machine()}"]) if genuine else [])


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
@WAYS
def test_hadolint_has_nothing_to_say(written, words):
    versions_of_debian = "DL3008"
    command = ["hadolint", "--ignore", versions_of_debian, written(*words) / "Dockerfile"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.stdout == ""
