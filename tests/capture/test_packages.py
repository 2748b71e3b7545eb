"""The packages of a step: those that it really imports, pinned to the kernel's versions."""

from __future__ import annotations

from importlib.metadata import distribution, version

import pytest

from kfnb.capture import packages
from kfnb.capture.tracer import dependencies_of
from kfnb.errors import CaptureError
from kfnb.pipeline.step import make_step


def requirements(shell, name: str, wanted: tuple[str, ...] = ()) -> tuple[str, ...]:
    notebook = shell.kernel.notebook
    component = notebook.components[name]
    return make_step(notebook, component, dependencies_of(notebook, component), wanted).requirements


def test_a_module_is_found_in_its_package() -> None:
    assert packages.requirement_for("os.path") is None
    assert packages.requirement_for("kfp.dsl") is None
    assert packages.requirement_for("yaml") == f"PyYAML=={version('PyYAML')}"
    assert packages.requirement_for("google.protobuf.message") == f"protobuf=={version('protobuf')}"
    with pytest.raises(CaptureError, match="nosuch does not belong to an installed package"):
        packages.requirement_for("nosuch")


def test_the_modules_of_a_package_are_found_in_its_files() -> None:
    for name, module in {
        "packaging": "packaging",
        "cloudpickle": "cloudpickle",
        "protobuf": "google",
    }.items():
        assert module in packages._modules_of(distribution(name))


def test_each_step_has_its_own(shell) -> None:
    shell.run("import yaml\nimport packaging.version\nimport kfp")
    shell.run("%%kf_component reads\nx = yaml.safe_load('[1]')\n")
    shell.run("%%kf_component compares\nfrom packaging.version import Version\ny = x\n")
    shell.run("%%kf_component none\nimport json\nz = kfp.__version__\n")
    assert requirements(shell, "reads") == (f"PyYAML=={version('PyYAML')}",)
    assert requirements(shell, "compares") == (f"packaging=={version('packaging')}",)
    assert requirements(shell, "none") == ()


def test_values_need_what_loads_them(shell) -> None:
    pytest.importorskip("pandas")
    shell.run(
        "%%kf_component makes\nimport pandas as pd\nimport numpy as np\n"
        "df = pd.DataFrame()\nn = np.int64(1)\nt = (1,)\n"
    )
    shell.run("%%kf_component reads\ny = df.shape, n, t\n")
    shell.run("%%kf_component reads_number\ny = n\n")
    named = {one.partition("==")[0] for one in requirements(shell, "reads")}
    assert {"cloudpickle", "numpy", "pandas", "pyarrow"} <= named
    assert [one.partition("==")[0] for one in requirements(shell, "reads_number")] == ["numpy"]


def test_what_is_said_replaces_what_is_found(shell) -> None:
    shell.run("%%kf_component c --package pyyaml>=6 --package ./wheel.whl\nimport yaml\n")
    assert requirements(shell, "c") == ("./wheel.whl", "pyyaml>=6")


def test_an_undeclared_package_is_refused_with_its_line(shell, tmp_path_factory, monkeypatch) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")  # not the notebook's own
    (elsewhere / "stray.py").write_text("x = 1")
    monkeypatch.syspath_prepend(str(elsewhere))
    message = shell.fails("%%kf_component c\n\nimport stray\n")
    assert message.startswith("cell c [1], line 3: stray does not belong to an installed package")
    shell.run("%%kf_component c --package stray==1\nimport stray\ny = stray.x\n")
    assert requirements(shell, "c") == ("stray==1",)


def test_a_word_that_is_no_package_is_refused(shell) -> None:
    assert "--package a b is not a package" in shell.fails("%%kf_component c --package 'a b'\nx = 1\n")


def test_an_import_that_may_fail_needs_no_package(agree, shell) -> None:
    agree(
        "try:\n    import nosuch\n    HAS = True\nexcept ImportError:\n    nosuch = None\n    HAS = False",
        "%%kf_component c --output y\ntry:\n    import nosuch_too\nexcept ImportError:\n    y = [nosuch, HAS]\n",
    )
    assert requirements(shell, "c", ("y",)) == ()
