"""``kfnb decompile``: the cells of a compiled pipeline compile to an equal one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kfnb.cli import main
from kfnb.convert.decompile import decompile
from kfnb.errors import PipelineError
from tests.conftest import Shell
from tests.convert.specs import comparable
from tests.runs.corpus import CORPUS

REFUSED = {
    "pipelines_in_pipelines": "is a pipeline inside the pipeline",
    "optional_inputs": "maybe is called without its input",
}
"""What a notebook cannot hold, and how it is said."""

ITEMS = {"loops_over_values"}
"""Where a pipeline's parameter says of what type its list's items are, which a notebook's does not."""


def compiled_again(shell: Shell, folder: Path, spec: dict[str, Any]) -> dict[str, Any]:
    """Decompile a spec, run the cells, and compile their pipeline."""
    file = folder / "given.yaml"
    file.write_text(yaml.safe_dump(spec))
    cells = [cell.text for cell in decompile(file).cells if cell.code]
    for cell in cells:
        shell.run(cell, cell_id=cell)  # a set-up cell that is there already runs again
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


LOAD = "%%kf_component load --param rows:int=5 --cpu 1 --retries 2 --env MODE=fast"
LOAD += "\ndf = pd.DataFrame({'a': range(rows)})  # a\n\ntext = '''a\n    b'''"

CHURN = (
    "%%kf_setup\nimport json\nimport pandas as pd\npd.set_option('display.width', 80)",
    "LIMIT = 3",
    "def clean(frame):\n    '''Drop\n    what is missing.'''\n    return frame.dropna().head(LIMIT)",
    LOAD,
    "%%kf_component load --continue\ndf['b'] = 1",
    "LIMIT = 4",
    "%%kf_component tidy --output n --no-cache\ndf = clean(df)\nn = len(df)\nkf.log_metrics(n=n)",
    "%%kf_component tell\nclass A:\n    x = n\nprint(json.dumps([text, A.x]))",
)


def test_a_pipeline_of_a_notebook_compiles_to_an_equal_one(shell: Shell, tmp_path: Path) -> None:
    for cell in (*CHURN, "%kf_pipeline churn load tidy tell", "%kf_compile churn --to churn.yaml"):
        shell.run(cell, cell_id=cell)
    spec = yaml.safe_load((tmp_path / "churn.yaml").read_text())
    assert comparable(compiled_again(shell, tmp_path, spec)) == comparable(spec)


def test_the_cells_of_a_notebook_are_as_they_were(shell: Shell, tmp_path: Path) -> None:
    for cell in (*CHURN, "%kf_pipeline churn load tidy tell", "%kf_compile churn --to churn.yaml"):
        shell.run(cell, cell_id=cell)
    cells = [cell.text for cell in decompile(tmp_path / "churn.yaml").cells]
    assert [cell.partition("\n")[2] for cell in cells if "%%kf_component" in cell] == [
        cell.partition("\n")[2] for cell in CHURN if "%%kf_component" in cell
    ]
    assert CHURN[0] in cells
    assert CHURN[2] in cells
    assert cells[-1].startswith("%%kf_pipeline churn --param rows:int=5\n")


def test_modules_beside_the_notebook_are_written_again(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("PRICE = 3\n")
    for cell in ("import shop", "%%kf_component buy\nprice = shop.PRICE", "%kf_pipeline shopping buy"):
        shell.run(cell)
    shell.run("%kf_compile shopping --to shopping.yaml")
    spec = yaml.safe_load((tmp_path / "shopping.yaml").read_text())
    (tmp_path / "shop.py").unlink()
    assert comparable(compiled_again(shell, tmp_path, spec)) == comparable(spec)
    assert (tmp_path / "shop.py").read_text() == "PRICE = 3\n"


def test_loops_and_conditions_of_a_notebook_stay(shell: Shell, tmp_path: Path) -> None:
    body = (
        "load()\nwith dsl.ParallelFor([0.5, 1.0]) as C:\n    train_task = train(C=C)\n"
        "    with dsl.If(train_task.outputs['score'] > 0.7):\n        deploy()"
    )
    for cell in (
        "%%kf_component load\nxs = [1, 2]",
        "%%kf_component train --param C:float=1.0\nscore = C * sum(xs)",
        "%%kf_component deploy\nprint(score)",
        f"%%kf_pipeline sweep\n{body}",
        "%kf_compile sweep --to sweep.yaml",
    ):
        shell.run(cell)
    spec = yaml.safe_load((tmp_path / "sweep.yaml").read_text())
    assert comparable(compiled_again(shell, tmp_path, spec)) == comparable(spec)


def container(**executor: Any) -> dict[str, Any]:
    return {
        "pipelineInfo": {"name": "one"},
        "components": {"comp-work": {"executorLabel": "exec-work"}},
        "deploymentSpec": {"executors": {"exec-work": executor}},
        "root": {"dag": {"tasks": {"work": {"componentRef": {"name": "comp-work"}}}}},
    }


def test_a_container_component_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(yaml.safe_dump(container(container={"image": "alpine", "command": ["echo"]})))
    with pytest.raises(
        PipelineError, match=r"work has no Python source \(it is a container component, alpine\)"
    ):
        decompile(file)


def test_another_file_is_refused_in_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("a: 1")
    assert main(["decompile", str(file)]) == 2
    assert capsys.readouterr().err == f"{file} is not a compiled pipeline: pipelineInfo or root is missing\n"
