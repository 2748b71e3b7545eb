"""Each framework trains with two processes that find each other, without a word about it in the cell."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kfnb.resources.components import api
from tests.conftest import Shell
from tests.training.launched_ranks import launch

DATA = """%%kf_component load
rng = np.random.default_rng(0)
X = rng.normal(size=(2000, 5))
y = X @ np.arange(5) + rng.normal(size=2000)"""


@pytest.fixture
def data(shell: Shell) -> Shell:
    """A notebook with data to train on."""
    shell.run("import hashlib\nimport numpy as np")
    shell.run(DATA)
    return shell


def digests(shell: Shell) -> dict[int, str]:
    """What each rank has logged as the digest of its model."""
    return {one.number: f"{one.metrics['digest']:.0f}" for one in shell["training"].tasks["fit"].ranks}


def test_xgboost_ends_with_the_same_model_everywhere_as_one_process_has(data: Shell) -> None:
    data.run("""%%kf_train fit --nodes 2 -o training
import xgboost as xgb
pairs = xgb.DMatrix(kf.shard(X), kf.shard(y))
booster = xgb.train({"max_depth": 3, "tree_method": "hist", "nthread": 1}, pairs, 20)
assert xgb.collective.get_world_size() == 2
assert xgb.collective.get_rank() == kf.rank
kf.log_metrics(digest=int(hashlib.sha256(bytes(booster.save_raw("json"))).hexdigest()[:8], 16))
""")
    assert len({*digests(data).values()}) == 1
    import xgboost as xgb

    alone = xgb.train(
        {"max_depth": 3, "tree_method": "hist", "nthread": 1}, xgb.DMatrix(data["X"], data["y"]), 20
    )
    whole = xgb.DMatrix(data["X"])
    assert np.corrcoef(alone.predict(whole), data["booster"].predict(whole))[0, 1] > 0.99


def test_lightgbm_ends_with_the_same_model_everywhere(data: Shell) -> None:
    data.run("""%%kf_train fit --procs 2 -o training
import lightgbm as lgb
pairs = lgb.Dataset(kf.shard(X), kf.shard(y))
trees = lgb.train({"objective": "regression", "verbosity": -1, "num_threads": 1}, pairs, 20)
text = trees.model_to_string()
kf.log_metrics(digest=int(hashlib.sha256(text[:text.index("parameters:")].encode()).hexdigest()[:8], 16))
""")
    assert len({*digests(data).values()}) == 1
    assert data["trees"].num_trees() == 20
    assert np.corrcoef(data["trees"].predict(data["X"]), data["y"])[0, 1] > 0.9


def test_plain_python_averages_over_a_socket(data: Shell) -> None:
    data.run("""%%kf_train fit --nodes 2 -o training
import os
import socket
import time

def exchanged(array):
    place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    if kf.rank == 0:
        with socket.create_server(place) as door:
            line = door.accept()[0]
    else:
        while True:
            try:
                line = socket.create_connection(place)
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
    with line:
        line.sendall(array.tobytes())
        data = b""
        while len(data) < array.nbytes:
            data += line.recv(array.nbytes)
    return np.frombuffer(data)

mine = kf.shard(X).mean(axis=0)
mean = (mine + exchanged(mine)) / 2
kf.log_metrics(digest=int(hashlib.sha256(mean.tobytes()).hexdigest()[:8], 16))
""")
    assert len({*digests(data).values()}) == 1
    np.testing.assert_allclose(data["mean"], data["X"].mean(axis=0))


def program(shell: Shell, cell: str) -> str:
    """The step of a training, whose cell is not executed: only its program is written."""
    from dataclasses import replace

    from kfnb.capture.training import Training

    shell.run(f"%%kf_component fit\n{cell}")
    component = shell.component("fit")
    training = Training(2, 1)
    shell.kernel.notebook.components["fit"] = replace(
        component, options=replace(component.options, training=training)
    )
    shell.run("%kf_pipeline p fit")
    return api.built("p").program


@pytest.mark.parametrize(
    ("cell", "joins"),
    [
        ("import xgboost\nx = 1", True),
        ("import xgboost\ncontext = xgboost.collective.CommunicatorContext\nx = 1", False),
        ("import lightgbm\nx = 1", True),
        ("import lightgbm\nparams = {'machines': 'a:1'}", False),
        ("x = 1", False),
    ],
)
def test_a_cell_that_connects_the_processes_itself_is_left_alone(
    shell: Shell, cell: str, joins: bool
) -> None:
    assert ("kfnb_leave = kfnb_join_" in program(shell, cell)) is joins


def test_only_the_code_of_the_framework_that_is_used_travels(shell: Shell) -> None:
    text = program(shell, "import xgboost\nx = 1")
    assert "kfnb_join_xgboost" in text
    assert "kfnb_join_torch" not in text


JAX = os.environ.get("KFNB_TEST_JAX", "")
"""A Python that has jax."""


@pytest.mark.slow
@pytest.mark.skipif(not JAX, reason="KFNB_TEST_JAX is not set to a Python with jax")
def test_jax_adds_up_over_all_processes(tmp_path: Path) -> None:
    cell = """
