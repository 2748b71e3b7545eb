"""What travels with a step of kfnb's own: only what the step uses, packed, and the same each time."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from kfnb.pipeline.packed_code import FUNCTIONS, kfnb_packed, needed
from kfnb.resources.components import api
from tests.conftest import Shell
from tests.pipeline.launched import launch

ALL = list(FUNCTIONS)
OTHERS = sorted(
    str(python)
    for folder in [*Path.home().glob(".pyenv/versions/*/bin"), Path("/usr/bin")]
    for python in [folder / "python3.9", folder / "python3.13"]
    if python.exists()
)
"""Other Pythons that are here: a base image may have one."""


def program_of(pipeline: str, step: str) -> str:
    container = api.spec_of(pipeline).spec["deploymentSpec"]["executors"][f"exec-{step}"]["container"]
    return str(container["command"][-1])


def packed(*names: str) -> str:
    groups = needed(names)
    return inspect.getsource(kfnb_packed(*([FUNCTIONS[name] for name in group] for group in groups)))


def spaced() -> str:
    """A function with blanks in a text."""
    return "two    columns"


def test_blanks_in_a_text_stay() -> None:
    unpack = kfnb_packed([spaced])
    unpack()
    assert unpack.__globals__["spaced"]() == spaced()


@pytest.fixture
def typical(shell: Shell) -> Shell:
    """A step that takes a DataFrame, makes a model and logs metrics."""
    pytest.importorskip("sklearn")
    shell.run("import pandas as pd\nfrom sklearn.linear_model import LinearRegression")
    shell.run("%%kf_component load\nrows = pd.DataFrame({'x': [1.0, 2.0, 3.0], 'y': [2.0, 4.0, 6.0]})")
    shell.run(
        "%%kf_component train\nmodel = LinearRegression().fit(rows[['x']], rows['y'])\n"
        "kf.log_metrics(slope=model.coef_[0])"
    )
    shell.run(
        "%%kf_component use --output guess\nguess = float(model.predict(pd.DataFrame({'x': [4.0]}))[0])"
    )
    shell.run("%kf_pipeline p load train use")
    return shell


def test_a_typical_step_carries_less_than_3_kilobytes_of_kfnb(typical: Shell) -> None:
    program = program_of("p", "train")
    own = [line for line in program.splitlines() if re.search("LinearRegression|log_metrics[(]slope", line)]
    assert len(own) == 4
    assert len(program) - sum(map(len, own)) < 3072


def test_steps_that_keep_transforms_are_found_again_by_argos_compression(shell: Shell) -> None:
    pytest.importorskip("sklearn")
    shell.run("import pandas as pd\nfrom sklearn.linear_model import LinearRegression")
    shell.run("%%kf_component load\nrows = pd.DataFrame({'x': [1.0, 2.0, 3.0], 'y': [2.0, 4.0, 6.0]})")
    names = [f"train{number}" for number in range(3)]
    for name in names:
        shell.run(f"%%kf_transform {name}_prepare\ndef transform(df):\n    return df[['x']] * {len(name)}")
        made = f"LinearRegression().fit({name}_prepare.transform(rows), rows['y'])"
        shell.run(
            f"%%kf_component {name}\nmodel_{name} = {made}\nkf.save(model_{name}, transform={name}_prepare)"
        )
    shell.run(f"%kf_pipeline p load {' '.join(names)}")
    executors = api.spec_of("p").spec["deploymentSpec"]["executors"]
    containers = [json.dumps(executors[f"exec-{name}"]["container"]) for name in names]
    assert max(map(len, containers)) < 28_000, "gzip looks back 32 KB, and each node has more than this"
    one, all_three = ("".join(text * 5 for text in some).encode() for some in (containers[:1], containers))
    assert len(zlib.compress(all_three)) - len(zlib.compress(one)) < 2 * 4000


def test_a_pipeline_runs_from_what_its_steps_carry(typical: Shell) -> None:
    run = typical.submit("p")
    assert run.result == {"guess": pytest.approx(8.0)}
    assert run.metrics["train"] == {"slope": pytest.approx(2.0)}


def test_the_cells_text_is_as_the_user_wrote_it(typical: Shell) -> None:
    assert "    model = LinearRegression().fit(rows[['x']], rows['y'])\n" in program_of("p", "train")


def test_two_compilations_are_the_same(typical: Shell) -> None:
    assert api.spec_of("p").spec == api.spec_of("p").spec
    assert len({packed(*ALL) for _ in range(3)}) == 1


def test_a_step_carries_only_what_it_uses(shell: Shell) -> None:
    shell.run("%%kf_component one --output n\nn = 1")
    shell.run("%%kf_component two\nprint(2)")
    shell.run("%kf_pipeline p one two")
    compiled = api.spec_of("p")
    assert re.findall(r"kfnb_packed\(\n +(\[.*),\n", compiled.program) == ["[kfnb_value]"]
    assert "kfnb" not in program_of("p", "two").replace("# kfnb:", "")


def test_curves_travel_where_a_metric_may_have_a_step(shell: Shell) -> None:
    shell.run("%%kf_component plain\nkf.log_metrics(a=1)")
    shell.run("%%kf_component by_step\nkf.log_metrics(step=1, a=1)")
    shell.run("%%kf_component unpacks\nkf.log_metrics(**{'step': 1, 'a': 2})")
    shell.run("%%kf_component hands_on\nlog = kf.log_metrics\nlog(step=1, a=3)")
    shell.run("%kf_pipeline p plain by_step unpacks hands_on")
    uses = {
        step: "kfnb_curves(" in program_of("p", step) for step in ("plain", "by-step", "unpacks", "hands-on")
    }
    assert uses == {"plain": False, "by-step": True, "unpacks": True, "hands-on": True}
    run = shell.submit("p")
    curves = {
        name.replace("_", "-"): made["kf_metrics"].metadata.get("kfnb_curves")
        for name, made in run.outputs.items()
    }
    assert curves == {
        "plain": None,
        "by-step": {"a": [[1, 1]]},
        "unpacks": {"a": [[1, 2]]},
        "hands-on": {"a": [[1, 3]]},
    }


def test_what_is_packed_says_nothing_to_a_shell_to_kubernetes_or_to_argo() -> None:
    texts = re.search(r"in \[(.*)\]:", packed(*ALL))
    assert texts is not None
    assert re.fullmatch('("[A-Za-z0-9+/=]+"(, )?)+', texts[1])


def test_what_two_steps_both_carry_is_one_text_so_that_argo_finds_it_alike() -> None:
    one, two = packed("kfnb_load", "kfnb_value"), packed("kfnb_save", "kfnb_floats")
    shared = max(re.findall('"([^"]+)"', one), key=len)
    assert shared in two


@pytest.mark.parametrize("python", [sys.executable, *OTHERS])
def test_what_is_packed_runs_on_every_python_that_kfp_does(python: str, tmp_path: Path) -> None:
    check = """
