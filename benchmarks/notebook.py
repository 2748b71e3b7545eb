"""The notebook that is measured: nine steps of tabular machine learning, as plain cells and as components."""

from __future__ import annotations

IMPORTS = """
import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
"""

STEPS = {
    "load": """
points, answers = make_classification(20_000, 30, n_informative=10, random_state=0)
df = pd.DataFrame(points, columns=[f"f{i}" for i in range(30)])
df["y"] = answers
""",
    "clean": """
df = df[df["f0"].abs() < 8].reset_index(drop=True)
features = [column for column in df.columns if column != "y"]
""",
    "split": """
train_rows, test_rows = train_test_split(df, test_size=0.3, random_state=0)
""",
    "scale": """
scaler = StandardScaler().fit(train_rows[features])
train_x = scaler.transform(train_rows[features])
test_x = scaler.transform(test_rows[features])
""",
    "linear": """
linear_model = LogisticRegression(max_iter=500).fit(train_x, train_rows["y"])
""",
    "forest": """
forest_model = RandomForestClassifier(60, random_state=0).fit(train_x, train_rows["y"])
""",
    "boost": """
boost_model = HistGradientBoostingClassifier(random_state=0).fit(train_x, train_rows["y"])
""",
    "evaluate": """
models = {"linear": linear_model, "forest": forest_model, "boost": boost_model}
scores = {
    name: float(roc_auc_score(test_rows["y"], model.predict_proba(test_x)[:, 1])) for name, model in models.items()
}
""",
    "report": """
best = max(scores, key=scores.get)
summary = f"{best}: {scores[best]:.3f}"
""",
}


def plain() -> str:
    """The notebook as one program."""
    return IMPORTS + "".join(STEPS.values())


def cells() -> list[str]:
    """The notebook as a user of kfnb writes it; the last cell defines the pipeline."""
    components = [f"%%kf_component {name}{code.rstrip()}" for name, code in STEPS.items()]
    components[-1] = components[-1].replace("report", "report --output summary", 1)
    return [IMPORTS, *components, f"%kf_pipeline nine {' '.join(STEPS)}"]


def kale_cells() -> list[tuple[str, list[str]]]:
    """The notebook as a user of Kale tags it: (source, tags) of each cell."""
    found = [(IMPORTS, ["imports"])]
    before = ""
    for name, code in STEPS.items():
        found.append((code, [f"step:{name}", *([f"prev:{before}"] if before else [])]))
        before = name
    return found
