"""Names in texts that a library evaluates."""

from __future__ import annotations

import ast

import pytest

from kfnb.capture.names import read_names


@pytest.mark.parametrize(
    ("code", "reads"),
    [
        ('duckdb.sql("SELECT a FROM df JOIN other USING (a)")', {"df", "other"}),
        ('duckdb.query("select * from df, more where a > 1").df()', {"df", "more"}),
        ('con.sql("from df")', {"df"}),
        ('cursor.execute("select * from users")', set()),
        ('pd.eval("df.a + rate * 2")', {"df", "rate"}),
        ('smf.ols("y ~ np.log(x) + half(z) + C(w)", data=df).fit()', {"np", "half"}),
        ('patsy.dmatrices("y ~ x", df)', set()),
        ('print("a ~ f(b)")', set()),
    ],
)
def test_they_are_read_where_they_may_be_pythons(code: str, reads: set[str]) -> None:
    names = read_names(ast.parse(code))
    assert names.maybe == reads
    assert not names.unseen


@pytest.mark.parametrize(
    "code", ["duckdb.sql(text)", 'duckdb.sql(f"select * from {table}")', "pd.eval(text)"]
)
def test_where_the_text_is_put_together_that_is_said(code: str) -> None:
    (told,) = read_names(ast.parse(code)).unseen.values()
    assert told.endswith("names in a computed text")


def test_what_pandas_evaluates_travels(shell, agree) -> None:
    pytest.importorskip("pandas")
    agree(
        "%%kf_component a\nimport pandas as pd\ndf, rate = pd.DataFrame({'a': [1, 2]}), 3",
        "%%kf_component b --output total\ntotal = int(pd.eval('df.a * rate').sum())",
    )


def test_a_table_that_no_cell_makes_is_the_databases(shell) -> None:
    shell.run("class Con:\n    def sql(self, text):\n        return 1\ncon = None")
    shell.run("%%kf_component a\nx = Con().sql('select * from users')")
    assert not shell.component("a").inputs
