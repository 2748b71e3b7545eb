"""Nothing is said, wired or refused where a pipeline does what the notebook did."""

from __future__ import annotations

from typing import Any

import pytest

# -- what a name was before matters only where somebody takes it afterwards ------------------------------------------


@pytest.mark.parametrize(
    "branch",
    [
        "for i in range(3): print(i)",
        "for i in [n]: print(i)",
        "i = n\n    print(i)",
        "with open('/dev/null') as i: i.read()",
        "import os as i\n    i.getcwd()",
        "print(i := n)",
    ],
)
def test_a_branchs_own_name_makes_no_input(shell: Any, branch: str) -> None:
    shell.run("%%kf_component a --output n\nfor i in range(3):\n    n = i")
    shell.run(f"%%kf_component b --output m --param x:int=1\nm = 0\nn = 2\nif x:\n    {branch}\n    m = 5")
    shell.run("%kf_pipeline alone b")
    shell.run("%kf_pipeline both a b")
    assert shell.submit("alone").result == {"m": 5}
    assert set(shell.submit("both").tasks["b"].inputs) == {"x"}


def test_a_branchs_name_that_is_taken_later_is_kept_as_it_was(shell: Any) -> None:
    shell.run("%%kf_component a\nfor i in [7]:\n    pass")
    shell.run("%%kf_component b --param x:int=1\nif x:\n    for i in range(3): print(i)")
    shell.run("%%kf_component c --output seen\nseen = i")
    shell.run("%kf_pipeline p a b c")
    assert [shell.submit("p", x=x).result["seen"] for x in (1, 0)] == [2, 7]


def test_a_value_that_cannot_travel_is_no_obstacle_to_a_branch_that_makes_its_own(shell: Any) -> None:
    shell.run("%%kf_component a\nimport threading\nlock = threading.Lock()")
    shell.run("%%kf_component b --output n\nn = 1\nif n:\n    lock = threading.Lock()\n    lock.acquire()")
    shell.run("%kf_pipeline p b")
    assert shell.submit("p").result == {"n": 1}


# -- what shares an object, and what does not --------------------------------------------------------------------------


def notes(shell: Any, make: str, change: str) -> str:
    """What is said of a component that changes something that another one made."""
    shell.run(
        "import copy\nimport numpy as np\nimport pandas as pd\nfrom sklearn.pipeline import make_pipeline"
    )
    shell.run("from sklearn.preprocessing import StandardScaler\nclass Net:\n    w = 0")
    shell.run(f"%%kf_component make\n{make}")
    shell.run(f"%%kf_component change\n{change}")
    return "\n".join(shell.component("change").notes)


@pytest.mark.parametrize(
    ("make", "change"),
    [
        ("a = {'rows': []}\nb = {'rows': a['rows']}", "b['rows'].append(len(a))"),
        ("a = np.zeros(4)\nb = a[1:]", "b[0] = a[1] + 1"),
        ("a = np.zeros((2, 3))\nb = {'flat': a.ravel()}", "b['flat'][0] = len(a)"),
        ("df = pd.DataFrame({'x': [1.0, 2]})\ncolumn = df['x'].to_numpy()", "df.loc[0, 'x'] = column[1]"),
        (
            "raw = np.zeros((2, 2))\ndf = pd.DataFrame(raw, columns=['a', 'b'], copy=False)",
            "raw[0, 0] = len(df)",
        ),
        ("net = Net()\nboth = (net, [net])", "net.w = len(both)"),
        (
            "scale = StandardScaler()\nmodel = make_pipeline(scale)",
            "scale.fit([[1.0]])\nmodel.steps[0][1].with_mean = False",
        ),
    ],
)
def test_what_shares_an_object_and_is_changed_is_reported(shell: Any, make: str, change: str) -> None:
    assert "share an object here" in notes(shell, make, change)


