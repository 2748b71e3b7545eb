"""Trainer's objects: their paths, labels and annotations, and those of kfnb on them."""

from __future__ import annotations

from kfnb.remote.kubernetes.fields import Item, at, rows, word

GROUP, VERSION = "trainer.kubeflow.org", "v1alpha1"
TRAINING = "kfnb/training"
"""The label of a TrainJob that kfnb made, with the name of its component."""
RECORD, RESULT = "kfnb/record", "kfnb/result"
"""Annotations: what kfnb knows of a training beside its TrainJob, and how it ended."""
STOPPED, ARCHIVED = "kfnb/stopped", "kfnb/archived"
"""Annotations: a user has stopped the training, or archived it."""
QUEUE = "kueue.x-k8s.io/queue-name"
"""Kueue's label of the queue that admits a job."""
FRAMEWORK = f"{GROUP}/framework"
"""Trainer's label of the framework that a runtime is for."""
STEP = f"{GROUP}/trainjob-ancestor-step"
JOBSET, REPLICATED = "jobset.sigs.k8s.io/jobset-name", "jobset.sigs.k8s.io/replicatedjob-name"
INDEX = "batch.kubernetes.io/job-completion-index"
CONTAINER = "node"
"""The container that trains, in all of Trainer's runtimes."""


def trainer_job(runtime: Item) -> str:
    """The name of the replicated job of a runtime that trains."""
    jobs = rows(runtime, "spec", "template", "spec", "replicatedJobs")
    for one in jobs:
        if at(one, "template", "metadata", "labels", STEP) == "trainer":
            return word(one, "name")
    return CONTAINER


def container_of(pod: Item) -> Item:
    """The status of the container that trains; empty while there is none."""
    return next((one for one in rows(pod, "status", "containerStatuses") if one.get("name") == CONTAINER), {})


def index_of(pod: Item) -> int:
    """Which node of the training a pod is."""
    found = at(pod, "metadata", "labels", INDEX)
    if found is None:
        found = at(pod, "metadata", "annotations", INDEX)
    return int(found) if str(found).isdecimal() else 0
