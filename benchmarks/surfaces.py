"""Known functions that stand for what people tune. The least value of each is known.

Each is minimised. ``None`` is a trial that fails. Minima lie away from the middle and from bounds, so that no search
finds one by where it begins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Point = Mapping[str, Any]


@dataclass(frozen=True)
class Surface:
    """A function of a space: ``least`` is its minimum, ``noise`` the deviation that a trial's value has from it.

    ``space`` is a text of dimensions, or that of a function where some exist under a condition.
    """

    name: str
    space: str
    value: Callable[[Point], float | None]
    least: float = 0.0
    noise: float = 0.0

    @property
    def conditional(self) -> bool:
        """Whether some parameters exist under a condition."""
        return "def " in self.space


_AT = (3.1, -2.4, 6.2, -5.3, 1.7, -7.9)


def _cube(size: int, low: float, high: float) -> str:
    return " ".join(f"x{index}=float({low},{high})" for index in range(size))


def _coordinates(point: Point) -> list[float]:
    return [value for _, value in sorted(point.items())]


def _bowl(point: Point) -> float:
    return sum((value - at) ** 2 for value, at in zip(_coordinates(point), _AT, strict=False))


def _half_bowl(point: Point) -> float | None:
    """It fails in half of the space, and the minimum is near the border."""
    return None if point["x0"] + point["x1"] > 2 else _bowl(point)  # noqa: PLR2004


def _corner_bowl(point: Point) -> float | None:
    """It fails in three quarters of the space."""
    return None if point["x0"] < 0 or point["x1"] > 0 else _bowl(point)


def _rotated(point: Point) -> float:
    """A long valley across all coordinates: what is good of one depends on the others."""
    away = [value - at for value, at in zip(_coordinates(point), _AT, strict=False)]
    mean = sum(away) / len(away)
    return 0.1 * len(away) * mean**2 + sum((one - mean) ** 2 for one in away)


def _rosenbrock(point: Point) -> float:
    values = _coordinates(point)
    return sum(100 * (after - before**2) ** 2 + (1 - before) ** 2 for before, after in pairwise(values))


def _branin(point: Point) -> float:
    x, y = _coordinates(point)
    curved = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return curved**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


_WEIGHTS = (1.0, 1.2, 3.0, 3.2)
_WIDTHS = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
_PEAKS = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def _hartmann(point: Point) -> float:
    values = _coordinates(point)
    return -sum(
        weight
        * math.exp(
            -sum(width * (value - at) ** 2 for width, value, at in zip(widths, values, peak, strict=True))
        )
        for weight, widths, peak in zip(_WEIGHTS, _WIDTHS, _PEAKS, strict=True)
    )


def _ackley(point: Point) -> float:
    away = [value - at for value, at in zip(_coordinates(point), _AT, strict=False)]
    near = math.exp(-0.2 * math.sqrt(sum(one**2 for one in away) / len(away)))
    waves = math.exp(sum(math.cos(2 * math.pi * one) for one in away) / len(away))
    return 20 - 20 * near + math.e - waves


def _rates(point: Point) -> float:
    """A loss by learning rate, decay and dropout: flat where it learns nothing, steep where it diverges."""
    rate, decay = math.log10(point["lr"]) + 2.6, math.log10(point["decay"]) + 3.8
    steep = 1.5 if rate > 0 else 0.5
    return 1 - math.exp(-steep * rate**2 - 0.15 * decay**2) + 0.5 * (point["drop"] - 0.23) ** 2


def _diverging(point: Point) -> float | None:
    """The same, where a large rate with a small decay comes to NaN."""
    broken = math.log10(point["lr"]) > -1.8 - 0.2 * (math.log10(point["decay"]) + 3.8)
    return None if broken else _rates(point)


_ACTS = {"relu": 0.12, "tanh": 0.3, "gelu": 0.0, "selu": 0.2}
_KINDS = {"adam": 0.0, "sgd": 0.25, "rmsprop": 0.1}


def _network(point: Point) -> float:
    """Choices beside numbers; the best rate depends on what optimises."""
    best = -1.3 if point["opt"] == "sgd" else -2.9
    return (
        _ACTS[point["act"]]
        + _KINDS[point["opt"]]
        + 0.2 * (math.log10(point["lr"]) - best) ** 2
        + 0.02 * (point["depth"] - 5) ** 2
        + 0.1 * (math.log2(point["width"]) - 7) ** 2
    )


_MODELS = """
def models(trial):
    kind = trial.choice("kind", ["svm", "forest", "net"])
    if kind == "svm":
        trial.log("C", 1e-3, 1e3)
        trial.log("gamma", 1e-5, 1e1)
    elif kind == "forest":
        trial.int("depth", 1, 20)
        trial.float("share", 0.1, 1)
    else:
        trial.log("lr", 1e-5, 1e-1)
        trial.int("layers", 1, 6)

