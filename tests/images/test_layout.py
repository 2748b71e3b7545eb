"""The image's own commands, run in a folder in its place: packages, the scripts of its start, a pipeline's step."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from dockerfiles import environment, instructions

from kfnb.cli import main

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent.parent
PREFIX = "/notebook/team-a/mine"
PIPELINE = """
from kfp import compiler, dsl


@dsl.component(base_image="here")
def add(a: int, b: int) -> int:
    return a + b


compiler.Compiler().compile(add, "add.yaml")
"""


class Layout:
    """The image's paths below a folder; ``bash`` runs a command as one of its RUN lines or scripts."""

    def __init__(self, folder: Path, context: Path) -> None:
        self.folder, self.context = folder, context
        self.port = free_port()
        text = (context / "Dockerfile").read_text()
        told = {name: self.placed(value) for name, value in environment(text).items()}
        told["PATH"] = self.placed(environment(text)["PATH"]).replace("$PATH", os.environ["PATH"])
        pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
        self.environment = pip | told | {"NB_PREFIX": PREFIX}
        for name in ("HOME", "HOME_TMP"):
            Path(self.environment[name]).mkdir(parents=True)

    def placed(self, text: str) -> str:
        """A text with the image's paths, and its port, as they are here."""
        text = re.sub(r"(?<![\w/])/(opt|home|tmp_home|tmp)/", rf"{self.folder}/\1/", text)
        if not os.getuid():  # the image's user is another
            text = text.replace("exec jupyter lab", "exec jupyter lab --allow-root")
        return text.replace("=8888", f"={self.port}").replace("ip=0.0.0.0", "ip=127.0.0.1")

    def bash(self, command: str, **changes: str) -> str:
        done = self.start(command, **changes)
        out, _ = done.communicate(timeout=500)
        assert done.returncode == 0, out[-3000:]
        return out

    def start(self, command: str, **changes: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self.context / "packages",
            env=self.environment | changes,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    """The image as far as it can be made without docker: all its RUN lines but those that need root."""
    folder = tmp_path_factory.mktemp("image")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    context = folder / "context"
    assert main(["image", "--name", "here:1", "--kfnb", str(wheel), "--to", str(context)]) == 0
    found = instructions((context / "Dockerfile").read_text())
    begin = next(index for index, one in enumerate(found) if (one.word, one.rest) == ("USER", "1000"))
    made = Layout(folder / "root", context)
    for one in found[begin:]:
        if one.word == "RUN":
            made.bash(made.placed(one.rest))
    return made


def script(layout: Layout, name: str) -> str:
    return layout.placed((layout.context / "s6" / name).read_text())


def test_the_server_answers_below_its_prefix_with_what_was_in_the_home(layout):
    home = Path(layout.environment["HOME"])
    (Path(layout.environment["HOME_TMP"]) / ".profile").write_text("of the image")
    (home / "mine.txt").write_text("of the volume")
    layout.bash(script(layout, "cont-init.d/01-copy-tmp-home"))
    assert (home / ".profile").read_text() == "of the image"
    assert (home / "mine.txt").read_text() == "of the volume"

    server = layout.start(script(layout, "services.d/jupyterlab/run"))
    try:
        status, headers = answered(f"http://127.0.0.1:{layout.port}{PREFIX}/api/status", server)
        assert json.loads(status)["kernels"] == 0
        assert headers["Access-Control-Allow-Origin"] == "*"
        page, _ = answered(f"http://127.0.0.1:{layout.port}{PREFIX}/lab", server)
        assert f"{PREFIX}/" in page
        files, _ = answered(f"http://127.0.0.1:{layout.port}{PREFIX}/api/contents", server)
        assert "mine.txt" in files
        settings, _ = answered(
            f"http://127.0.0.1:{layout.port}{PREFIX}/lab/api/settings/@jupyterlab/notebook-extension:tracker",
            server,
        )
        assert json.loads(settings)["schema"]["properties"]["recordTiming"]["default"] is True
    finally:
        server.terminate()
        server.communicate(timeout=30)


def answered(url: str, server: "subprocess.Popen[str]") -> tuple[str, dict[str, str]]:
    until = time.monotonic() + 90
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return answer.read().decode(), dict(answer.headers)
        except OSError:
            assert server.poll() is None, server.communicate()[0][-3000:]
            assert time.monotonic() < until
            time.sleep(0.5)


def test_kernels_have_the_magics_by_themselves(layout):
    cells = [
        {"cell_type": "code", "source": "%kf_config", "metadata": {}, "outputs": [], "execution_count": None}
    ]
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    (layout.folder / "x.ipynb").write_text(json.dumps(notebook))
    out = layout.bash(
        f"jupyter nbconvert --execute --to markdown --stdout {layout.folder}/x.ipynb",
        KFNB_HOME=str(layout.folder),
    )
    assert "base_image" in out
    assert "here:1" in out


def test_a_step_installs_nothing_where_no_index_can_be_reached(layout):
    """A step of a pipeline compiled in the image, started as Kubeflow starts it, but for its launcher."""
    import yaml

    (layout.folder / "p.py").write_text(PIPELINE)
    layout.bash(f"cd {layout.folder} && python3 p.py")
    spec = yaml.safe_load((layout.folder / "add.yaml").read_text())
    container = spec["deploymentSpec"]["executors"]["exec-add"]["container"]
    inputs = {"inputs": {"parameterValues": {"a": 2, "b": 3}}}
    inputs["outputs"] = {
        "outputFile": str(layout.folder / "outputs.json"),
        "parameters": {"Output": {"outputFile": str(layout.folder / "Output")}},
    }
    program = [*container["command"], *container["args"]]
    words = [json.dumps(inputs) if word == "{{$}}" else word for word in program]
    environment = layout.environment | {"PIP_NO_INDEX": "1"}
    done = subprocess.run(
        words, env=environment, cwd=layout.folder, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads((layout.folder / "outputs.json").read_text())["parameterValues"] == {"Output": 5}
    assert any("kfp==" in word for word in container["command"]), "the step asks for kfp, and finds it"
