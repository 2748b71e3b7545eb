"""Constants that are no literals: the text that makes them travels where it is pure and still gives what they are."""

from __future__ import annotations

import pytest

IMPORTS = """
import datetime as dt, decimal, fractions, logging, math, os, re, threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
K = 3
ALPHA = 0.5
class Colour(Enum):
    RED = 1
@dataclass
class Config:
    rate: float
    folder: Path = Path("out")
"""

PURE = {
    "DATA": 'Path("data")',
    "TRAIN": 'Path("data") / "train.csv"',
    "FILES": '[Path("data") / f"{i}.csv" for i in range(K)]',
    "OUT": 'os.path.join("out", "x.csv")',
    "WORD": 're.compile(r"\\w+", re.I)',
    "DAY": "date(2024, 2, 29)",
    "SPAN": "timedelta(days=K)",
    "MOMENT": 'dt.datetime.fromisoformat("2024-02-29T10:00:00")',
    "LIMIT": "math.inf",
    "ROOT": "math.sqrt(K)",
    "KEYS": "frozenset({K})",
    "ROWS": "range(K)",
    "TABLE": "{name: i for i, name in enumerate('a b c'.split())}",
    "COLOUR": "Colour.RED",
    "CONFIG": "Config(ALPHA)",
    "COUNTS": "Counter('aab')",
    "MONEY": "decimal.Decimal('1.10')",
    "LOG": "logging.getLogger('x')",
    "UPPER": "[word.upper() for word in ['a', 'b']]",
}

OF_LIBRARIES = {
    "GAP": "np.nan",
    "HALF": "np.float64(0.5)",
    "GRID": "np.linspace(0, 1, K)",
    "RANDOM": "np.random.default_rng(7)",
    "STAMP": 'pd.Timestamp("2024-02-29", tz="UTC")',
    "INDEX": "pd.Index(['a', 'b'])",
    "KIND": 'np.dtype("float32")',
    "TYPES": "{'a': np.int8}",
    "MODEL": "Ridge(alpha=ALPHA)",
    "STEPS": "make_pipeline(StandardScaler(), Ridge())",
}

LIVE = [
    "threading.Lock()",
    "date.today()",
    "dt.datetime.now()",
    "Path.cwd()",
    "Path('x').exists()",
    "os.environ['HOME']",
    "os.environ.get('HOME', '')",
    "os.listdir()",
    "print('x') or [1]",
    "[].append(1) or object()",
    "__import__('math').pi + 1",
    "eval('1')",
]


def test_constants_that_are_no_literals_travel(shell, agree) -> None:
    shell.run(IMPORTS + "\n".join(f"{name} = {text}" for name, text in PURE.items()))
    agree(
        f"%%kf_component c --output seen\nseen = [getattr(v, 'name', repr(v)) for v in [{', '.join(PURE)}]]"
    )


def test_constants_of_numpy_pandas_and_scikit_learn_travel(shell, agree) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("sklearn")
    shell.run(
        f"{IMPORTS}import numpy as np, pandas as pd\nfrom sklearn.linear_model import Ridge\n"
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler"
    )
    shell.run("\n".join(f"{name} = {text}" for name, text in OF_LIBRARIES.items()))
    agree(
        "%%kf_component c --output seen --output drawn\n"
        f"seen = [str(v) for v in [{', '.join(OF_LIBRARIES)}] if v is not RANDOM]\ndrawn = RANDOM.random()"
    )


def test_the_text_that_makes_a_constant_stands_in_the_step(shell) -> None:
    shell.run("from pathlib import Path\nBASE = 'data'\nDATA = Path(BASE)")
    shell.run("%%kf_component c\nx = str(DATA / 'a.csv')")
    shown = shell.run("%kf_show c")
    assert "    DATA = Path(BASE)\n" in shown.source
    assert ("DATA", "constant", "cell [1], line 3") in {(t.name, t.kind, t.origin) for t in shown.travellers}


@pytest.mark.parametrize("text", LIVE)
def test_what_depends_on_more_than_its_text_does_not_travel(shell, text: str) -> None:
    shell.run(f"{IMPORTS}thing = {text}")
    assert "was created by cell [1], which is not a component" in shell.fails("%%kf_component c\nx = thing")


def test_what_is_made_of_a_components_value_does_not_travel(shell) -> None:
    shell.run("%%kf_component a\nn = 3")
    shell.run("from pathlib import Path\nFILES = [Path(str(i)) for i in range(n)]")
    assert "FILES (list) was created by cell [2]" in shell.fails("%%kf_component c\nx = FILES")


def test_a_constant_that_a_component_changes_is_an_output_of_it(shell, agree) -> None:
    pytest.importorskip("sklearn")
    shell.run("from sklearn.linear_model import Ridge\nfrom dataclasses import dataclass")
    shell.run("@dataclass\nclass Config:\n    rate: float\nMODEL = Ridge()\nCONFIG = Config(1.0)")
    run = agree(
        "%%kf_component train --output made\nMODEL.fit([[1.0], [2.0]], [2.0, 4.0])\nCONFIG.rate = 2.0\nmade = 1",
        "%%kf_component use --output guess --output rate\n"
        "guess, rate = float(MODEL.predict([[3.0]])[0]), CONFIG.rate",
    )
    assert set(run.outputs["train"]) == {"made", "MODEL", "CONFIG"}


def test_a_constant_that_a_plain_cell_has_changed_since_is_refused(shell) -> None:
    shell.run("from collections import Counter\nCOUNTS = Counter('ab')")
    shell.run("COUNTS.update('a')")
    assert "COUNTS has changed since this line defined it: run this cell again" in shell.fails(
        "%%kf_component c\nx = COUNTS['a']"
    )


def test_a_constant_is_as_it_was_when_the_component_ran(shell) -> None:
    shell.run("from pathlib import Path\nDATA = Path('one')", cell_id="a")
    shell.run("%%kf_component c --output x\nx = str(DATA)", cell_id="b")
    shell.run("from pathlib import Path\nDATA = Path('two')", cell_id="a")
    shell.run("%kf_pipeline p c")
    assert shell.submit("p").result == {"x": "one"}


@pytest.mark.parametrize(
    ("made", "advice"),
    [
        ("len(os.listdir())", "or declare a parameter, --param thing"),
        ("Path.cwd()", "Make that cell a component (%%kf_component), or begin it with %%kf_setup"),
        ("threading.Lock()", "Create it in the component, or in a cell that begins with %%kf_setup"),
    ],
)
def test_a_refusal_says_what_can_be_done(shell, made: str, advice: str) -> None:
    shell.run(f"{IMPORTS}thing = {made}")
    assert advice in shell.fails("%%kf_component c\nx = thing")
