"""The words of where one is."""

from __future__ import annotations

from kfnb.commands.parser import Parser
from kfnb.commands.words import bind


def status() -> Parser:
    """``%kf_status`` and ``kfnb status``."""
    parser = Parser(
        "%kf_status",
        "Where you are: cluster, namespace, user, quota, GPUs, notebooks, runs, studies, services, and what is broken.",
    )
    parser.add_argument(
        "--watch", action="store_true", help="look again about five times a minute, until it is interrupted"
    )
    bind(parser)
    return parser


def doctor() -> Parser:
    """``kfnb doctor``."""
    parser = Parser(
        "kfnb doctor", "Check this machine, the clients, the way to the cluster, and what is broken there."
    )
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    return parser
