"""Take the screenshots in docs/images/ anew, of a real JupyterLab with a real kernel: ``make screenshots``.

Two minutes. What JupyterLab keeps lies in a folder of its own; ``CHROMIUM`` in the environment names another browser.
"""  # noqa: INP001 (a script, in no package)

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent
for folder in ("browser", "cluster"):
    sys.path.insert(0, str(ROOT / "tests" / folder))

# they lie beside the tests that use them
from lab import DARK, LIGHT, Lab, Sheet, jupyterlab, launch  # noqa: E402
from replay_kubernetes import replaying, written_kubeconfig  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDTH, TALLEST, TALLEST_STUDY, TALLEST_MODEL, TALLEST_SERVICE = 1120, 900, 1040, 1200, 1640
TALLEST_MONITOR = 1760
MOST_BYTES = 200_000
MARGIN = 10

FAILING = (
    "%load_ext kfnb",
    "%%kf_component load --param rows:int=3\nprices = [1.5, 2.0, 4.0][:rows]",
    "%%kf_component mean --output average\naverage = sum(prices) / len(prices)",
    "%%kf_component report\nkf.log_metrics(average=average)",
    "%kf_pipeline prices_report load mean report",
    "%kf_submit prices_report --rows 0",
)
CLUSTER = ("%kf_status", "%kf_notebook")
CUSTOMERS = """import numpy as np, pandas as pd
draw = np.random.default_rng(1)
people = pd.DataFrame({"age": draw.integers(18, 90, 2000), "tenure": draw.integers(0, 120, 2000),
                       "plan": draw.choice(["basic", "plus", "family"], 2000)})
people["churn"] = (people.tenure + draw.normal(0, 25, 2000) < 30).astype(int)"""
CHANGED = """people["tenure"] = (people.tenure * 0.7).astype(int)
people = people.assign(region=draw.choice(["north", "south"], 2000)).iloc[:1900]
%kf_data add churn-data people"""
DIFF = "%kf_data diff churn-data@1 churn-data@2"
PREPARE = """%%kf_component prepare --data people=churn-data@1
from sklearn.model_selection import train_test_split
train, test = train_test_split(people, random_state=0)"""
LEARN = """%%kf_component learn --param trees:int=20 --param depth:int=3
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
columns = ["age", "tenure"]
forest = RandomForestClassifier(trees, max_depth=depth, random_state=0).fit(train[columns], train["churn"])
accuracy = forest.score(test[columns], test["churn"])
auc = roc_auc_score(test["churn"], forest.predict_proba(test[columns])[:, 1])
kf.save(forest, "churn", accuracy=accuracy, auc=auc, example=test[columns])"""
ALARM = "hour(12_500)"
LEADERBOARD, LINEAGE = "%kf_models --by accuracy", "%kf_lineage churn@champion"
MODEL = "%kf_models show churn@champion"
VIEWS = (("data-diff", DIFF), ("leaderboard", LEADERBOARD), ("model", MODEL), ("lineage", LINEAGE))
MODELS = (
    "%load_ext kfnb",
    CUSTOMERS,
    '%kf_data add churn-data people --description "customers of 2026"',
    CHANGED,
    DIFF,
    PREPARE,
    LEARN,
    "%kf_pipeline churn_model prepare learn",
    *(
        f"run = %kf_submit churn_model --trees {trees} --depth {depth}\nrun.wait()"
        for trees, depth in ((5, 1), (20, 3), (40, 12))
    ),
    '%kf_models promote churn@1 --because "the first"',
    '%kf_models promote churn@2 --because "better on the test set"',
    "%kf_models promote churn@3 --alias candidate",
    LEADERBOARD,
    MODEL,
    LINEAGE,
    "# the last cell is the selected one",
)
VERSIONS = f"""{CUSTOMERS}
from sklearn.ensemble import RandomForestClassifier
import kfnb
columns, version = people[["age", "tenure"]], 0
for depth in (2, 8):
    forest = RandomForestClassifier(10, max_depth=depth, random_state=0).fit(columns, people.churn)
    version = kfnb.register(forest, "churn", example=columns)"""
