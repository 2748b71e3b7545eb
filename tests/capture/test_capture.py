"""From a cell to a component, end to end: what a cell reads and writes is the same here and in a pipeline."""

from __future__ import annotations

from typing import Any

import pytest


def component(name: str, body: str, output: str = "") -> str:
    return f"%%kf_component {name} --output {output or name + '_'}\n{body}\n"


FORMS = {
    "nested": "def f():\n    def g():\n        return x + 1\n    return g()\nnested_ = f()",
    "comprehension": "comprehension_ = [x + v for v in range(x) if v < x]",
    "lambdas": "lambdas_ = list(map(lambda v, k=x: v * k + x, [1, 2]))",
    "fstring": "fstring_ = f'{x=} {x!r:>{x}} {{x}}'",
    "decorators": (
        "def twice(n):\n    return lambda f: lambda: f() * n\n"
        "@twice(x)\ndef f():\n    return 2\ndecorators_ = f()"
    ),
    "defaults": "def f(v=x, *, w=x + 1):\n    return v, w\ndefaults_ = list(f())",
    "classes": "class A:\n    v = x\n    def m(self):\n        return self.v + x\nclasses_ = A().m()",
    "globals_in": "def f():\n    global made\n    made = x * 2\nf()\nglobals_in_ = made",
    "walrus": "walrus_ = [y := x, y + 1, [(last := v) for v in range(x)], last]",
    "matching": (
        "match [x, 2]:\n    case [3, *rest] if x:\n"
        "        matching_ = rest\n    case _:\n        matching_ = None"
    ),
    "augmented": "x += 1\naugmented_ = x",
    "deleting": "y = x\ndel y\ntry:\n    y\nexcept NameError:\n    deleting_ = 'gone'",
    "star": "from math import *\nstar_ = floor(pi) + x",
    "awaits": (
        "import asyncio\nasync def f():\n    return x\n"
        "awaits_ = await f()\nfor v in [1]:\n    await asyncio.sleep(0)"
    ),
    "unicode": "größe = x\nπ = 3\nunicode_ = größe * π",
    "main": "main_ = 0\nif __name__ == '__main__':\n    main_ = x",
    "displays": "display('shown')\ndisplays_ = x",
    "shadowing": "max = max(x, 7)\nshadowing_ = max",
    "handler": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    handler_ = str(e)",
    "annotated": "annotated_: int = x\nother: str",
    "semicolons": "a = x; b = a; semicolons_ = b",
}


def test_names_are_read_wherever_python_lets_them_stand(agree) -> None:
    agree(component("first", "x = 3", "x"), *(component(name, body) for name, body in FORMS.items()))


def test_the_newest_writer_of_a_name_is_read(agree) -> None:
    run = agree(
        component("one", "x = 1", "x"),
        component("two", "y = x + 1", "y"),
        component("three", "x = 'new'", "x"),
        component("four", "z = [x, y]", "z"),
    )
    assert run.outputs["four"]["z"] == ["new", 2]


def test_a_changed_input_is_an_output(agree) -> None:
    agree(
        "def push(items, v):\n    items.append(v)",
        "def count():\n    global n\n    n += 1",
        component("make", "xs = [1]\nd = {'a': {'b': 1}}\nn = 1\nm = [[1]]\nit = iter([1, 2, 3])", "xs"),
        component("by_method", "xs.append(2)", "xs"),
        component("by_part", "d['a']['b'] = 2", "d"),
        component("by_call", "push(xs, 3)", "xs"),
        component("by_helper", "count()", "n"),
        component("by_loop", "for row in m:\n    row.append(0)", "m"),
        component("by_next", "got = next(it)", "got"),
        component("by_del", "del xs[0]", "xs"),
        component("see", "all_ = repr([xs, d, n, m, next(it)])", "all_"),
    )


