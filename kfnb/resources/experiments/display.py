"""How experiments are shown."""

from __future__ import annotations

from dataclasses import asdict

from kfnb.commands.display import Display
from kfnb.resources.experiments.model import ExperimentList
from kfnb.resources.experiments.view import draw_experiments

DISPLAYS = {ExperimentList: Display(draw_experiments, lambda listed: [asdict(one) for one in listed])}