SERVE = """%kf_serve churn@1 --shadow churn@2 -o service
service.wait();"""
REQUESTS = """import threading, time
def ask(turn=0):
    while True:
        rows = columns.sample(3, random_state=turn)
        try:
            service.predict(rows.assign(age="old") if turn % 47 == 0 else rows)
        except kfnb.KfnbError:
            pass
        turn += 1
        time.sleep(0.03 + 0.02 * np.sin(turn / 80))
threading.Thread(target=ask, daemon=True).start()
time.sleep(15)
service.canary("churn@2", 10, because="better on the test set").wait();"""
MOMENTS = 60_000
"""Milliseconds of requests that the picture of a service has."""
SWEEP = "%kf_submit diagnosis_sweep"
TUNE = """%%kf_tune network --trials 60 --parallel 2 --objective loss --minimize --early-stopping median --seed 2 \\
    --space "lr=log(1e-4,1e-1) layers=int(1,6) act=choice(relu,tanh,gelu) dropout=float(0,0.5,step=0.1)"
import math, random, time
if lr > 0.06:
    raise FloatingPointError(f"the loss is no number with lr {lr:.3f}")
end = 0.08 + 0.2 * (math.log10(lr) + 2.6) ** 2 + 0.02 * abs(layers - 3) + 0.1 * dropout + 0.03 * (act == "tanh")
for epoch in range(12):
    time.sleep(0.04)
    loss = end + math.exp(-epoch / 3) + random.random() / 40
    kf.report(loss, step=epoch)"""


FIT = """%%kf_train fit --procs 4 --framework none --param epochs:int=3
import time
mine = kf.shard(people)
inputs = np.column_stack([np.ones(len(mine)), mine.age / 100, mine.tenure / 100])
weights = np.zeros(3)
for epoch in range(epochs):
    odds = 1 / (1 + np.exp(-inputs @ weights))
    weights -= 2 * inputs.T @ (odds - mine.churn) / len(mine)
    right = np.where(mine.churn == 1, odds, 1 - odds)
    kf.log_metrics(step=epoch, loss=float(-np.log(right).mean()), accuracy=float((right > 0.5).mean()))
    kf.progress((epoch + 1) / epochs)
    time.sleep(0.05)"""
TRAINING = 'kfnb.train("fit", {"epochs": 400})'


def main() -> None:
    """Take all of them."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, jupyterlab(Path(place)) as lab, sync_playwright() as driver:
        shutil.copy(ROOT / "examples" / "quickstart.ipynb", lab.notebooks)
        lab.write("failing.ipynb", FAILING)
        browser = launch(driver)
        page = browser.new_page(viewport={"width": WIDTH, "height": TALLEST})
        light(page, lab)
        failing(page, lab)
        tuning(page, lab)
        dark(page, lab)
        models(page, lab)
        serving(page, lab)
        monitoring(page, lab)
        training(page, lab)
        cluster(page, lab)
        browser.close()


def light(page: Page, lab: Lab) -> None:
    """A running run and a finished one; a task of it, its time, its log; a component; runs, and two compared."""
    lab.theme(LIGHT)
    sheet = lab.open(page, "quickstart.ipynb")
    sheet.run_all()
    sweep = live(sheet, SWEEP)
    expect(node(sweep, "train")).to_have_attribute("data-state", "RUNNING", timeout=120_000)
    fit(sweep)
    take(page, sheet.cell(SWEEP), "run-live", settle=50)
    expect(state(sweep, "Succeeded")).to_be_visible(timeout=120_000)
    sheet.finished()
    fit(sweep)
    take(page, sheet.cell(SWEEP), "run-light")
    sweep.get_by_role("tab", name="Timeline").click()
    take(page, sheet.cell(SWEEP), "run-timeline")
    one = live(sheet, "%kf_submit diagnosis --C 1.0")
    node(one, "evaluate").click()
    expect(one.get_by_role("img", name=re.compile("ROC curve"))).to_be_visible()
    take(page, sheet.cell("%kf_submit diagnosis --C 1.0"), "run-task")
    one.get_by_role("tab", name="Log").click()
    take(page, sheet.cell("%kf_compare"), "compare")
    take(page, sheet.cell("%kf_show evaluate"), "component")
    sheet.save()


def failing(page: Page, lab: Lab) -> None:
    """A run that failed: what went wrong stands first."""
    sheet = lab.open(page, "failing.ipynb")
    sheet.run_all()
    run = live(sheet, "%kf_submit prices_report")
    expect(state(run, "Failed")).to_be_visible(timeout=120_000)
    node(run, "mean").click()
    expect(run.get_by_role("complementary").get_by_text("Traceback")).to_be_visible()
    take(page, sheet.cell("%kf_submit prices_report"), "run-failed")


def tuning(page: Page, lab: Lab) -> None:
    """A running study; trials chosen by a range of an axis; in the dark, a trial of it."""
    page.set_viewport_size({"width": WIDTH, "height": TALLEST_STUDY})
    lab.write("tuning.ipynb", ["%load_ext kfnb", TUNE])
    sheet = lab.open(page, "tuning.ipynb")
    sheet.run_all()
    study = sheet.cell("%%kf_tune").get_by_role("region", name="Study network, live")
    expect(study.locator(".progress")).to_contain_text(re.compile("[34][0-9] of 60"), timeout=120_000)
    take(page, study, "study-live", TALLEST_STUDY)
    expect(state(study, "Succeeded")).to_be_visible(timeout=120_000)
    expect(study.get_by_role("table", name="Parameter importance")).to_be_visible(timeout=60_000)
    for _ in range(14):
        study.get_by_role("slider", name=re.compile("by loss")).press("ArrowDown")
    take(page, study, "study-chosen", TALLEST_STUDY)
    sheet.save()
    lab.theme(DARK)
    page.reload()
    sheet.wait_until_ready()
    study.get_by_role("tab", name="Curves").click()
    study.get_by_role("button", name=re.compile("^Best trial")).click()
    expect(study.get_by_role("complementary").get_by_role("img")).to_be_visible()
    take(page, study, "study-dark", TALLEST_STUDY)
    page.set_viewport_size({"width": WIDTH, "height": TALLEST})


def dark(page: Page, lab: Lab) -> None:
    """A loop's iterations in the dark theme."""
    lab.theme(DARK)
    sheet = lab.open(page, "quickstart.ipynb")
    sweep = live(sheet, SWEEP)
    fit(sweep)
    node(sweep, "evaluate").click()
    take(page, sheet.cell(SWEEP), "run-dark")


