"""Displays: an object of ``kfnb.model`` as a mimebundle of static HTML and text. Nothing here fetches.

The HTML has inline styles only, follows JupyterLab's light and dark, and still reads where a viewer keeps the
tags alone. Each function is pure, but for the clock where a running task's time is not given.
"""

from kfnb.widgets.checks import draw_checks
from kfnb.widgets.compare import draw_comparison
from kfnb.widgets.component import draw_component
from kfnb.widgets.experiments import draw_experiments
from kfnb.widgets.graph import draw_graph
from kfnb.widgets.notebooks import draw_notebook, draw_notebooks, draw_rehearsal
from kfnb.widgets.progress import draw_progress
from kfnb.widgets.run import draw_run
from kfnb.widgets.runs import draw_runs
from kfnb.widgets.schedules import draw_schedules
from kfnb.widgets.settings import draw_settings
from kfnb.widgets.status import draw_status
from kfnb.widgets.study.studies import draw_studies
from kfnb.widgets.study.study import draw_study, draw_study_plot
from kfnb.widgets.study.trial import draw_trial
from kfnb.widgets.task import draw_task
from kfnb.widgets.uploads import draw_uploads

__all__ = [
    "draw_checks",
    "draw_comparison",
    "draw_component",
    "draw_experiments",
    "draw_graph",
    "draw_notebook",
    "draw_notebooks",
    "draw_progress",
    "draw_rehearsal",
    "draw_run",
    "draw_runs",
    "draw_schedules",
    "draw_settings",
    "draw_status",
    "draw_studies",
    "draw_study",
    "draw_study_plot",
    "draw_task",
    "draw_trial",
    "draw_uploads",
]
