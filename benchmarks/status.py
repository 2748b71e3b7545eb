"""What ``%kf_status`` costs: on a server that replays a real one's answers, and on a real one where there is one.

The real one is started from ``KUBEBUILDER_ASSETS``, and is given 5,000 pods and 2,000 trials.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import Measured

TESTS = Path(__file__).parent.parent / "tests"
for _folder in ("cluster", "kubernetes"):
    sys.path.insert(0, str(TESTS / _folder))

PODS, TRIALS, ROUNDS = 5000, 2000, 5

_FIRST = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("%load_ext kfnb").raise_error()
start = time.perf_counter()
status = shell.run_line_magic("kf_status", "")
shell.display_formatter.format(status)
assert status.user.known, status.user.reason
print(time.perf_counter() - start)
"""


def status() -> Iterator[Measured]:
    """A namespace, from the call to the picture."""
    yield from _recorded()
    if os.environ.get("KUBEBUILDER_ASSETS"):
        yield from _real()


def _recorded() -> Iterator[Measured]:
    from asked_kubernetes import asking
    from replay_kubernetes import NAMESPACE, replaying

    with replaying() as server:
        kubernetes = asking(server.url, "viewer")
        kubernetes.version()
        yield from _measured("recorded namespace", kubernetes, NAMESPACE)
        asked = len(server.asked)
        _look(kubernetes, NAMESPACE)
        yield Measured("  requests", len(server.asked) - asked, "30", unit="")
        yield Measured("  the first in a fresh kernel", _first(server.url), "1000 ms")


def _first(url: str) -> float:
    """With all that is imported for it."""
    from replay_kubernetes import written_kubeconfig

    with tempfile.TemporaryDirectory() as folder:
        file = written_kubeconfig(Path(folder), url, "viewer")
        around = {"KUBECONFIG": str(file), "KFNB_CONTEXT": "viewer", "KFNB_HOME": folder}
        words = [sys.executable, "-c", _FIRST]
        run = partial(
            subprocess.run, words, env=os.environ | around, capture_output=True, text=True, check=True
        )
        return statistics.median(float(run().stdout.split()[-1]) for _ in range(ROUNDS))


def _real() -> Iterator[Measured]:
    from api_server import ApiServer
    from real_cluster import Cluster

    with tempfile.TemporaryDirectory() as folder:
        server = ApiServer(Path(folder))
        try:
            cluster = Cluster(server.kubeconfig, "bench", Path(folder))
            _fill(cluster)
            kubernetes = cluster.asked_by("viewer")
            kubernetes.version()
            yield from _measured(f"{PODS} pods, {TRIALS} trials", kubernetes, "bench")
        finally:
            server.close()


def _fill(cluster: Any) -> None:
    spec = {"containers": [{"name": "main", "image": "busybox:1"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": spec}
    trial = {"apiVersion": "kubeflow.org/v1beta1", "kind": "Trial", "spec": {}}
    pods, trials = "/api/v1/namespaces/bench/pods", "/apis/kubeflow.org/v1beta1/namespaces/bench/trials"
    bodies = [
        *((pods, pod | {"metadata": {"name": f"load-{number}"}}) for number in range(PODS)),
        *((trials, trial | {"metadata": {"name": f"trial-{number}"}}) for number in range(TRIALS)),
    ]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda made: cluster.admin.create(*made), bodies))


def _measured(name: str, kubernetes: Any, namespace: str) -> Iterator[Measured]:
    seconds = statistics.median(_timed(lambda: _look(kubernetes, namespace)) for _ in range(ROUNDS))
    yield Measured(f"status of a {name}", seconds, "1000 ms")
    tracemalloc.start()
    _look(kubernetes, namespace)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield Measured("  memory at its peak", peak, "50 MB", unit="MB")


def _timed(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _look(kubernetes: Any, namespace: str) -> None:
    from kfnb.resources.cluster.model import Machine, Status
    from kfnb.resources.cluster.probe import ProbeTarget
    from kfnb.resources.cluster.status import gather
    from kfnb.resources.cluster.view.status import draw_status

    start = Status("kubeflow", Machine(1), server="there", within=namespace)
    draw_status(gather(ProbeTarget(kubernetes, namespace), start))
