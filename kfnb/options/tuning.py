"""The words of searches."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from kfnb.commands.parser import Parser
from kfnb.commands.words import BACKENDS, bind, log_words, repeated
from kfnb.errors import UsageError
from kfnb.resources.studies.algorithms import ALGORITHMS, DEFAULT, EARLY_STOPPING
from kfnb.text.literals import read_literal


def tune_cell() -> Parser:
    """``%%kf_tune``."""
    parser = Parser(
        "%%kf_tune",
        "Search for the parameters that make an objective best: the cell is the trial. It runs in trials alone.",
    )
    parser.add_argument("name", help="the study's name")
    search_words(parser)
    repeated(parser, "--param", "NAME:TYPE=DEFAULT", "a parameter that stays the same")
    repeated(parser, "--package", "NAME==VERSION", "a package that a trial needs beside those it imports")
    parser.add_argument("--image", default="", help="container image of the trials, on a cluster")
    parser.add_argument("-p", action="append", nargs=2, metavar=("NAME", "VALUE"), help="an argument")
    bind(parser)
    return parser


def tune_line() -> Parser:
    """``%kf_tune`` and ``kfnb tune``."""
    parser = Parser(
        "%kf_tune",
        "Search for the parameters of a component or a pipeline that make an objective best."
        " What stays the same is given as --name value, or -p name value.",
        arguments_of="subject",
    )
    parser.add_argument("subject", values="subject", help="a component, a pipeline, or a compiled file")
    parser.add_argument("--study", metavar="NAME", help="the study's name; that of what is tuned by default")
    search_words(parser)
    parser.add_argument("-p", action="append", nargs=2, metavar=("NAME", "VALUE"), help="an argument")
    bind(parser)
    return parser


def search_words(parser: Parser) -> None:
    """What is searched, for what, and how."""
    add = parser.add_argument
    add(
        "--space",
        metavar="SPACE",
        help='"lr=log(1e-5,1e-1) layers=int(1,6) act=choice(relu,tanh) drop=float(0,0.5,step=0.1)",'
        " or a name of a dict or a function",
    )
    add(
        "--objective",
        metavar="METRIC",
        help="a name that the cell assigns or logs, or task.output of a pipeline",
    )
    add("--minimize", action="store_true", help="the less, the better")
    add("--maximize", action="store_true", help="the more, the better")
    add("--goal", type=float, metavar="VALUE", help="end when a trial has reached it")
    repeated(parser, "--metric", "NAME", "a further metric that is kept")
    add(
        "--algorithm",
        default=DEFAULT,
        metavar="NAME",
        values=tuple(ALGORITHMS),
        help="auto (the default; on a cluster Katib's multivariate-tpe), random, grid, tpe, multivariate-tpe, cmaes,"
        " sobol, bayesianoptimization or hyperband",
    )
    add(
        "--early-stopping",
        default="",
        metavar="NAME",
        values=tuple(EARLY_STOPPING),
        help="median: end trials that report less than others did",
    )
    repeated(
        parser,
        "--setting",
        "NAME=VALUE",
        "a setting of the algorithm or of early stopping, as Katib calls it",
        values="algorithm setting",
    )
    add("--trials", type=int, metavar="N", help="how many (30, or all points of a grid)")
    add("--parallel", type=int, default=1, metavar="N", help="how many at once (1)")
    add("--timeout", metavar="TIME", help="end after that time: 90 (seconds), 10m, 2h")
    add("--seed", type=int, metavar="N", help="of the search and of each trial's random numbers")
    add("--max-failed", type=int, metavar="N", help="end when so many trials have failed")
    add("--backend", values=BACKENDS, help="where to search: local or kubeflow (Katib)")
    add("--dry-run", action="store_true", help="show what the cluster would get, and start nothing")


def study() -> Parser:
    """``%kf_study`` and ``kfnb studies show``."""
    parser = Parser("%kf_study", "Show a study, from whichever kernel it was started; or stop it, or go on.")
    add = parser.add_argument
    add("name", values="study", help="the study's name")
    add("--stop", action="store_true", help="end it; what it has found is kept")
    add(
        "--resume",
        action="store_true",
        help="go on with it, up to the trials that were asked for, or --trials",
    )
    add("--trials", type=int, metavar="N", help="with --resume: so many more")
    add("--delete", action="store_true", help="forget it for good")
    add("--logs", type=int, metavar="TRIAL", help="print what a trial wrote")
    log_words(parser)
    add("--backend", values=BACKENDS, help="where it is: local or kubeflow (Katib)")
    bind(parser)
    return parser


def studies() -> Parser:
    """``%kf_studies`` and ``kfnb studies``."""
    parser = Parser("%kf_studies", "The studies there are.")
    parser.add_argument("--backend", values=BACKENDS, help="whose: local or kubeflow (Katib)")
    bind(parser)
    return parser


def search_of(found: Namespace, prog: str) -> dict[str, Any]:
    """The words as keywords of ``kfnb.tune``, but for the subject and the space. Raises ``UsageError``."""
    if not found.objective:
        raise UsageError(f"{prog}: say what is made best: --objective METRIC")
    if found.minimize == found.maximize:
        raise UsageError(f"{prog}: say --minimize or --maximize")
    timeout = found.timeout
    if timeout is not None and timeout.replace(".", "", 1).isdigit():
        timeout = float(timeout)
    return {
        "objective": found.objective,
        "maximize": found.maximize,
        "goal": found.goal,
        "metrics": found.metric,
        "algorithm": found.algorithm,
        "early_stopping": found.early_stopping,
        "settings": dict(_setting(text, prog) for text in found.setting),
        "trials": found.trials,
        "parallel": found.parallel,
        "timeout": timeout,
        "seed": found.seed,
        "max_failed": found.max_failed,
        "backend": found.backend,
    }


def _setting(text: str, prog: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{prog}: --setting {text}: write NAME=VALUE")
    return name.strip(), value.strip()


def space_of(found: Namespace, names: dict[str, Any], prog: str) -> Any:
    """The space: as it stands there, or what a name of the notebook's holds. Raises ``UsageError``."""
    text = (found.space or "").strip()
    if not text:
        raise UsageError(f'{prog}: say what is searched: --space "lr=log(1e-5,1e-1) layers=int(1,6)"')
    if text.isidentifier():
        if text not in names:
            raise UsageError(f"{prog}: --space {text}: nothing is called {text} here")
        return names[text]
    return read_literal(text) if text.startswith("{") else text
