"""docs/tutorial.md works, cell by cell, for somebody who starts with nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kfnb
from tests.conftest import Shell

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial.md"
CELLS = re.findall(r"^```python\n(.*?)^```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_the_tutorial_ends_with_two_versions_of_which_one_was_served(shell: Shell) -> None:
    for cell in CELLS:
        shell.run(cell)
        if cell.startswith("%kf_submit"):
            shell[cell.split()[-1]].wait(300)

    assert [one.state for one in (shell["run"], shell["second"])] == ["SUCCEEDED", "SUCCEEDED"]
    assert shell["second"].tasks["load"].cached
    assert {version.version for version in kfnb.models("cancer")} == {1, 2}
    assert kfnb.model("cancer@champion").version == 1
    assert kfnb.services()[0].state == "STOPPED"
