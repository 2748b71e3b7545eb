"""Model folders of every kind, as the registry keeps them, and the programs that serve them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import urllib3
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from kfnb.capture.embedded.models import kfnb_write_model
from kfnb.capture.embedded.transform_files import kfnb_keep_transform
from kfnb.capture.embedded.transforms import kfnb_Transform
from kfnb.server import deployment


def customers(count: int = 200, seed: int = 0) -> pd.DataFrame:
    """A table with a column of every kind that people have."""
    random = np.random.default_rng(seed)
    joined = pd.to_datetime("2020-01-01") + pd.to_timedelta(random.integers(0, 10**6, count), "min")
    seen = pd.to_datetime("2024-10-27", utc=True) + pd.to_timedelta(random.integers(0, 10**5, count), "s")
    plans = random.choice(["small", "large"], count)
    return pd.DataFrame(
        {
            "income": np.where(random.random(count) < 0.1, np.nan, random.normal(3000, 800, count)),
            "age": random.integers(18, 90, count),
            "city": random.choice(["Bern", "Basel", "Zürich"], count),
            "plan": pd.Categorical(plans, ["small", "medium", "large"], ordered=True),
            "paid": random.random(count) < 0.5,
            "visits": pd.array(random.integers(0, 9, count), "Int64"),
            "joined": joined,
            "seen": seen.tz_convert("Europe/Berlin"),
        }
    ).astype({"city": "str"})


LEARNS = """import pandas as pd

columns = ["income", "age", "city_Bern", "city_Basel", "plan", "paid", "visits", "year", "hour"]

def fit(df):
    return {"income": float(df.income.median())}

def transform(df, state):
    return pd.DataFrame({
        "income": df.income.fillna(state["income"]),
        "age": df.age,
        "city_Bern": (df.city == "Bern").astype(float),
        "city_Basel": (df.city == "Basel").astype(float),
        "plan": df.plan.cat.codes,
        "paid": df.paid.astype(float),
        "visits": df.visits.astype("Float64").fillna(0.0).astype(float),
        "year": df.joined.dt.year,
        "hour": df.seen.dt.hour,
    })
"""
"""A transform that takes all columns of ``customers``, and that makes of a row what it makes of it among others."""


def prepared(code: str, rows: Any) -> kfnb_Transform:
    """A transform with that code, fitted on rows."""
    return kfnb_Transform("prepare", code, packages={"pandas": "pandas"}).fit(rows)


def write_folder(
    folder: Path, model: Any, example: Any = None, *, transform: Any = None, **options: Any
) -> Path:
    """The model folder of a model."""
    keep = kfnb_keep_transform if transform is not None else None
    kfnb_write_model(model, str(folder), example, transform=transform, keep=keep, **options)
    return folder


def churn_folder(folder: Path, code: str = LEARNS) -> Path:
    """A model of customers that takes what the transform makes of them."""
    rows = customers()
    transform = prepared(code, rows)
    model = LogisticRegression(max_iter=2000).fit(
        transform.transform(rows), np.where(rows.age + 5 * rows.paid > 55, "leaves", "stays")
    )
    return write_folder(folder, model, rows, transform=transform)


def plain_folder(folder: Path, *, trees: bool = False) -> Path:
    """A model of three numbers and a text without a transform: its pipeline has all of the preparation."""
    rows = customers()[["age", "city"]].assign(income=lambda df: df.age * 100.0, height=lambda df: df.age / 2)
    model = RandomForestClassifier(20, random_state=0) if trees else LogisticRegression(max_iter=2000)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["city"]), (StandardScaler(), ["age", "income", "height"])
    )
    return write_folder(folder, make_pipeline(columns, model).fit(rows, rows.age > 50), rows)


def array_folder(folder: Path) -> Path:
    """A model of arrays, with two outputs."""
    rows = np.random.default_rng(0).normal(size=(50, 3))
    return write_folder(
        folder, LinearRegression().fit(rows, rows @ [[1.0, 0.0], [2.0, -1.0], [0.0, 3.0]]), rows
    )


@dataclass
class Program:
    """A program that serves a model folder."""

    process: subprocess.Popen[str]
    address: str
    log: Path
    name: str = "churn"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; a body that is not bytes is sent as JSON."""
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        told = {name.replace("_", "-"): text for name, text in headers.items()}
        given = {"content-type": "application/json", **told} if body is not None else told
        answer = HTTP.request(method, self.address + path, body=content, headers=given)
        return Answer(answer.status, dict(answer.headers.items()), answer.data)

    def predict(self, rows: Any) -> Any:
        """The predictions for rows of JSON."""
        answer = self.ask("POST", f"/v1/models/{self.name}:predict", {"instances": rows})
        assert answer.status == 200, answer.body
        return answer.json["predictions"]

    def explain(self, rows: Any) -> Any:
        """The explanations for rows of JSON."""
        answer = self.ask("POST", f"/v1/models/{self.name}:explain", {"instances": rows})
        assert answer.status == 200, answer.body
        return answer.json["explanations"]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(40)


@dataclass(frozen=True)
class Answer:
    """What a program answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


HTTP = urllib3.PoolManager(retries=False, timeout=60)


def deployed(model_folder: Path, target: Path) -> Path:
    """The deployment folder of a model folder."""
    deployment.write(model_folder, target)
    return target


@contextmanager
def program(folder: Path, *words: str, prefix: Sequence[str] = (), **options: Any) -> Iterator[Program]:
    """The program of a deployment folder, on a free port; ``prefix`` is a command that executes it."""
    log = folder.parent / f"{folder.name}.log"
    command = [*prefix, sys.executable, str(folder / "serve.py"), "--port", "0", "--name", "churn", *words]
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    options = {"env": environment, "cwd": "/", **options}
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, **options)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Program(process, json.loads(line)["listening"], log)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
