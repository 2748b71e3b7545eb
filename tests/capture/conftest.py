"""Cells run here and as a pipeline, side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kfnb.capture.embedded import kfnb_load


def value_of(output: Any) -> Any:
    """An output as a Python value: an artifact is read as the next step would."""
    if not hasattr(output, "uri"):
        return output
    path = output.uri.removeprefix("file://")
    assert Path(path).exists()
    return kfnb_load(SimpleNamespace(metadata=dict(output.metadata), path=path, uri=output.uri), {})


@pytest.fixture
def agree(shell: Any) -> Callable[..., Any]:
    """Runs cells, then a pipeline of all their components: each ``--output`` must be what it was here."""

    def run_both(*cells: str, **arguments: Any) -> Any:
        names: list[str] = []
        here: dict[tuple[str, str], str] = {}
        for cell in cells:
            shell.run(cell)
            words = cell.split("\n")[0].split()
            if words[:1] == ["%%kf_component"]:
                name = words[1]
                assert name in shell.kernel.notebook.components
                names += [] if name in names else [name]
                here |= {
                    (name, output): repr(shell[output]) for output in shell.component(name).options.outputs
                }
        shell.run(f"%kf_pipeline both {' '.join(names)}")
        run = shell.submit("both", **arguments)
        there = {(name, output): repr(value_of(run.outputs[name][output])) for name, output in here}
        differ = [
            f"{key}: {there[key]} in the pipeline, {here[key]} here"
            for key in here
            if there[key] != here[key]
        ]
        assert not differ, "\n".join(differ)
        return run

    return run_both
