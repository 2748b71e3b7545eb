"""Homes with runs in them, their events written as the engine of runs writes them, and records that tests make up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfnb.catalog.records import ArtifactRecord, Reading, Trace
from kfnb.entities import Artifact
from kfnb.jobs.eventlog import EventLog
from kfnb.resources.runs.events import encode


def digest(text: str) -> str:
    """The digest of a content."""
    return hashlib.sha256(text.encode()).hexdigest()


def artifact(content: str, *, name: str = "", type: str = "system.Dataset", uri: str = "") -> Artifact:
    """An artifact with that content."""
    return Artifact(name or content, type, uri or f"/made/up/{content}", {}, digest(content))


@dataclass(frozen=True)
class Step:
    """A task: what it takes and what it makes, by name. Texts are the contents of artifacts."""

    name: str
    takes: Mapping[str, Any] = field(default_factory=dict)
    makes: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    state: str = "SUCCEEDED"


def write_run(home: Path, id: str, *steps: Step, pipeline: str = "churn", state: str = "SUCCEEDED") -> Path:
    """Write a run."""
    folder = home / "runs" / id
    folder.mkdir(parents=True, exist_ok=True)
    log = EventLog(folder, create=True)
    log.append(facts(*steps, pipeline=pipeline, name=f"{pipeline}-{id}", state=state))
    log.close()
    return folder


def facts(
    *steps: Step, pipeline: str = "churn", name: str = "churn", state: str = "SUCCEEDED"
) -> list[tuple[str, str, Mapping[str, Any]]]:
    """The events of a run."""
    found: list[tuple[str, str, Mapping[str, Any]]] = [
        ("created", "", {"name": name, "pipeline": pipeline, "backend": "local", "arguments": {}}),
        ("state", "", {"state": "RUNNING"}),
    ]
    for step in steps:
        inputs = {**step.parameters, **_artifacts(step.takes)}
        found += [
            ("task", step.name, {"name": step.name}),
            ("inputs", step.name, {"values": encode(inputs)}),
            ("state", step.name, {"state": "RUNNING"}),
        ]
        if step.makes:
            found.append(("outputs", step.name, {"values": encode(_artifacts(step.makes)), "metrics": {}}))
        found.append(("state", step.name, {"state": step.state}))
    return [*found, ("state", "", {"state": state})] if state else found


def _artifacts(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: artifact(one) if isinstance(one, str) else one for name, one in values.items()}


def churn(home: Path, id: str = "261130-080000-aaaa", data: str = "raw", model: str = "model") -> Path:
    """A run that loads data, trains a model on it and evaluates it."""
    return write_run(
        home,
        id,
        Step("load", makes={"df": f"df of {data}"}, takes={"raw": data}),
        Step("train", takes={"df": f"df of {data}"}, makes={"model": model}, parameters={"C": 0.5}),
        Step("evaluate", takes={"df": f"df of {data}", "model": model}, makes={"report": f"report {model}"}),
    )


class Records:
    """A source that tests write: each unit is a version, by its stamp."""

    name = "versions"

    def __init__(self, **units: ArtifactRecord) -> None:
        self.units = units
        self.stamp: dict[str, str] = {}
        self.read_units: list[str] = []

    def stamps(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """Each unit, with its stamp."""
        return {unit: self.stamp.get(unit, "1") for unit in self.units}

    def read(self, units: Iterable[str]) -> Iterable[Reading]:
        """The units that exist."""
        for unit in units:
            self.read_units.append(unit)
            if unit in self.units:
                yield Reading(unit, self.stamp.get(unit, "1"), Trace(artifacts=(self.units[unit],)))
