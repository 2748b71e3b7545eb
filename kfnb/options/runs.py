"""The words of what runs."""

from __future__ import annotations

from kfnb.commands.parser import Parser
from kfnb.commands.words import (
    BACKENDS,
    bind,
    keep_files,
    log_words,
    one_run,
    passed_variables,
    some_runs,
)
from kfnb.model import RunState

STATES = tuple(str(state).lower() for state in RunState)
"""The states of a run, as people write them."""


def submit() -> Parser:
    """``%kf_submit`` and ``kfnb submit``."""
    parser = Parser(
        "%kf_submit",
        "Run a pipeline. Its arguments are given as --name value, or -p name value.",
        arguments_of="pipeline",
    )
    parser.add_argument("pipeline", values="pipeline", help="a pipeline's name, or a compiled file")
    parser.add_argument(
        "-p", action="append", nargs=2, metavar=("NAME", "VALUE"), help="an argument of the pipeline"
    )
    parser.add_argument("--backend", values=BACKENDS, help="where to run: local or kubeflow")
    parser.add_argument("--name", help="the run's name")
    parser.add_argument("--experiment", values="experiment", help="the experiment that the run belongs to")
    parser.add_argument("--no-cache", action="store_true", help="run every step, whatever ran before")
    parser.add_argument(
        "--from-study",
        metavar="NAME",
        values="study",
        help="with the best parameters of a study, which is waited for while it runs",
    )
    passed_variables(parser)
    keep_files(parser, "when the run is finished,")
    bind(parser)
    return parser


def run() -> Parser:
    """``%kf_run`` and ``kfnb runs show``."""
    parser = Parser("%kf_run", "Show a run, from whichever kernel it was started.")
    one_run(parser)
    keep_files(parser, "also")
    parser.add_argument("--force", action="store_true", help="overwrite files that differ")
    bind(parser)
    return parser


def stop() -> Parser:
    """``%kf_stop`` and ``kfnb stop``."""
    parser = Parser("%kf_stop", "End a run and all of its processes; what it has finished is kept.")
    one_run(parser)
    return parser


def retry() -> Parser:
    """``%kf_retry`` and ``kfnb retry``."""
    parser = Parser("%kf_retry", "Run again what did not succeed of a run; what did is not done again.")
    one_run(parser)
    bind(parser)
    return parser


def runs() -> Parser:
    """``%kf_runs`` and ``kfnb runs``."""
    parser = Parser("%kf_runs", "The newest runs.")
    add = parser.add_argument
    add("--backend", values=BACKENDS, help="whose: local or kubeflow")
    add("--limit", type=int, default=20, help="how many (20)")
    add("--experiment", default="", values="experiment", help="those of one experiment")
    add("--state", default="", values=STATES, help="those in one state: running, failed, succeeded, ...")
    add("--name", default="", help="those with this in their names")
    add(
        "--since",
        metavar="WHEN",
        help="those from then on: 2026-11-25, 2026-11-25T06:00, or 2d for two days ago",
    )
    add("--archived", action="store_true", help="those that were archived too")
    bind(parser)
    return parser


def archive() -> Parser:
    """``%kf_archive`` and ``kfnb archive``."""
    parser = Parser("%kf_archive", "Put runs away: %kf_runs shows them with --archived alone.")
    some_runs(parser)
    parser.add_argument("--undo", action="store_true", help="put them back")
    return parser


def delete() -> Parser:
    """``%kf_delete`` and ``kfnb delete``."""
    parser = Parser("%kf_delete", "Remove finished runs for good, with what is kept of them. It asks first.")
    some_runs(parser)
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    return parser


def compare() -> Parser:
    """``%kf_compare`` and ``kfnb compare``."""
    parser = Parser("%kf_compare", "Show runs side by side: arguments, metrics and environments that differ.")
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", values="run", help="a run's id, or the start of it; two or more"
    )
    parser.add_argument("--all", action="store_true", help="show what is the same in all of them too")
    bind(parser)
    return parser


def prune() -> Parser:
    """``kfnb runs prune``."""
    parser = Parser("kfnb runs prune", "Remove the local runs that are finished, with all of their files.")
    parser.add_argument("--keep", type=int, default=20, help="how many of the newest stay (20)")
    return parser


def logs() -> Parser:
    """``%kf_logs`` and ``kfnb logs``."""
    parser = Parser("%kf_logs", "What a run's tasks wrote.")
    parser.add_argument("run", nargs="?", values="run", help="the run's id; the newest run by default")
    parser.add_argument("task", nargs="?", values="task", help="one task; all by default")
    parser.add_argument("--follow", "-f", action="store_true", help="go on until the run is finished")
    log_words(parser)
    parser.add_argument(
        "--since", metavar="WHEN", help="lines from then on: 10m for ten minutes ago, or a date"
    )
    return parser
