"""A registry with many versions, written without their model folders."""

from __future__ import annotations

import json
import random
from pathlib import Path

from kfnb.catalog.database import Database
from kfnb.resources.models.local.records import record_of
from kfnb.resources.models.local.schema import FILE, SCHEMA
from kfnb.resources.models.model import VersionSnapshot


def fill(folder: Path, *, versions: int, users: int) -> None:
    """Add ``versions`` of 100 models of ``users``, measured on three versions of the data."""
    chance = random.Random(0)
    record = record_of(
        VersionSnapshot("x", 0, "", "skops", parameters={"C": 1.0}, packages={"skops": "0.16.0"})
    )
    with Database(folder / FILE, SCHEMA).writing() as connection:
        for model in range(100):
            connection.execute(
                "insert into models (id, name, owner, created) values (?, ?, 'ann', 1.0)",
                (model + 1, f"model-{model}"),
            )
        for number in range(versions):
            metrics = {"accuracy": chance.random(), "loss": chance.random(), "f1": chance.random()}
            data = f"churn-data@{number % 3 + 1}"
            connection.execute(
                "insert into versions values"
                " (?, ?, ?, 'skops', 1000, 'LIVE', ?, ?, ?, '{}', ?, ?, '', '', ?, '{}', '{}')",
                (
                    number % 100 + 1,
                    number // 100 + 1,
                    f"{number:064x}",
                    json.dumps(metrics),
                    data,
                    json.dumps([data]),
                    f"user-{number % users}",
                    1796000000.0 + number,
                    record,
                ),
            )
        connection.execute("insert into aliases select id, 'champion', 1 from models")
