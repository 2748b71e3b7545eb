"""A pipeline submitted to Kubeflow and a big run of there, on a server that replays a real one's answers."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from benchmarks.graphs import SHAPES
from benchmarks.measure import Measured, in_turn

HERE = Path(__file__).parent.parent / "tests" / "runs" / "kubeflow"
sys.path.insert(0, str(HERE))

STEPS, TASKS, ROUNDS = 9, 1000, 9
SPEED = 20
"""How many times as fast an idle minute goes by."""


def submitting() -> Iterator[Measured]:
    """A compiled pipeline's file, from the call to the run's id."""
    import kfp
    from kfp.compiler import Compiler
    from replay import GOOD, RUNS, looks, serving

    from kfnb import settings
    from kfnb.resources.runs import api

    made, experiment = looks(GOOD)[0], {"experiment_id": "e", "display_name": "Default"}

    def invented(method: str, path: str, _: Any) -> tuple[int, Any] | None:
        if "/experiments" in path:
            return 200, {"experiments": [experiment]}
        return (200, made) if (method, path) == ("POST", RUNS) else None

    with serving() as server, tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = f"{folder}/pipeline.yaml"
        Compiler().compile(SHAPES["chain"](STEPS, install=False), file)
        server.invented = invented
        settings.reset().set("host", server.url)
        client = kfp.Client(host=server.url)

        def ours() -> float:
            start = time.perf_counter()
            api.submit(file, backend="kubeflow")
            return time.perf_counter() - start

        def theirs() -> float:
            start = time.perf_counter()
            with redirect_stdout(StringIO()):  # it prints a link
                client.run_pipeline("e", "run", file)
            return time.perf_counter() - start

        mine, peer = in_turn(ROUNDS, ours, theirs)
        with _context(server, folder) as name:
            settings.reset().set("context", name)
            (through,) = in_turn(ROUNDS, ours)
            engine: Any = api.engine_of("kubeflow")
            engine.close()
    settings.reset()
    yield Measured(f"submit a file of {STEPS} steps to Kubeflow", mine, "30 ms more", peer, "kfp.Client")
    yield Measured("  through a kubeconfig's context", through, "30 ms more", peer, "kfp.Client at its host")


@contextmanager
def _context(server: Any, folder: str) -> Iterator[str]:
    """The name of a context whose Kubernetes leads to the server."""
    from gateway import TOKEN, gateway

    with gateway(int(server.url.rpartition(":")[2])) as kubernetes:
        parts = {
            "clusters": [{"name": "c", "cluster": {"server": kubernetes.host}}],
            "users": [{"name": "u", "user": {"token": TOKEN}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        }
        file = Path(folder) / "config"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "c", **parts}))
        from kubernetes.config import kube_config

        usual, kube_config.KUBE_CONFIG_DEFAULT_LOCATION = kube_config.KUBE_CONFIG_DEFAULT_LOCATION, str(file)
        try:
            yield "c"
        finally:
            kube_config.KUBE_CONFIG_DEFAULT_LOCATION = usual


def folding() -> Iterator[Measured]:
    """A run's answer, from JSON data to the model; and JSON's own part in it."""
    from synthetic_runs import big_run

    from kfnb.resources.runs.kubeflow.plan import plan_of
    from kfnb.resources.runs.kubeflow.run_builder import fold

    answer = big_run(TASKS)
    plan, text = plan_of(answer["pipeline_spec"]), json.dumps(answer)

    def ours() -> float:
        start = time.perf_counter()
        fold(answer, plan)
        return time.perf_counter() - start

    def parsed() -> float:
        start = time.perf_counter()
        json.loads(text)
        return time.perf_counter() - start

    mine, peer = in_turn(ROUNDS, ours, parsed)
    yield Measured(f"fold a run of {TASKS:,} tasks on Kubeflow", mine, "20 ms", peer, "json.loads of it")


def idling() -> Iterator[Measured]:
    """Three runs that are looked at while nothing happens to them: all requests to the cluster in a minute."""
    from idle_runs import idle_minute, seen_after

    yield Measured(
        "requests in an idle minute, three runs displayed", idle_minute(SPEED).total(), "16", unit=""
    )
    seen = [seen_after(60 + more, SPEED) for more in range(6)]
    yield Measured("  of one: a step's end, drawn after a minute without news", statistics.mean(seen), "5 s")
    yield Measured("  at the latest, of six", max(seen), "7 s")
