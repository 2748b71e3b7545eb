"""The steps of a monitor's pipeline. Their sources become the pipeline's program, so each stands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kfp import dsl


def kfnb_unpacked(place: str, kit: str) -> str:
    """Fetch the kit of a monitor from its place, and let its program be imported; the folder that it is in."""
    import hashlib
    import io
    import json
    import sys
    import tempfile
    import zipfile

    from obstore.store import AzureStore, GCSStore, S3Store

    about = json.loads(place)
    bucket, _, key = about["path"].partition("/")
    stores: dict[str, Any] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
    content = stores[about["service"]](bucket, **about["options"]).get(f"{key}/{kit}").bytes()
    if hashlib.sha256(content).hexdigest() not in kit:
        raise ValueError(f"{kit} was changed since the monitor was made: make it again")
    folder = tempfile.mkdtemp()
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        archive.extractall(folder)
    sys.path.insert(0, folder)
    return folder


def collect(place: str, kit: str, window: dsl.Output[dsl.Artifact]) -> None:
    """Count the requests that were answered since the last check."""
    folder = kfnb_unpacked(place, kit)
    from kfnb.resources.monitors.kubeflow import pod

    pod.collect(*pod.arguments(folder, place), window.path)


def check(
    place: str, kit: str, run: str, window: dsl.Input[dsl.Artifact], report: dsl.Output[dsl.Artifact]
) -> bool:
    """Report on the window, and say whether an alarm leads to a retraining now."""
    folder = kfnb_unpacked(place, kit)
    from kfnb.resources.monitors.kubeflow import pod

    return pod.check(*pod.arguments(folder, place), window.path, run, report.path)


def finish(place: str, kit: str, run: str) -> None:
    """Note that the retraining is complete."""
    folder = kfnb_unpacked(place, kit)
    from kfnb.resources.monitors.kubeflow import pod

    pod.finish(pod.arguments(folder, place)[1], run)
