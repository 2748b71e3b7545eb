"""Words that several magics have, and what single words mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kfnb.capture.notebook import Parameter
from kfnb.capture.values import PARAMETER_TYPES
from kfnb.commands.parser import Parser, Values
from kfnb.errors import UsageError
from kfnb.text.literals import read_literal

BACKENDS = ("local", "kubeflow")
"""Where runs and studies go."""

NOTEBOOK_TAIL = 200
"""Lines of a log that a notebook shows, where no other number is asked for."""


def one_run(parser: Parser) -> None:
    """A run, by its id; in a notebook also by a name that it is bound to."""
    parser.add_argument("run", values="run", help="the run's id, or the start of it")


def some_runs(parser: Parser) -> None:
    """Runs, by their ids."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", values="run", help="a run's id, or the start of it; one or more"
    )


def bind(parser: Parser) -> None:
    """``-o NAME``; ``UsageError`` for what is no name, before anything is done."""
    parser.add_argument(
        "-o", dest="bind", metavar="NAME", type=_name, help="also bind the result to this name"
    )


def _name(text: str) -> str:
    if not text.isidentifier():
        raise UsageError(f"-o {text}: that is no name")
    return text


def repeated(parser: Parser, option: str, metavar: str, told: str, values: Values = ()) -> None:
    """An option that may be given several times."""
    help = f"{told}; may be repeated"
    parser.add_argument(option, action="append", default=[], metavar=metavar, values=values, help=help)


def passed_variables(parser: Parser) -> None:
    """``--env NAME``: what the steps of a cluster get of the environment here."""
    told = "an environment variable that steps on a cluster get with its value here; no secrets"
    repeated(parser, "--env", "NAME", told, "variable")


def keep_files(parser: Parser, told: str) -> None:
    """``--keep-files``: which files of a run are copied beside the notebook."""
    parser.add_argument(
        "--keep-files",
        action="append",
        nargs="?",
        const="*",
        default=[],
        metavar="PATTERN",
        help=f"{told} copy the files that its steps wrote beside the notebook: those that fit ('plots/*.png'), or all;"
        " may be repeated",
    )


def parameter(text: str) -> Parameter:
    """``rows:int=300`` as a parameter: the type defaults to the default's, a default is optional with a type.

    Raises ``UsageError``.
    """
    head, equals, tail = text.partition("=")
    name, _, kind = (part.strip() for part in head.partition(":"))
    if not (name.isidentifier() and name.isascii()):
        raise UsageError(
            f"--param {text}: write name:type=default, the name in letters from A to Z, digits and _"
        )
    default = read_literal(tail) if equals else None
    kind = kind or (type(default).__name__ if default is not None else "str")
    if kind not in PARAMETER_TYPES:
        raise UsageError(
            f"--param {text}: {kind} is no parameter type; there are {', '.join(PARAMETER_TYPES)}"
        )
    if kind == "str" and equals:
        default = default if isinstance(default, str) else tail
    if kind == "float" and type(default) is int:
        default = float(default)
    if default is not None and type(default).__name__ != kind:
        raise UsageError(f"--param {text}: {default!r} is no {kind}")
    return Parameter(name, kind, default)


def log_words(parser: Parser) -> None:
    """Which lines of a log are shown."""
    parser.add_argument(
        "--tail",
        metavar="N|all",
        values=("all",),
        type=_tail,
        help=f"the last N lines, or all of them; in a notebook {NOTEBOOK_TAIL} by default, in a terminal all",
    )
    parser.add_argument(
        "--grep",
        metavar="PATTERN",
        help="lines in which this regular expression is found; it ignores case unless it has capitals",
    )
    parser.add_argument(
        "--level",
        metavar="LEVEL",
        values=("debug", "info", "warning", "error", "critical"),
        help="lines of at least this level: debug, info, warning, error or critical",
    )


def _tail(text: str) -> int | str:
    if text != "all" and not text.isdecimal():
        raise UsageError(f"--tail {text}: not a number of lines, or all")
    return text if text == "all" else int(text)


def quantity(text: str, option: str, units: str, example: str) -> str:
    """A quantity as Kubernetes writes it, or nothing. Raises ``UsageError``."""
    if text and not re.fullmatch(rf"\d+(\.\d+)?({units})?", text):
        raise UsageError(f"{option} {text}: write it as Kubernetes does, {example}")
    return text


def count(number: int, option: str) -> int:
    """A number that is not negative. Raises ``UsageError``."""
    if number < 0:
        raise UsageError(f"{option} {number}: give a number from 0 on")
    return number


def unique(names: Sequence[str], what: str) -> None:
    """Raise ``UsageError`` where a name stands twice."""
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{what} {name} stands twice")
