"""The words of magics and of the command ``kfnb``: one set of parsers for both, so that they read alike.

A parser raises ``UsageError`` with one line; options are never abbreviated, so that a new one cannot break a
notebook. Arguments of a pipeline are ``--name value``, ``--name=value`` or, always unambiguous, ``-p name value``.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from kfnb.capture.notebook import Parameter
from kfnb.capture.values import PARAMETER_TYPES
from kfnb.errors import UsageError
from kfnb.literal import read_literal


class Help(Exception):
    """``--help`` was given; the message is the help."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of exiting."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False, add_help=False)
        self.add_argument("--help", "-h", action="store_true", help="show this help")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the words, and how to see the right ones."""
        raise UsageError(f"{self.prog}: {message}; {self.prog} --help shows how")

    def read(self, words: str | Sequence[str]) -> argparse.Namespace:
        """The options in a magic's line, or in a command's words. Raises ``UsageError``, or ``Help``."""
        found, rest = self._read(words)
        if rest:
            self.error(self._unknown(rest[0]))
        return found

    def read_with_arguments(self, words: str | Sequence[str]) -> tuple[argparse.Namespace, dict[str, str]]:
        """As ``read``, for a verb that also takes a pipeline's arguments."""
        found, rest = self._read(words)
        arguments = dict(found.p or ())
        while rest:
            word = rest.pop(0)
            if not word.startswith("--"):
                self.error(f"{word} is not expected here: a pipeline's argument is --name value")
            name, equals, value = word[2:].partition("=")
            if not equals:
                if not rest:
                    self.error(f"--{name} needs a value")
                value = rest.pop(0)
            arguments[name] = value
        return found, arguments

    def _read(self, words: str | Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
        split = self.split(words) if isinstance(words, str) else list(words)
        if "--help" in split or "-h" in split:
            raise Help(self.format_help())
        return self.parse_known_args(split)

    def split(self, line: str) -> list[str]:
        """The words of a line: quotes around a word are taken off, those in brackets are a literal's own."""
        try:
            return split_words(line)
        except ValueError as error:
            self.error(f"{error} in {line!r}")

    def _unknown(self, word: str) -> str:
        known = [option for action in self._actions for option in action.option_strings]
        word = word.partition("=")[0]
        close = get_close_matches(word, known, 1)
        return f"{word} is not known" + (f"; did you mean {close[0]}?" if close else "")

    @property
    def options(self) -> list[str]:
        """The option words there are, for completion."""
        return [
            option for action in self._actions for option in action.option_strings if option.startswith("--")
        ]


_WORD = re.compile(
    r"""(?: [^\s'"\[({]+ | '[^']*' | "[^"]*" | (?P<open>[\[({]) )""",
    re.VERBOSE,
)
_CLOSING = {"[": "]", "(": ")", "{": "}"}


def split_words(line: str) -> list[str]:
    """The words of a line, up to a comment: a ``#`` that stands alone, as a Python programmer ends a line.

    Raises ValueError for a quote or a bracket that is not closed.
    """
    words: list[str] = []
    place, new = 0, True
    while place < len(line):
        if line[place].isspace():
            place, new = place + 1, True
            continue
        if new and line[place : place + 2].rstrip() == "#":
            break
        found = _WORD.match(line, place)
        if found is None:
            raise ValueError("No closing quotation")
        end = _closed(line, place) if found["open"] else found.end()
        part = line[place:end]
        part = part[1:-1] if part[0] in "'\"" else part
        words = [*words, part] if new else [*words[:-1], words[-1] + part]
        place, new = end, False
    return words


def _closed(line: str, start: int) -> int:
    """Where the bracket that opens at ``start`` has closed; what is quoted inside does not count."""
    waiting, place = [_CLOSING[line[start]]], start + 1
    while waiting:
        if place >= len(line):
            raise ValueError("No closing bracket")
        character = line[place]
        if character in "'\"":
            place = line.find(character, place + 1)
            if place < 0:
                raise ValueError("No closing quotation")
        elif character in _CLOSING:
            waiting.append(_CLOSING[character])
        elif character == waiting[-1]:
            waiting.pop()
        place += 1
    return place


def component() -> Parser:
    """``%%kf_component``."""
    parser = Parser("%%kf_component", "Run the cell, and make it a component of pipelines.")
    parser.add_argument("name", help="the component's name")
    add = parser.add_argument
    add(
        "--param",
        action="append",
        default=[],
        metavar="NAME:TYPE=DEFAULT",
        help="a parameter; may be repeated",
    )
    add(
        "--output",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that is always put out; may be repeated",
    )
    add(
        "--package",
        action="append",
        default=[],
        metavar="NAME==VERSION",
        help="a package to install; may be repeated",
    )
    add("--image", default="", help="container image of the step")
    add("--cpu", default="", help="cores, as Kubernetes writes them: 2 or 500m")
    add("--memory", default="", help="memory, as Kubernetes writes it: 4G")
    add("--gpu", type=int, default=0, help="number of NVIDIA GPUs")
    add("--retries", type=int, default=0, help="how often a failed step is tried again")
    add("--no-cache", action="store_true", help="run the step even where its inputs have not changed")
    _bind(parser)
    return parser


def parameters() -> Parser:
    """``%%kf_parameters``."""
    return Parser("%%kf_parameters", "Run the cell; each name that it assigns is a parameter of pipelines.")


def pipeline_line() -> Parser:
    """``%kf_pipeline``."""
    parser = Parser(
        "%kf_pipeline", "Define a pipeline that runs components in order, wired by the names they share."
    )
    parser.add_argument("name", help="the pipeline's name")
    parser.add_argument("steps", nargs="*", help="components")
    _bind(parser)
    return parser


def pipeline_cell() -> Parser:
    """``%%kf_pipeline``."""
    parser = Parser(
        "%%kf_pipeline",
        "Define a pipeline by KFP's DSL; inputs that the calls of components do not give are wired by name.",
    )
    parser.add_argument("name", help="the pipeline's name")
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME:TYPE=DEFAULT", help="a parameter"
    )
    _bind(parser)
    return parser