def models(page: Page, lab: Lab) -> None:
    """Two versions of data, the leaderboard, a model and its lineage: in the light, in the dark."""
    page.set_viewport_size({"width": WIDTH, "height": TALLEST_MODEL})
    lab.theme(LIGHT)
    lab.write("models.ipynb", MODELS)
    sheet = lab.open(page, "models.ipynb")
    sheet.run_all()
    sheet.finished()
    for name, source in VIEWS:
        take(page, sheet.cell(source), name, TALLEST_MODEL)
    sheet.save()
    lab.theme(DARK)
    page.reload()
    sheet.wait_until_ready()
    for name, source in VIEWS:
        take(page, sheet.cell(source), f"{name}-dark", TALLEST_MODEL)


def serving(page: Page, lab: Lab) -> None:
    """A service whose canary has some of the requests: in the light, in the dark."""
    page.set_viewport_size({"width": WIDTH, "height": TALLEST_SERVICE})
    lab.theme(LIGHT)
    lab.write("serving.ipynb", ["%load_ext kfnb", VERSIONS, SERVE, REQUESTS, "service"])
    sheet = lab.open(page, "serving.ipynb")
    sheet.run_all()
    sheet.finished()
    cell = page.locator(".jp-CodeCell").last
    service = cell.get_by_role("region", name="Service churn, live")
    expect(service.get_by_text("Not enough yet")).to_be_visible(timeout=60_000)
    page.wait_for_timeout(MOMENTS)
    take(page, cell, "service", TALLEST_SERVICE)
    sheet.save()
    lab.theme(DARK)
    page.reload()
    sheet.wait_until_ready()
    expect(service.get_by_role("button", name="Promote")).to_be_visible(timeout=60_000)
    take(page, cell, "service-dark", TALLEST_SERVICE)


