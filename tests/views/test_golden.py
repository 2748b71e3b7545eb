"""What Python and the page compute alike: each file in ``golden/`` holds both, here and in ``js/test/golden.test.ts``.

``KFNB_WRITE=1`` writes the files anew. What is right is told in the tests of each part; here, that both do the same.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from kfnb.entities import RunState
from kfnb.resources.studies.model import Dimension, Objective, StudySnapshot, Trial, TrialState
from kfnb.resources.studies.view.ranking import Ranking
from kfnb.resources.studies.view.scale import Scale, dimension_scale, number_scale, value_scale
from kfnb.resources.studies.view.states import trial_style
from kfnb.ui import theme
from kfnb.ui.graph.layout import Box, arrange
from kfnb.ui.states import caption_of_many, overall, style_of, tally
from kfnb.ui.words import brief, cut, digits, duration

GOLDEN = Path(__file__).parent / "golden"


# -- words ------------------------------------------------------------------------------------------------------------

SECONDS = [
    None, -3, 0, 0.04, 0.05, 0.25, 0.35, 0.44, 1, 9.94, 9.95, 9.96, 12.49, 12.5, 13.5, 59.49, 59.5, 185, 3599.5, 3600,
    7810, 2 * 86400 - 1, 2 * 86400, 4 * 86400 + 3 * 3600, 400 * 86400.0,
]  # fmt: skip
NUMBERS = [
    0, -0.0, 1, 1.0, -30.0, 0.1 + 0.2, 1 / 3, 0.5, 2.5, 99999.5, 100000.0, 100000.5, 123456.7, 1234567.0, 1234567.8,
    0.0001, 0.00012345678, 0.00001, 1e-20, 1e20, 1.5e20, -2.5e-7, 999999.5, 9.999996, 1e15, 123456789012345,
]  # fmt: skip
TEXTS = [
    "", "relu", "gradient_boost", "gradient_boosting", "a name with spaces", "abc def ghijk lmnop",
    "漢字かな混じり文です", "e\u0301" * 20, "🙂" * 8, "naïve-bayes-x\u200b",
]  # fmt: skip


def words():
    return {
        "durations": [[seconds, duration(seconds)] for seconds in SECONDS],
        "digits": [[value, most, digits(value, most)] for value in NUMBERS for most in (3, 5, 4)],
        "values": [[value, brief(value)] for value in (None, True, False, 7, 0.25, 1.0, "relu", 100000.0)],
        "cut": [[text, columns, cut(text, columns)] for text in TEXTS for columns in (5, 14)],
    }


# -- states -----------------------------------------------------------------------------------------------------------

COLOURS = {getattr(theme, name): name.lower() for name in ("GREY", "BLUE", "GREEN", "RED", "AMBER")}


def states():
    choice = random.Random(1)
    several = [[state] for state in RunState]
    several += [choice.choices(list(RunState), k=choice.randint(2, 4)) for _ in range(40)]
    several += [[RunState.SUCCEEDED, RunState.SKIPPED], [RunState.SUCCEEDED, RunState.PENDING]]
    looks = {state: style_of(state) for state in RunState} | {
        state: trial_style(state) for state in TrialState
    }
    return {
        "looks": {
            state.value: {
                "word": one.word,
                "colour": COLOURS[one.colour],
                "sign": one.sign,
                "solid": one.solid,
                "over": state.finished,
            }
            for state, one in sorted(looks.items(), key=lambda item: item[0].value)
        },
        "several": [
            {
                "states": [state.value for state in given],
                "overall": overall(given).value,
                "tally": tally(given),
                "caption": caption_of_many(given),
            }
            for given in several
        ],
    }


# -- scales -----------------------------------------------------------------------------------------------------------

DIMENSIONS = [
    Dimension("lr", "float", 1e-4, 1e-1, log=True),
    Dimension("lr", "float", 2e-5, 3e-5, log=True),
    Dimension("wide", "float", 1e-12, 1e9, log=True),
    Dimension("x", "float", -5.0, 5.0),
    Dimension("x", "float", 0.0, 0.3),
    Dimension("rows", "float", 0.0, 300_000.0),
    Dimension("same", "float", 2.0, 2.0),
    Dimension("layers", "int", 1, 4),
    Dimension("trees", "int", 10, 1000, log=True),
    Dimension(
        "act", "choice", choices=("relu", "tanh", True, 0.25, 100000.0, "a very long name of a choice")
    ),
    Dimension("many", "choice", choices=tuple(range(40))),
]
VALUES = [
    [], [3.0], [1.0, 2.0, 4.0], [0.001, 0.5, 30.0], [1.0, 1.1, 1.2, 1.3, 500.0], [-2.0, -1.0, 0.0, 3.0],
    [0.25, 0.2501, 0.2502], [1e-8, 1e-3, 1e4], [100000.0, 250000.0],
]  # fmt: skip


def _scale(scale: Scale, values):
    return {
        "ticks": [[round(at, 9), text] for at, text in scale.ticks],
        "log": scale.log,
        "clipped": scale.clipped,
        "places": [[value, _rounded(scale.place(value))] for value in values],
    }


def _rounded(place):
    return None if place is None else round(place, 9)


def scales():
    dimensions = []
    for one in DIMENSIONS:
        between = one.choices if one.kind == "choice" else (one.low, one.high, (one.low + one.high) / 2)
        given = {
            "name": one.name, "kind": one.kind, "low": one.low, "high": one.high, "log": one.log,
            "choices": list(one.choices),
        }  # fmt: skip
        dimensions.append({"dimension": given, **_scale(dimension_scale(one), between)})
    values = [
        {"values": given, "maximize": maximize, **_scale(value_scale(given, maximize=maximize), given)}
        for given in VALUES
        for maximize in (True, False)
    ]
    numbers = [{"values": given, **_scale(number_scale(given), given)} for given in VALUES if given]
    return {"dimensions": dimensions, "values": values, "numbers": numbers}


# -- ranks ------------------------------------------------------------------------------------------------------------


def ranks():
    choice = random.Random(2)
    return [_ranked(choice, maximize) for maximize in (True, False) for _ in range(4)]


def _ranked(choice, maximize):
    trials = tuple(
        Trial(number, state, value=choice.choice([0.5, 1.0, 2.0, -1.0, None]) if state.finished else None)
        for number, state in enumerate(choice.choices(list(TrialState), k=17))
    )
    ranking = Ranking(StudySnapshot("s", "local", Objective("loss", maximize=maximize), trials=trials))
    return {
        "maximize": maximize,
        "trials": [{"number": one.number, "state": one.state.value, "value": one.value} for one in trials],
        "ranked": [one.number for one in ranking.ranked],
        "best_first": [one.number for one in ranking.best_first],
        "records": [one.number for one in ranking.records()],
        "median": ranking.median,
    }


# -- the layout of a graph --------------------------------------------------------------------------------------------


def layouts():
    choice = random.Random(3)
    chain = [_box("load"), _box("train", ["load"]), _box("test", ["train", "load"])]
    inside = [_box("fit", [], wide=200), _box("check", ["fit"]), _box("if", ["check"], [_box("go")])]
    nested = [
        _box("load"),
        _box("loop", ["load"], inside),
        _box("report", ["loop", "load"], tall=56),
    ]
    ring = [_box("a", ["c", "nobody"]), _box("b", ["a"]), _box("c", ["b"])]
    many = [
        _box(f"n{n}", choice.sample([f"n{m}" for m in range(n)], min(n, choice.randint(0, 3))))
        for n in range(60)
    ]
    return [_laid(boxes) for boxes in ([], chain, nested, ring, many)]


def _box(key, needs=(), children=(), wide=168, tall=48):
    return {"key": key, "width": wide, "height": tall, "needs": list(needs), "children": list(children)}


def _laid(boxes):
    flat, edges = [], []
    _flatten(boxes, "", flat, edges)
    layout = arrange(flat, edges)
    places = {id: _rounded_all(at.x, at.y, at.width, at.height) for id, at in layout.places.items()}
    routes = [
        [one.source, one.target, [_rounded_all(*point) for point in one.points]] for one in layout.routes
    ]
    width, height = _rounded_all(layout.width, layout.height)
    return {"boxes": boxes, "width": width, "height": height, "places": places, "routes": sorted(routes)}


def _rounded_all(*pixels):
    return [round(one, 4) for one in pixels]


def _flatten(boxes, parent, flat, edges):
    for box in boxes:
        flat.append(Box(box["key"], box["width"], box["height"], parent))
        edges += [(need, box["key"]) for need in box["needs"]]
        _flatten(box["children"], box["key"], flat, edges)


@pytest.mark.parametrize("made", [words, states, scales, ranks, layouts])
def test_python_computes_what_the_golden_file_holds(made):
    text = json.dumps(made(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    file = GOLDEN / f"{made.__name__}.json"
    if os.environ.get("KFNB_WRITE"):
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text
