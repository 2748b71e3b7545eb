"""What is searched for: the one description of a study that every engine takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.resources.studies.algorithms import DEFAULT
from kfnb.resources.studies.model import Dimension, Objective


@dataclass(frozen=True)
class TrialSubject:
    """What one trial runs: a compiled pipeline whose parameters of the space's names change from trial to trial.

    ``spec`` is its PipelineSpec as plain JSON data, ``platform`` its second document, empty if there is none;
    ``arguments`` are what stays the same, typed and checked. ``step`` is the task that the trial is (the cell of a
    ``%%kf_tune``, or a component): the steps before it run once, for all trials. It is empty where each trial
    is a run of the whole pipeline. ``folder`` is the notebook's.
    """

    name: str
    spec: Mapping[str, Any]
    platform: Mapping[str, Any] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    step: str = ""
    folder: str = "."


@dataclass(frozen=True, kw_only=True)
class SearchTerms:
    """How ``tune`` is to search, as its options are given: they have the meaning that they have there."""

    name: str | None = None
    algorithm: str = DEFAULT
    early_stopping: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    trials: int | None = None
    parallel: int = 1
    timeout: float | str | None = None
    seed: int | None = None
    max_failed: int | None = None


@dataclass(frozen=True)
class Search:
    """A study that is to be made.

    ``algorithm`` (but for the default) and ``early_stopping`` are Katib's names, ``settings`` what is set for the
    algorithm, by Katib's names too. ``timeout`` is in seconds. ``conditions`` is the text of a Python function which
    asks for the parameters one after the other (``space(trial)``), where some exist only under a condition; ``space``
    has then all that it may ask for. ``budget`` is what all trials may cost (``Budget.data``); empty without a limit.
    """

    name: str
    subject: TrialSubject
    objective: Objective
    space: tuple[Dimension, ...] = ()
    conditions: str = ""
    algorithm: str = DEFAULT
    settings: Mapping[str, str] = field(default_factory=dict)
    early_stopping: str = ""
    early_settings: Mapping[str, str] = field(default_factory=dict)
    max_trials: int | None = None
    max_failed: int | None = None
    parallel: int = 1
    timeout: float | None = None
    seed: int | None = None
    budget: Mapping[str, Any] = field(default_factory=dict)
