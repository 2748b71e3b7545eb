"""Kettles on this machine: a process of its own heats each, so that it outlives the kernel. Its file is its state."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from kfnb.errors import BackendError
from tests.registry.kettles.model import Kettle

_HEATER = """
import json, os, sys, time
file, goal = sys.argv[1], float(sys.argv[2])
degrees = 20.0
while degrees < goal:
    degrees = min(goal, degrees + 20)
    with open(file + ".new", "w") as out:
        json.dump({"degrees": degrees, "goal": goal}, out)
    os.replace(file + ".new", file)
    time.sleep(0.05)
"""
_START = (
    "import subprocess, sys; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]], start_new_session=True)"
)


class LocalEngine:
    """Kettles in the home."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "kettles"

    def put_on(self, name: str, goal: float) -> None:
        """Start the process that heats it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{name}.json"
        file.write_text(json.dumps({"degrees": 20.0, "goal": goal}))
        subprocess.run([sys.executable, "-c", _START, _HEATER, str(file), str(goal)], check=True)

    def get(self, name: str) -> Kettle:
        """Read its file."""
        try:
            told = json.loads((self._folder / f"{name}.json").read_text())
        except FileNotFoundError:
            raise BackendError(f"unknown kettle {name}") from None
        return Kettle(name, **told)

    def list(self) -> list[Kettle]:
        """Read all files."""
        if not self._folder.is_dir():
            return []
        return [self.get(file.stem) for file in sorted(self._folder.glob("*.json"))]

    def take_off(self, name: str) -> None:
        """Remove its file."""
        self.get(name)
        (self._folder / f"{name}.json").unlink()
