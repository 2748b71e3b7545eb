"""Where the processes of a training find each other: the variables that each framework reads."""

from __future__ import annotations

from collections.abc import Sequence


def kfnb_free_ports(count: int) -> list[int]:
    """``count`` ports of this machine that are free at the moment."""
    import socket
    from contextlib import ExitStack

    with ExitStack() as held:
        taken = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]


def kfnb_meeting_points(nodes: int, procs: int) -> tuple[list[str], list[int], int]:
    """The address of each node, the ports of the training, and the first rank that is launched here.

    All ``nodes`` are this machine, unless the environment says which one of several it is.
    """
    import os

    hosts = os.environ.get("KFNB_HOSTS", "").split(",")
    if hosts == [""]:
        return ["127.0.0.1"] * nodes, kfnb_free_ports(3 + nodes * procs), 0
    first = int(os.environ["KFNB_PORT"])
    ports = range(first, first + 3 + len(hosts) * procs)
    return hosts, list(ports), int(os.environ["KFNB_NODE"]) * procs


def kfnb_rank_variables(
    rank: int, hosts: Sequence[str], procs: int, ports: Sequence[int], restart: int, restarts: int
) -> dict[str, str]:
    """The environment variables of the process ``rank`` of ``procs`` on each of the nodes ``hosts``.

    ``ports`` are the three meeting points and one port for each process.
    """
    import json

    host, nodes, size = hosts[0], len(hosts), len(hosts) * procs
    node, local = divmod(rank, procs)
    master, jax, tracker, *own = map(str, ports)
    workers = [f"{hosts[number // procs]}:{port}" for number, port in enumerate(own)]
    cluster = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": rank}}
    return {
        "KFNB_RANK": str(rank),
        "KFNB_WORLD_SIZE": str(size),
        "KFNB_LOCAL_RANK": str(local),
        "KFNB_RESTART": str(restart),
        "KFNB_MACHINES": ",".join(workers),
        "RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_RANK": str(local),
        "LOCAL_WORLD_SIZE": str(procs),
        "NODE_RANK": str(node),
        "GROUP_RANK": str(node),
        "MASTER_ADDR": host,
        "MASTER_PORT": master,
        "PET_NNODES": str(nodes),
        "PET_NPROC_PER_NODE": str(procs),
        "PET_NODE_RANK": str(node),
        "PET_MASTER_ADDR": host,
        "PET_MASTER_PORT": master,
        "TORCHELASTIC_RESTART_COUNT": str(restart),
        "TORCHELASTIC_MAX_RESTARTS": str(restarts),
        "JAX_COORDINATOR_ADDRESS": f"{host}:{jax}",
        "JAX_NUM_PROCESSES": str(size),
        "JAX_PROCESS_ID": str(rank),
        "DMLC_TRACKER_URI": host,
        "DMLC_TRACKER_PORT": tracker,
        "DMLC_TASK_ID": str(rank),
        "DMLC_NUM_WORKER": str(size),
        "TF_CONFIG": json.dumps(cluster),
    }


def kfnb_threads_of_a_rank(size: int) -> str:
    """How many threads each of ``size`` processes gets: its share of the cores, unless the step's variables say it."""
    import os

    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return os.environ.get("OMP_NUM_THREADS") or str(max(1, cores // size))


def kfnb_gpus_of_a_node(node: int, nodes: int, each: int) -> str:
    """The GPUs that node ``node`` sees, of those of this machine; empty where it has none.

    Of its GPUs, a process takes those of its local rank, as on a cluster. Raises ``RuntimeError`` where there are some,
    but not ``each`` for every node.
    """
    import glob
    import os

    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    known = given.split(",") if given else [str(n) for n in range(len(glob.glob("/dev/nvidia[0-9]*")))]
    if given == "" or not known:
        return ""
    if len(known) < nodes * each:
        raise RuntimeError(f"the training needs {nodes * each} GPUs, and this machine has {len(known)}")
    return ",".join(known[node * each : (node + 1) * each])
