"""Which cells end with a call that is made for what it does, not to see what it gives back."""

import pytest

from kfnb.ipython.cell_end import ends_in_an_order


@pytest.mark.parametrize(
    "code", ["r.wait()", "x = 1\nr.wait(timeout=5)", "run.retry()", "kfnb.run('a').wait()"]
)
def test_a_cell_that_waits(code):
    assert ends_in_an_order(code)


@pytest.mark.parametrize(
    "code",
    ["r", "", "r.wait", "run = r.wait()", "r.wait()\nr", "f(r.wait())", "r.wait().outputs", "r.wait( ("],
)
def test_a_cell_that_shows_or_says_something_else(code):
    assert not ends_in_an_order(code)
