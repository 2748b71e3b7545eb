"""A transform that looks at its batch is found when the model is saved: column, row, both values and the cause."""

from __future__ import annotations

from copy import copy

import numpy as np
import pandas as pd
import pytest

from kfnb.capture.embedded.row_by_row import kfnb_cells, kfnb_checked_transform, kfnb_difference
from kfnb.capture.embedded.transforms import kfnb_Transform

ROWS = pd.DataFrame(
    {
        "income": [1.0, np.nan, 3.0, 8.0],
        "city": ["a", "b", "a", None],
        "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]),
        "label": [0, 1, 0, 1],
    }
)
HEAD = "import pandas as pd\nimport numpy as np\n# cell prepare, line 2\ndef transform(df):\n"


def remark(body: str, rows: object = ROWS, head: str = HEAD) -> str:
    transform = kfnb_Transform("prepare", head + body)
    return kfnb_checked_transform(transform, transform, rows, transform.transform(copy(rows)))[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "    return df.assign(income=df.income.fillna(df.income.mean()))[['income']]",
            "income of row 1 is 4.0 there, and nan by itself. The likely cause: mean (cell prepare, line 3)",
        ),
        (
            "    return pd.get_dummies(df[['city']])",
            "row 0 by itself are without city_b. The likely cause: get_dummies (cell prepare, line 3) depends on the",
        ),
        (
            "    return df.city.astype('category').cat.codes.to_frame('code')",
            "code of row 1 is 1 there, and 0 by itself. The likely cause: astype (cell prepare, line 3)",
        ),
        (
            "    return df[['city']].astype('category')",
            "city of row 0 is \"'a', number 0 of ['a', 'b']\" there, and \"'a', number 0 of ['a']\" by itself",
        ),
        (
            "    z = (df.income - df.income.mean()) / df.income.std()\n    return z.to_frame('z')",
            "z of row 0 is -0.83205",
        ),
        ("    return pd.qcut(df.label, 2, labels=False).to_frame()", "The likely cause: qcut"),
        ("    return df[['income']].shift(1)", "income of row 1 is 1.0 there, and nan by itself"),
        ("    return df[['income']].ffill()", "looks at the rows around"),
        (
            "    return df.dropna()[['income']]",
            "prepare makes 2 rows of 4, and a server has to answer each row",
        ),
        (
            "    return df[['income']].rank()",
            "The likely cause: rank (cell prepare, line 3) looks at every row",
        ),
        ("    return df.groupby('city').income.transform('mean').to_frame()", "The likely cause: groupby"),
        (
            "    return df[['income']].iloc[[0, 1, 2, 3]]",
            "row 0 by itself raises IndexError: positional indexers are out-of-bounds",
        ),
        (
            "    return df.income.to_numpy() - np.nanmax(df.income.to_numpy())",
            "the value of row 0 is -7.0 there, and 0.0",
        ),
    ],
)
def test_a_transform_that_looks_at_its_batch_is_found(body: str, expected: str) -> None:
    found = remark(body)
    assert expected in found
    assert found.startswith("prepare ")


@pytest.mark.parametrize(
    "body",
    [
        "    return df.assign(income=df.income.fillna(2.0), month=df.day.dt.month)[['income', 'month']]",
        "    return df[['income']].to_numpy()",
        "    return df.city.str.upper()",
        "    return pd.Categorical(df.city, categories=['a', 'b'])",
        "    return df[['label']].astype('Int64')",
        "    df['income'] = df.income * 2\n    return df",
        "    return [str(value) for value in df.city]",
    ],
)
def test_one_that_does_not_is_passed(body: str) -> None:
    assert not remark(body)


def test_lists_arrays_and_other_libraries_are_compared_too() -> None:
    rows = [{"text": "One"}, {"text": "two"}]
    assert not remark("    return [row['text'].lower() for row in df]", rows)
    assert "1 there, and 0" in remark("    return [[i] for i, row in enumerate(df)]", rows)
    assert not remark("    return df * 2", np.arange(6.0).reshape(3, 2))
    assert "column 0 of row 0 is -4.0 there" in remark(
        "    return df - df.max(0)", np.arange(6.0).reshape(3, 2)
    )
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": [1.0, 2.0]})
    assert not remark("    return df * 2", frame)
    assert "a of row 0 is -1.0 there" in remark("    return df - df['a'].max()", frame)
    scipy = pytest.importorskip("scipy.sparse")
    head = f"import scipy.sparse as sparse\n{HEAD}"
    assert not remark("    return sparse.csr_matrix(df)", np.eye(3), head)
    assert scipy is not None


def test_random_numbers_and_a_changed_state_are_found_by_saving_it() -> None:
    assert "gives other values once its state was saved and loaded" in remark(
        "    return df[['label']] + np.random.rand()"
    )


def test_values_within_a_millionth_are_the_same() -> None:
    one = pd.DataFrame({"a": [1.0, np.nan, np.inf]})
    assert kfnb_difference(kfnb_cells(one), one * (1 + 1e-9)) == ""
    assert "row 0" in kfnb_difference(kfnb_cells(one), one * (1 + 1e-3))
    assert kfnb_difference(kfnb_cells(one), one.astype("float32")) == ""
    assert kfnb_difference(kfnb_cells(pd.DataFrame({"a": [1]})), pd.DataFrame({"a": [1.0]})) == ""
    assert "in another order" in kfnb_difference(
        kfnb_cells(ROWS[["income", "label"]]), ROWS[["label", "income"]]
    )


def test_columns_without_which_it_gives_the_same_are_found() -> None:
    transform = kfnb_Transform("prepare", HEAD + "    return df.assign(x=df.income, y=df.city)[['x', 'y']]")
    assert kfnb_checked_transform(transform, transform, ROWS, transform.transform(ROWS)) == (
        "",
        ["day", "label"],
    )


def test_what_it_prints_and_returns_does_not_disturb_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert not remark("    print('here')\n    return df[['label']]")
    assert capsys.readouterr().out == "here\n"
    assert "prepare cannot be checked: TypeError" in remark("    return 1")
