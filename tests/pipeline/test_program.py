"""A pipeline's program is a KFP SDK file that stands by itself and compiles to the same pipeline."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import Shell


@pytest.fixture
def churn(shell: Shell) -> Shell:
    shell.run("import json\nimport pandas as pd\nLIMIT = 3")
    shell.run("def clean(frame):\n    '''Drop what is missing.'''\n    return frame.dropna().head(LIMIT)")
    shell.run(
        "%%kf_component load --param rows:int=5\ndf = pd.DataFrame({'a': range(rows)})  # a comment stays"
    )
    shell.run("%%kf_component tidy --output n\ndf = clean(df)\nn = len(df)\nkf.log_metrics(n=n)")
    shell.run("%kf_pipeline churn load tidy")
    return shell


def test_the_program_compiles_to_the_same_spec_without_kfnb(churn: Shell, tmp_path: Path) -> None:
    churn.run("%kf_compile churn --to out/churn.yaml --python out/churn.py")
    program = tmp_path / "out" / "churn.py"
    ours = (tmp_path / "out" / "churn.yaml").read_text()
    (tmp_path / "out" / "churn.yaml").unlink()
    # -I: neither this folder nor PYTHONPATH; and no kfnb at all
    check = "import runpy, sys; sys.modules['kfnb'] = None; "
    check += f"runpy.run_path({str(program)!r}, run_name='__main__')"
    subprocess.run([sys.executable, "-W", "ignore", "-I", "-c", check], cwd=program.parent, check=True)
    assert yaml.safe_load((tmp_path / "out" / "churn.yaml").read_text()) == yaml.safe_load(ours)


def test_the_program_reads_as_it_was_written(churn: Shell, tmp_path: Path) -> None:
    churn.run("%kf_compile churn --python churn.py")
    program = (tmp_path / "churn.py").read_text()
    assert "df = pd.DataFrame({'a': range(rows)})  # a comment stays" in program
    assert "# cell load [" in program
    assert "'''Drop what is missing.'''" in program
    assert "import json" not in program.split("\ndef load(")[1].split("# kfnb: inputs")[0]
    assert program.count("def kfnb_load") == program.count("def kfnb_packed") == 1


def test_the_base_image_and_the_index_come_from_the_settings(churn: Shell) -> None:
    from kfnb.resources.components import api

    churn.run("%kf_config base_image=mine/notebook:1")
    churn.run("%kf_config index_urls=['https://pip.example/simple']")
    container = api.spec_of("churn").spec["deploymentSpec"]["executors"]["exec-load"]["container"]
    assert container["image"] == "mine/notebook:1"
    assert "--index-url https://pip.example/simple" in container["command"][2]


def test_packages_are_those_of_each_step_pinned(churn: Shell) -> None:
    from importlib.metadata import version

    from kfnb.resources.components import api

    executors = api.spec_of("churn").spec["deploymentSpec"]["executors"]
    install = executors["exec-load"]["container"]["command"][2]
    assert f"'pandas=={version('pandas')}'" in install
    assert "scikit-learn" not in install


def test_a_file_is_yaml_or_python(churn: Shell) -> None:
    assert "neither .yaml nor .py" in churn.fails("%kf_compile churn --to churn.txt")
    assert "are required" in churn.fails("%kf_compile churn")
    assert "did you mean the pipeline churn?" in churn.fails("%kf_compile chur --to churn.yaml")


def test_what_is_compiled_is_the_same_in_each_process(churn: Shell, tmp_path: Path) -> None:
    """Protobuf's maps come in an order of each process's own."""
    churn.run("%kf_compile churn --python churn.py")
    look = (
        "import json, runpy; from kfnb.pipeline.pipeline import from_kfp;"
        " print(json.dumps(from_kfp(runpy.run_path('churn.py')['churn']).spec))"
    )
    root = str(Path(__file__).parents[2])
    told = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", look],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": str(seed)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in range(3)
    }
    assert len(told) == 1
