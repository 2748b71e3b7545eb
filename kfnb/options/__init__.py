"""The words of magics and of the command ``kfnb``: one set of parsers for both, so that they read alike.

A parser raises ``UsageError`` with one line; options are never abbreviated, so that a new one cannot break a
notebook. Arguments of a pipeline are ``--name value``, ``--name=value`` or, always unambiguous, ``-p name value``.
"""

from kfnb.options.kept import experiments, schedule, upload
from kfnb.options.parser import Help, Parser, split_words
from kfnb.options.pipelines import compile_, component, config, parameters, pipeline_cell, pipeline_line, show
from kfnb.options.runs import archive, compare, delete, logs, prune, retry, run, runs, stop, submit
from kfnb.options.words import count, parameter, quantity, unique

__all__ = [
    "Help",
    "Parser",
    "archive",
    "compare",
    "compile_",
    "component",
    "config",
    "count",
    "delete",
    "experiments",
    "logs",
    "parameter",
    "parameters",
    "pipeline_cell",
    "pipeline_line",
    "prune",
    "quantity",
    "retry",
    "run",
    "runs",
    "schedule",
    "show",
    "split_words",
    "stop",
    "submit",
    "unique",
    "upload",
]