def show() -> Parser:
    """``%kf_show``."""
    parser = Parser("%kf_show", "Show what travels with a component and why, or a pipeline's graph.")
    parser.add_argument("name", help="a component, a pipeline, or a compiled file")
    _bind(parser)
    return parser


def compile_() -> Parser:
    """``%kf_compile`` and ``kfnb compile``."""
    parser = Parser("%kf_compile", "Write a pipeline to a file.")
    parser.add_argument("pipeline", help="the pipeline's name")
    parser.add_argument("--to", metavar="FILE.yaml", help="KFP's YAML")
    parser.add_argument(
        "--python", metavar="FILE.py", help="a program of KFP's SDK that compiles to the same"
    )
    return parser


def submit() -> Parser:
    """``%kf_submit`` and ``kfnb submit``."""
    parser = Parser(
        "%kf_submit", "Run a pipeline. Its arguments are given as --name value, or -p name value."
    )
    parser.add_argument("pipeline", help="a pipeline's name, or a compiled file")
    parser.add_argument(
        "-p", action="append", nargs=2, metavar=("NAME", "VALUE"), help="an argument of the pipeline"
    )
    parser.add_argument("--backend", help="where to run: local or kubeflow")
    parser.add_argument("--name", help="the run's name")
    parser.add_argument("--experiment", help="the experiment that the run belongs to")
    parser.add_argument("--no-cache", action="store_true", help="run every step, whatever ran before")
    _bind(parser)
    return parser


def run() -> Parser:
    """``%kf_run`` and ``kfnb runs show``."""
    parser = Parser("%kf_run", "Show a run, from whichever kernel it was started.")
    _one_run(parser)
    _bind(parser)
    return parser


def stop() -> Parser:
    """``%kf_stop`` and ``kfnb stop``."""
    parser = Parser("%kf_stop", "End a run and all of its processes; what it has finished is kept.")
    _one_run(parser)
    return parser


def retry() -> Parser:
    """``%kf_retry`` and ``kfnb retry``."""
    parser = Parser("%kf_retry", "Run again what did not succeed of a run; what did is not done again.")
    _one_run(parser)
    _bind(parser)
    return parser


def _one_run(parser: Parser) -> None:
    parser.add_argument("run", help="the run's id, or the start of it")


def runs() -> Parser:
    """``%kf_runs`` and ``kfnb runs``."""
    parser = Parser("%kf_runs", "The newest runs.")
    add = parser.add_argument
    add("--backend", help="whose: local or kubeflow")
    add("--limit", type=int, default=20, help="how many (20)")
    add("--experiment", default="", help="those of one experiment")
    add("--state", default="", help="those in one state: running, failed, succeeded, ...")
    add("--name", default="", help="those with this in their names")
    add(
        "--since",
        metavar="WHEN",
        help="those from then on: 2026-11-25, 2026-11-25T06:00, or 2d for two days ago",
    )
    add("--archived", action="store_true", help="those that were archived too")
    _bind(parser)
    return parser


