"""The words of images for notebooks."""

from __future__ import annotations

from argparse import Namespace

from kfnb.commands.parser import Parser
from kfnb.commands.words import repeated
from kfnb.resources.images.recipe import BASE, PYTHONS, Recipe, reading


def image() -> Parser:
    """``kfnb image``."""
    parser = Parser(
        "kfnb image",
        "Write a folder to build an image from: for notebooks on Kubeflow, with kfnb and your packages in it.",
    )
    add = parser.add_argument
    add("--name", default="", metavar="NAME:TAG", help="what it will be called; steps run in it, too")
    add("--to", default="kfnb-image", metavar="FOLDER", help="the folder (kfnb-image)")
    add(
        "--base",
        nargs="?",
        const=BASE,
        default="",
        metavar="NAME:TAG",
        help=f"build on one of Kubeflow's own Jupyter images ({BASE} if none is named), and not on Python's slim one",
    )
    add("--python", choices=PYTHONS, default="3.12", help="the slim image's Python (3.12)")
    add(
        "--kfnb",
        default="",
        metavar="VERSION|WHEEL",
        help="which kfnb: a version, or a wheel's path (as here)",
    )
    repeated(parser, "--package", "NAME==VERSION", "a package that it has")
    add("--requirements", default="", metavar="FILE", help="a file of packages that it has, as pip takes it")
    add(
        "--spawner",
        nargs="?",
        const="",
        metavar="FILE",
        help="write its entry for spawner_ui_config.yaml; into a copy of FILE, where that is given",
    )
    return parser


def asked_image(found: Namespace) -> Recipe:
    """The image that the words ask for. Raises ``UsageError``."""
    kfnb, wheel, requirements = reading(found.kfnb, found.requirements)
    return Recipe(found.name, found.base, found.python, kfnb, wheel, tuple(found.package), requirements)