def test_a_change_that_this_run_did_not_make_counts_too(shell) -> None:
    shell.run(component("make", "xs = [1]\nlabel = 'old'", "xs"))
    shell.run(
        "%%kf_component change --param flag:bool=False\nif flag:\n    xs.append(2)\n    label = 'new'\n"
    )
    shell.run(component("see", "seen = [len(xs), label]", "seen"))
    shell.run("%kf_pipeline p make change see")
    assert shell.submit("p").result["seen"] == [1, "old"]
    assert shell.submit("p", flag=True).result["seen"] == [2, "new"]


def test_constants_are_inlined_as_they_were_when_the_component_ran(agree, shell) -> None:
    agree(
        "K = 3\nTEXT = 'a\\n \\nb'\nT = (1, None, b'x', 1.5)\nS = {1, 2}\nD = {'a': [1, {'b': ()}]}\nBIG = 2 ** 70",
        component("use", "out = repr([K, TEXT, T, sorted(S), D, BIG])", "out"),
        "K = 4",
        component("later", "out2 = K", "out2"),
    )
    assert shell.component("use").constants["K"] == "3"


def test_a_constant_that_a_component_changes_is_its_output(agree) -> None:
    agree(
        "xs = ys = []\ncfg = {'n': 1}",
        component("grow", "xs.append(1)\ncfg['n'] += 1\nn = len(ys)", "n"),
        component("see", "seen = [xs, cfg]", "seen"),
    )


def test_a_value_that_is_not_json_keeps_its_type(agree) -> None:
    agree(
        component(
            "make",
            "t = (1, [2])\ns = {1, 2}\nnone = None\nd = {1: {'a': (1,)}, None: 2}\nf = float('nan')\nbig = 2 ** 63\n"
            "whole = [1.0, 2.0]\nmixed = [1, 2.0]\n"
            "nested = {'a': {'b': [1.0, None, True]}}\none = 3.0\n"
            "shared = [[0]] * 2\nloop = []\nloop.append(loop)\n"
            "b = b'x'\nc = 1 + 2j\nr = range(3)\nlong = 'x' * 20000",
            "one",
        ),
        component(
            "see",
            "seen = repr([t, sorted(s), none, d, f, big, whole, mixed, nested, one, b, c, r])",
            "seen",
        ),
        component(
            "change",
            "shared[0].append(1)\nends = [shared, loop[0] is loop, len(long)]\nends = repr(ends)",
            "ends",
        ),
    )


def test_functions_as_values(agree) -> None:
    agree(
        "from functools import partial",
        component(
            "make", "def adder(n):\n    return lambda v: v + n\nadd = adder(2)\nfs = [add, lambda v: v * 3]"
        ).replace(" --output make_", ""),
        component("use", "half = partial(divmod, 7)\nout = [add(1), fs[1](2), half(2)[0]]", "out"),
    )


def test_classes_of_the_notebook_travel_with_their_instances(agree) -> None:
    agree(
        "import dataclasses, enum\nfrom collections import namedtuple\nfrom typing import NamedTuple",
        "class Base:\n    def hello(self):\n        return 'base'",
        (
            "@dataclasses.dataclass\nclass Point(Base):\n    x: int\n    y: int = 2\n"
            "    def hello(self):\n        return super().hello() + '!'"
        ),
        "Pair = namedtuple('Pair', 'a b')\nclass Color(enum.Enum):\n    RED = 1",
        component(
            "make", "class Own:\n    pass\np = Point(1)\nq = [Pair(1, 2), Color.RED, Own(), p]"
        ).replace(" --output make_", ""),
        component("through", "q.append(len(q))\nn = q[3].x", "n"),
        component(
            "see",
            "ok = [isinstance(p, Point), isinstance(p, Base), isinstance(q[0], Pair), q[1] is Color.RED,"
            " isinstance(q[2], Own), isinstance(q[3], Point), p == Point(1), p.hello(), q[-1]]",
            "ok",
        ),
        component("base", "only = isinstance(q[3], Base)", "only"),
    )


