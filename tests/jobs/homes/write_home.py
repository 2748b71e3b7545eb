"""Writes a home with the kfnb that is imported, as a fixture for all that come after it.

``PYTHONPATH=TREE python tests/jobs/homes/write_home.py FILE``, with the release's own tree. A home that is in the
repository is never written again: that is what it is for.

What is in it: three runs (one that succeeded, with a loop, metrics and an artifact; one that failed; one whose
supervisor was killed and that has not been looked at since), a study whose trials are runs of a pipeline and one whose
trials are a cell, each with a trial that failed, and the cache of the first run. Times in the cache are whole seconds,
which an archive keeps; ``kfnb.json`` says which Python wrote it all, and where it was.
"""

# ruff: noqa: PTH123, T201

import json
import os
import signal
import sys
import tarfile
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from kfp import dsl

IMAGE = f"python:3.{sys.version_info[1]}-slim"


TRIAL = """%%kf_tune valley --trials 4 --minimize --objective loss --space x=float(0,1) --seed 1
for step in range(3):
    kf.report(abs(x - 0.5) + 1 / (step + 1), step=step)
print("at", x)
if x > 0.85:
    raise ValueError("too far out")
loss = abs(x - 0.5)
"""


@dsl.component(base_image=IMAGE)
def load(rows: int, table: dsl.Output[dsl.Dataset]):
    with open(table.path, "w") as file:
        file.write("x,y\n" + "".join(f"{row},{row * row}\n" for row in range(rows)))
    table.metadata["rows"] = rows
    print("loaded", rows, "rows")


@dsl.component(base_image=IMAGE)
def train(table: dsl.Input[dsl.Dataset], rate: float, scores: dsl.Output[dsl.Metrics]) -> float:
    with open(table.path) as file:
        lines = file.read().splitlines()
    score = round(len(lines) * rate, 3)
    scores.log_metric("score", score)
    print("trained at", rate)
    return score


@dsl.component(base_image=IMAGE)
def best(scores: list) -> float:
    return max(scores)


@dsl.component(base_image=IMAGE)
def bowl(x: float) -> float:
    if x > 0.9:
        raise ValueError("too far out")
    print("at", x)
    return (x - 0.25) ** 2


@dsl.component(base_image=IMAGE)
def nap(seconds: float):
    import time

    time.sleep(seconds)


@dsl.pipeline(name="sweep")
def sweep(rows: int = 5) -> float:
    table = load(rows=rows).outputs["table"]
    with dsl.ParallelFor([0.1, 0.5]) as rate:
        each = train(table=table, rate=rate)
    return best(scores=dsl.Collected(each.outputs["Output"])).output


@dsl.pipeline(name="broken")
def broken(x: float = 1.0):
    nap(seconds=0.0).after(bowl(x=x))


@dsl.pipeline(name="long")
def long(seconds: float = 60.0):
    nap(seconds=seconds)


@dsl.pipeline(name="bowl")
def bowl_alone(x: float = 0.0) -> float:
    return bowl(x=x).output


def main(target: Path) -> None:
    """Write it."""
    import kfnb
    from kfnb.errors import KfnbError

    with TemporaryDirectory(prefix="kfnb-home-") as folder:
        home = Path(folder) / "home"
        os.environ.update(KFNB_HOME=str(home), KFNB_WARM="0")
        os.chdir(folder)
        kfnb.submit(sweep, {"rows": 5}, name="sweep of rates", experiment="fixtures").wait(60)
        failed = kfnb.submit(broken, name="a broken one")
        try:
            failed.wait(60)
        except KfnbError as error:
            print(error)
        study = kfnb.tune(
            bowl_alone,
            "x=float(0,1,step=0.25)",
            objective="bowl.Output",
            maximize=False,
            algorithm="grid",
            name="bowl",
        ).wait(120)
        print(study, [(trial.number, str(trial.state), trial.value) for trial in study.trials])
        cell()
        killed = kfnb.submit(long, name="killed")
        while not any(task.state == "RUNNING" for task in killed.snapshot().tasks):
            time.sleep(0.05)
        pid = int((home / "runs" / killed.id / "supervisor.pid").read_text(encoding="ascii"))
        os.kill(pid, signal.SIGKILL)
        time.sleep(1)  # its step dies with it
        for entry in (home / "cache").glob("*/files.json"):
            whole_seconds(entry)
        about = {
            "kfnb": kfnb.__version__,
            "python": list(sys.version_info[:2]),
            "home": str(home),
            "runs": {"sweep": _named(home, "sweep of rates"), "broken": failed.id, "killed": killed.id},
            "studies": ["bowl", "valley"],
        }
        (home / "kfnb.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
        with tarfile.open(target, "w:xz", format=tarfile.PAX_FORMAT) as archive:
            archive.add(home, arcname="home", filter=_nobodys)
        os.chdir("/")


def cell() -> None:
    """A study whose trials are a cell, in a notebook."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    for source in ("%load_ext kfnb", TRIAL):
        shell.run_cell(source).raise_error()


def _named(home: Path, name: str) -> str:
    files = (home / "runs").glob("*/run.json")
    return next(file.parent.name for file in files if json.loads(file.read_text())["name"] == name)


def whole_seconds(stamps: Path) -> None:
    """Give the files of a cache's entry times that an archive keeps."""
    kept = json.loads(stamps.read_text(encoding="utf-8"))
    for name, (_, changed) in kept.items():
        kept[name][1] = changed // 10**9 * 10**9
        os.utime(stamps.parent / name, ns=(kept[name][1], kept[name][1]))
    stamps.write_text(json.dumps(kept), encoding="utf-8")


def _nobodys(item: tarfile.TarInfo) -> tarfile.TarInfo:
    item.uid = item.gid = 0
    item.uname = item.gname = ""
    return item


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