kfnb_unpack()
from types import SimpleNamespace as artifact
file = artifact(path="file", uri="file", metadata={})
kfnb_save({"a": [1, None]}, file, {}, kfnb_write_json)
metrics, classes = artifact(metadata={}), artifact(metadata={})
kf = kfnb_kf(log_metrics=kfnb_log_metrics(metrics, kfnb_curves(metrics)), roc=kfnb_log_roc(classes))
kfnb_report(kf.log_metrics)(0.5, step=2)
kf.roc([0, 1], [0, 1], [1, 0])
kfnb_log_confusion_matrix(classes)(["a"], [[1]])
assert kfnb_load(file, {}) == {"a": [1, None]}
kfnb_text(file)("text")
kfnb_table(file)([{"a": 1}], "rows")
kfnb_markdown(file)("![a](none.png)")
kfnb_image(file)(b"GIF89a")
print(file.metadata)
print(kfnb_value([1], list, "x"), kfnb_floats([1]), sorted(classes.metadata), metrics.metadata)
kfnb_attempts(1, [])
import os
if not os.path.exists("once"):
    open("once", "w").close()
    raise ValueError("once")
print("done")
"""
    done = subprocess.run(
        [python, "-I", "-c", packed(*ALL) + check], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "step 2: value=0.5",
        "{'format': 'json', 'python_type': 'builtins.dict'}",
        "[1] [1.0] ['confidenceMetrics', 'confusionMatrix'] {'value': 0.5, 'kfnb_curves': {'value': [[2, 0.5]]}}",
        "attempt 1 of 2 failed: ValueError: once; next attempt in 1 s",
        "done",
    ]


def test_a_failure_within_kfnbs_code_is_told_by_the_cells_line(shell: Shell, tmp_path: Path) -> None:
    from kfnb.resources.runs.kubeflow.failure import why_failed

    shell.run("%%kf_component log --output n\nn = 1\nkf.log_metrics(n=n if n < 2 else 'two')")
    shell.run("%kf_pipeline p log")
    program = program_of("p", "log")
    done = launch("p", "log", tmp_path, edit=("n = 1\n", "n = 2\n"))
    error: Any = why_failed(done.log.splitlines(), program)
    assert error.message == "TypeError: n must be a number, not 'two'"
    assert error.place.endswith("line 3")
    assert "<kfnb>" not in error.traceback
