"""A service's objects in the cluster, as they are at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kfnb.remote.kubernetes.fields import Item, condition, mapping, rows, word
from kfnb.resources.services.kserve.mode import DeploymentMode, mode_of
from kfnb.resources.services.kserve.objects import is_stopped, revision_of, revision_of_pod


@dataclass(frozen=True)
class Observation:
    """What is there of a service.

    ``canary`` and ``graph`` are the objects beside it, where a graph splits its requests; ``routers`` are the pods that
    do so, which KServe does not wait for when it calls a graph ready. ``revisions`` are those of Knative by name, with
    our numbers. ``routed`` are the weights of its HTTPRoute by the names of the services behind it; None where there is
    none, or it may not be read.
    """

    service: Item
    canary: Item | None = None
    graph: Item | None = None
    routers: tuple[Item, ...] = ()
    pods: tuple[Item, ...] = ()
    revisions: Mapping[str, int] = field(default_factory=dict)
    routed: Mapping[str, int] | None = None

    @property
    def mode(self) -> DeploymentMode | None:
        """How it is deployed; None while that is unknown."""
        return mode_of(self.service)

    @property
    def stopped(self) -> bool:
        """Whether it was stopped."""
        return is_stopped(self.service)

    @property
    def predictor(self) -> Item:
        """The predictor that is requested of the InferenceService."""
        return mapping(self.service, "spec", "predictor")

    @property
    def current(self) -> int:
        """The revision that it is."""
        return revision_of(self.predictor)

    @property
    def spec_canaries(self) -> list[Item]:
        """The canaries in its spec."""
        return rows(self.service, "spec", "canary")

    @property
    def component(self) -> Item:
        """What KServe says of its predictor."""
        return mapping(self.service, "status", "components", "predictor")

    def of_knative(self, field_name: str) -> int | None:
        """The revision that a field of the predictor's status names; None where it names none that is known."""
        return self.revisions.get(word(self.component, field_name))

    @property
    def splitter(self) -> Item | None:
        """The graph that splits the requests, if one does."""
        return self.graph if self.ready_routers else None

    @property
    def ready_routers(self) -> list[Item]:
        """The pods of the graph that answer."""
        return [one for one in self.routers if _answers(one)]

    def ready_pods(self, revision: int) -> list[Item]:
        """The pods of a revision that answer."""
        return [one for one in self.pods_of(revision) if _answers(one)]

    def pods_of(self, revision: int) -> list[Item]:
        """The pods of a revision, without those that end."""
        return [
            one
            for one in self.pods
            if revision_of_pod(one) == revision and not mapping(one, "metadata").get("deletionTimestamp")
        ]

    def is_ready(self, revision: int) -> bool:
        """Whether a revision can answer: a pod does, or Knative would start one."""
        if self.ready_pods(revision):
            return True
        idle = self.mode is DeploymentMode.KNATIVE and not self.pods_of(revision)
        known = ("latestReadyRevision", "latestRolledoutRevision")
        return idle and not self.stopped and revision in [self.of_knative(one) for one in known]


def _answers(pod: Item) -> bool:
    """Whether a pod answers, and is not about to end."""
    ends = bool(mapping(pod, "metadata").get("deletionTimestamp"))
    return not ends and condition(pod, "Ready").get("status") == "True"
