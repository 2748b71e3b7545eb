"""Values that people type are read as JSON or Python."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from kfnb.text.literals import read_literal

LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(LITERALS)
def test_json_is_read_back(value: object) -> None:
    assert read_literal(json.dumps(value)) == value


@given(st.recursive(LITERALS, lambda inner: st.tuples(inner, inner)))
def test_python_is_read_back(value: object) -> None:
    assert read_literal(repr(value)) == value


def test_anything_else_stays_the_text_it_is() -> None:
    for text in ("churn", "s3://bucket/key", "a, b", "1-2-3", "__import__('os')", ""):
        assert read_literal(text) == text