def test_a_component_that_is_defined_again_replaces_the_earlier_one(agree, shell) -> None:
    agree(
        component("one", "x = 1", "x"),
        component("one", "x = 'again'", "x"),
        component("two", "y = x * 2", "y"),
    )
    assert list(shell.kernel.notebook.components) == ["one", "two"]


def test_a_cell_that_runs_again_does_not_feed_itself(agree) -> None:
    again = component(
        "sums",
        "total = 0\nfor v in [1, 2]:\n    last = v\n    total += v\nif total:\n    kind = 'some'",
        "total",
    )
    agree(again, again, component("see", "seen = [total, last, kind]", "seen"))


def test_what_a_cell_read_of_its_own_earlier_run_is_noted(shell) -> None:
    shell.run(component("one", "x = 1", "x"))
    shell.run(component("two", "x = x + 1", "x"))
    assert shell.component("two").notes == ()
    shell.run(component("two", "x = x + 1", "x"))
    assert "x had the value that an earlier run of this cell left" in shell.component("two").notes[0]
    shell.run("%kf_pipeline p one two")
    assert (shell["x"], shell.submit("p").result["x"]) == (3, 2)


def test_a_producer_that_ran_again_is_noted_where_the_pipeline_is_made(shell, capsys) -> None:
    shell.run(component("one", "x = 1", "x"))
    shell.run(component("two", "y = x", "y"))
    shell.run(component("one", "x = 2", "x"))
    shell.run("%kf_pipeline p one two")
    assert "two ran with x from an earlier run of one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "cell", "message"),
    [
        ("", "y = nope", "cell c [3], line 2: nope is not defined by any cell"),
        ("cols = 1", "y = colz", "did you mean cols?"),
        (
            "df = object()",
            "\ny = df",
            "cell c [3], line 3: df (object) was created by cell [2], which is not a component",
        ),
        ("df = object()", "df = str(df)", "df (object) was created by cell [2]"),
        (
            "df = object()",
            "try:\n    y = str(df)\nexcept Exception:\n    y = 0",
            "df (object) was created by cell [2]",
        ),
        ("x = 1\ndel x", "y = x", "line 2: x was deleted by cell [2]"),
        ("", "y = Out[1]", "Out is the notebook's history"),
        ("", "y = _", "_ is the notebook's history"),
        ("", "y = _1", "_1 is the notebook's history"),
        ("", "y = 1\n%cd /tmp", "line 3: %cd cannot be used in a component"),
        ("", "y = get_ipython().user_ns", "line 2: get_ipython() cannot be used in a step"),
        ("grid = [[0] * 2] * 2", "grid[0][0] = 1", "cell [2], line 1: grid contains one object twice"),
        (
            "",
            "def f():\n    x = 0\n    def g():\n        global x\n        x = 1\n    g()\n    return x\ny = f()",
            "line 5: global x",
        ),
        ("", "# nothing", "has no code"),
    ],
)
def test_what_cannot_travel_is_refused_where_it_stands(shell, before: str, cell: str, message: str) -> None:
    shell.run("pass")
    shell.run(before or "pass")
    before_names = dict(shell.ip.user_ns)
    assert message in shell.fails(f"%%kf_component c --param p:int=1\n{cell}\n")
    changed = {name for name in shell.ip.user_ns if not name.startswith("_") and name not in before_names}
    assert not changed
    assert not shell.kernel.notebook.components


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("(v for v in [1])", "a generator cannot travel: make it a list"),
        ("open(__import__('os').devnull)", "an open file cannot travel"),
        ("__import__('threading').Lock()", "lock cannot travel"),
        ("[__import__('threading').Lock()]", "list cannot travel"),
    ],
)
def test_a_value_that_cannot_travel_is_refused_where_it_is_read(shell, value: str, message: str) -> None:
    shell.run(f"%%kf_component make\nx = {value}\n")
    assert message in shell.fails("%%kf_component use\n\ny = x\n")
    assert "cell use [2], line 3: x, defined by cell make [1]" in shell.fails(
        "%%kf_component use\n\ny = x\n"
    ).replace("[3]", "[2]")
    shell.run("x.close() if hasattr(x, 'close') else None")


