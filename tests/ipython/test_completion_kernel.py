"""What JupyterLab gets of a real kernel when a Tab is pressed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

CELLS = (
    "%load_ext kfnb",
    "%%kf_component load --param rows:int=3 --output x\nx = rows",
    "%kf_pipeline wine load",
    "_mine, notes = 1, 2",
    "%kf_submit wine -o done\ndone.wait(120)",
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a kernel whose notebook has a component, a pipeline, a run and names of its own."""
    folder: Path = tmp_path_factory.mktemp("kernel")
    environ = {**os.environ, "KFNB_HOME": str(folder / "home"), "KFNB_WARM": "0"}
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder), env=environ)
    for cell in CELLS:
        reply = client.execute_interactive(cell, timeout=120, output_hook=lambda _message: None)
        assert reply["content"]["status"] == "ok", reply["content"]
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%kf_submit wi", ["wine"]),
        ("%kf_submit wine --ro", ["--rows"]),
        ("%kf_submit wine --backend ", ["local", "kubeflow"]),
        ("%kf_submit wine --name ", []),
        ("%kf_submit wine --name n", []),
        ("import os\n%kf_config backend=", ["backend=local", "backend=kubeflow"]),
        ("%kf_logs done ", ["load"]),
        ("%kf_runs --state succ", ["succeeded"]),
        ('done.outputs["', ["load"]),
        ('done.outputs["load"]["', ["x"]),
    ],
)
def test_a_tab_gives_what_fits_alone(client: Any, text: str, expected: list[str]) -> None:
    reply = client.complete(text, len(text), reply=True, timeout=60)["content"]
    assert reply["status"] == "ok"
    assert reply["matches"] == expected
    assert not expected or expected[0].startswith(text[reply["cursor_start"] : reply["cursor_end"]])


def test_options_begin_with_the_pipelines_own_and_no_name_of_pythons(client: Any) -> None:
    found = client.complete("%kf_submit wine --", reply=True, timeout=60)["content"]["matches"]
    assert found[:2] == ["--rows", "--backend"]
    assert not [word for word in found if word.startswith("--_")]


def test_runs_are_offered_by_name_and_id_and_no_keyword(client: Any) -> None:
    found = client.complete("%kf_logs ", reply=True, timeout=60)["content"]["matches"]
    assert found[0] == "done"
    assert len(found) == 2
