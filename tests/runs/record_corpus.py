"""Records how a real Kubeflow Pipelines ends the corpus: ``python tests/runs/record_corpus.py [NAME ...]``.

Where the cluster is, kfnb's settings say (``KUBECONFIG`` and ``KFNB_CONTEXT``, or ``KFNB_HOST`` and ``KFNB_METADATA``);
``KFNB_CORPUS_IMAGE`` is an image that has kfp in it. Without names, all pipelines are run, a few at a time. What
``corpus.canonical`` says of each goes to ``recordings/corpus.json.gz``, which ``test_corpus.py`` compares with the
local engine. What was recorded of pipelines that are not named stays.
"""

import contextlib
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from corpus import CORPUS, canonical, write_a_text

import kfnb
from kfnb.entities import Artifact
from kfnb.resources.runs.handle import Run

RECORDING = Path(__file__).parent / "recordings" / "corpus.json.gz"
AT_ONCE = 3


@cache
def recorded() -> dict[str, Any]:
    """How each pipeline of the corpus ended on a cluster, by name; a file among the arguments is called as that."""
    told: dict[str, Any] = json.loads(gzip.decompress(RECORDING.read_bytes())) if RECORDING.exists() else {}
    return told


def content(artifact: Artifact) -> bytes:
    """The bytes of an artifact in the object store; none of one that nobody wrote."""
    with contextlib.suppress(FileNotFoundError), artifact.open() as file:
        return file.read()
    return b""


def start(name: str, spec: dict[str, Any], arguments: dict[str, Any]) -> Run:
    """Submit a pipeline, without the cache."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pipeline.yaml"
        file.write_text(yaml.safe_dump(spec))
        return kfnb.submit(str(file), arguments, backend="kubeflow", name=f"corpus {name}", cache=False)


def address(text: str) -> str:
    """The address of an object with this text: a run's, since every cluster has a store for those."""
    run = start("file", write_a_text().spec, {"text": text}).wait()
    made: Artifact = run.result["Output"]
    return made.uri


def runs(names: list[str]) -> Iterator[tuple[str, str]]:
    """The pipelines as they end, with what ``canonical`` says of each."""
    waiting, under_way = list(names), {}
    while waiting or under_way:
        while waiting and len(under_way) < AT_ONCE:
            case = CORPUS[name := waiting.pop(0)]()
            files = {argument: address(text) for argument, text in case.files.items()}
            under_way[name] = start(name, case.spec, {**case.arguments, **files}), files
        time.sleep(5)
        for name, (run, files) in list(under_way.items()):
            if run.state.finished:
                told = canonical(run.snapshot(), content)
                for argument, uri in files.items():
                    told = told.replace(json.dumps(uri), json.dumps(f"<{argument}>"))
                del under_way[name]
                yield name, told


def main(names: list[str]) -> None:
    """Record these pipelines, or all."""
    kept = dict(recorded())
    for name, told in runs(names or list(CORPUS)):
        sys.stderr.write(f"{name} {json.loads(told)['state']}\n")
        kept[name] = json.loads(told)
        RECORDING.parent.mkdir(exist_ok=True)
        RECORDING.write_bytes(gzip.compress(json.dumps(kept, indent=1, sort_keys=True).encode(), mtime=0))


if __name__ == "__main__":
    main(sys.argv[1:])