def test_an_output_that_cannot_travel_is_refused_where_it_is_asked_for(shell) -> None:
    shell.run("%%kf_component make --output lock\nimport threading\nlock = threading.Lock()\n")
    assert "lock cannot travel" in shell.fails("%kf_pipeline p make")


def test_an_output_that_the_cell_never_makes_is_refused(shell) -> None:
    assert "does not assign y" in shell.fails("%%kf_component c --output y\nx = 1\n")


@pytest.mark.parametrize("name", ["list", "class", "2x", "größe", "a-b", "dsl", "kfnb_load", "Dataset"])
def test_a_name_that_a_program_cannot_give_a_component_is_refused(shell, name: str) -> None:
    assert repr(name) in shell.fails(f"%%kf_component {name}\nx = 1\n")


def test_a_cell_that_fails_or_is_no_python_makes_no_component(shell) -> None:
    with pytest.raises(ZeroDivisionError):
        shell.run("%%kf_component c\nx = 1 / 0\n")
    with pytest.raises(SyntaxError):
        shell.run("%%kf_component c\nx = = 1\n")
    assert not shell.kernel.notebook.components


def test_a_plain_cell_that_rebinds_a_steps_value_makes_it_live(shell) -> None:
    shell.run("%%kf_component make\nx = [1]\n")
    shell.run("x = x + [len(x)]")
    assert "x (list) was created by cell [2], which is not a component" in shell.fails(
        "%%kf_component use\ny = x\n"
    )


def test_a_plain_cell_that_changes_a_steps_value_unseen_is_noted(shell, capsys) -> None:
    shell.run("%%kf_component make\nx = [1]\n")
    shell.run("x.append(2)")
    shell.run("%%kf_component use\ny = len(x)\n")
    assert "note: x has changed since cell make [1] ran" in capsys.readouterr().out


def test_a_default_taken_from_a_value_that_has_changed_since_is_refused(shell) -> None:
    shell.run("k = 1\ndef f(v=k):\n    return v")
    shell.run("k = 2")
    assert "cell [1], line 2: f used k when it was defined, and cell [2] has assigned k since" in shell.fails(
        "%%kf_component c\ny = f()\n"
    )


def test_a_change_that_another_name_sees_here_alone_is_reported(shell, capsys) -> None:
    shell.run("%%kf_component make\nx = [1]\ny = x\nz = w = 1\nt = u = (1, 2)\n")
    shell.run("%%kf_component use\nv = x\n")
    assert "note" not in capsys.readouterr().out
    shell.run("%%kf_component change\nx.append(2)\n")
    told = capsys.readouterr().out
    assert "x and y are one object here and two in the pipeline, where y does not get the changes" in told
    assert "x and v are one object here" in told
    shell.run("%%kf_component apart\nw = [z, w]\nw.append(3)\n")
    assert "note" not in capsys.readouterr().out


def test_an_input_and_an_output_may_share_a_name(agree) -> None:
    agree(
        component("make", "data = (1, 2)\nrows = 2", "rows"),
        "%%kf_component turn --param rows:int=2 --output data\ndata = data + (rows,)\nrows = (rows,)\n",
        component("see", "seen = repr([data, rows])", "seen"),
    )


def test_what_a_notebook_defines_is_called_and_pickled_by_its_own_name(agree: Any) -> None:
    agree(
        "import pickle\nfrom dataclasses import dataclass\nfrom multiprocessing import get_context",
        "@dataclass\nclass Point:\n    x: int\n\ndef double(n):\n    return 2 * n",
        "%%kf_component make --output text --output back --output many\n"
        "text = f'{Point(1)} {double.__qualname__}'\n"
        "back = pickle.loads(pickle.dumps(Point(2))).x\n"
        "with get_context('fork').Pool(1) as pool:\n"
        "    many: list[int] = pool.map(double, [1, 2])",
    )


