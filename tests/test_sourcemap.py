"""Lines of a step's source are found again in the notebook."""

from __future__ import annotations

from kfnb.sourcemap import CellLine, find_place, mark, mark_generated

SOURCE = "\n".join(
    [
        "def train():",
        "    " + mark_generated("imports"),
        "    import os",
        "    " + mark(CellLine("[2]", 4)),
        "    def helper():",
        "        return 1",
        "    " + mark(CellLine("train [3]", 2)),
        "    x = helper()",
        "",
        "    y = 1 / 0",
        "    " + mark_generated("outputs"),
        "    return y",
    ]
)


def test_a_line_of_a_cell_is_found_with_its_number() -> None:
    assert find_place(SOURCE, 6) == CellLine("[2]", 5)
    assert find_place(SOURCE, 8) == CellLine("train [3]", 2)
    assert str(find_place(SOURCE, 10)) == "cell train [3], line 4"


def test_a_generated_line_has_no_place() -> None:
    assert find_place(SOURCE, 1) is None
    assert find_place(SOURCE, 3) is None
    assert find_place(SOURCE, 12) is None
