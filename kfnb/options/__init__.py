"""The words of magics and of the command ``kfnb``: one set of parsers for both, so that they read alike.

A parser raises ``UsageError`` with one line; options are never abbreviated, so that a new one cannot break a
notebook. Arguments of a pipeline are ``--name value``, ``--name=value`` or, always unambiguous, ``-p name value``.
"""

from kfnb.commands.parser import Parser, split_unfinished, split_words
from kfnb.commands.words import NOTEBOOK_TAIL, count, parameter, unique
from kfnb.options.cluster import doctor, status
from kfnb.options.image import asked_image, image
from kfnb.options.kept import experiments, schedule, upload
from kfnb.options.notebook import NOTEBOOK_VERBS, asked_notebook, check_notebook, notebook, waiting_time
from kfnb.options.own import cluster_down, cluster_status, cluster_up
from kfnb.options.pipelines import (
    compile_,
    component,
    config,
    parameters,
    pipeline_cell,
    pipeline_line,
    setup,
    show,
)
from kfnb.options.pod import read_pod
from kfnb.options.runs import archive, compare, delete, logs, prune, retry, run, runs, stop, submit
from kfnb.options.tuning import search_of, space_of, studies, study, tune_cell, tune_line

__all__ = [
    "NOTEBOOK_TAIL",
    "NOTEBOOK_VERBS",
    "Parser",
    "archive",
    "asked_image",
    "asked_notebook",
    "check_notebook",
    "cluster_down",
    "cluster_status",
    "cluster_up",
    "compare",
    "compile_",
    "component",
    "config",
    "count",
    "delete",
    "doctor",
    "experiments",
    "image",
    "logs",
    "notebook",
    "parameter",
    "parameters",
    "pipeline_cell",
    "pipeline_line",
    "prune",
    "read_pod",
    "retry",
    "run",
    "runs",
    "schedule",
    "search_of",
    "setup",
    "show",
    "space_of",
    "split_unfinished",
    "split_words",
    "status",
    "stop",
    "studies",
    "study",
    "submit",
    "tune_cell",
    "tune_line",
    "unique",
    "upload",
    "waiting_time",
]
