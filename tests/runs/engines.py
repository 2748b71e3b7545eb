"""Both backends on the recorded pipelines: the local one runs them, a replayed cluster tells how they went there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cluster import Kubernetes, Metadata, Objects, running
from replay import Replay, serving, text_of
from run_store import Shelf

from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.runs.engine import RunEngine, Submission
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.mlmd import Metadata as Client
from kfnb.resources.runs.kubeflow.pods import Pods
from kfnb.resources.runs.kubeflow.run_details import RunDetails
from kfnb.resources.runs.local import LocalRunEngine


@dataclass
class RecordedEngine:
    """A backend, and how the recorded pipelines are started on it; ``anew`` makes another one for the same runs."""

    engine: RunEngine
    folder: Path
    anew: Callable[[], RunEngine]

    def submit(self, pipeline: str, *, cache: bool = False, **arguments: Any) -> Run:
        spec = yaml.safe_load(text_of(f"pipeline-{pipeline}.yaml"))
        order = Submission(
            spec=spec,
            arguments=arguments,
            name="good run 1",
            experiment="summaries",
            cache=cache,
            folder=str(self.folder),
        )
        return Run(self.engine, self.engine.submit(order))


@contextmanager
def local(folder: Path) -> Iterator[RecordedEngine]:
    def anew() -> RunEngine:
        return LocalRunEngine(folder / "home", jobs=4)

    yield RecordedEngine(anew(), folder, anew)


@contextmanager
def kubeflow(folder: Path, speed: float = 50.0) -> Iterator[RecordedEngine]:
    with ExitStack() as open_:
        replay: Replay = open_.enter_context(serving(speed=speed))
        replay.invented = Shelf(replay)
        metadata, kubernetes, objects = (
            open_.enter_context(running(kind())) for kind in (Metadata, Kubernetes, Objects)
        )
        store = objects.store(kubernetes.api())
        insight = RunDetails(Client(metadata.address), store, Pods(kubernetes.api(), "kubeflow"))

        def anew() -> RunEngine:
            return KubeflowRunEngine(KfpServer(replay.url), insight=insight)

        yield RecordedEngine(anew(), folder, anew)


ENGINES: dict[str, Callable[[Path], Any]] = {"local": local, "kubeflow": kubeflow}