@pytest.mark.parametrize(
    ("make", "change"),
    [
        ("a = pd.DataFrame({'x': [1]})\nb = pd.DataFrame({'y': [2]})", "a['z'] = b['y']"),
        ("a = pd.DataFrame({'x': [1, 2]})\nb = a[a.x > 1]\nc = a['x']", "a.loc[0, 'x'] = len(b) + len(c)"),
        ("a = pd.DataFrame({'x': [1, 2]})\nb = {'again': a[['x']], 'n': 1}", "b['n'] = len(a)"),
        ("a = pd.Series([1], name='s')\nb = a.rename('t')", "a.attrs['k'] = len(b)"),
        ("a = pd.DataFrame({'x': list('ab')}, index=[3, 4])\nb = a.index", "a['y'] = b"),
        ("a = [{'k': i} for i in range(3)]\nb = copy.deepcopy(a)", "a[0]['k'] = len(b)"),
        ("a = np.zeros(3)\nb = a.copy()", "a[0] = b[1]"),
        (
            "a = StandardScaler().fit(np.eye(2))\nb = StandardScaler().fit(np.eye(2))",
            "a.with_mean = bool(b.with_mean)",
        ),
        ("a = Net()\nb = Net()", "a.w = b.w"),
        ("a = {'rows': []}\nb = {'rows': a['rows']}", "n = len(a) + len(b)"),  # nothing is changed
    ],
)
def test_what_shares_nothing_or_changes_nothing_is_not_reported(shell: Any, make: str, change: str) -> None:
    assert notes(shell, make, change) == ""


def test_ids_of_what_is_gone_are_not_compared(shell: Any) -> None:
    """Temporaries that pickling makes get the places of those that it made before."""
    frames = "\n".join(f"d{i} = pd.DataFrame({{'x': [{i}], 'o': [object]}})" for i in range(12))
    assert notes(shell, frames, "d0['n'] = len([d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11])") == ""


# -- cells that run again ---------------------------------------------------------------------------------------------

HELPERS = [
    "def clean(d):\n    d = d.copy()\n    d['n'] = 1\n    return d",
    "def clean(d):\n    d = d.dropna()\n    d['n'] = 1\n    d.drop(columns='n', inplace=True)\n    return d",
    "def clean(d, *, copy=True):\n    out = d.copy() if copy else d.copy()\n    out['n'] = 1\n    return out",
    "def clean(d):\n    part = d[d.x > 1]\n    part['n'] = 1\n    return part",
    "def clean(d):\n    df = pd.DataFrame(d)\n    names = []\n    names.append(1)\n    df['n'] = 1\n    return df",
    "def clean(d):\n    total = 0\n    for v in d['x']:\n        total += v\n    return total",
    "def inner(d):\n    d['n'] = 1\n    return d\ndef clean(d):\n    return inner(d.copy())",
]


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # pandas 3 has begun to deprecate it
@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize("cell", ["out = clean(df)", "df2 = clean(df)\nn = len(df)"])
def test_a_helper_that_copies_changes_nothing(shell: Any, helper: str, cell: str) -> None:
    shell.run("import pandas as pd")
    for source in helper.split("\ndef "):
        shell.run(source if source.startswith("def ") else f"def {source}")
    shell.run("%%kf_component make\ndf = pd.DataFrame({'x': [1, 2, 3]})\nnames = ['a']\ntotal = 5")
    for _ in range(2):
        shell.run(f"%%kf_component use\n{cell}\nk = (len(names), total)")
        assert shell.component("use").changed == frozenset()
        assert shell.component("use").notes == ()


@pytest.mark.parametrize(
    "helper",
    [
        "def clean(d):\n    d['n'] = 1\n    d = d.copy()\n    return d",
        "def clean(d):\n    same = d\n    same['n'] = 1\n    return same",
        "def clean(d):\n    if len(d) > 100:\n        d = d.copy()\n    d['n'] = 1\n    return d",
        "def clean(d):\n    for one in (d, d.copy()):\n        one.insert(0, 'n', 1)",
        "def clean(d):\n    def inner():\n        d['n'] = 1\n    inner()",
    ],
)
def test_a_helper_that_changes_before_it_copies_changes(shell: Any, helper: str) -> None:
    shell.run("import pandas as pd")
    shell.run(helper)
    shell.run("%%kf_component make\ndf = pd.DataFrame({'x': [1, 2, 3]})")
    shell.run("%%kf_component use\nif len(df) > 50:\n    clean(df)\nn = 1")
    assert shell.component("use").changed == {"df"}


def test_a_cell_that_left_its_input_as_it_was_may_run_again(shell: Any) -> None:
    shell.run("class Model:\n    k = 1\n    def predict(self):\n        return self.k")
    shell.run("%%kf_component make\nm = Model()\nxs = [3, 1]\nseen = {}")
    cell = "%%kf_component use\ny = m.predict()\nif y > 5:\n    xs.append(1)\n    seen['k'] = 1"
    shell.run(cell)
    shell.run(cell)
    assert shell.component("use").notes == ()
    shell.run("%%kf_component use\nxs.append(4)")
    shell.run("%%kf_component use\nxs.append(4)")
    assert "had the value that an earlier run of this cell left" in shell.component("use").notes[0]