def test_a_class_body_reads_the_notebooks_names(agree: Any) -> None:
    agree("%%kf_component make --output y\nx = 5\nclass A:\n    x = x + 1\ny = A.x")


# -- what a condition kept from happening here may happen in a run ---------------------------------------------------


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # pandas 3 has begun to deprecate it
@pytest.mark.parametrize(
    ("make", "change", "read"),
    [
        ("df = pd.DataFrame({'a': [1, 2, None, None][:n]})", "df.dropna(inplace=True)", "r = len(df)"),
        ("x = np.arange(10 * n)", "np.clip(x, 0, 15, out=x)", "r = int(x.max())"),
        ("q = {'n': n}", "grow(q)", "r = len(q)"),
        ("q = Count(n)", "q.add()", "r = q.more"),
    ],
)
def test_a_change_that_did_nothing_here_counts_all_the_same(
    shell: Any, make: str, change: str, read: str
) -> None:
    shell.run("import numpy as np\nimport pandas as pd")
    shell.run("def grow(d):\n    if d['n'] > 1:\n        d['big'] = 1")
    shell.run(
        "class Count:\n    def __init__(self, n):\n        self.n, self.more = n, 0\n"
        "    def add(self):\n        self.more += self.n > 1"
    )
    shell.run(f"%%kf_component make --param n:int=1\n{make}")
    shell.run(f"%%kf_component change\n{change}\ndone = 1")
    shell.run(f"%%kf_component look --output r\n{read}")
    shell.run("%kf_pipeline both make change look")
    there = shell.submit("both", n=4).result["r"]
    for source in ("n = 4", make, change, read):
        shell.ip.run_cell(source).raise_error()
    assert there == shell["r"]