def monitoring(page: Page, lab: Lab) -> None:
    """A monitor in an alarm, with the distributions of its columns: in the light, in the dark."""
    page.set_viewport_size({"width": WIDTH, "height": TALLEST_MONITOR})
    lab.theme(LIGHT)
    example = json.loads((ROOT / "examples" / "monitoring.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in example["cells"] if cell["cell_type"] == "code"]
    alarm = next(at for at, cell in enumerate(cells) if ALARM in cell)
    lab.write("monitoring.ipynb", cells[: alarm + 1])
    sheet = lab.open(page, "monitoring.ipynb")
    sheet.run_all()
    sheet.finished()
    cell = sheet.cell(ALARM)
    monitor = cell.locator("[data-kfnb-live]")
    expect(monitor.get_by_text("score: drift weighted by importance")).to_be_visible(timeout=60_000)
    monitor.get_by_text("Distributions").click()
    take(page, cell, "monitor", TALLEST_MONITOR)
    sheet.save()
    lab.theme(DARK)
    page.reload()
    sheet.wait_until_ready()
    monitor.get_by_text("Distributions").click()
    take(page, cell, "monitor-dark", TALLEST_MONITOR)


def training(page: Page, lab: Lab) -> None:
    """A training that runs: its ranks; in the dark, the logs of its ranks side by side."""
    page.set_viewport_size({"width": WIDTH, "height": TALLEST})
    lab.theme(LIGHT)
    lab.write(
        "training.ipynb",
        ["%load_ext kfnb\nimport kfnb", f"%%kf_component customers\n{CUSTOMERS}", FIT, TRAINING],
    )
    sheet = lab.open(page, "training.ipynb")
    sheet.run_all()
    run = live(sheet, TRAINING)
    expect(run.get_by_text(re.compile("[3-9][0-9]% done"))).to_be_visible(timeout=120_000)
    take(page, sheet.cell(TRAINING), "training", settle=50)
    sheet.finished()
    expect(state(run, "Succeeded")).to_be_visible(timeout=120_000)
    sheet.save()
    lab.theme(DARK)
    page.reload()
    sheet.wait_until_ready()
    take(page, sheet.cell(TRAINING), "training-dark")
    run.get_by_role("tab", name="Log").click()
    run.get_by_label("Ranks").select_option(label="ranks 0 to 3, side by side")
    take(page, sheet.cell(TRAINING), "training-logs")


def cluster(page: Page, lab: Lab) -> None:
    """Where one is, in the recorded cluster: in the light and in the dark; its notebooks."""
    page.set_viewport_size({"width": WIDTH, "height": TALLEST_STUDY})
    with replaying() as server:
        reached = f"%env KUBECONFIG={written_kubeconfig(lab.folder, server.url, 'editor')}"
        lab.write("cluster.ipynb", ["%load_ext kfnb", reached, "%kf_config context=editor", *CLUSTER])
        lab.theme(LIGHT)
        sheet = lab.open(page, "cluster.ipynb")
        sheet.run_all()
        sheet.finished()
        for source in CLUSTER:
            take(page, sheet.cell(source), source.removeprefix("%kf_"), TALLEST_STUDY)
        sheet.save()
        lab.theme(DARK)
        page.reload()
        sheet.wait_until_ready()
        take(page, sheet.cell(CLUSTER[0]), "status-dark", TALLEST_STUDY)


def live(sheet: Sheet, source: str) -> Locator:
    """The live picture below a cell."""
    picture: Locator = sheet.cell(source).get_by_role("region", name=re.compile("^Run of"))
    return picture


def node(picture: Locator, name: str) -> Locator:
    """A task in the graph."""
    return picture.get_by_role("treeitem", name=re.compile(rf"^{name}\b"))


def fit(picture: Locator) -> None:
    """Show all of the graph, however small."""
    picture.get_by_role("button", name="Fit", exact=True).click()


def state(picture: Locator, word: str) -> Locator:
    """The run's state."""
    return picture.locator("header").get_by_text(word, exact=True)


def take(page: Page, shown: Locator, name: str, tallest: float = TALLEST, settle: float = 1000) -> None:
    """A picture of a cell, from its code on, as much of it as a screen holds that is ``tallest`` pixels high.

    ``settle`` milliseconds pass before it is taken.
    """
    shown.evaluate("element => element.scrollIntoView()")
    page.wait_for_timeout(settle)
    shown.evaluate("element => element.scrollIntoView()")  # what is above may have grown
    box = shown.bounding_box()
    if box is None:
        raise SystemExit(f"{name}: the cell is not to be seen")
    top = max(0.0, box["y"] - MARGIN / 2)
    height = min(box["height"] + MARGIN, tallest - 30 - top)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, clip={"x": box["x"], "y": top, "width": box["width"], "height": height})
    size = path.stat().st_size
    sys.stdout.write(f"{path.relative_to(ROOT)}: {size:,} bytes\n")
    if size > MOST_BYTES:
        raise SystemExit(f"{path} is larger than {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
