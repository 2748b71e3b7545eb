import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.text.quantity import amount


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("24", 24),
        ("8675m", 8.675),
        ("96Gi", 96 * 2**30),
        ("65774588Ki", 65774588 * 1024),
        ("1e3", 1000),
        ("1.5k", 1500),
        ("-2", -2),
        (3, 3),
        ("0", 0),
    ],
)
def test_a_quantity_is_read_as_kubernetes_means_it(text, number):
    assert amount(text) == pytest.approx(number)


@given(st.text(max_size=12))
def test_what_is_no_quantity_is_nothing(text):
    assert isinstance(amount(text), float)


@pytest.mark.parametrize("text", ["", "many", None, "1.2.3", "12 Gi", "Gi"])
def test_words_are_no_quantity(text):
    assert amount(text) == 0
