"""What travels with a component, and why."""

from __future__ import annotations

import pytest

from kfnb.capture.dependencies import Dependencies
from kfnb.capture.tracer import trace


def dependencies(shell, name: str) -> Dependencies:
    component = shell.component(name)
    return trace(
        shell.kernel.notebook,
        component.cell,
        component.names,
        component.options,
        constants=component.constants,
        before=component.cell.order,
    )


def test_each_name_becomes_what_its_maker_says(shell) -> None:
    shell.run("%%kf_parameters\nrows = 3\n")
    shell.run("import json\nfrom math import floor as fl\nimport math\nroot = math.sqrt\nK = 5")
    shell.run("def helper(v):\n    return json.dumps(v + K + BASE)\nBASE = [1]")
    shell.run("%%kf_component first --param C:float=1.0\nx = C\n")
    shell.run(
        "%%kf_component second --param C:float=1.0\n"
        "y = [x, C, rows, fl(2.5), root(4), len([helper]), K]\nkf.log_metrics(y=1)\n"
    )
    found = dependencies(shell, "second")
    assert list(found.inputs) == ["x"]
    assert sorted(found.params) == ["C", "rows"]
    assert {one.text for one in found.imports.values()} == {
        "import json", "from math import floor as fl", "from math import sqrt as root",
    }  # fmt: skip
    assert [one.name for one in found.sources] == ["helper"]
    assert found.constants == {"K": "5", "BASE": "[1]"}
    assert found.kf == {"log_metrics"}
    assert (found.reasons["K"], found.reasons["json"]) in {("the cell", "helper"), ("helper", "helper")}
    assert found.provided >= {"len"}


def test_names_in_a_query_string_are_inputs(shell) -> None:
    pytest.importorskip("pandas")
    shell.run("%%kf_component first\nimport pandas as pd\ndf = pd.DataFrame({'a': [1, 5]})\nlimit = 2\n")
    shell.run("%%kf_component second\nn = len(df.query('a > @limit'))\n")
    assert sorted(dependencies(shell, "second").inputs) == ["df", "limit"]


def test_a_name_that_the_cell_may_make_itself_is_taken_where_there_is_one(shell) -> None:
    shell.run("%%kf_component one\nx = 1\n")
    shell.run("%%kf_component two --param c:bool=False\nif c:\n    x = 2\ny = 0\nfor i in []:\n    y = i\n")
    assert list(dependencies(shell, "two").inputs) == ["x"]


def test_a_kernels_own_object_that_may_be_the_cells_is_noted(shell, capsys) -> None:
    shell.run("x = object()")
    shell.run("%%kf_component c\nif True:\n    x = 2\ny = x\n")
    assert (
        "note: x is assumed to be defined by the component itself, not by cell [1]" in capsys.readouterr().out
    )


def test_a_guarded_name_may_be_missing(agree) -> None:
    agree("%%kf_component c --output x\ntry:\n    x = nothing\nexcept NameError:\n    x = 'none'\n")


def test_two_names_for_one_constant_stay_one_object(agree) -> None:
    agree("a = b = [1]", "%%kf_component c --output n\na.append(2)\nn = len(b)\n")


def test_a_constant_that_was_changed_behind_its_back_is_refused(shell) -> None:
    shell.run("x = 1")
    shell.run("exec('x = object()')")
    assert "cell [1], line 1: x has changed since this line defined it" in shell.fails(
        "%%kf_component c\ny = x\n"
    )


def test_code_that_cannot_be_seen_is_noted(shell, capsys) -> None:
    shell.run("%%kf_component c\nexec('z = 1')\ny = 1\n")
    assert "note: cell c [1], line 2: not analyzed: exec(): code in a string" in capsys.readouterr().out
