"""How a rank joins the others: a function a framework, each of which returns what ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kfnb.capture.embedded.training import kfnb_rank


def kfnb_join_torch() -> Callable[[], None]:
    """Open PyTorch's process group, over NCCL where each process has a GPU, and gloo elsewhere."""
    import torch

    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(kfnb_rank("LOCAL_RANK") % torch.cuda.device_count())
    torch.distributed.init_process_group("nccl" if gpu else "gloo")

    def leave() -> None:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

    return leave


def kfnb_join_jax() -> Callable[[], None]:
    """Join JAX's coordination service, whose coordinator is rank 0."""
    import os

    import jax

    address, size = os.environ["JAX_COORDINATOR_ADDRESS"], kfnb_rank("WORLD_SIZE")
    jax.distributed.initialize(coordinator_address=address, num_processes=size, process_id=kfnb_rank())

    def leave() -> None:
        jax.distributed.shutdown()

    return leave


def kfnb_join_xgboost() -> Callable[[], None]:
    """Join XGBoost's workers, whose tracker is in rank 0."""
    import os
    from contextlib import suppress

    from xgboost.collective import CommunicatorContext
    from xgboost.tracker import RabitTracker

    class Tracker(RabitTracker):
        def __del__(self) -> None:
            with suppress(Exception):  # after a failure, the lost connections are not news
                super().__del__()

    host, port = os.environ["DMLC_TRACKER_URI"], int(os.environ["DMLC_TRACKER_PORT"])
    tracker = None
    if kfnb_rank() == 0:
        tracker = Tracker(kfnb_rank("WORLD_SIZE"), host_ip=host, port=port, sortby="task")
        tracker.start()
    else:
        kfnb_await_listener(host, port)
    task = f"{kfnb_rank():06d}"  # its ranks are in the order of these texts
    group = CommunicatorContext(dmlc_tracker_uri=host, dmlc_tracker_port=port, dmlc_task_id=task)
    group.__enter__()

    def leave() -> None:
        group.__exit__(None, None, None)
        if tracker is not None:
            tracker.wait_for()

    return leave


def kfnb_save_later(save: Callable[..., None]) -> Any:
    """``kf.save`` while XGBoost connects the processes: it keeps a copy of the model, which ``now`` saves.

    XGBoost reads data in all processes together, so that rank 0 alone could not try the model on its example.
    """
    import copy

    calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []

    def later(model: Any, *words: Any, **options: Any) -> None:
        """Save a model when the cell has ended."""
        calls.append((copy.deepcopy(model), words, options))

    def now() -> None:
        for model, words, options in calls:
            save(model, *words, **options)

    later.now = now  # type: ignore[attr-defined]
    return later


def kfnb_await_listener(host: str, port: int) -> None:
    """Wait until a program of this machine listens at ``port``, for a minute at most.

    XGBoost asks again only after seconds. Of another machine it is not known.
    """
    import time
    from contextlib import suppress

    state, until = f":{port:04X} 00000000:0000 0A", time.monotonic() + 60
    with suppress(OSError):  # Linux has the file
        while host == "127.0.0.1" and time.monotonic() < until:
            with open("/proc/net/tcp", encoding="ascii") as file:
                if state in file.read():
                    return
            time.sleep(0.02)


def kfnb_join_lightgbm() -> Callable[[], None]:
    """Give LightGBM's trainings the addresses of all ranks, and the data-parallel learner unless they name one."""
    import os

    import lightgbm

    machines = os.environ["KFNB_MACHINES"]
    port = int(machines.split(",")[kfnb_rank()].rpartition(":")[2])
    network = {"machines": machines, "local_listen_port": port, "num_machines": kfnb_rank("WORLD_SIZE")}

    def joined(train: Callable[..., Any]) -> Callable[..., Any]:
        def train_together(params: Any, *rest: Any, **options: Any) -> Any:
            learner = {} if "tree_learner" in params else {"tree_learner": "data"}
            return train({**network, **learner, **params}, *rest, **options)

        return train_together

    modules: tuple[Any, ...] = (lightgbm, lightgbm.engine, lightgbm.sklearn)
    for module in modules:
        module.train = joined(module.train)
    return lambda: None