def archive() -> Parser:
    """``%kf_archive`` and ``kfnb archive``."""
    parser = Parser("%kf_archive", "Put runs away: %kf_runs shows them with --archived alone.")
    _some_runs(parser)
    parser.add_argument("--undo", action="store_true", help="put them back")
    return parser


def delete() -> Parser:
    """``%kf_delete`` and ``kfnb delete``."""
    parser = Parser("%kf_delete", "Remove finished runs for good, with what is kept of them. It asks first.")
    _some_runs(parser)
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    return parser


def _some_runs(parser: Parser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's id, or the start of it; one or more")


def experiments() -> Parser:
    """``%kf_experiments`` and ``kfnb experiments``."""
    parser = Parser("%kf_experiments", "The experiments there are; a new one is made by the first run in it.")
    _bind(parser)
    return parser


def upload() -> Parser:
    """``%kf_upload`` and ``kfnb upload``."""
    parser = Parser(
        "%kf_upload",
        "Keep a pipeline on the cluster; where it has one of that name, as a new version of it.",
    )
    add = parser.add_argument
    add(
        "pipeline",
        nargs="?",
        help="a pipeline's name, or a compiled file; with --list, an uploaded one's name",
    )
    add("--name", help="what it is called there; the pipeline's own name by default")
    add("--version", help="the version's name; the time by default")
    add("--description", default="", help="a few words about it")
    add("--list", action="store_true", help="show the uploaded pipelines, or all versions of one")
    _bind(parser)
    return parser


def schedule() -> Parser:
    """``%kf_schedule`` and ``kfnb schedule``."""
    parser = Parser(
        "%kf_schedule",
        "Run a pipeline on the cluster again and again. Its arguments are given as --name value, or -p name value.",
    )
    add = parser.add_argument
    add("pipeline", nargs="?", help="a pipeline's name, or a compiled file")
    add("-p", action="append", nargs=2, metavar=("NAME", "VALUE"), help="an argument of the pipeline")
    add(
        "--cron",
        metavar='"0 6 * * *"',
        help="minute, hour, day, month, weekday, in UTC; the second may be first",
    )
    add("--every", metavar="1h", help="how much time from one run to the next: 30m, 1h, 2d")
    add("--start", metavar="WHEN", help="no runs before then: 2026-11-25, 2026-11-25T06:00, or 2d from now")
    add("--end", metavar="WHEN", help="no runs after then")
    add("--no-catch-up", action="store_true", help="do not make up for runs that were missed")
    add("--max-concurrency", type=int, default=1, metavar="N", help="how many runs at once, 1 to 10 (1)")
    add("--paused", action="store_true", help="begin only when it is resumed")
    add("--uploaded", action="store_true", help="the pipeline is one that was uploaded, by its name there")
    add("--version", default="", help="the version of an uploaded pipeline; the newest by default")
    add("--name", help="the schedule's name")
    add("--experiment", help="the experiment that its runs belong to")
    add("--no-cache", action="store_true", help="run every step, whatever ran before")
    add("--list", action="store_true", help="show the schedules")
    for verb, told in (("pause", "start no more runs of"), ("resume", "go on with"), ("delete", "forget")):
        add(f"--{verb}", metavar="ID", help=f"{told} a schedule, by its id, the start of it, or its name")
    _bind(parser)
    return parser


def compare() -> Parser:
    """``%kf_compare`` and ``kfnb compare``."""
    parser = Parser("%kf_compare", "Show runs side by side: arguments, metrics and environments that differ.")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's id, or the start of it; two or more")
    parser.add_argument("--all", action="store_true", help="show what is the same in all of them too")
    _bind(parser)
    return parser


def prune() -> Parser:
    """``kfnb runs prune``."""
    parser = Parser("kfnb runs prune", "Remove the local runs that are finished, with all of their files.")
    parser.add_argument("--keep", type=int, default=20, help="how many of the newest stay (20)")
    return parser


def logs() -> Parser:
    """``%kf_logs`` and ``kfnb logs``."""
    parser = Parser("%kf_logs", "What a run's tasks wrote.")
    parser.add_argument("run", nargs="?", help="the run's id; the newest run by default")
    parser.add_argument("task", nargs="?", help="one task; all by default")
    parser.add_argument("--follow", "-f", action="store_true", help="go on until the run is finished")
    return parser


def config() -> Parser:
    """``%kf_config``."""
    parser = Parser("%kf_config", "Show the settings, or set some: name=value.")
    parser.add_argument("settings", nargs="*", metavar="NAME=VALUE")
    return parser


def _bind(parser: Parser) -> None:
    parser.add_argument("-o", dest="bind", metavar="NAME", help="also bind the result to this name")


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
