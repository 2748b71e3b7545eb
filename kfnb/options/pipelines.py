"""The words of what is defined in a notebook: components, pipelines, settings."""

from __future__ import annotations

from kfnb.commands.parser import Parser
from kfnb.commands.words import bind, repeated
from kfnb.options.pod import pod_words


def component() -> Parser:
    """``%%kf_component``."""
    parser = Parser("%%kf_component", "Run the cell, and make it a component of pipelines.")
    parser.add_argument("name", help="the component's name")
    repeated(parser, "--param", "NAME:TYPE=DEFAULT", "a parameter")
    repeated(parser, "--output", "NAME", "a name that is always put out")
    repeated(parser, "--package", "NAME==VERSION", "a package to install")
    add = parser.add_argument
    add("--image", default="", help="container image of the step")
    add("--retries", type=int, default=0, help="how often a failed step is tried again")
    add("--no-cache", action="store_true", help="run the step even where its inputs have not changed")
    add(
        "--continue",
        dest="continues",
        action="store_true",
        help="add this cell to the component of that name, or take the place of what it had added before",
    )
    pod_words(parser)
    bind(parser)
    return parser


def parameters() -> Parser:
    """``%%kf_parameters``."""
    return Parser("%%kf_parameters", "Run the cell; each name that it assigns is a parameter of pipelines.")


def setup() -> Parser:
    """``%%kf_setup``."""
    return Parser(
        "%%kf_setup",
        "Run the cell, and put its code at the top of every later step: imports, options, seeds.",
    )


def pipeline_line() -> Parser:
    """``%kf_pipeline``."""
    parser = Parser(
        "%kf_pipeline", "Define a pipeline that runs components in order, wired by the names they share."
    )
    parser.add_argument("name", help="the pipeline's name")
    parser.add_argument("steps", nargs="*", values="component", help="components")
    bind(parser)
    return parser


def pipeline_cell() -> Parser:
    """``%%kf_pipeline``."""
    parser = Parser(
        "%%kf_pipeline",
        "Define a pipeline by KFP's DSL; inputs that the calls of components do not give are wired by name.",
    )
    parser.add_argument("name", help="the pipeline's name")
    repeated(parser, "--param", "NAME:TYPE=DEFAULT", "a parameter")
    bind(parser)
    return parser


def show() -> Parser:
    """``%kf_show``."""
    parser = Parser("%kf_show", "Show what travels with a component and why, or a pipeline's graph.")
    parser.add_argument("name", values="subject", help="a component, a pipeline, or a compiled file")
    bind(parser)
    return parser


def compile_() -> Parser:
    """``%kf_compile`` and ``kfnb compile``."""
    parser = Parser("%kf_compile", "Write a pipeline to a file.")
    parser.add_argument("pipeline", values="pipeline", help="the pipeline's name")
    parser.add_argument("--to", metavar="FILE.yaml", values="file", help="KFP's YAML")
    parser.add_argument(
        "--python", metavar="FILE.py", values="file", help="a program of KFP's SDK that compiles to the same"
    )
    return parser


def config() -> Parser:
    """``%kf_config``."""
    parser = Parser("%kf_config", "Show the settings, or set some: name=value.")
    parser.add_argument("settings", nargs="*", metavar="NAME=VALUE", values="setting")
    return parser
