"""A search as Katib's Experiment: written whole, so that nothing is left to webhooks that may be off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from kfnb.entities import kfp_name
from kfnb.errors import BackendError
from kfnb.resources.studies.katib import algorithms, template
from kfnb.resources.studies.katib.parameters import written
from kfnb.resources.studies.katib.steps import Steps, read_steps
from kfnb.resources.studies.katib.template import Metric
from kfnb.resources.studies.model import Objective
from kfnb.resources.studies.search import Search

GROUP = "kubeflow.org/v1beta1"
SUBJECT = "kfnb/subject"
"""The annotation that says what is tuned, by the name that the notebook has for it."""

STEPS = "kfnb/steps"
"""The annotation that names the steps that each trial runs, in their order."""

ALGORITHM = "kfnb/algorithm"
"""The annotation that says which algorithm was asked for, where Katib searches with another one."""

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_OBJECT = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
"""What Kubernetes takes for a name."""
_LONGEST = 40
"""Katib's own limit, as a trial's name, with its random end, becomes that of a Job and of a pod."""
_METRIC = re.compile(r"[\w|-]+", re.ASCII)
"""What the collector's own filter takes for the name of a metric."""
_RESUME = "LongRunning"
"""The suggestion service stays until the study is deleted: only so can more trials be asked for later."""


def name_of(study: str) -> str:
    """A study's name as Kubernetes takes it. Raises ``BackendError``."""
    name = kfp_name(study)
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise BackendError(
            f"{study!r} is not a valid name for a study on the cluster: use at most {_LONGEST} letters, digits and -, "
            "beginning with a letter"
        )
    return name


def known_as(study: str) -> str:
    """The name of a study that may exist already, also one with a name that Katib would refuse from kfnb."""
    return study if _OBJECT.fullmatch(study) else kfp_name(study)


def experiment(search: Search, namespace: str = "") -> dict[str, Any]:
    """The Experiment that is the search. Raises ``BackendError`` with every reason that prevents it."""
    name, steps = name_of(search.name), read_steps(search.subject)
    metrics = [
        _metric(search, metric, steps) for metric in (search.objective.metric, *search.objective.further)
    ]
    if wrong := list(_faults(search, steps, metrics)):
        raise BackendError(f"{search.name} cannot be searched for with Katib: {'; '.join(wrong)}")
    trials, algorithm = _trials(search), algorithms.written(search)
    spec = {
        "objective": _objective(search.objective, [one.name for one in metrics]),
        "algorithm": algorithm,
        **({"earlyStopping": algorithms.early_written(search)} if search.early_stopping else {}),
        "parallelTrialCount": min(search.parallel, trials),
        "maxTrialCount": trials,
        **({} if search.max_failed is None else {"maxFailedTrialCount": search.max_failed}),
        "resumePolicy": _RESUME,
        "parameters": [written(one) for one in search.space],
        "metricsCollectorSpec": {"collector": {"kind": "StdOut"}},
        "trialTemplate": template.template(steps, search.space, metrics),
    }
    return {
        "apiVersion": GROUP,
        "kind": "Experiment",
        "metadata": {
            "name": name,
            **({"namespace": namespace} if namespace else {}),
            "annotations": {
                SUBJECT: search.subject.name,
                **({STEPS: ", ".join(one.name for one in steps)} if len(steps) > 1 else {}),
                **({ALGORITHM: search.algorithm} if search.algorithm != algorithm["algorithmName"] else {}),
            },
        },
        "spec": spec,
    }


def text(written: dict[str, Any]) -> str:
    """An Experiment as a YAML file, in which programs are to be read line by line."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes texts of several lines as they are, and what is there twice twice."""

        def ignore_aliases(self, _: Any) -> bool:
            return True

    def lines(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, lines)
    shown: str = yaml.dump(written, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110)
    return shown


def _metric(search: Search, metric: str, steps: Steps) -> Metric:
    """Which step's the metric is, and what Katib calls it. Raises ``BackendError``."""
    task, _, own = metric.rpartition(".")
    names = [step.name for step in steps]
    if task and kfp_name(task) not in names:
        raise BackendError(f"{metric}: a trial of {search.name} runs {', '.join(names)}, which has no {task}")
    if task:
        return Metric(own, kfp_name(task), own)
    if search.subject.step:
        return Metric(own, names[-1], own)
    return Metric(own, *steps.results.get(own, ("", own)))


def _objective(objective: Objective, metrics: Sequence[str]) -> dict[str, Any]:
    """The last value of a metric counts: it is what the step has in the end, as it is when the search runs here."""
    return {
        "type": "maximize" if objective.maximize else "minimize",
        **({} if objective.goal is None else {"goal": objective.goal}),
        "objectiveMetricName": metrics[0],
        **({"additionalMetricNames": [*metrics[1:]]} if metrics[1:] else {}),
        "metricStrategies": [{"name": name, "value": "latest"} for name in metrics],
    }


def _trials(search: Search) -> int:
    """How many trials there are at most; a grid ends with its last point."""
    most = search.max_trials
    if search.algorithm == "grid":
        there = algorithms.points(search.space)
        most = there if most is None else min(most, there)
    assert most is not None
    return most


def _faults(search: Search, steps: Steps, metrics: Sequence[Metric]) -> Iterator[str]:
    if search.conditions:
        yield "some of its parameters exist only under a condition, which Katib does not know"
    elif not search.space:
        yield "its space is empty"
    yield from algorithms.faults(search)
    yield from template.faults(steps, search.space)
    names = [one.name for one in metrics]
    for name in names:
        if not _METRIC.fullmatch(name):
            yield f"{name}: Katib reads names of metrics that are of letters, digits, - and _"
        if names.count(name) > 1:
            yield f"Katib knows metrics without their tasks, and {name} is asked for twice"
    yield from _limits(search)


def _limits(search: Search) -> Iterator[str]:
    if search.max_trials is None and search.algorithm != "grid":
        yield "Katib would run for ever: pass the number of trials (--trials)"
    elif search.max_trials is not None and search.max_trials < 1:
        yield "it has no trials (--trials)"
    if search.parallel < 1:
        yield "at least one trial runs at once (--parallel)"
    if search.timeout is not None:
        yield "Katib has no time limit for a study: pass the number of trials instead (--trials)"
    if search.max_failed is None:
        return
    if search.max_failed < 0:
        yield "the number of trials that may fail is 0 or more (--max-failed)"
    elif search.max_trials is not None and search.max_failed > search.max_trials:
        yield f"{search.max_failed} trials may fail, of {search.max_trials} (--max-failed)"
