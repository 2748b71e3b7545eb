"""``%%kf_transform``: a cell's functions as an object, the same in the notebook and in the steps of a pipeline."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import kfnb
from kfnb.capture.embedded.transforms import kfnb_Transform
from kfnb.errors import UsageError
from kfnb.resources.components import api
from kfnb.resources.components.display import DISPLAYS
from tests.conftest import Shell
from tests.pipeline.launched import launch

PREPARE = """%%kf_transform prepare
def fit(df):
    return {"median": df.income.median()}

def transform(df, state):
    return df.assign(income=df.income.fillna(state["median"]))[["income"]]
"""
LOAD = "%%kf_component load\ndf = pd.DataFrame({'income': [1.0, None, 4.0, 7.0], 'city': list('abca')})"


@pytest.fixture
def notebook(shell: Shell) -> Shell:
    """A notebook with pandas, a component that makes a table, and a transform."""
    shell.run("import pandas as pd")
    shell.run(LOAD)
    shell.run(PREPARE)
    return shell


# -- the object -----------------------------------------------------------------------------------------------


def test_the_name_is_an_object_that_learns_and_transforms(notebook: Shell) -> None:
    prepare = notebook["prepare"]
    assert repr(prepare) == "<transform prepare, not fitted>"
    assert prepare.state is None
    assert prepare.fit(notebook["df"]) is prepare
    assert (repr(prepare), prepare.state) == ("<transform prepare>", {"median": 4.0})
    assert list(prepare.transform(notebook["df"]).income) == [1.0, 4.0, 4.0, 7.0]
    assert list(prepare.fit_transform(notebook["df"][:3]).income) == [1.0, 2.5, 4.0]


def test_the_cells_functions_do_not_become_names_of_the_notebook(notebook: Shell) -> None:
    notebook.run(
        "%%kf_transform other\nLIMIT = 2\ndef clip(s):\n    return s.clip(upper=LIMIT)\n"
        "def transform(df):\n    return clip(df.income)"
    )
    assert not {"fit", "transform", "clip", "LIMIT"} & set(notebook.ip.user_ns)
    assert notebook["prepare"].fit_transform(notebook["df"]).shape == (4, 1)
    assert list(notebook["other"].transform(notebook["df"]).fillna(0)) == [1.0, 0.0, 2.0, 2.0]


def test_without_a_fit_there_is_nothing_to_learn(shell: Shell) -> None:
    shell.run("%%kf_transform twice\ndef transform(rows):\n    return [2 * row for row in rows]")
    assert repr(shell["twice"]) == "<transform twice>"
    assert shell["twice"].transform([1, 2]) == shell["twice"].fit_transform([1, 2]) == [2, 4]
    assert shell["twice"].state is None


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("prepare.transform(df)", "prepare is not fitted: call prepare.fit(df) first"),
        ("nothing.transform(df)", "transform of nothing returned nothing: return the transformed table"),
        ("nothing.fit(df)", "fit of nothing returned nothing: return what transform needs as its state"),
    ],
)
def test_wrong_use_says_what_to_do(notebook: Shell, cell: str, message: str) -> None:
    if cell == "nothing.fit(df)":
        notebook.run("%%kf_transform nothing\ndef fit(df):\n    pass\ndef transform(df, state):\n    pass")
    else:
        notebook.run("%%kf_transform nothing\ndef transform(df):\n    pass")
    with pytest.raises((ValueError, TypeError)) as error:
        notebook.run(cell)
    assert str(error.value) == message


def test_a_traceback_has_the_cell_and_the_line(notebook: Shell) -> None:
    notebook.run("def clean(df):\n    return df.nothing")
    notebook.run("%%kf_transform broken\n\ndef transform(df):\n    return clean(df)")
    with pytest.raises(AttributeError) as error:
        notebook.run("broken.transform(df)")
    frames = [(one.path, one.lineno + 1) for one in error.traceback]
    assert [(str(path), line) for path, line in frames][-3:-1] == [
        ("<cell broken>", 4),
        ("<cell of clean>", 2),
    ]
    assert "return df.nothing" in str(error.traceback[-2].statement)


def test_a_character_that_only_looks_like_the_end_of_a_line_moves_no_line_of_a_traceback() -> None:
    code = '# cell t, line 3\nMARK = "a\x0cb\u2028c"\n\ndef transform(df):\n    return df.nothing\n'
    with pytest.raises(AttributeError) as error:
        kfnb_Transform("t", code).transform([1])
    frame = error.traceback[-1]
    assert (frame.path, frame.lineno + 1) == ("<cell t>", 6)
    assert "return df.nothing" in str(frame.statement)


def test_it_has_what_it_needs_of_the_notebook(shell: Shell) -> None:
    Path("tools.py").write_text("from deeper.inner import THREE\ndef triple(v):\n    return THREE * v\n")
    Path("deeper").mkdir()
    Path("deeper/__init__.py").write_text("")
    Path("deeper/inner.py").write_text("from . import more\nTHREE = more.THREE\n")
    Path("deeper/more.py").write_text("THREE = 3\n")
    shell.run("import math\nfrom functools import partial\nONE = 1\nBOTH = [ONE, 2]\nadd = partial(pow, 2)")
    shell.run("class Adder:\n    def __call__(self, v):\n        return v + sum(BOTH) + math.floor(1.5)")
    try:
        shell.run(
            "%%kf_transform everything\nfrom dataclasses import dataclass\nimport tools\n@dataclass\nclass Row:\n"
            "    value: 'int'\ndef transform(rows):\n    from deeper import inner\n"
            "    return [Row(tools.triple(Adder()(add(row))) + inner.THREE).value for row in rows]"
        )
        transform = shell["everything"]
        assert transform.transform([1, 2]) == [3 * (2 + 3 + 1) + 3, 3 * (4 + 3 + 1) + 3]
        assert sorted(transform.files) == [
            "deeper/__init__.py",
            "deeper/inner.py",
            "deeper/more.py",
            "tools.py",
        ]
        shell.run("BOTH.append(100)")
        Path("deeper/more.py").write_text("THREE = 1000\n")
        assert transform.transform([1]) == [21]
        shell.run("%%kf_component use --output rows\nrows = everything.transform([1, 2])")
        shell.run("%kf_pipeline p use")
        assert shell.submit("p").result == {"rows": [21, 27]}
    finally:
        for name in ("tools", "deeper", "deeper.inner", "deeper.more"):
            sys.modules.pop(name, None)


def test_its_code_is_the_same_in_whichever_order_cells_run(notebook: Shell) -> None:
    before = notebook["prepare"].code
    notebook.run("1 + 1")
    notebook.run(PREPARE)
    assert notebook["prepare"].code == before
    assert before.startswith("# cell prepare, line 2\ndef fit(df):\n")


# -- what a cell may hold -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "def transfrom(df):\n    return df",
            "line 1: the cell has no function transform: did you mean transfrom?",
        ),
        ("COLS = ['a']", "line 1: the cell has no function transform: def transform(df, state): return df"),
        ("def transform():\n    return 1", "line 2: transform() takes neither (df, state) nor (df)"),
        ("def transform(df, *, state):\n    return 1", "takes neither (df, state) nor (df)"),
        (
            "def transform(df, state):\n    return state",
            "line 2: transform reads state, and there is no fit(df)",
        ),
        (
            "def fit(df, y):\n    return 1\ndef transform(df, s):\n    return s",
            "fit(df, y) does not take (df) alone",
        ),
        (
            "def fit(df):\n    return 1\ndef transform(df):\n    return df",
            "line 4: transform does not take the state",
        ),
        ("async def transform(df):\n    return df", "transform cannot be async"),
        ("def transform(df):\n    return df\nprint(1)", "line 4: `print(1)` does something"),
        (
            "rows = pd.read_csv('x.csv')\ndef transform(df):\n    return rows",
            "`rows = pd.read_csv('x.csv')` does",
        ),
        (
            "for i in range(3):\n    pass\ndef transform(df):\n    return df",
            "`for i in range(3):` does something",
        ),
        ("!ls\ndef transform(df):\n    return df", "line 2: `!ls` does something"),
        ("%sql select\ndef transform(df):\n    return df", "line 2: %sql cannot be used in a transform"),
        (
            "def transform(df):\n    return df[live]",
            "live (set) was created by cell [4], which is not a component",
        ),
        ("def transform(df):\n    return df[missing]", "line 2: missing is not defined by any cell"),
        (
            "def transform(df):\n    return df[size]",
            "line 2: a transform cannot use size, which is a parameter",
        ),
        (
            "def transform(df):\n    return df + made",
            "cannot use made, which is a value that component load2 makes",
        ),
        (
            "def transform(x):\n    return prepare.transform(x)",
            "cannot use prepare, which is another transform",
        ),
        (
            "def transform(df):\n    kf.log_metrics(a=1)\n    return df",
            "a transform cannot use kf, which reports",
        ),
        (
            "import kfnb\ndef transform(df):\n    return df",
            "line 2: a transform cannot use kfnb, which a server",
        ),
        (
            "import nopackage\ndef transform(df):\n    return df",
            "nopackage does not belong to an installed package",
        ),
        (
            "from math import nothing\ndef transform(df):\n    return df",
            "line 2: ImportError: cannot import name",
        ),
        ("def transform(df) return df", "line 2: expected ':'"),
    ],
)
def test_what_a_transform_cannot_be_is_refused_with_its_line(
    notebook: Shell, body: str, message: str
) -> None:
    notebook.run("import re\nlive = set(re.findall('a', 'banana'))\nlive.add(1)")
    notebook.run("%%kf_parameters\nsize = 3")
    notebook.run("%%kf_component load2\nmade = 1")
    text = notebook.fails(f"%%kf_transform refused\n{body}")
    assert message in text
    assert "refused" not in notebook.ip.user_ns


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%%kf_transform load\ndef transform(df):\n    return df", "load is already a component"),
        (
            "%%kf_transform df\ndef transform(df):\n    return df",
            "df is already defined by cell load [2] (DataFrame)",
        ),
        (
            "%%kf_transform pd\ndef transform(df):\n    return df",
            "pd is already defined by cell [1] (module)",
        ),
        (
            "%%kf_transform a-b\ndef transform(df):\n    return df",
            "'a-b' is not a valid name for a transform",
        ),
        ("%%kf_component prepare\nx = 1", "prepare is the transform of cell prepare [3]"),
        ("%kf_transform prepare", "%%kf_transform begins a cell"),
    ],
)
def test_a_name_that_is_taken_is_refused(notebook: Shell, cell: str, message: str) -> None:
    assert message in notebook.fails(cell)


def test_where_each_cell_runs_once_a_second_one_of_that_name_is_a_mistake(notebook: Shell) -> None:
    notebook.kernel.notebook.linear = True
    message = notebook.fails(PREPARE)
    assert "prepare is already the transform of cell prepare [3]: give the transform another name" in message


def test_a_file_that_transform_reads_is_not_there_when_it_is_served(
    notebook: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("cities.csv").write_text("a,1\n")
    notebook.run("%%kf_transform t\ndef transform(df):\n    return df.merge(pd.read_csv('cities.csv'))")
    assert (
        "note: t names cities.csv, which a server does not have: read it in fit(df)"
        in capsys.readouterr().out
    )
    notebook.run(
        "%%kf_transform t\ndef fit(df):\n    return pd.read_csv('cities.csv')\n"
        "def transform(df, state):\n    return df.merge(state)"
    )
    assert "note:" not in capsys.readouterr().out


# -- in steps -------------------------------------------------------------------------------------------------


def test_a_step_has_its_source_and_what_it_learned_travels_by_name(notebook: Shell, tmp_path: Path) -> None:
    notebook.run(
        "%%kf_component train --output top\nX = prepare.fit_transform(df)\ntop = float(X.income.max())"
    )
    notebook.run(
        "%%kf_component use --output median --output rows\nmedian = float(prepare.state['median'])\n"
        "rows = prepare.transform(pd.DataFrame({'income': [None, 2.0]})).income.tolist()"
    )
    notebook.run("%kf_pipeline p load train use")
    assert notebook["prepare"].code in notebook.run("%kf_show train").source
    assert "def fit" not in notebook.run("%kf_show use").source
    run = notebook.submit("p")
    assert run.result == {"top": 7.0, "median": 4.0, "rows": [4.0, 2.0]}
    assert run.artifacts["train"]["prepare"].metadata["format"] == "transform"
    table = run.artifacts["load"]["df"].download(tmp_path / "df.parquet")
    (tmp_path / "there").mkdir()
    assert launch("p", "train", tmp_path / "there", takes={"df": table}).parameters == {"top": 7.0}


def test_one_without_a_state_is_in_each_step_that_uses_it(notebook: Shell) -> None:
    notebook.run("%%kf_transform twice\ndef transform(df):\n    return 2 * df[['income']]")
    notebook.run("%%kf_component a --output x\nx = float(twice.transform(df).income.max())")
    notebook.run("%%kf_component b --output y\ny = float(twice.transform(df).income.min())")
    notebook.run("%kf_pipeline p load a b")
    assert not notebook.component("b").inputs.keys() & {"twice"}
    assert notebook.submit("p").result == {"x": 14.0, "y": 2.0}


def test_the_program_of_a_pipeline_compiles_without_kfnb(notebook: Shell, tmp_path: Path) -> None:
    notebook.run(
        "%%kf_component train --output top\nX = prepare.fit_transform(df)\ntop = float(X.income.max())"
    )
    notebook.run("%kf_pipeline p load train")
    notebook.run("%kf_compile p --python p.py --to here.yaml")
    subprocess.run([sys.executable, "p.py"], check=True, env={**os.environ, "PYTHONPATH": ""})
    assert Path("p.yaml").read_text() == Path("here.yaml").read_text()
    run = kfnb.submit("p.py").wait(120)
    assert run.result == {"top": 7.0}


def test_a_fit_under_a_condition_that_did_not_hold_is_an_output_too(notebook: Shell) -> None:
    notebook.run("%%kf_component train --param again:bool=False\nif again:\n    prepare.fit(df)")
    assert "prepare" in notebook.component("train").outputs


def test_a_helper_that_fits_it_counts(notebook: Shell) -> None:
    notebook.run("def learn(one, table):\n    one.fit(table)")
    for _ in range(2):  # the second run begins with what the first one has learned
        notebook.run("%%kf_component train\nlearn(prepare, df)", cell_id="train")
        assert "prepare" in notebook.component("train").changed
    notebook.run("%%kf_component use --output m\nm = float(prepare.state['median'])")
    notebook.run("%kf_pipeline p load train use")
    assert notebook.submit("p").result == {"m": 4.0}


def test_a_cell_that_runs_again_begins_unfitted_as_its_step_does(notebook: Shell) -> None:
    train = "%%kf_component train\nseen = prepare.fitted\nprepare.fit(df)"
    notebook.run(train)
    notebook.run(train)
    assert notebook["seen"] is False


def test_what_a_plain_cell_fitted_is_refused_as_a_step_would_not_have_it(notebook: Shell) -> None:
    notebook.run("prepare.fit(df)")
    message = notebook.fails("%%kf_component use\nX = prepare.transform(df)")
    assert "cell use [5], line 2: prepare was fitted outside of components" in message
    assert "call prepare.fit(df) in a component" in message
    notebook.run("%%kf_component train\nX = prepare.fit_transform(df)")
    notebook.run("%%kf_component use\nX = prepare.transform(df)")


def test_it_is_used_by_a_function_component_and_in_several_cells(notebook: Shell) -> None:
    notebook.run("%%kf_transform twice\ndef transform(rows):\n    return [2 * row for row in rows]")
    notebook.run("%%kf_component f\ndef f(v: int = 3) -> int:\n    return twice.transform([v])[0]")
    notebook.run("%%kf_component train\nprepare.fit(df)", cell_id="a")
    notebook.run(
        "%%kf_component train --continue --output m\nm = float(prepare.state['median'])", cell_id="b"
    )
    notebook.run("%kf_pipeline p load f train")
    run = notebook.submit("p")
    assert (run.outputs["f"], run.result) == ({"Output": 6}, {"m": 4.0})


def test_one_that_is_fitted_again_travels_on_from_there(notebook: Shell) -> None:
    notebook.run("%%kf_component first\nprepare = prepare.fit(df)")
    notebook.run("%%kf_component second\nprepare = prepare.fit(df.assign(income=9.0))")
    notebook.run("%%kf_component use --output m\nm = float(prepare.state['median'])")
    notebook.run("%kf_pipeline p load first second use")
    assert notebook.submit("p").result == {"m": 9.0}


def test_a_set_up_cell_cannot_use_it(notebook: Shell) -> None:
    notebook.run("%%kf_setup\nready = prepare.name")
    assert "set-up cell [4] reads prepare" in notebook.fails("%%kf_component c\nx = 1")


def test_a_failed_step_names_the_line_of_the_transforms_cell(notebook: Shell) -> None:
    notebook.run("%%kf_transform t\n\ndef transform(df):\n    return 1 / len(df[df.income > 100])")
    notebook.run("%%kf_component use --param most:int=3\nif most > 3:\n    t.transform(df)")
    notebook.run("%kf_pipeline p load use")
    run = kfnb.submit("p", {"most": 4})
    with pytest.raises(kfnb.RunFailed):
        run.wait(120)
    error = run.tasks["use"].error
    assert (error.message, error.place) == ("ZeroDivisionError: division by zero", "cell t, line 4")
    assert "  cell t, line 4, in transform\n    return 1 / len(df[df.income > 100])" in error.traceback
    assert "cell use [5], line 3" in error.traceback


def test_one_that_is_shown_has_its_code_and_what_is_in_it(notebook: Shell) -> None:
    notebook.run("LIMIT = 3\ndef clip(s):\n    return s.clip(upper=LIMIT)")
    notebook.run("%%kf_transform t\ndef transform(df):\n    return clip(pd.to_numeric(df.income))")
    view = api.show("t")
    assert (view.kind, view.packages) == ("transform", ("pandas",))
    assert {(one.name, one.kind) for one in view.travellers} == {
        ("pd", "import"),
        ("clip", "source"),
        ("LIMIT = 3", "constant"),
    }
    text = DISPLAYS[type(view)].bundle(view)["text/plain"]
    assert "def transform(df):" in text
    notebook.run("%%kf_component use\nx = t.transform(df)")
    assert ("t", "transform") in {(one.name, one.kind) for one in api.show("use").travellers}


# -- what changes later ---------------------------------------------------------------------------------------


def test_a_cell_that_runs_again_says_who_has_to_fit_it_again(
    notebook: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.run("%%kf_component train\nprepare.fit(df)")
    notebook.run(PREPARE.replace("median()", "mean()"))
    out = capsys.readouterr().out
    assert (
        "note: prepare is not fitted any more, as its cell ran again after it was fitted by cell train [4]"
        in out
    )
    assert not notebook["prepare"].fitted
    notebook.run("prepare.fit(df)")
    notebook.run(PREPARE)
    assert "after it was fitted: fit it again" in capsys.readouterr().out


def test_a_pipeline_uses_the_cell_as_it_ran_last(notebook: Shell) -> None:
    notebook.run("%%kf_component train --output m\nm = float(prepare.fit(df).state['median'])")
    notebook.run("%kf_pipeline p load train")
    notebook.run(PREPARE.replace("df.income.median()", "df.income.max()"))
    assert notebook.submit("p").result == {"m": 7.0}


def test_a_helper_or_a_constant_that_changed_since_is_reported(
    notebook: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.run("LIMIT = 3\ndef clip(s):\n    return s.clip(upper=LIMIT)", cell_id="h")
    notebook.run("%%kf_transform t\ndef transform(df):\n    return clip(df.income)")
    notebook.run("LIMIT = 5\ndef clip(s):\n    return s.clip(lower=LIMIT)", cell_id="h")
    capsys.readouterr()
    notebook.run("%%kf_component use\nx = t.transform(df)")
    out = capsys.readouterr().out
    assert (
        "note: t has clip as it was when its cell ran, and cell [6] has another one since: run cell t [5] again"
        in out
    )
    assert "note: t has LIMIT as it was when its cell ran" in out
    assert list(notebook["x"].dropna()) == [1.0, 3.0, 3.0]
    notebook.run("%kf_pipeline p load use")
    assert "t has clip as it was" in capsys.readouterr().out


def test_a_component_that_ran_before_the_transforms_cell_is_refused(shell: Shell) -> None:
    message = shell.fails("%%kf_component use\nx = prepare.transform([1])")
    assert "cell use [1], line 2: prepare is not defined by any cell" in message


# -- artifacts ------------------------------------------------------------------------------------------------


def test_a_runs_artifact_is_the_transform_and_runs_no_code_until_it_is_used(notebook: Shell) -> None:
    notebook.run(
        "%%kf_transform marked\ndef fit(df):\n    return {'n': len(df)}\n"
        "def transform(df, state):\n    return df + state['n']"
    )
    notebook.run("%%kf_component train\nmarked.fit(df)\nkept = 1")
    notebook.run("%%kf_component use --output n\nn = int(marked.state['n'])")
    notebook.run("%kf_pipeline p load train use")
    artifact = notebook.submit("p").artifacts["train"]["marked"]
    code = Path(artifact.uri.removeprefix("file://"), "code", "transform.py")
    loaded = artifact.load()
    assert (loaded.code, loaded.state) == (code.read_text(), {"n": 4})
    assert loaded.transform(1) == 5
    code.write_text("raise SystemExit('it ran')")
    with pytest.raises(UsageError, match="code is not what was saved"):
        artifact.load()


@pytest.mark.parametrize("library", ["pandas", "numpy", "polars"])
def test_it_takes_what_it_is_written_for(shell: Shell, library: str) -> None:
    pytest.importorskip(library)
    shell.run(f"import {library} as lib")
    made = "lib.array([[1.0], [2.0]])" if library == "numpy" else "lib.DataFrame({'a': [1.0, 2.0]})"
    shell.run(f"%%kf_component load\ndata = {made}")
    shell.run(
        "%%kf_transform t\ndef fit(data):\n    return {'like': data, 'count': len(data)}\n"
        "def transform(data, state):\n    return data * state['count'] + state['like'] * 0"
    )
    shell.run("%%kf_component train\nt.fit(data)")
    total = "t.transform(data).sum()" if library == "numpy" else "t.transform(data)['a'].sum()"
    shell.run(f"%%kf_component use --output total\ntotal = float({total})")
    shell.run("%kf_pipeline p load train use")
    assert shell.submit("p").result == {"total": 6.0}


def test_a_state_without_a_safe_format_travels_pickled_and_is_not_read_unasked(notebook: Shell) -> None:
    notebook.run(
        "%%kf_transform t\nclass Seen:\n    def __init__(self, n):\n        self.n = n\n"
        "def fit(df):\n    return {'seen': Seen(len(df))}\ndef transform(df, state):\n    return state['seen'].n"
    )
    notebook.run("%%kf_component train\nt.fit(df)")
    notebook.run("%%kf_component use --output n\nn = int(t.transform(df))")
    notebook.run("%kf_pipeline p load train use")
    run = notebook.submit("p")
    assert run.result == {"n": 4}
    artifact = run.artifacts["train"]["t"]
    with pytest.raises(UsageError, match=r"the state of t has a pickle.*load\(pickle=True\)"):
        artifact.load()
    assert artifact.load(pickle=True).transform(None) == 4


def test_a_cell_of_a_study_uses_it(notebook: Shell) -> None:
    notebook.run("%%kf_component train\nX = prepare.fit_transform(df)")
    study: Any = notebook.run(
        '%%kf_tune bowl --trials 2 --objective loss --minimize --space "x=float(0, 1)"\n'
        "loss = x + float(prepare.transform(df).income.max())"
    )
    study.wait(120)
    assert 7.0 <= study.best.value <= 8.0


def test_it_is_a_transform_of_frames_that_are_not_changed(notebook: Shell) -> None:
    before = notebook["df"].copy()
    notebook.run("%%kf_component train\nX = prepare.fit_transform(df)")
    pd.testing.assert_frame_equal(notebook["df"], before)
    assert "df" not in notebook.component("train").outputs
