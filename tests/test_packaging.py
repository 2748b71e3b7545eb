import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parent.parent
SETTINGS = Path(sys.prefix) / "share/jupyter/lab/settings"


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


def print_in_a_kernel(expression, tmp_path):
    """What a kernel of this environment, started as any client would, prints for an expression."""
    path = tmp_path / "x.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(f"print({expression})")]), path)
    execute = [sys.executable, "-m", "jupyter", "nbconvert", "--execute", "--to", "markdown", "--stdout"]
    return run(*execute, path)


@pytest.mark.parametrize(("value", "loads"), [("1", True), ("0", False)])
def test_a_kernel_loads_the_extension_by_itself_only_where_that_is_switched_on(
    tmp_path, monkeypatch, value, loads
):
    monkeypatch.setenv("KFNB_AUTOLOAD", value)
    printed = print_in_a_kernel("'loaded:', 'kfnb' in get_ipython().extension_manager.loaded", tmp_path)
    assert f"loaded: {loads}" in printed


def test_jupyterlab_takes_the_settings_that_are_shipped():
    from jupyterlab_server.settings_utils import get_settings

    shipped = json.loads((ROOT / "jupyter-config/overrides.json").read_text())
    schemas = SETTINGS.parent / "schemas"
    for plugin, values in shipped.items():
        found, _ = get_settings(str(SETTINGS), str(schemas), "", schema_name=plugin)
        for name, value in values.items():
            setting = found["schema"]["properties"][name]
            assert setting["default"] == value
            assert "title" in setting, f"JupyterLab has no setting {plugin}/{name}"


def test_the_settings_leave_those_of_an_administrator_alone(tmp_path):
    from jupyterlab_server.settings_utils import get_settings

    plugin = "@jupyterlab/docmanager-extension:plugin"
    settings = tmp_path / "settings"
    (settings / "overrides.d").mkdir(parents=True)
    (settings / "overrides.d/kfnb.json").write_text((ROOT / "jupyter-config/overrides.json").read_text())
    (settings / "overrides.json").write_text(json.dumps({plugin: {"autosaveInterval": 7}}))
    found, _ = get_settings(str(settings), str(SETTINGS.parent / "schemas"), "", schema_name=plugin)
    assert found["schema"]["properties"]["autosaveInterval"]["default"] == 7


@pytest.mark.slow
def test_the_wheel_holds_the_package_its_data_files_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    data = "kfnb-0.1.0.data/data"
    assert f"{data}/etc/ipython/ipython_kernel_config.py" in names
    assert f"{data}/share/jupyter/lab/settings/overrides.d/kfnb.json" in names
    assert "kfnb/py.typed" in names
    assert {name.split("/")[0] for name in names} == {"kfnb", "kfnb-0.1.0.data", "kfnb-0.1.0.dist-info"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".ipynb", ".pyc", ".ts"))]


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    """The Python of an environment with kfnb and what it depends on, without extras."""
    folder = tmp_path_factory.mktemp("bare")
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin/python"
    uv = Path(sys.prefix) / "bin/uv"
    by_uv = [uv, "pip", "install", "--python", python]
    installer = by_uv if uv.exists() else [python, "-m", "pip", "install"]
    run(*installer, wheel, env=os.environ | {"UV_SYSTEM_CERTS": "true"})
    return python


FIRST = [
    "%load_ext kfnb",
    "%%kf_component load --param rows:int=300\nnumbers = list(range(rows))",
    "%%kf_component train --param C:float=1.0\nmodel = {'mean': C * sum(numbers) / len(numbers)}",
    "%%kf_component evaluate --output accuracy\naccuracy = model['mean']\nkf.log_metrics(accuracy=accuracy)",
    "%kf_pipeline churn load train evaluate",
    "%%kf_pipeline judged\nload()\ntrain()\nwith dsl.If(evaluate().outputs['accuracy'] > 0.0):\n    load()",
    "%kf_submit churn --C 0.5 -o run",
    "print(run.state, run.outputs['evaluate']['accuracy'])",
    "%kf_submit judged -o second",
    "print(second.state)",
]
SEARCH = '%%kf_tune fit --space "x=float(0,1)" --objective loss --minimize\nloss = x'


@pytest.mark.slow
def test_a_first_notebook_runs_without_any_extra_and_a_search_names_the_one_that_it_needs(bare, tmp_path):
    installed = run(
        bare, "-c", "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    ).split()
    assert not {"optuna", "scipy", "cmaes", "grpcio", "numpy", "pandas"} & set(installed)
    cells = [
        *FIRST,
        f"try:\n    get_ipython().run_cell_magic('kf_tune', {SEARCH[9:].splitlines()[0]!r}, 'loss = x')",
    ]
    cells[-1] += "\nexcept Exception as error:\n    print(type(error).__name__, error)"
    nbformat.write(new_notebook(cells=[new_code_cell(one) for one in cells]), tmp_path / "first.ipynb")
    out, home = tmp_path / "out", {"KFNB_HOME": str(tmp_path / "home"), "KFNB_WARM": "0"}
    command = [bare.parent / "kfnb", "run", tmp_path / "first.ipynb", "--output-dir", out]
    run(*command, env=os.environ | home)
    executed = (out / "first.ipynb").read_text()
    assert "SUCCEEDED 74.75" in executed
    assert '"SUCCEEDED\\n"' in executed
    assert "MissingExtra kf_tune needs optuna: pip install 'kfnb[tune]'" in executed


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(bare, tmp_path):
    command = bare.parent / "kfnb"
    assert run(command, "--version") == "kfnb 0.1.0\n"
    run(bare, "-c", "import kfnb")
    nbformat.write(new_notebook(cells=[new_code_cell("%load_ext kfnb")]), tmp_path / "x.ipynb")
    out = tmp_path / "out"
    assert run(command, "run", tmp_path / "x.ipynb", "--output-dir", out) == f"{out / 'x.ipynb'}\n"
