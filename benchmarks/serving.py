"""Serving a model: what a request costs beside the prediction, when the first is answered, what explaining costs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.measure import Measured, in_turn
from benchmarks.servers import Server, ask, free_port, instances, running
from kfnb.capture.embedded.models import kfnb_write_model
from kfnb.server import deployment
from kfnb.server.encoding import json_rows
from kfnb.server.served import serve_folder

REQUESTS, ROUNDS = 500, 3
KEPT_REQUESTS, KEPT_ROUNDS = 2000, 10
"""More of them, as the difference is small."""
PEERS = Path.cwd()


def serving() -> Iterator[Measured]:
    """A model of 30 columns, one row a request."""
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        rows = _models(folder)
        body = instances(json_rows(rows[:1]))
        yield from _requests(folder, rows, body)
        yield from _explanations(folder)


def _models(folder: Path) -> Any:
    """Write a model and its deployments; the rows that they take."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows, truth = load_breast_cancer(return_X_y=True, as_frame=True)
    models = {
        "linear": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        "forest": RandomForestClassifier(100, random_state=0),
    }
    for name, model in models.items():
        kfnb_write_model(model.fit(rows, truth), str(folder / name), rows)
        deployment.write(folder / name, folder / f"{name}-served")
    return rows


def _requests(folder: Path, rows: Any, body: bytes) -> Iterator[Measured]:
    own = servers.kfnb(folder / "linear-served", port := free_port())
    with running(*own, body, port, cwd="/") as server:
        predicting, asked = in_turn(
            ROUNDS, lambda: _predicting(folder, rows), lambda: ask(server, body, REQUESTS).cpu
        )
        yield Measured("a request of 1 row: CPU", asked, "0.5 ms more", predicting, "model.predict")
        steady = ask(server, body, 1000, lines=8, per_second=200)
        yield Measured("200 requests a second: 99th percentile", steady.slowest, "20 ms")
        full = ask(server, body, 4000, lines=16)
        yield Measured("16 at once, a second", full.per_second, "", unit="")
        importing = _importing()
        yield Measured(
            "CPU to the first answer", server.started, "0.3 s more", importing, "imports of the model"
        )
        yield Measured("memory", server.memory(), "", unit="MB")
        yield from _kept(folder, server, body)
        for name, peer in _peers(folder, body).items():
            yield from _compared(name, peer, server, body, full.per_second)


def _kept(folder: Path, plain: Server, body: bytes) -> Iterator[Measured]:
    """What it costs to keep requests."""
    command, path = servers.kfnb(folder / "linear-served", port := free_port())
    command += ["--log", str(folder / "requests")]
    with running(command, path, body, port, cwd="/") as server:
        kept, without = in_turn(
            KEPT_ROUNDS,
            lambda: ask(server, body, KEPT_REQUESTS).cpu,
            lambda: ask(plain, body, KEPT_REQUESTS).cpu,
        )
        yield Measured("a request of 1 row that is kept: CPU", kept, "3 % more", without, "not kept")


def _compared(
    name: str, peer: Callable[[], Any], own: Server, body: bytes, per_second: float
) -> Iterator[Measured]:
    with peer() as server:
        theirs = _body_of(name, body)
        mine, others = in_turn(
            ROUNDS, lambda: ask(own, body, REQUESTS).cpu, lambda: ask(server, theirs, REQUESTS).cpu
        )
        yield Measured("a request of 1 row: CPU", mine, "", others, name)
        full = ask(server, theirs, 1000, lines=16).per_second
        yield Measured("16 at once, a second", per_second, "at least 1.5 times", full, name, unit="")
        yield Measured("CPU to the first answer", own.started, "", server.started, name)
        yield Measured("memory", own.memory(), "", server.memory(), name, unit="MB")


def _body_of(name: str, body: bytes) -> bytes:
    return body.replace(b'"instances"', b'"dataframe_records"') if name == "mlflow" else body


def _peers(folder: Path, body: bytes) -> dict[str, Callable[[], Any]]:
    """The peers that are here: the standard library's server, MLflow and BentoML in environments of their own."""
    model = folder / "linear"
    command = servers.stdlib(model, port := free_port())
    found: dict[str, Callable[[], Any]] = {"http.server": lambda: running(*command, body, port)}
    python = PEERS / ".venv-mlflow/bin/python"
    if python.exists():
        servers.save_for_mlflow(python, model, folder / "mlflow")
        mlflow = servers.mlflow(python, folder / "mlflow", mlflow_port := free_port())
        environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"}
        found["mlflow"] = lambda: running(*mlflow, _body_of("mlflow", body), mlflow_port, env=environment)
    python = PEERS / ".venv-bentoml/bin/python"
    if python.exists():
        (folder / "service.py").write_text(servers.BENTO)
        bento = servers.bentoml(python, folder, bento_port := free_port())
        given = {**os.environ, "MODEL": str(model / "model.skops"), "BENTOML_DO_NOT_TRACK": "1"}
        given |= {"BENTOML_HOME": str(folder / "bento")}
        found["bentoml"] = lambda: running(*bento, body, bento_port, env=given)
    return found


def _predicting(folder: Path, rows: Any) -> float:
    """CPU seconds of a prediction of one row, without a server."""
    served = serve_folder(folder / "linear", "model", "1")
    row = rows[:1]
    served.folder.model.predict(row)
    began = time.process_time()
    for _ in range(REQUESTS):
        served.folder.model.predict(row)
    return (time.process_time() - began) / REQUESTS


def _importing() -> float:
    """CPU seconds of importing what the model is made of."""
    program = (
        "import pandas, skops.io, sklearn.linear_model, sklearn.pipeline, time; print(time.process_time())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/"
    )
    return float(done.stdout)


def _explanations(folder: Path) -> Iterator[Measured]:
    for name, limit in (("linear", ""), ("forest", "50 ms")):
        served = serve_folder(folder / name, "model", "1")
        rows = served.inputs.rows(json_rows(served.folder.rows[:5]))

        def explained(served: Any = served, rows: Any = rows) -> float:
            began = time.process_time()
            served.explainer.explain(rows)
            return (time.process_time() - began) / int(rows.count)

        (seconds,) = in_turn(ROUNDS, explained)
        yield Measured(f"explain a row of 30 columns, {name}: CPU", seconds, limit)
