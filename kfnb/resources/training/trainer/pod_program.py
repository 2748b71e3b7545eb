"""What each pod of a training runs: it fetches the inputs, starts the step's launcher, and puts rank 0's outputs away.

The text of this file and of ``pod_store`` travels in the TrainJob, so it needs Python's own library alone, from 3.9 on.
What the pod reports is in its log: a line that begins with ``MARK`` and a word; all else was printed by the training.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Optional

from kfnb.resources.training.trainer.pod_store import Checkpoints, PodStore, digest_of

MARK = "\x1ekfnb-"
_MESSAGE = Path("/dev/termination-log")
_LONGEST = 2000
_TIMED_OUT = 124


def report(kind: str, facts: Mapping[str, Any]) -> None:
    """Write a report into the log."""
    os.write(1, f"{MARK}{kind} {json.dumps(facts)}\n".encode())


def main(job: Mapping[str, Any]) -> int:
    """Run this pod's part of a training; its exit code.

    ``job`` has the ``source`` of the step and its ``command``, in which ``{{source}}`` and ``{{$}}`` stand for that and
    for what KFP's executor is given: ``parameters`` and ``inputs``, and the types of its ``outputs``. It has the names
    of the ``hosts`` and their first ``port``, and the ``root`` of its objects with the ``access`` to them.
    """
    node = int(os.environ.get("JOB_COMPLETION_INDEX", "0"))
    folder = Path(tempfile.mkdtemp(prefix="kfnb-training-"))
    os.environ.pop("KFNB_RANK", None)
    try:
        store = PodStore(job["root"], job["access"])
        fetch_inputs(job["inputs"], store, folder)
        environment = {
            "KFNB_NODE": str(node),
            "KFNB_HOSTS": ",".join(addresses(job["hosts"])),
            "KFNB_PORT": str(job["port"]),
            "KFNB_RANKS": str(folder / "ranks"),
            "KFNB_RANK_EVENTS": str(folder / "events"),
            "KFNB_FAILURE": str(folder / "failure"),
            "KFNB_RETRIES": "outside",
            "PYTHONUNBUFFERED": "1",
        }
        checkpoints = None
        if "KFNB_CHECKPOINTS" not in os.environ:  # else they are on a volume
            environment["KFNB_CHECKPOINTS"] = str(folder / "checkpoints")
            (folder / "checkpoints").mkdir()
            checkpoints = Checkpoints(store, folder / "checkpoints")
            checkpoints.restore()
        given = {"{{$}}": json.dumps(executor_input(job, folder)), "{{source}}": job["source"]}
        words = [given.get(word, word) for word in job["command"]]
        with relayed(folder / "events", checkpoints if node == 0 else None):
            code = run(words, {**os.environ, **environment}, job["timeout"])
    except Exception as error:  # a store or an installation may raise anything
        return fail(node, f"{type(error).__name__}: {error}", 1)
    if code == _TIMED_OUT:
        return fail(node, f"timed out after {job['timeout']} s (--timeout)", code)
    if code:
        return fail(node, why(folder / "failure"), code)
    try:
        put_away(job, store, folder, node)
    except Exception as error:  # as above
        return fail(node, f"its outputs cannot be stored: {type(error).__name__}: {error}", 1)
    return 0


def fail(node: int, reason: str, code: int) -> int:
    """Report why this pod has failed: in its log, and in the status of its container."""
    facts = {"node": node, "why": reason[:_LONGEST], "at": time.time()}
    report("failed", facts)
    leave(facts)
    return code


def leave(facts: Mapping[str, Any]) -> None:
    """Write facts of the end into the status of this pod's container."""
    with suppress(OSError):
        _MESSAGE.write_text(json.dumps(facts), encoding="utf-8")


def why(file: Path) -> str:
    """The first failure, as the launcher has described it; empty if it was asked to end."""
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["fault"])
    except (OSError, ValueError, KeyError):
        return ""


def fetch_inputs(inputs: Mapping[str, Any], store: PodStore, folder: Path) -> None:
    """Put the artifacts that the step is given into the pod: those that came with the TrainJob, and objects."""
    target = folder / "inputs"
    target.mkdir()
    for name, one in inputs.items():
        if one["packed"]:
            with tarfile.open(fileobj=io.BytesIO(base64.b64decode(one["packed"]))) as packed:
                packed.extractall(target)  # noqa: S202 - packed by the notebook that trains
        else:
            store.fetch(one["key"], target / name)


