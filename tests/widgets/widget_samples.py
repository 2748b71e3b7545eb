"""Runs and other things to draw, as the engines make them."""

from __future__ import annotations

import math

from kfnb.model import (
    Artifact,
    ComponentView,
    Edge,
    Graph,
    Node,
    Port,
    Run,
    RunState,
    Task,
    TaskError,
    Traveller,
)

START = 1_795_500_000.0
NOW = START + 75.0

TRACEBACK = """Traceback (most recent call last):
  File "cell train [3]", line 2, in <module>
    model = LogisticRegression(C=C).fit(df[cols], df.y)
ValueError: Input X contains NaN."""


def task(name, state=RunState.SUCCEEDED, *, parent="", needs=(), at=0.0, took=2.0, **more):
    """A task; ``at`` is when it started, counted from the run's start."""
    ran = state in (RunState.SUCCEEDED, RunState.FAILED, RunState.RUNNING)
    return Task(
        id=f"{parent}/{name}" if parent else name,
        name=name,
        state=state,
        parent=parent,
        needs=tuple(needs),
        started=START + at if ran else None,
        finished=START + at + took if ran and state.finished else None,
        **{"attempts": 1, **more},
    )


def iteration(loop, index, state=RunState.SUCCEEDED):
    """A turn of a loop, as a group of its own."""
    return Task(
        id=f"{loop}/{index}", name=loop, state=state, parent=loop, group=True, iteration=index, started=START
    )


def roc_artifact():
    points = [
        {
            "confidenceThreshold": 1 - step / 30,
            "recall": math.sqrt(math.sqrt(step / 30)),
            "falsePositiveRate": step / 30,
        }
        for step in range(31)
    ]
    matrix = {
        "annotationSpecs": [{"displayName": name} for name in ("stays", "leaves", "unsure")],
        "rows": [{"row": [121, 9, 3]}, {"row": [14, 78, 2]}, {"row": [6, 4, 31]}],
    }
    metadata = {"confidenceMetrics": points, "confusionMatrix": matrix}
    return Artifact("classification", "system.ClassificationMetrics", "/runs/c/metrics", metadata)


def sweep(count=3, *, failed=-1):
    """A loop whose body is two tasks and a branch."""
    yield task("for-loop-1", needs=["split"], at=6, took=30, group=True)
    for index in range(count):
        bad = index == failed
        yield iteration("for-loop-1", index, RunState.FAILED if bad else RunState.SUCCEEDED)
        here = f"for-loop-1/{index}"
        yield task(
            "train", parent=here, at=7, inputs={"C": 10.0 ** (index - 1)}, outputs={"model": model(index)}
        )
        yield task("evaluate", parent=here, needs=["train"], at=9, metrics={"accuracy": 0.9 + index / 100})
        yield task("condition-2", RunState.SKIPPED, parent=here, needs=["evaluate"], group=True)
        yield task("deploy", RunState.SKIPPED, parent=f"{here}/condition-2")


def model(index=0):
    return Artifact(
        "model", "system.Model", f"/home/me/.kfnb/runs/churn-20261124-063722-x7k2/train-{index}/model"
    )


def succeeded():
    """A run with a loop, a branch, metrics, a curve, a page and Markdown."""
    data = Artifact("data", "system.Dataset", "/home/me/.kfnb/runs/churn/load/data.parquet")
    metrics = Artifact("metrics", "system.Metrics", "/runs/m", {"accuracy": 0.9432, "f1": 0.91, "rows": 268})
    page = Artifact("page", "system.HTML", "/runs/page.html")
    notes = Artifact("notes", "system.Markdown", "/runs/notes.md")
    tasks = (
        task("load", cached=True, took=0.1, outputs={"data": data, "rows": 300}, inputs={"rows": 300}),
        task("split", needs=["load"], at=2, took=0.8, outputs={"train_rows": 240}),
        task("describe", needs=["load"], at=2, took=1.7),
        *sweep(),
        task("report", needs=["for-loop-1", "load", "describe"], at=40, took=11.2, attempts=2,
             outputs={"metrics": metrics, "roc": roc_artifact(), "page": page, "notes": notes}),
    )  # fmt: skip
    return Run(
        id="churn-20261124-063722-x7k2",
        name="churn sweep",
        pipeline="churn",
        backend="local",
        state=RunState.SUCCEEDED,
        arguments={"C": 0.5, "rows": 300, "url": "https://example.org/churn.csv"},
        experiment="first tries",
        created=START - 1,
        started=START,
        finished=START + 52,
        tasks=tasks,
        result={"accuracy": 0.9432, "model": model()},
    )


