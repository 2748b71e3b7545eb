"""``kfnb decompile``: the cells of a compiled pipeline compile to an equal one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kfnb.convert.decompile import decompile
from kfnb.errors import PipelineError
from tests.backends.corpus import CORPUS
from tests.conftest import Shell
from tests.convert.specs import comparable

REFUSED = {"pipelines_in_pipelines": "is a pipeline inside the pipeline", "optional_inputs": "maybe is called without its input"}
"""What a notebook cannot hold, and how it is said."""

ITEMS = {"loops_over_values"}
"""Where a pipeline's parameter says of what type its list's items are, which a notebook's does not."""


def compiled_again(shell: Shell, folder: Path, spec: dict[str, Any]) -> dict[str, Any]:
    """Decompile a spec, run the cells, and compile their pipeline."""
    file = folder / "given.yaml"
    file.write_text(yaml.safe_dump(spec))
    cells = [cell.text for cell in decompile(file).cells if cell.code]
    for cell in cells:
        shell.run(cell)
    name = cells[-1].split("\n")[0].split()[1]
    shell.run(f"%kf_compile {name} --to again.yaml")
    made: dict[str, Any] = next(iter(yaml.safe_load_all((folder / "again.yaml").read_text())))
    return made


@pytest.mark.parametrize("name", [one for one in CORPUS if one not in REFUSED])
def test_a_pipeline_of_kfp_compiles_to_an_equal_one(shell: Shell, tmp_path: Path, name: str) -> None:
    spec = CORPUS[name]().spec
    made, given = comparable(compiled_again(shell, tmp_path, spec)), comparable(spec)
    if name in ITEMS:
        made, given = without_items(made), without_items(given)
    assert made == given


def without_items(spec: dict[str, Any]) -> dict[str, Any]:
    for component in spec["components"].values():
        for name, one in component.get("inputDefinitions", {}).get("parameters", {}).items():
            if name.endswith("-loop-item"):
                one["parameterType"] = "ANY"
    return spec


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_notebook_cannot_hold_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    file = tmp_path / "given.yaml"
    file.write_text(yaml.safe_dump(CORPUS[name]().spec))
    with pytest.raises(PipelineError, match=REFUSED[name]):
        decompile(file)