# kfnb: the space is models
"""
"""Parameters that exist under a condition, as ``kfnb.resources.studies.conditional_space`` writes them."""


def _model(point: Point) -> float:
    if point["kind"] == "svm":
        return 0.05 * (math.log10(point["C"]) - 1.3) ** 2 + 0.05 * (math.log10(point["gamma"]) + 2.2) ** 2
    if point["kind"] == "forest":
        return 0.15 + 0.005 * (point["depth"] - 9) ** 2 + 0.5 * (point["share"] - 0.6) ** 2
    return 0.08 + 0.3 * (math.log10(point["lr"]) + 3.1) ** 2 + 0.05 * (point["layers"] - 3) ** 2


def _failing_model(point: Point) -> float | None:
    """One of three kinds always fails."""
    return None if point["kind"] == "net" else _model(point)


def _whole(point: Point) -> float:
    return (
        (point["a"] - 23) ** 2 / 20
        + (point["b"] - 7) ** 2 / 4
        + (math.log2(point["c"]) - 5) ** 2
        + (point["d"] - 4) ** 2 / 2
    )


_TASTES = ("abcde", "bcdea", "cdeab", "deabc")


def _choices(point: Point) -> float:
    return sum(taste.index(value) for taste, value in zip(_TASTES, _coordinates(point), strict=True)) / 4


_TRAINING = "lr=log(1e-5,1) decay=log(1e-6,1e-1) drop=float(0,0.6)"
_NETWORK = "act=choice(relu,tanh,gelu,selu) opt=choice(adam,sgd,rmsprop) lr=log(1e-5,1) depth=int(1,12)"

SURFACES = (
    Surface("bowl, 2 floats", _cube(2, -10, 10), _bowl),
    Surface("bowl, 4 floats", _cube(4, -10, 10), _bowl),
    Surface("bowl, 6 floats", _cube(6, -10, 10), _bowl),
    Surface("bowl, half of it fails", _cube(2, -10, 10), _half_bowl),
    Surface("bowl, three quarters fail", _cube(4, -10, 10), _corner_bowl),
    Surface("rotated valley, 4 floats", _cube(4, -10, 10), _rotated),
    Surface("Rosenbrock, 2 floats", _cube(2, -2, 3), _rosenbrock),
    Surface("Branin", "x=float(-5,10) y=float(0,15)", _branin, least=0.397887),
    Surface("Hartmann, 6 floats", _cube(6, 0, 1), _hartmann, least=-3.32237),
    Surface("Ackley, 4 floats", _cube(4, -10, 10), _ackley),
    Surface("learning rates, noise", _TRAINING, _rates, noise=0.03),
    Surface("learning rates, diverging", _TRAINING, _diverging, noise=0.03),
    Surface("network, choices", f"{_NETWORK} width=int(8,512,log=True)", _network),
    Surface("kinds of models", _MODELS, _model),
    Surface("kinds of models, one fails", _MODELS, _failing_model),
    Surface("whole numbers", "a=int(1,64) b=int(0,20) c=int(1,256,log=True) d=int(1,9)", _whole),
    Surface("choices alone", " ".join(f"c{n}=choice(a,b,c,d,e)" for n in range(4)), _choices),
)
