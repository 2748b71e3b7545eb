"""Runs and other things to draw, as the engines make them."""

from __future__ import annotations

import dataclasses
import math

from kfnb.entities import (
    Artifact,
    CarriedItem,
    ComponentView,
    Graph,
    GraphEdge,
    GraphNode,
    Port,
    Preview,
    RunSnapshot,
    RunState,
    Task,
    TaskError,
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


def roc_artifact(power=0.25):
    points = [
        {
            "confidenceThreshold": 1 - step / 30,
            "recall": (step / 30) ** power,
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
    return RunSnapshot(
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


def full_task():
    """A task that took and made something of each kind."""
    folder = "/home/me/.kfnb/runs/churn-20261124-063722-x7k2"
    data = Artifact(
        "data", "system.Dataset", f"{folder}/load/data", {"format": "parquet", "shape": "569 x 31"}
    )
    metrics = Artifact("metrics", "system.Metrics", "/runs/m", {"accuracy": 0.9432, "rows": 268})
    return task(
        "train",
        at=3,
        took=4.1,
        attempts=2,
        inputs={"C": 0.5, "query": "select *\nfrom customers", "params": {"depth": [1, 2]}, "data": data},
        outputs={
            "accuracy": 0.9432,
            "model": Artifact("model", "system.Model", f"{folder}/train/model", {"format": "skops"}),
            "kf_html": Artifact("page", "system.HTML", "/runs/page.html"),
            "kf_markdown": Artifact("notes", "system.Markdown", "/runs/notes.md"),
            "kf_classification": roc_artifact(),
            "kf_metrics": metrics,
            "scores": Artifact("scores", "system.Dataset", f"{folder}/train/scores"),
        },
    )


PREVIEW = Preview(
    size=48_213,
    facts=(("class", "pandas DataFrame"), ("shape", "569 x 31"), ("format", "parquet")),
    columns=("radius", "name"),
    rows=(("17.99", "Ada"), ("20.5", "Grace")),
    hidden=29,
    files=(("weights/0.bin", 48_213),),
    more=True,
    text="the beginning",
    note="and why there is no more",
)


CONTENTS = {
    "/runs/page.html": "<h1>Report</h1><p>Accuracy rose to <b>94 %</b>.</p><script>alert(1)</script>",
    "/runs/notes.md": "# Notes\n\n* 3 values of `C` tried",
}


def failed():
    """A run whose third task failed, so that three never ran."""
    error = TaskError("ValueError: Input X contains NaN.", TRACEBACK, "cell train [3], line 2")
    return RunSnapshot(
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
    return RunSnapshot(
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
            CarriedItem("pd", "import", "cell [1]", "read in line 1"),
            CarriedItem("clean", "source", "cell [2]", "called in line 2"),
            CarriedItem("cols", "constant", "cell [2]", "read in line 2"),
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
            GraphNode("load", "load"),
            GraphNode("loop", "for-loop-1", group=True, label="for C in [0.1, 1.0, 10.0]"),
            GraphNode("loop/train", "train", parent="loop"),
            GraphNode("loop/evaluate", "evaluate", parent="loop"),
            GraphNode("loop/if", "condition-1", parent="loop", group=True, label="If accuracy > 0.9"),
            GraphNode("loop/if/deploy", "deploy", parent="loop/if"),
            GraphNode("report", "report"),
        ),
        edges=(
            GraphEdge("load", "loop/train", "df"),
            GraphEdge("load", "loop/train", "cols"),
            GraphEdge("loop/train", "loop/evaluate", "model"),
            GraphEdge("load", "loop/evaluate", "df"),
            GraphEdge("loop/evaluate", "loop/if/deploy", "accuracy"),
            GraphEdge("loop/train", "loop/if/deploy", "model"),
            GraphEdge("loop", "report"),
        ),
        notes=("evaluate reads df of load, not of the cell run last.",),
    )


def curve(steps, rate, *, start=1.0):
    """A loss that falls, step by step, as ``kf.log_metrics(step=...)`` keeps it."""
    return [[step, start * math.exp(-rate * step) + 0.02 * math.sin(step)] for step in range(steps)]


def trained(run_id, c, accuracy, *, rate=0.05, pandas="2.3.1", **fields):
    """One of several runs of one pipeline: trained step by step, with a sweep, and evaluated."""
    losses = {"loss": curve(80, rate), "lr": [[step, c / (1 + step)] for step in range(80)]}
    logged = Artifact("kf_metrics", "system.Metrics", f"/{run_id}/m", {"loss": 0.1, "kfnb_curves": losses})
    turns = [0.2 + accuracy / 10 + index / 50 for index in range(3)]
    tasks = (
        task("load", cached=True, took=0.1),
        task(
            "train",
            at=1,
            took=10 * c + 4,
            metrics={"loss": losses["loss"][-1][1]},
            outputs={"kf_metrics": logged},
        ),
        task("loop", at=1, group=True),
        *(iteration("loop", index) for index in range(3)),
        *(
            task("sweep", parent=f"loop/{index}", at=2, took=1.5 + index, metrics={"score": score})
            for index, score in enumerate(turns)
        ),
        task(
            "evaluate",
            at=20,
            took=2 + c,
            metrics={"accuracy": accuracy, "rows": 268},
            outputs={"roc": roc_artifact(0.15 + c / 10)},
        ),
    )
    known = {
        "name": f"churn-{run_id}",
        "pipeline": "churn",
        "backend": "local",
        "state": RunState.SUCCEEDED,
        "arguments": {"C": c, "rows": 300, "url": "https://example.org/churn.csv"},
        "experiment": "first tries",
        "started": START,
        "finished": START + 30 + 10 * c,
        "tasks": tasks,
        "environment": {
            "python": "3.11.9",
            "platform": "Linux x86_64",
            "kfp": "2.14.3",
            "train: image": "python:3.11-slim",
            "train: packages": f"pandas=={pandas}, scikit-learn==1.7.0",
        },
    }
    return RunSnapshot(run_id, **{**known, **fields})


def runs_to_compare():
    """Three runs of one pipeline; the last one failed."""
    error = TaskError("ValueError: Input X contains NaN.", TRACEBACK, "cell train [3], line 2")
    broken = trained("261124-070512-031c", 10.0, 0.5, state=RunState.FAILED, error="train failed: ValueError")
    failed_tasks = (
        broken.tasks[0],
        task("train", RunState.FAILED, at=1, took=7, error=error),
        task("evaluate", RunState.PENDING),
    )
    return (
        trained("261124-063722-123x", 0.5, 0.9432),
        trained("261124-064001-770k", 1.0, 0.9518, rate=0.08, pandas="2.2.0", name="more regular"),
        dataclasses.replace(broken, tasks=failed_tasks),
    )
