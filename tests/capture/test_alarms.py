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
