"""The colours of marks stand out from light and dark paper, 3 to 1 (WCAG 2, 1.4.11), in HTML and in the live page.

Words, and what is drawn over what, are measured in a real page: tests/browser/test_contrast.py.
"""

import re
from pathlib import Path

import pytest

from kfnb.resources.studies.view.colors import RAMP
from kfnb.ui import theme

JS = Path(__file__).parents[2] / "js" / "src"
PAPERS = {"JupyterLab light": "#ffffff", "JupyterLab dark": "#111111", "VS Code dark": "#1f1f1f"}
NAMED = {name: getattr(theme, name.upper()) for name in ("green", "red", "blue", "amber", "grey", "arrow")}
MARKS = {
    **NAMED,
    **{f"series {number}": colour for number, colour in enumerate(theme.SERIES)},
    **{f"trials {number}": shade.colour for number, shade in enumerate(RAMP)},
}


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_wcag_s():
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_stands_out(mark, paper):
    assert contrast(MARKS[mark], PAPERS[paper]) >= 3


def test_the_page_has_the_same_colours():
    css = (JS / "kit" / "styles" / "base.css").read_text()
    assert {name: re.search(rf"--{name}: (#\w+);", css)[1] for name in NAMED} == NAMED


def test_the_page_draws_trials_in_the_same_colours_and_sees_nothing_through_them():
    pen = (JS / "views" / "study" / "draw.ts").read_text().partition("] as const")[0]
    drawn = re.findall(r'colour: "(#\w+)", opacity: ([\d.]+), width: ([\d.]+)', pen)
    assert drawn == [(shade.colour, "1", f"{shade.width:g}") for shade in RAMP]