from kfnb.capture.embedded.communicators import kfnb_join_jax
leave = kfnb_join_jax()
import jax, jax.numpy as jnp
from jax.experimental import multihost_utils
total = multihost_utils.process_allgather(jnp.array([rank + 1.0])).sum()
print(jax.process_count(), jax.process_index(), float(total))
leave()
"""
    done = launch(tmp_path, cell, python=JAX, variables=[("JAX_PLATFORMS", "cpu")])
    assert done.code == 0, done.log
    lines = done.log.splitlines()
    assert {"[rank 0] 2 0 3.0", "[rank 1] 2 1 3.0"} <= {*lines}


TORCH = os.environ.get("KFNB_TEST_TORCH", "")
"""A Python that has PyTorch."""


@pytest.mark.slow
@pytest.mark.skipif(not TORCH, reason="KFNB_TEST_TORCH is not set to a Python with PyTorch")
def test_torch_trains_the_same_model_everywhere_as_one_process_does(tmp_path: Path) -> None:
    cell = """
from kfnb.capture.embedded.communicators import kfnb_join_torch
leave = kfnb_join_torch()
import torch
import torch.distributed as group
from torch.nn.parallel import DistributedDataParallel
total = torch.tensor([rank + 1.0])
group.all_reduce(total)
print(group.get_backend(), group.get_world_size(), group.get_rank(), float(total))
torch.manual_seed(0)
x = torch.randn(64, 3)
y = x @ torch.tensor([[1.0], [-2.0], [0.5]])

def trained(model, x, y):
    descent = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(30):
        descent.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        descent.step()
    return torch.cat([one.detach().flatten() for one in model.parameters()])

def begun():
    torch.manual_seed(1)
    return torch.nn.Linear(3, 1)

own = trained(DistributedDataParallel(begun()), x[rank::2], y[rank::2])
alone = trained(begun(), x, y)
found = [torch.zeros_like(own), torch.zeros_like(own)]
group.all_gather(found, own)
print("equal", bool((found[0] == found[1]).all()), bool(torch.allclose(own, alone, atol=1e-5)))
leave()
print("left", not group.is_initialized())
"""
    done = launch(tmp_path, cell, python=TORCH)
    assert done.code == 0, done.log
    lines = {*done.log.splitlines()}
    assert {"[rank 0] gloo 2 0 3.0", "[rank 1] gloo 2 1 3.0"} <= lines
    assert {f"[rank {rank}] {said}" for rank in (0, 1) for said in ("equal True True", "left True")} <= lines


class Calls:
    """Records what a module that stands in for a framework is called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.calls.append((*given, named) if named else given)
        return self

    def __getattr__(self, name: str) -> Calls:
        part = Calls()
        part.calls = self.calls
        setattr(self, name, part)
        return part


def test_torch_gets_a_process_group_over_gloo_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    from kfnb.capture.embedded.communicators import kfnb_join_torch

    torch = Calls()
    torch.cuda.is_available = lambda: False
    torch.distributed.is_initialized = lambda: True
    monkeypatch.setitem(sys.modules, "torch", torch)
    leave = kfnb_join_torch()
    assert torch.calls == [("gloo",)]
    leave()
    assert torch.calls == [("gloo",), ()]