CONTENTS = {
    "/runs/page.html": "<h1>Report</h1><p>Accuracy rose to <b>94 %</b>.</p><script>alert(1)</script>",
    "/runs/notes.md": "# Notes\n\n* 3 values of `C` tried",
}


def failed():
    """A run whose third task failed, so that three never ran."""
    error = TaskError("ValueError: Input X contains NaN.", TRACEBACK, "cell train [3], line 2")
    return Run(
        id="churn-20261124-070000-a1b2",
        name="churn",
        pipeline="churn",
        backend="local",
        state=RunState.FAILED,
        arguments={"C": 0.5},
        started=START,
        finished=START + 9,
        error="task train failed: ValueError: Input X contains NaN.",
        tasks=(
            task("load", cached=True, took=0.0),
            task("split", needs=["load"], at=1, took=0.6),
            task("train", RunState.FAILED, needs=["split"], at=3, took=4.1, attempts=3, error=error),
            task("evaluate", RunState.PENDING, needs=["train", "split"]),
            task("condition-1", RunState.PENDING, needs=["evaluate"], group=True),
            task("deploy", RunState.PENDING, parent="condition-1"),
            task("describe", needs=["load"], at=1, took=1.2),
        ),
    )


def running():
    """A run under way."""
    return Run(
        id="nightly-0042",
        name="nightly",
        pipeline="summarise",
        backend="kubeflow",
        state=RunState.RUNNING,
        started=START,
        tasks=(
            task("load", took=31.0),
            task("features", RunState.RUNNING, needs=["load"], at=63),
            task("check-the-spelling-of-everything", RunState.RUNNING, needs=["load"], at=71),
            task("train", RunState.PENDING, needs=["features"]),
            task("approve", RunState.PAUSED, needs=["train"]),
            task("old", RunState.CANCELED),
            task("older", RunState.CANCELING),
        ),
    )


def component():
    return ComponentView(
        name="train",
        cell="train [3]",
        image="python:3.11-slim",
        inputs=(
            Port("df", "Dataset", "load, cell [2]"),
            Port("C", "NUMBER_DOUBLE", "--param", "1.0"),
        ),
        outputs=(Port("model", "Model", "read by evaluate"),),
        travellers=(
            Traveller("pd", "import", "cell [1]", "read in line 1"),
            Traveller("clean", "source", "cell [2]", "called in line 2"),
            Traveller("cols", "constant", "cell [2]", "read in line 2"),
        ),
        packages=("pandas==2.3.1", "scikit-learn==1.7.0"),
        notes=("cols is inlined as it is now: a later change does not travel.",),
        source="def train(df, C: float = 1.0):\n    model = fit(df[cols], df.y, C)\n    return model\n",
    )


def graph():
    return Graph(
        name="churn_sweep",
        parameters=(Port("rows", "NUMBER_INTEGER", "load", "300"),),
        nodes=(
            Node("load", "load"),
            Node("loop", "for-loop-1", group=True, label="for C in [0.1, 1.0, 10.0]"),
            Node("loop/train", "train", parent="loop"),
            Node("loop/evaluate", "evaluate", parent="loop"),
            Node("loop/if", "condition-1", parent="loop", group=True, label="If accuracy > 0.9"),
            Node("loop/if/deploy", "deploy", parent="loop/if"),
            Node("report", "report"),
        ),
        edges=(
            Edge("load", "loop/train", "df"),
            Edge("load", "loop/train", "cols"),
            Edge("loop/train", "loop/evaluate", "model"),
            Edge("load", "loop/evaluate", "df"),
            Edge("loop/evaluate", "loop/if/deploy", "accuracy"),
            Edge("loop/train", "loop/if/deploy", "model"),
            Edge("loop", "report"),
        ),
        notes=("evaluate reads df of load, not of the cell run last.",),
    )
