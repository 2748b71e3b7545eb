"""The displays of components and pipelines."""

from __future__ import annotations

from dataclasses import asdict

from kfnb.commands.display import Display
from kfnb.entities.component import ComponentView, Graph
from kfnb.resources.components.view.component import draw_component
from kfnb.resources.components.view.graph import draw_graph

DISPLAYS = {
    ComponentView: Display(draw_component, asdict),
    Graph: Display(draw_graph, asdict),
}
