"""``kfnb convert kale``: tags become headers of cells, and the notebook runs, compiles and gives the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from nbformat import v4, writes

from kfnb.cli import main
from kfnb.convert.kale import convert_kale
from kfnb.errors import NotebookError
from tests.conftest import Shell

Tagged = tuple[str, str]
"""The tags of a cell, apart by spaces, and its source."""


def kale(folder: Path, cells: Sequence[Tagged], **metadata: Any) -> Path:
    made = [v4.new_code_cell(source, metadata={"tags": tags.split()}) for tags, source in cells]
    file = folder / "candies.ipynb"
    file.write_text(writes(v4.new_notebook(cells=made, metadata={"kubeflow_notebook": metadata})))
    return file


def sources(file: Path) -> list[str]:
    return [cell.text for cell in convert_kale(file).cells if cell.code]


def notes(file: Path) -> str:
    return "\n".join(convert_kale(file).notes)


CANDIES = [
    ("imports", "import random"),
    ("pipeline-parameters", "CANDIES = 20"),
    ("functions", "def handful(left):\n    return random.randint(0, left)"),
    ("", "random.seed(1)"),
    ("block:sack", "bag = CANDIES * 2"),
    ("", "bag = bag + 1"),
    ("skip", "print(bag)"),
    (
        "block:share prev:sack limit:nvidia.com/gpu:1 image:me/image:1",
        "first = handful(bag)\nrest = bag - first",
    ),
    ("pipeline-metrics", "print(first)\nprint(CANDIES)"),
]


def test_each_tag_has_its_header(tmp_path: Path) -> None:
    assert sources(kale(tmp_path, CANDIES, pipeline_name="candies-sharing")) == [
        "%load_ext kfnb",
        "%%kf_setup\nimport random",
        "%%kf_parameters\nCANDIES = 20",
        "%%kf_setup\ndef handful(left):\n    return random.randint(0, left)",
        "%%kf_setup\nrandom.seed(1)",
        "%%kf_component sack\nbag = CANDIES * 2",
        "%%kf_component sack --continue\nbag = bag + 1",
        "print(bag)",
        "%%kf_component share --gpu 1 --image me/image:1\nfirst = handful(bag)\nrest = bag - first",
        "%%kf_component share --continue\nkf.log_metrics(first=first, CANDIES=CANDIES)",
        "%kf_pipeline candies_sharing sack share",
    ]


def test_the_notebook_runs_and_compiles_to_the_steps_of_kale(shell: Shell, tmp_path: Path) -> None:
    for source in sources(kale(tmp_path, CANDIES)):
        shell.run(source)
    assert shell["bag"] == 41
    shell.run("%kf_compile candies --to candies.yaml")
    import yaml

    spec = yaml.safe_load((tmp_path / "candies.yaml").read_text())
    assert spec["root"]["inputDefinitions"]["parameters"].keys() == {"CANDIES"}
    assert spec["root"]["dag"]["tasks"]["share"]["dependentTasks"] == ["sack"]
    assert "kf_metrics" in spec["components"]["comp-share"]["outputDefinitions"]["artifacts"]


def test_a_step_that_takes_nothing_still_waits(shell: Shell, tmp_path: Path) -> None:
    cells = [
        ("step:first", "a = 1"),
        ("step:second prev:first", "b = 2"),
        ("step:third prev:second", "c = b"),
    ]
    found = sources(kale(tmp_path, cells))
    assert found[-1] == (
        "%%kf_pipeline candies\nfirst_task = first()\nsecond_task = second()\nsecond_task.after(first_task)\nthird()"
    )
    for source in found:
        shell.run(source)


def test_the_pipelines_defaults_are_options_of_each_step(tmp_path: Path) -> None:
    volumes = [{"type": "pvc", "name": "data", "mount_point": "/data"}]
    defaults = ["limit:memory:4Gi", "secret:db:password:DB_PASSWORD"]
    cells = [("step:one limit:memory:8Gi cache:disabled", "a = 1"), ("step:two prev:one", "b = a")]
    found = sources(kale(tmp_path, cells, steps_defaults=defaults, volumes=volumes, base_image="python:3.12"))
    assert found[0] == "%load_ext kfnb\n%kf_config base_image=python:3.12"
    assert found[1].startswith(
        "%%kf_component one --memory 8Gi --no-cache --secret db:password=DB_PASSWORD --pvc data:/data\n"
    )
    assert found[2].startswith(
        "%%kf_component two --memory 4Gi --secret db:password=DB_PASSWORD --pvc data:/data\n"
    )


def test_what_has_no_counterpart_is_said_with_its_cell(tmp_path: Path) -> None:
    cells = [
        ("step:one label:team:ml annotation:a/b:c report:enabled limit:ephemeral-storage:1Gi", "a = 1"),
        ("step:eval prev:one", "%load_ext other\n%other do\nb = a"),
        ("skip", "from kale.common.serveutils import serve\nserver = serve(a)"),
        ("skip", "print(server)"),
        ("pipeline-metrics", "print(nothing)\nprint(a, b)"),
    ]
    volumes = [{"type": "clone", "name": "work", "mount_point": "/home/jovyan"}]
    said = notes(kale(tmp_path, cells, volumes=volumes, docker_image="kale:1", timeout=60))
    for expected in (
        "cell 1: label:team:ml has no counterpart",
        "cell 1: annotation:a/b:c has no counterpart",
        "cell 1: report:enabled has no counterpart",
        "cell 1: limit:ephemeral-storage:1Gi has no counterpart",
        "cell 2: step eval is called eval_step",
        "cell 2: %other do is in a separate cell",
        "cell 3 imports kale: it is a comment now",
        "cell 4 uses server, which Kale provides",
        "cell 5: no step computes nothing",
        "cell 5: print(a, b) is not print(NAME)",
        "volume work at /home/jovyan is not an existing claim",
        "docker_image kale:1 is left out",
        "timeout of 60 s",
    ):
        assert expected in said


def test_data_from_a_step_that_prev_does_not_name_is_said(tmp_path: Path) -> None:
    cells = [("step:one", "a = 1"), ("step:two", "b = 2"), ("step:three prev:two", "c = a + b")]
    assert "cell 3: three reads a, which one writes, and has no prev:one" in notes(kale(tmp_path, cells))


def test_a_katib_experiment_is_told_as_a_study(tmp_path: Path) -> None:
    katib = {
        "objective": {"objectiveMetricName": "test-loss", "type": "minimize"},
        "maxTrialCount": 8,
        "parallelTrialCount": 2,
        "parameters": [
            {
                "name": "nodes",
                "parameterType": "int",
                "feasibleSpace": {"min": "64", "max": "256", "step": "64"},
            },
            {"name": "rate", "parameterType": "double", "feasibleSpace": {"list": ["0.1", "0.01"]}},
        ],
    }
    file = kale(tmp_path, [("step:one", "test_loss = 1")], katib_run=True, katib_metadata=katib)
    told = convert_kale(file).cells[-1].text
    assert (
        "%kf_tune candies --objective test_loss --minimize --trials 8 --parallel 2"
        ' --space "nodes=int(64,256,step=64) rate=choice(0.1,0.01)"'
    ) in told


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([("", "a = 1")], "has no cell with Kale's tag step:NAME"),
        (
            [("step:one prev:two", "a = 1"), ("step:two", "b = 1")],
            "cell 1: prev:two names no step before one",
        ),
        ([("step:one step:two", "a = 1")], "cell 1 has the tags of more than one step: one, two"),
        ([("notebook:other", "")], "cell 1 refers to another notebook"),
        ([("step:one", "a = = 1")], "cell 1, line 1: not Python 3"),
        ([("step:one", "")], "cell 1: step one has no code"),
    ],
)
def test_what_cannot_be_converted_is_refused_in_one_message(
    tmp_path: Path, cells: Sequence[Tagged], message: str
) -> None:
    with pytest.raises(NotebookError) as refused:
        convert_kale(kale(tmp_path, cells))
    assert message in str(refused.value)


def test_the_command_writes_a_new_notebook_and_never_over_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = kale(tmp_path, CANDIES)
    assert main(["convert", "kale", str(file)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "candies_kfnb.ipynb")
    assert main(["convert", "kale", str(file)]) == 2
    assert "already exists" in capsys.readouterr().err
    assert main(["convert", "kale", str(tmp_path / "none.ipynb")]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert main(["convert"]) == 2
    assert "a verb is required" in capsys.readouterr().err
