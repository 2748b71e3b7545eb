"""The words of what Kubeflow Pipelines keeps beside runs."""

from __future__ import annotations

from kfnb.commands.parser import Parser
from kfnb.commands.words import bind, passed_variables


def experiments() -> Parser:
    """``%kf_experiments`` and ``kfnb experiments``."""
    parser = Parser("%kf_experiments", "The experiments there are; a new one is made by the first run in it.")
    bind(parser)
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
        values="pipeline",
        help="a pipeline's name, or a compiled file; with --list, an uploaded one's name",
    )
    add("--name", help="what it is called there; the pipeline's own name by default")
    add("--version", help="the version's name; the time by default")
    add("--description", default="", help="a few words about it")
    add("--list", action="store_true", help="show the uploaded pipelines, or all versions of one")
    bind(parser)
    return parser


def schedule() -> Parser:
    """``%kf_schedule`` and ``kfnb schedule``."""
    parser = Parser(
        "%kf_schedule",
        "Run a pipeline on the cluster again and again. Its arguments are given as --name value, or -p name value.",
        arguments_of="pipeline",
    )
    add = parser.add_argument
    add("pipeline", nargs="?", values="pipeline", help="a pipeline's name, or a compiled file")
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
    add("--experiment", values="experiment", help="the experiment that its runs belong to")
    add("--no-cache", action="store_true", help="run every step, whatever ran before")
    passed_variables(parser)
    add("--list", action="store_true", help="show the schedules")
    for verb, told in (("pause", "start no more runs of"), ("resume", "go on with"), ("delete", "forget")):
        add(
            f"--{verb}",
            metavar="ID",
            values="schedule",
            help=f"{told} a schedule, by its id, the start of it, or its name",
        )
    bind(parser)
    return parser
