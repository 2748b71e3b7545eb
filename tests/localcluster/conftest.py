"""What tests of a cluster of one's own share: tools that stand in for the real ones, and a checkout of manifests."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cluster"))

from replay_kubernetes import Replay, replaying

from kfnb import settings
from kfnb.cli import main
from kfnb.resources.localcluster import apply, manifests, readiness

STAND_IN = Path(__file__).with_name("stand_in.py")
TOOLS = ("kind", "minikube", "docker", "kustomize", "kubectl")
DEPLOYMENT = (
    "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
)


class StandIns:
    """The tools on the path, and what they were asked to do."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "bin"
        self.bin.mkdir(parents=True)
        text = f"#!{sys.executable} -IS\n{STAND_IN.read_text(encoding='utf-8')}"
        for tool in TOOLS:
            (self.bin / tool).write_text(text, encoding="utf-8")
            (self.bin / tool).chmod(0o755)

    def calls(self, *tool: str) -> list[list[str]]:
        """The calls so far, of one tool or all; those that only look are left out."""
        file = self.folder / "calls.jsonl"
        said = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        looks = {"version", "info", "get", "status"}
        return [call for call in said if (not tool or call[0] in tool) and not looks & {call[1], *call[3:4]}]

    def clusters(self) -> dict[str, Any]:
        """The clusters there are."""
        file = self.folder / "clusters.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def tell(self, **told: Any) -> None:
        """What is to go wrong."""
        (self.folder / "told.json").write_text(json.dumps(told))

    def without(self, *tools: str) -> None:
        """Some tools are not installed."""
        for tool in tools:
            (self.bin / tool).unlink()


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    """The tools, alone on the path."""
    made = StandIns(tmp_path / "tools")
    monkeypatch.setenv("PATH", str(made.bin))
    monkeypatch.setenv("KFNB_STAND_INS", str(made.folder))
    monkeypatch.setattr(apply, "_PAUSES", (0.01,))
    monkeypatch.setattr(apply, "_LONGEST", 0.01)
    monkeypatch.setattr(readiness, "_EVERY", 0.01)
    return made


@pytest.fixture
def replay() -> Iterator[Replay]:
    """A server that replays the recordings of a cluster, 200 times as fast."""
    with replaying(speed=200.0) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where kfnb keeps what it knows."""
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    settings.reset(start=tmp_path)
    return tmp_path / "home"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of the newest manifests."""
    return _checkout(tmp_path / "manifests")


@pytest.fixture
def old_checkout(tmp_path: Path) -> Path:
    """A checkout of the manifests of 1.9.1."""
    return _checkout(tmp_path / "old", "1.9.1")


def _checkout(folder: Path, release: str = "") -> Path:
    """Each part that runs has a deployment of its name."""
    for part in manifests.release(release).parts:
        for number, name in enumerate(part.folders):
            (folder / name).mkdir(parents=True)
            if part.runs and not number:
                text = DEPLOYMENT.format(name=part.name, namespace="kubeflow")
                (folder / name / "built.yaml").write_text(text)
    return folder


@pytest.fixture
def kfnb(
    tools: StandIns, home: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs ``kfnb cluster`` and returns its exit code, and what it wrote."""

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["cluster", *map(str, words)])
        return (code, *capsys.readouterr())

    return run
