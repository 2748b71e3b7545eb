"""What counts as broken, one by one, and what does not."""

from dataclasses import replace

import pytest
import yaml

from kfnb.resources.cluster.capacity import pod_defaults
from kfnb.resources.cluster.model import (
    Knowledge,
    KubeflowPart,
    Machine,
    Namespace,
    NotebookServer,
    PodDefault,
    Quota,
    Status,
    StatusItem,
    Version,
    VolumeClaim,
    WaitingPod,
)
from kfnb.resources.cluster.probe import ProbeTarget
from kfnb.resources.cluster.problems import POD_DEFAULT, troubles


class Holding:
    """A namespace with one PodDefault, and a pod with some labels."""

    def __init__(self, spec=None, **labels):
        self._spec = spec or {"selector": {"matchLabels": {"access-ml-pipeline": "true"}}}
        self._labels = {name.replace("_", "-"): value for name, value in labels.items()}

    def get(self, path, query=None):
        if path.endswith("/poddefaults"):
            return {"items": [{"metadata": {"name": "access-ml-pipeline"}, "spec": self._spec}]}
        return {"metadata": {"name": "mine-0", "labels": self._labels}, "items": []}


def found(**parts):
    """The troubles of a status in which only these parts are known."""
    known = {name: StatusItem(Knowledge.KNOWN, value) for name, value in parts.items()}
    status = replace(Status("kubeflow", Machine(2), server="there", within="team-a"), **known)
    return [one.what for one in troubles(ProbeTarget(Holding(), "team-a"), status)]


PIPELINES = (KubeflowPart("Pipelines", Knowledge.KNOWN),)
ACCESS = "access-ml-pipeline"


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"quota": (Quota("cpu", "24", "24", 1.0),)}, "the quota of cpu is used up: 24 of 24"),
        ({"namespace": Namespace("team-a", phase="Terminating")}, "namespace team-a is being deleted"),
        ({"volumes": (VolumeClaim("data", phase="Lost"),)}, "volume data has lost its storage"),
        (
            {"version": Version("v1.20.0", "26.03", False, "too old")},
            "Kubernetes v1.20.0 is not supported by this Kubeflow",
        ),
        (
            {"kubeflow": PIPELINES, "pod_defaults": ()},
            f"namespace team-a has no PodDefault {ACCESS}: its notebooks cannot call Kubeflow Pipelines",
        ),
        (
            {"kubeflow": PIPELINES, "pod_defaults": (PodDefault(ACCESS, on=False, pipelines=True),)},
            f"this notebook was started without the configuration {ACCESS}: it cannot call Kubeflow Pipelines",
        ),
        (
            {"waiting": (WaitingPod("a", "Unschedulable"), WaitingPod("b", "Unschedulable"))},
            "pod a and 1 more cannot start (Unschedulable)",
        ),
        (
            {"kubeflow": PIPELINES, "pod_defaults": (PodDefault(f"{ACCESS}-not", on=True),)},
            f"namespace team-a has no PodDefault {ACCESS}: its notebooks cannot call Kubeflow Pipelines",
        ),
        ({"waiting": (), "notebooks": (NotebookServer("mine", "waiting"),)}, "notebook mine has no pod"),
    ],
)
def test_what_is_broken(parts, told):
    assert found(**parts) == [told]


@pytest.mark.parametrize(
    "parts",
    [
        {"quota": (Quota("cpu", "12", "24", 0.5), Quota("requests.nvidia.com/gpu", "0", "0", 1.0))},
        {"namespace": Namespace("team-a", phase="Active")},
        {"volumes": (VolumeClaim("data", phase="Bound"), VolumeClaim("scratch", phase="Pending"))},
        {"version": Version("v1.99.0", "26.03", None, "newer")},
        {"kubeflow": PIPELINES},
        {"pod_defaults": ()},
        {"kubeflow": PIPELINES, "pod_defaults": (PodDefault("ours", on=True, pipelines=True),)},
        {"kubeflow": PIPELINES, "pod_defaults": (PodDefault(ACCESS, on=None, pipelines=True),)},
        {
            "kubeflow": PIPELINES,
            "pod_defaults": (
                PodDefault("a", on=False, pipelines=True),
                PodDefault("b", on=True, pipelines=True),
            ),
        },
        {"waiting": (WaitingPod("a", "ContainerCreating"),)},
        {"notebooks": (NotebookServer("mine", "waiting"),)},
    ],
)
def test_what_is_not_broken_or_not_known_is_no_trouble(parts):
    assert found(**parts) == []


@pytest.mark.parametrize(("labels", "on"), [({"access_ml_pipeline": "true"}, True), ({}, False)])
def test_whether_this_notebook_has_a_configuration_is_told_by_its_pods_labels(labels, on):
    (one,), _ = pod_defaults(ProbeTarget(Holding(**labels), "team-a", pod="mine-0"))
    assert one.on is on


def test_who_has_a_token_already_needs_no_configuration():
    known = {"kubeflow": PIPELINES, "pod_defaults": ()}
    status = replace(
        Status("kubeflow", Machine(2)),
        **{name: StatusItem(Knowledge.KNOWN, value) for name, value in known.items()},
    )
    assert troubles(ProbeTarget(Holding(), "team-a", token=True), status) == ()


def test_a_configuration_opens_pipelines_by_the_token_that_it_gives():
    spec = yaml.safe_load(POD_DEFAULT.format(namespace="team-a"))["spec"]
    (one,), _ = pod_defaults(ProbeTarget(Holding(spec), "team-a"))
    assert one.pipelines
    spec["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]["audience"] = "other"
    (one,), _ = pod_defaults(ProbeTarget(Holding(spec), "team-a"))
    assert not one.pipelines


def test_outside_of_a_notebook_nobody_knows_whether_it_has_one():
    (one,), _ = pod_defaults(ProbeTarget(Holding(), "team-a"))
    assert one.on is None


def test_a_namespace_that_is_not_there_is_a_trouble():
    status = replace(
        Status("kubeflow", Machine(2), server="there", within="moon"), namespace=StatusItem(Knowledge.ABSENT)
    )
    (one,) = troubles(ProbeTarget(Holding(), "moon"), status)
    assert (one.what, one.fix) == ("namespace moon not found", "%kf_config namespace=NAME")