def addresses(hosts: Sequence[str]) -> list[str]:
    """The addresses of all nodes; waits until each has one, since not all pods start at once."""
    found: dict[str, str] = {}
    began, silent = time.monotonic(), 10.0
    while True:
        for host in hosts:
            if host not in found:
                with suppress(OSError):
                    found[host] = "127.0.0.1" if len(hosts) == 1 else socket.gethostbyname(host)
        if len(found) == len(hosts):
            return [found[host] for host in hosts]
        if time.monotonic() - began > silent:
            sys.stdout.write(f"waiting for {len(hosts) - len(found)} of {len(hosts)} nodes to start\n")
            sys.stdout.flush()
            silent *= 2
        time.sleep(0.5)


def executor_input(job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What KFP's executor is given: values, and files in the pod."""
    return {
        "inputs": {
            "parameterValues": job["parameters"],
            "artifacts": {
                name: {"artifacts": [_artifact(name, one["type"], folder / "inputs", one["metadata"])]}
                for name, one in job["inputs"].items()
            },
        },
        "outputs": {
            "parameters": {
                name: {"outputFile": str(folder / "outputs" / name)} for name in job["outputs"]["parameters"]
            },
            "artifacts": {
                name: {"artifacts": [_artifact(name, kind, folder / "outputs", {})]}
                for name, kind in job["outputs"]["artifacts"].items()
            },
            "outputFile": str(folder / "executor_output.json"),
        },
    }


def _artifact(name: str, kind: str, folder: Path, metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "type": {"schemaTitle": kind},
        "uri": str(folder / name),
        "metadata": dict(metadata),
    }


def put_away(job: Mapping[str, Any], store: PodStore, folder: Path, node: int) -> None:
    """Store what the ranks of this pod have written: of rank 0 the outputs, of others what they kept beside.

    The digest of what tells of the outputs is left in the pod's status: who may write to the store cannot change it.
    """
    for one in sorted((folder / "ranks").glob("*")):
        if one.name != "0":
            store.send(one, f"ranks/{one.name}")
    if node:
        return
    digests = {}
    for name in job["outputs"]["artifacts"]:
        output = folder / "outputs" / name
        if output.exists():
            digests[name] = digest_of(output)
            store.send(output, f"outputs/{name}")
    written = json.loads((folder / "executor_output.json").read_text(encoding="utf-8"))
    values = {
        name: (folder / "outputs" / name).read_text(encoding="utf-8")
        for name in job["outputs"]["parameters"]
        if (folder / "outputs" / name).is_file()
    }
    text = json.dumps({"written": written, "values": values, "digests": digests})
    leave({"outputs": hashlib.sha256(text.encode()).hexdigest()})
    store.write("outputs.json", text)  # the last: all is there


@contextmanager
def relayed(file: Path, checkpoints: Optional[Checkpoints]) -> Iterator[None]:  # noqa: UP045 - also where Python is 3.9
    """Pass on the launcher's reports, and keep checkpoints, while the block runs and at its end."""
    done = threading.Event()

    def follow() -> None:
        place, over = 0, False
        while not over:
            over = done.wait(0.1)
            if checkpoints is not None:
                checkpoints.keep()
            if not file.exists():
                continue
            with file.open("rb") as events:
                events.seek(place)
                text = events.read()
            whole = text[: text.rfind(b"\n") + 1]
            place += len(whole)
            for line in whole.splitlines():
                report("ranks", json.loads(line))

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def run(words: Sequence[str], environment: Mapping[str, str], timeout: int) -> int:
    """Run a command, which gets the signals of this process; its exit code. ``timeout`` is in seconds, 0 for none."""
    process = subprocess.Popen([*words], env=dict(environment), start_new_session=True)
    timed_out = threading.Event()

    def end(*_: Any) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)

    def out_of_time() -> None:
        timed_out.set()
        end()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    timer = threading.Timer(timeout, out_of_time) if timeout else None
    if timer is not None:
        timer.start()
    try:
        code = process.wait()
        await_group(process.pid)
    finally:
        if timer is not None:
            timer.cancel()
    if timed_out.is_set():
        return _TIMED_OUT
    return code if code >= 0 else 128 - code


def await_group(leader: int, seconds: float = 15) -> None:
    """Wait for the launcher: the shell that started it may have ended before it, by the same signal."""
    until = time.monotonic() + seconds
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < until:
            with suppress(ChildProcessError):  # as a pod's first process, this one has the orphans
                os.waitpid(-1, os.WNOHANG)
            os.killpg(leader, 0)
            time.sleep(0.05)
