"""How lineage is shown. Times in JSON are seconds since the epoch."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kfnb.commands.display import Display
from kfnb.resources.lineage.model import Lineage, LineageNode
from kfnb.resources.lineage.view import draw_lineage


def _data(lineage: Lineage) -> dict[str, Any]:
    return {
        "ref": lineage.ref,
        "subjects": list(lineage.subjects),
        "models": list(lineage.models),
        "data": list(lineage.data),
        "runs": list(lineage.runs),
        "nodes": [_node(node) for node in lineage.nodes],
        "edges": [asdict(edge) for edge in lineage.edges],
        "notes": list(lineage.notes),
    }


def _node(node: LineageNode) -> dict[str, Any]:
    """A node, without what is empty."""
    facts = {name: value for name, value in vars(node).items() if value or name == "id"}
    return {**facts, "kind": str(node.kind)}


DISPLAYS = {Lineage: Display(draw_lineage, _data)}
