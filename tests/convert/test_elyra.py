"""``kfnb convert elyra``: nodes become components, in the order of the pipeline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from nbformat import v4, writes

from kfnb.convert.elyra import convert_elyra
from kfnb.errors import UsageError
from tests.conftest import Shell


def node(name: str, file: str, previous: Sequence[str] = (), **given: Any) -> dict[str, Any]:
    kind = "notebook" if file.endswith(".ipynb") else "python"
    return {
        "id": name,
        "type": "execution_node",
        "op": f"execute-{kind}-node",
        "app_data": {
            "component_parameters": {"filename": file, **given},
            "label": "",
            "ui_data": {"label": name},
        },
        "inputs": [
            {"id": "inPort", "links": [{"node_id_ref": one, "port_id_ref": "outPort"} for one in previous]}
        ],
    }


def pipeline(folder: Path, nodes: Sequence[dict[str, Any]], **properties: Any) -> Path:
    data = {"version": 8, "properties": {"name": "weather", **properties}}
    file = folder / "weather.pipeline"
    document = {"primary_pipeline": "p", "pipelines": [{"id": "p", "nodes": nodes, "app_data": data}]}
    file.write_text(json.dumps(document))
    return file


def notebook(folder: Path, name: str, *sources: str) -> None:
    (folder / name).write_text(writes(v4.new_notebook(cells=[v4.new_code_cell(one) for one in sources])))


def sources(file: Path) -> list[str]:
    return [cell.text for cell in convert_elyra(file).cells if cell.code]


def test_a_pipeline_runs_top_to_bottom_and_compiles(shell: Shell, tmp_path: Path) -> None:
    notebook(tmp_path, "load.ipynb", "from pathlib import Path", "Path('out.csv').write_text('1,2')")
    (tmp_path / "count.py").write_text(
        "from pathlib import Path\ntext = Path('out.csv').read_text()\nprint(len(text))\n"
    )
    nodes = [node("count", "count.py", ["load"]), node("load", "load.ipynb", outputs=["out.csv"])]
    for source in sources(pipeline(tmp_path, nodes)):
        shell.run(source)
    shell.run("%kf_compile weather --to weather.yaml")
    import yaml

    tasks = yaml.safe_load((tmp_path / "weather.yaml").read_text())["root"]["dag"]["tasks"]
    assert tasks["count"]["dependentTasks"] == ["load"]
    assert "kf_files_1" in tasks["count"]["inputs"]["artifacts"]


def test_the_cells_of_a_notebook_continue_its_component(tmp_path: Path) -> None:
    notebook(tmp_path, "load.ipynb", "a = 1", "b = a + 1")
    assert sources(pipeline(tmp_path, [node("load", "load.ipynb")])) == [
        "%load_ext kfnb",
        "%%kf_component load\na = 1",
        "%%kf_component load --continue\nb = a + 1",
        "%kf_pipeline weather load",
    ]


def test_the_settings_of_a_node_are_options_of_its_component(tmp_path: Path) -> None:
    (tmp_path / "fit.py").write_text("print(1)\n")
    given = {
        "runtime_image": "quay.io/me/image:1",
        "cpu": 2,
        "memory": 4,
        "gpu": 1,
        "env_vars": ["URL=https://data.example/a?b=1&c=2", {"env_var": "MODE", "value": "fast and loose"}],
        "kubernetes_secrets": [{"env_var": "KEY", "name": "store", "key": "token"}],
        "mounted_volumes": [{"path": "/data", "pvc_name": "claim"}],
        "kubernetes_tolerations": [{"key": "gpu", "operator": "Exists", "value": "", "effect": "NoSchedule"}],
    }
    head = sources(pipeline(tmp_path, [node("fit", "fit.py", **given)]))[1].split("\n")[0]
    assert head == (
        "%%kf_component fit --image quay.io/me/image:1 --cpu 2 --memory 4G --gpu 1"
        " --env 'URL=https://data.example/a?b=1&c=2' --env 'MODE=fast and loose' --secret store:token=KEY"
        " --pvc claim:/data --toleration gpu:NoSchedule"
    )


def test_the_defaults_of_the_pipeline_are_those_of_each_node(tmp_path: Path) -> None:
    (tmp_path / "fit.py").write_text("print(1)\n")
    defaults = {"runtime_image": "all:1", "env_vars": [{"env_var": "A", "value": "1"}]}
    nodes = [
        node("fit", "fit.py", env_vars=[{"env_var": "B", "value": "2"}]),
        node("own", "fit.py", runtime_image="own:1"),
    ]
    found = sources(pipeline(tmp_path, nodes, pipeline_defaults=defaults))
    assert found[1].startswith("%%kf_component fit --image all:1 --env A=1 --env B=2\n")
    assert found[2].startswith("%%kf_component own --image own:1 --env A=1\n")


def test_parameters_reach_a_script_as_environment_variables(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "fit.py").write_text("import os\nrate = float(os.environ['RATE']) * 2\n")
    parameters = [{"name": "RATE", "default_value": {"type": "Float", "value": 0.5}}]
    file = pipeline(
        tmp_path, [node("fit", "fit.py", pipeline_parameters=["RATE"])], pipeline_parameters=parameters
    )
    for source in sources(file):
        shell.run(source)
    assert shell["rate"] == 1.0


def test_a_node_of_another_kind_is_refused_by_its_name(tmp_path: Path) -> None:
    other = {**node("filter", "x.py"), "op": "local-file-catalog:1234"}
    with pytest.raises(UsageError, match="node filter is local-file-catalog:1234, which cannot be converted"):
        convert_elyra(pipeline(tmp_path, [other]))


def test_a_cycle_is_refused_by_the_names_of_its_nodes(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("print(1)\n")
    with pytest.raises(UsageError, match=r"the nodes form a cycle: (a -> b -> a|b -> a -> b)"):
        convert_elyra(pipeline(tmp_path, [node("a", "x.py", ["b"]), node("b", "x.py", ["a"])]))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pipelines": 3, "primary_pipeline": 1}', "no JSON"])
def test_another_file_is_refused_in_one_message(tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.pipeline"
    file.write_text(text)
    with pytest.raises(UsageError, match="is not a pipeline of Elyra's"):
        convert_elyra(file)


def test_a_missing_script_is_named_with_its_node(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"node fit: .*fit\.py does not exist"):
        convert_elyra(pipeline(tmp_path, [node("fit", "fit.py")]))