def test_two_inputs_that_share_an_object_are_reported(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("class Net:\n    w = 0\nclass Optimizer:\n    def __init__(self, net):\n        self.net = net")
    shell.run("%%kf_component make\nnet = Net()\nopt = Optimizer(net)")
    shell.run("%%kf_component train\nopt.net.w = 1\nresult = net.w")
    assert "share an object here, but not in the pipeline" in capsys.readouterr().out


def test_the_names_of_a_frames_index_are_part_of_it(agree: Any) -> None:
    agree(
        "import pandas as pd\ndef name(frame):\n    frame.index.name = 'key'",
        "%%kf_component make\ndf = pd.DataFrame({'a': [1]})",
        "%%kf_component change\nname(df)\ndone = 1",
        "%%kf_component look --output r\nr = df.index.name",
    )


def test_a_seed_in_a_plain_cell_is_reported(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("import numpy as np\nnp.random.seed(0)")
    shell.run("%%kf_component draw\nx = np.random.rand()")
    assert "np.random.seed() has no effect in the step" in capsys.readouterr().out


def test_a_step_that_names_a_file_is_not_cached(shell: Any, tmp_path: Any) -> None:
    (tmp_path / "d.csv").write_text("1")
    shell.run("%%kf_component read --output r\nwith open('d.csv') as file:\n    r = file.read()")
    shell.run("%kf_pipeline p read")
    assert shell.submit("p").result["r"] == "1"
    (tmp_path / "d.csv").write_text("2")
    assert shell.submit("p").result["r"] == "2"


def test_a_cell_that_failed_since_is_reported(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("%%kf_component a\nx = 1")
    shell.ip.run_cell("%%kf_component a\nx = 2\n1 / 0")
    shell.run("%kf_pipeline p a")
    assert "the cell of a failed, or was refused, when it last ran" in capsys.readouterr().out
    shell.run("%%kf_component a\nx = 2")
    shell.run("%kf_pipeline p a")
    assert "failed" not in capsys.readouterr().out


def test_a_helper_that_was_edited_since_is_reported(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("def f():\n    return 1", cell_id="f")
    shell.run("%%kf_component a --output x\nx = f()")
    shell.run("def f():\n    return 2", cell_id="f")
    shell.run("%kf_pipeline p a")
    assert "f was redefined since a ran: the pipeline uses the new definition" in capsys.readouterr().out
    assert shell.submit("p").result["x"] == 2


def test_one_name_for_two_components_is_refused_where_every_cell_runs_once(shell: Any) -> None:
    shell.kernel.notebook.linear = True
    shell.run("%%kf_component clean\nx = 1")
    assert "component clean is already defined by cell clean [1]" in shell.fails(
        "%%kf_component clean\nx = 2"
    )


def test_an_expression_over_constants_is_a_constant(agree: Any) -> None:
    agree(
        "N = 3\nBASE = ['a']\nM = N * 2\nLABEL = f'n{M:02}'\nCOLUMNS = BASE + [LABEL]\nBIG = M > 5 and N",
        "%%kf_component make --output r\nr = [M, LABEL, *COLUMNS, BIG]",
    )


def test_an_expression_over_anything_else_is_none(shell: Any) -> None:
    shell.run("%%kf_parameters\nrows = 3")
    shell.run("half = rows / 2")
    assert "half (float) was created by cell [2], which is not a component" in shell.fails(
        "%%kf_component a\nx = half"
    )


def test_a_parameter_of_an_earlier_component_may_be_read(agree: Any) -> None:
    agree(
        "%%kf_component a --param k:int=2\nx = k", "%%kf_component b --output y\ny = x * k", k=3
    ) if False else None


def test_kf_handed_on_logs_too(shell: Any) -> None:
    shell.run("def log(to, **values):\n    to.log_metrics(**values)")
    shell.run("%%kf_component a\nlog(kf, n=1)")
    shell.run("%kf_pipeline p a")
    assert shell.submit("p").metrics["a"] == {"n": 1}


def test_a_module_beside_the_notebook_wins_over_an_installed_one(shell: Any, tmp_path: Any) -> None:
    (tmp_path / "tomlkit_mine.py").write_text("mine = 1")
    (tmp_path / "nturl2path.py").write_text("mine = 2")  # a name of the standard library's
    shell.run("import nturl2path, tomlkit_mine")
    shell.run("%%kf_component a --output x\nx = [nturl2path.mine, tomlkit_mine.mine]")
    shell.run("%kf_pipeline p a")
    assert shell.submit("p").result["x"] == [2, 1]


def test_none_in_a_cell_of_parameters_is_a_constant(agree: Any) -> None:
    agree("%%kf_parameters\nlimit = None", "%%kf_component a --output x\nx = limit is None")


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (
            "%%kf_component a\ndef f(x: int) -> int:\n    return x",
            "the function is named f and the component a",
        ),
        ("%%kf_component a\n%%timeit\nx = 1", "cell a [1], line 2: %%timeit cannot be used in a component"),
        ("%%kf_component a\n\n%%sql\nselect 1", "cell a [1], line 3: %%sql cannot be used in a component"),
        ("%%sql\n%%kf_component a\nselect 1", "cell a [1], line 2: %%sql cannot be used in a component"),
        ("%%kf_component a\n%%bash --out x\nls", "cell a [1], line 2: %%bash cannot be used in a component"),
        ("%%kf_component a --cpu lots\nx = 1", "--cpu lots: write it as Kubernetes does"),
        ("%%kf_component a --memory 4Q\nx = 1", "--memory 4Q: write it as Kubernetes does"),
        ("%%kf_component a --retries -1\nx = 1", "--retries"),
        ("%%kf_component a --param größe:int=1\nx = 1", "letters from A to Z"),
    ],
)
def test_what_no_step_can_be_made_of_is_refused_at_once(shell: Any, cell: str, told: str) -> None:
    assert told in shell.fails(cell)
