"""Cells run here and as a pipeline, side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kfnb.capture.embedded.values import kfnb_load
from kfnb.text.parameter_values import plain


def value_of(output: Any) -> Any:
    """An output as a Python value: an artifact is read as the next step would."""
    if not hasattr(output, "uri"):
        return output
    path = output.uri.removeprefix("file://")
    assert Path(path).exists()
    return kfnb_load(SimpleNamespace(metadata=dict(output.metadata), path=path, uri=output.uri), {})


def _plainly(value: Any) -> str:
    return repr(plain(value)) if type(value) in (list, dict) else repr(value)


@pytest.fixture
def agree(shell: Any) -> Callable[..., Any]:
    """Runs cells, then a pipeline of all their components: each ``--output`` must be what it was here."""

    def run_both(*cells: str, **arguments: Any) -> Any:
        names: list[str] = []
        here: dict[tuple[str, str], str] = {}
        plainly: dict[tuple[str, str], str] = {}
        for cell in cells:
            shell.run(cell)
            words = cell.split("\n")[0].split()
            if words[:1] == ["%%kf_component"]:
                name = words[1]
                assert name in shell.kernel.notebook.components
                names += [] if name in names else [name]
                for output in shell.component(name).options.outputs:
                    here[name, output], plainly[name, output] = repr(shell[output]), _plainly(shell[output])
        shell.run(f"%kf_pipeline both {' '.join(names)}")
        run = shell.submit("both", **arguments)
        there = {(name, output): repr(value_of(run.outputs[name][output])) for name, output in here}
        # inside lists and dicts that are parameters a whole number is shown as an integer: KFP knows no other
        parameters = {key for key in here if type(run.outputs[key[0]][key[1]]) in (list, dict)}
        here |= {key: plainly[key] for key in parameters}
        differ = [
            f"{key}: {there[key]} in the pipeline, {here[key]} here"
            for key in here
            if there[key] != here[key]
        ]
        assert not differ, "\n".join(differ)
        return run

    return run_both
