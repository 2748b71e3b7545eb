"""What is submitted to run something again: its spec and arguments, its data, and the packages that it ran with."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kfnb.entities import with_addresses
from kfnb.entities.manifest import InstalledPackage, LayerName, Manifest
from kfnb.entities.manifest_json import layers_data
from kfnb.errors import UsageError
from kfnb.resources.datasets.api import with_data
from kfnb.resources.provenance.availability import missing_data
from kfnb.resources.provenance.lock import Lock, lock_of
from kfnb.resources.provenance.origin import origin_of
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.handle import Run
from kfnb.settings import settings


def again(
    original: Run, manifest: Manifest, *, local: bool, here: bool, notify: Callable[[str], None]
) -> Submission:
    """The submission that runs ``original`` again, whose ``manifest`` this is. Raises ``UsageError`` if it cannot.

    ``local`` is whether it runs on this machine, ``here`` whether each step gets the packages that it asks for, and not
    those that were recorded.
    """
    submission = original.submitted()
    lock = Lock() if here else lock_of(manifest)
    gone = [*missing_data(submission, manifest, Path(settings().home)), *_unavailable(lock.unavailable)]
    if gone:
        raise UsageError(f"run {original.id} cannot be run again: {'; '.join(gone)}", ref=original.id)
    notes = (f"rerun of {original.id}", *lock.notes)
    for note in notes[1:]:
        notify(f"note: {note}")
    spec = submission.spec if local else with_addresses(submission.spec, _images(manifest))
    pipeline = str(submission.spec["pipelineInfo"]["name"])
    return replace(
        submission,
        spec=with_data(spec, submission.arguments, local=local),
        name=f"{pipeline}-{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        experiment=settings().experiment,
        cache=False,
        packages=lock.packages,
        python=lock.python if local else "",
        origin=_origin(original, submission),
        notes=notes,
        notify=notify,
    )


def _origin(original: Run, submission: Submission) -> dict[str, Any]:
    """What the manifest has of the notebook: the model is the original's, whatever this notebook holds."""
    made = [layer for layer in original.recorded().origin if layer.name is LayerName.MODEL and layer.facts]
    origin = origin_of(submission.spec, str(submission.spec["pipelineInfo"]["name"]))
    return {**origin, "layers": {**origin["layers"], **layers_data(made)}}


def _images(manifest: Manifest) -> dict[str, str]:
    """The images of the tasks by their digests, as a tag may name another one now."""
    found: dict[str, str] = {}
    for task in (one.tasks[0] for one in manifest.environments if one.tasks):
        facts = manifest.of_task(task)[LayerName.RUNTIME].facts
        image, digest = str(facts.get("image") or ""), str(facts.get("image_digest") or "").rpartition("@")[2]
        if image and digest.startswith("sha256:") and "@" not in image:
            found[image] = f"{image}@{digest}"
    return found


def _unavailable(packages: Sequence[InstalledPackage]) -> list[str]:
    return [
        f"the package {one.name} {one.version} is not from an index ({one.url}); without it: --here"
        for one in packages
    ]
