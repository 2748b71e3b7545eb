"""Homes that releases of kfnb have written, unpacked: see ``homes/write_home.py``."""

import contextlib
import json
import sqlite3
import tarfile
from dataclasses import dataclass
from pathlib import Path

HOMES = sorted((Path(__file__).parent / "homes").glob("*.tar.xz"))


@dataclass(frozen=True)
class OldHome:
    """A home, and what its writer says is in it: ``runs`` by what they are for."""

    path: Path
    runs: dict[str, str]
    python: tuple[int, int]


def unpacked(archive: Path, into: Path) -> OldHome:
    """The home in an archive, as if it had always been there: what it says of its own place is this one."""
    with tarfile.open(archive) as file:
        file.extractall(into, filter="tar")
    home = into / "home"
    about = json.loads((home / "kfnb.json").read_text())
    (home / "kfnb.json").unlink()
    for file in (*home.glob("*/*/*.json"), *home.glob("*/*/journal.log")):
        if file.name not in ("files.json", "outputs.json"):
            file.write_text(file.read_text().replace(about["home"], str(home)))
    for file in home.glob("*/*/events.db"):
        with contextlib.closing(sqlite3.connect(file)) as events, events:
            events.execute("update events set data = replace(data, ?, ?)", (about["home"], str(home)))
    return OldHome(home, about["runs"], tuple(about["python"]))
