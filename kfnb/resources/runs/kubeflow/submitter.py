"""How pipelines are sent to a server: what runs and schedules are requested with alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from kfnb.remote.kfp.names import ResourceNames
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.kubeflow.experiments import Experiments
from kfnb.resources.runs.kubeflow.file_uploads import NOWHERE, Uploads
from kfnb.resources.runs.kubeflow.submission import order
from kfnb.resources.runs.kubeflow.trainings import ON_ONE_NODE, Trainings


@dataclass(frozen=True)
class SubmissionTerms:
    """What every pipeline is sent with.

    ``root`` is the folder for artifacts, ``account`` the service account of the pods; ``uploads`` takes files of the
    notebook's folder to the cluster; ``trainings`` makes TrainJobs of steps.
    """

    root: str = ""
    account: str = ""
    uploads: Uploads = NOWHERE
    trainings: Trainings = ON_ONE_NODE


DEFAULT_TERMS = SubmissionTerms()


class Submitter:
    """Makes the requests that send pipelines to ``server``; with the names of its experiments and pipelines."""

    def __init__(self, server: KfpServer, terms: SubmissionTerms = DEFAULT_TERMS) -> None:
        self.server, self.terms = server, terms
        self.experiments = Experiments(server)
        self.pipelines = ResourceNames(server, "/pipelines")

    def cautions(self, submission: Submission) -> Iterator[str]:
        """Notes on trainings, a line each."""
        return self.terms.trainings.cautions(submission.spec, submission.platform)

    def body(self, submission: Submission, experiment: str) -> dict[str, Any]:
        """The body of the request for a run (``submission.order``), once the files that it needs are uploaded."""
        cargo = self.terms.uploads.cargo(submission.spec, submission.folder)
        body = order(
            replace(submission, spec=cargo.spec),
            experiment,
            root=self.terms.root,
            account=self.terms.account,
            trainings=self.terms.trainings,
        )
        cargo.send(submission.notify)
        return body
