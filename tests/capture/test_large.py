"""What is large is not read whole; and still no change to it that a notebook makes goes unseen."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kfnb.capture import content, fingerprint, object_changes
from kfnb.capture.content import examine
from kfnb.capture.fingerprint import Thoroughness

ROWS = 5000
CHANGED = ROWS // 2 + 1
"""A row that no sample of 64 hits."""


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "WHOLE", 100)
    monkeypatch.setattr(fingerprint, "_SAMPLES", 64)
    monkeypatch.setattr(content, "_SAMPLES", 64)
    monkeypatch.setattr(content, "_MOST_ATOMS", 100)
    monkeypatch.setattr(content, "_MOST_ITEMS", 100)


@pytest.fixture
def notebook(shell: Any, everything_is_large: None) -> Any:
    shell.run("import numpy as np\nimport pandas as pd\nimport random")
    shell.run(
        f"%%kf_component make\nn = {ROWS}\n"
        "df = pd.DataFrame({'a': np.arange(n) * 1.0, 'b': np.arange(n) % 7, 's': ['x', 'y'] * (n // 2),\n"
        "                   'd': pd.date_range('2024', periods=n, freq='s')})\n"
        "arr = np.arange(n) * 1.0\ntable = np.arange(n * 2).reshape(n, 2)\n"
        "rows = [{'i': i} for i in range(n)]\nxs = list(range(n))\nnest = {'train': df.copy(), 'k': 1}"
    )
    return shell


CHANGES = [
    ("df['c'] = df['a'] * 2", "df"),
    ("df.loc[df.a == 2501, 'a'] = -1", "df"),
    ("df.iloc[2501, 0] = -1", "df"),
    ("df.at[2501, 's'] = 'z'", "df"),
    ("df.drop(columns='b', inplace=True)", "df"),
    ("df.sort_values('b', inplace=True)", "df"),
    ("df.rename(columns={'a': 'x'}, inplace=True)", "df"),
    ("df.insert(0, 'first', 1)", "df"),
    ("df.index.name = 'key'", "df"),
    ("for one in (df,):\n    one.loc[2501, 'a'] = -1", "df"),
    ("same = df\nsame.loc[2501, 'd'] = pd.Timestamp('2020')", "df"),
    ("arr[2501] = -1", "arr"),
    ("arr += 1", "arr"),
    ("view = arr[2000:]\nview[501] = -1", "arr"),
    ("table[2501, 1] = -1", "table"),
    ("table.sort(axis=0)\ntable.T[1, 2501] = 0", "table"),
    ("random.shuffle(xs)", "xs"),
    ("xs.append(1)", "xs"),
    ("rows[2501]['i'] = -1", "rows"),
    ("for row in rows:\n    row['i'] += 1", "rows"),
    ("nest['train'].loc[2501, 'a'] = -1", "nest"),
]


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # pandas 3 has begun to deprecate it
@pytest.mark.parametrize(("cell", "name"), CHANGES)
def test_what_a_cell_changes_is_put_out(notebook: Any, cell: str, name: str) -> None:
    notebook.run(f"%%kf_component change\n{cell}")
    assert name in notebook.component("change").outputs


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("thing.loc[2501, 'a'] = -1", "df"),
        ("thing.iloc[2501, 3] = pd.Timestamp('2020')", "df"),
        ("thing['new'] = 1", "df"),
        ("thing[2501] = -1", "arr"),
        ("thing[2501, 1] = -1", "table"),
        ("thing[2501] = -1", "xs"),
        ("thing[2501]['i'] = -1", "rows"),
        ("thing['train'].loc[2501, 'a'] = -1", "nest"),
    ],
)
def test_what_a_helper_changes_unseen_is_put_out(
    notebook: Any, monkeypatch: pytest.MonkeyPatch, body: str, name: str, tmp_path: Any
) -> None:
    """The helper's text is in a module, where nobody reads it."""
    monkeypatch.delitem(sys.modules, "unseen_helper", raising=False)
    (tmp_path / "unseen_helper.py").write_text(f"import pandas as pd\n\ndef change(thing):\n    {body}\n")
    notebook.run("import unseen_helper")
    notebook.run(f"%%kf_component change\nunseen_helper.change({name})")
    assert notebook.component("change").changed == {name}


