"""The words of a cluster of one's own."""

from __future__ import annotations

from kfnb.commands.parser import Parser
from kfnb.resources.localcluster.tool import TOOLS


def cluster_up() -> Parser:
    """``kfnb cluster up``."""
    parser = Parser(
        "kfnb cluster up",
        "Start a cluster on this machine with minikube or kind, and Kubeflow in it. A second time it goes on.",
    )
    _profile(parser)
    add = parser.add_argument
    add(
        "--with",
        dest="tool",
        choices=list(TOOLS),
        default="",
        help="what makes the cluster; by default what is there",
    )
    add("--release", default="", help="which Kubeflow; by default the newest that kfnb knows")
    add(
        "--manifests",
        default="",
        metavar="DIR|URL",
        help="its manifests: a checkout, or URL?ref=REF; by default the release's own repository",
    )
    add(
        "--only",
        default="",
        metavar="PART,PART",
        help="these parts alone, with what they need: pipelines, katib, notebooks, trainer, kserve, ...",
    )
    add("--cores", type=int, default=0, metavar="N", help="of minikube; by default what the parts need")
    add(
        "--memory",
        type=int,
        default=0,
        metavar="GIB",
        help="of minikube, in GiB; by default what the parts need",
    )
    add("--driver", default="", help="of minikube; docker by default")
    add(
        "--kubernetes",
        default="",
        metavar="VERSION",
        help="by default the one that the release is tested with",
    )
    add("--timeout", type=int, default=60, metavar="MINUTES", help="how long it may take in all; 60")
    add("--force", action="store_true", help="go on although something is missing")
    add("--dry-run", action="store_true", help="print the commands that would be run, and run none")
    return parser


def cluster_status() -> Parser:
    """``kfnb cluster status``."""
    parser = Parser(
        "kfnb cluster status", "Whether the cluster on this machine is there, and what of Kubeflow is ready."
    )
    _profile(parser)
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    return parser


def cluster_down() -> Parser:
    """``kfnb cluster down``."""
    parser = Parser(
        "kfnb cluster down", "Delete the cluster that kfnb started on this machine, with all that is in it."
    )
    _profile(parser)
    parser.add_argument("--yes", action="store_true", help="without asking")
    parser.add_argument(
        "--dry-run", action="store_true", help="print the command that would be run, and run none"
    )
    return parser


def _profile(parser: Parser) -> None:
    parser.add_argument("--profile", default="kubeflow", metavar="NAME", help="the cluster's name; kubeflow")