READS = [
    "t = df['a'].sum()",
    "t = df.describe()",
    "t = df.values",
    "t = df.groupby('b').mean(numeric_only=True)",
    "t = df[['a', 'b']].copy()\nt['a'] = 0",
    "t = df[df.a > 3]\nt.loc[:, 'a'] = 0",
    "t = pd.concat([df, df])",
    "t = df.sort_values('a').reset_index(drop=True)",
    "t = arr * 2\nt[0] = 5",
    "t = np.sort(arr)\nu = table[:, 0] + arr",
    "t = sorted(xs)\nu = [row['i'] for row in rows]",
    "t = nest['train'].mean(numeric_only=True)",
]


@pytest.mark.parametrize("cell", READS)
def test_reading_changes_nothing(notebook: Any, cell: str) -> None:
    notebook.run(f"%%kf_component look\n{cell}")
    notebook.run(f"%%kf_component look\n{cell}")
    assert notebook.component("look").changed == frozenset()
    assert notebook.component("look").notes == ()


def test_a_frame_whose_memory_moves_without_a_change_has_not_changed(notebook: Any) -> None:
    notebook.run("%%kf_component add\ndf['c'] = 1.0\ndf['e'] = 2.0")
    notebook.run("%%kf_component look\nt = df.copy()\ndf._consolidate_inplace()")
    assert notebook.component("look").changed == frozenset()


def test_what_of_arrays_is_not_looked_at_whole_is_bounded(
    monkeypatch: pytest.MonkeyPatch, notebook: Any
) -> None:
    whole = []
    known = object_changes.examine
    monkeypatch.setattr(object_changes, "MOST", 50_000)
    monkeypatch.setattr(
        object_changes,
        "examine",
        lambda value, look=Thoroughness.QUICK: (whole.append(look), known(value, look))[1],
    )
    notebook.run("%%kf_component look\nt = arr.mean() + table.mean() + xs[3]")
    assert whole.count(Thoroughness.WHOLE) == 2  # arr, before and after


# -- fingerprints -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "array",
    [
        np.arange(100_000.0),
        np.arange(100_000, dtype="int8"),
        np.arange(90_000.0).reshape(300, 300),
        np.arange(90_000.0).reshape(300, 300).T,
        np.arange(90_000.0).reshape(300, 300)[:, ::3],
        np.arange(2_000_000.0).reshape(1_000_000, 2)[::2, 1],
        np.arange(100_000).astype("M8[s]"),
        np.arange(100_001, dtype="uint8")[1:],
    ],
)
def test_no_change_of_one_element_goes_unseen_where_all_is_looked_at(array: Any) -> None:
    before = examine(array, Thoroughness.WHOLE).digest
    assert examine(array, Thoroughness.WHOLE).digest == before
    for place in (0, array.size // 2 + 1, array.size - 1):
        known = array.flat[place]
        array.flat[place] = array.flat[place - 7 if place else 9]
        assert examine(array, Thoroughness.WHOLE).digest != before
        array.flat[place] = known
        assert examine(array, Thoroughness.WHOLE).digest == before


def test_an_order_is_part_of_what_is_looked_at() -> None:
    array = np.arange(50_000)
    assert examine(array, Thoroughness.WHOLE).digest != examine(array[::-1].copy(), Thoroughness.WHOLE).digest
    rolled = np.roll(array, 4096)
    assert examine(array, Thoroughness.WHOLE).digest != examine(rolled, Thoroughness.WHOLE).digest


def test_looking_draws_no_random_number(everything_is_large: None) -> None:
    np.random.seed(0)  # noqa: NPY002 - the generator that notebooks seed
    expected = np.random.RandomState(0).random_sample()
    examine(pd.DataFrame({"a": np.arange(ROWS)}))
    assert np.random.random_sample() == expected  # noqa: NPY002
