"""The launcher of a training's processes, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.training.launched_ranks import ended, environment, launch, script


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: list[int], seconds: float = 5) -> bool:
    """Whether all processes are gone within some seconds."""
    until = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(alive, pids))


def written(folder: Path, name: str, count: int) -> list[int]:
    """The process ids that ``count`` ranks have written into files of that name."""
    until = time.monotonic() + 20
    while len(files := [one for one in folder.glob(f"{name}*") if one.read_text().strip()]) < count:
        assert time.monotonic() < until, f"{len(files)} of {count} ranks have begun"
        time.sleep(0.02)
    return [int(one.read_text()) for one in files]


def test_each_process_has_its_rank_and_each_line_of_the_log_is_one_ranks(tmp_path: Path) -> None:
    done = launch(
        tmp_path, "print('node', os.environ['NODE_RANK'], 'local', kfnb_rank('LOCAL_RANK'))", nodes=2
    )
    assert done.code == 0, done.log
    assert sorted(done.log.splitlines()) == [
        "[rank 0] node 0 local 0",
        "[rank 1] node 0 local 1",
        "[rank 2] node 1 local 0",
        "[rank 3] node 1 local 1",
    ]
    assert [done.of(rank)["state"] for rank in range(4)] == ["SUCCEEDED"] * 4
    assert done.of(3)["exit"] == 0


def test_every_framework_finds_its_own_variables(tmp_path: Path) -> None:
    cell = """
import json
tf = json.loads(os.environ["TF_CONFIG"])
get = os.environ.get
torch = ["WORLD_SIZE", "RANK", "GROUP_RANK", "LOCAL_WORLD_SIZE", "PET_NNODES", "PET_NODE_RANK"]
others = ["JAX_NUM_PROCESSES", "JAX_PROCESS_ID", "DMLC_NUM_WORKER", "DMLC_TASK_ID", "OMP_NUM_THREADS"]
print(*map(get, torch))
print(*map(get, others))
print(len(tf["cluster"]["worker"]), tf["task"], get("KFNB_MACHINES") == ",".join(tf["cluster"]["worker"]))
places = [get("MASTER_PORT"), get("DMLC_TRACKER_PORT"), get("JAX_COORDINATOR_ADDRESS").split(":")[1]]
print(len({*places, *[one.split(":")[1] for one in tf["cluster"]["worker"]]}), get("PET_MASTER_PORT") == places[0])
"""
    done = launch(tmp_path, cell, nodes=2, procs=1, variables=[("OMP_NUM_THREADS", "3")])
    assert sorted(done.log.splitlines()) == [
        "[rank 0] 2 0 0 1 2 0",
        "[rank 0] 2 0 2 0 3",
        "[rank 0] 2 {'type': 'worker', 'index': 0} True",
        "[rank 0] 5 True",
        "[rank 1] 2 1 1 1 2 1",
        "[rank 1] 2 1 2 1 3",
        "[rank 1] 2 {'type': 'worker', 'index': 1} True",
        "[rank 1] 5 True",
    ]


def test_the_cores_are_shared_unless_the_step_says_how_many_threads_it_wants(tmp_path: Path) -> None:
    done = launch(tmp_path, "print(os.environ['OMP_NUM_THREADS'])", procs=4)
    share = max(1, len(os.sched_getaffinity(0)) // 4)
    assert sorted(done.log.splitlines()) == [f"[rank {rank}] {share}" for rank in range(4)]


def test_the_first_failure_ends_all_and_is_the_one_that_is_reported(tmp_path: Path) -> None:
    cell = """
if rank == 1:
    time.sleep(0.3)
    raise ValueError("bad shard")
time.sleep(60)
"""
    begun = time.monotonic()
    done = launch(tmp_path, cell, procs=3)
    assert time.monotonic() - begun < 20
    assert done.code == 1
    assert "rank 1 failed: ValueError: bad shard\n" in done.log
    assert done.failure == {"fault": "rank 1 ValueError: bad shard"}
    assert [done.of(rank)["state"] for rank in range(3)] == ["CANCELED", "FAILED", "CANCELED"]


@pytest.mark.parametrize(
    ("ending", "code", "why"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, "was killed by SIGKILL, most likely because"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 139, "was killed by SIGSEGV"),
        ("os._exit(3)", 3, "exited with code 3"),
        ("sys.exit(3)", 3, "exited with code 3"),
    ],
)
def test_a_rank_that_just_ends_is_reported_with_how_it_ended(
    tmp_path: Path, ending: str, code: int, why: str
) -> None:
    done = launch(tmp_path, f"if rank == 1:\n    {ending}\ntime.sleep(60)")
    assert done.code == code
    assert f"rank 1 failed: {why}" in done.log
    assert done.of(1) == done.of(1) | {"state": "FAILED", "exit": code}


def test_all_are_started_again_as_often_as_asked(tmp_path: Path) -> None:
    cell = """
restart = int(os.environ["KFNB_RESTART"])
kfnb_report_rank(step=restart, metrics={"loss": 1.0})
if rank == 1 and restart < 2:
    raise ValueError(f"start {restart}")
print("restart", restart)
"""
    done = launch(tmp_path, cell, restarts=2)
    assert done.code == 0, done.log
    assert "rank 1 failed: ValueError: start 0; all processes are started again (1 of 2)" in done.log
    assert "[rank 0] restart 2\n" in done.log
    assert "[rank 1] restart 2\n" in done.log
    assert done.of(1) == done.of(1) | {"state": "SUCCEEDED", "restarts": 2, "step": 2}
    assert done.failure == {}


def test_the_last_failure_is_reported_when_no_restart_is_left(tmp_path: Path) -> None:
    done = launch(tmp_path, "raise ValueError(os.environ['KFNB_RESTART'])", procs=1, restarts=1)
    assert done.code == 1
    assert done.failure["fault"] == "rank 0 ValueError: 1"


def test_a_port_that_another_program_has_taken_costs_no_restart(tmp_path: Path) -> None:
    cell = """
from pathlib import Path
begun = Path("BEGUN")
if rank == 0 and not begun.exists():
    begun.touch()
    raise OSError(98, "Address already in use")
time.sleep(0.2)
"""
    done = launch(tmp_path, cell.replace("BEGUN", str(tmp_path / "begun")))
    assert done.code == 0, done.log
    assert "all processes are started again, with other ports" in done.log
    assert done.of(0)["restarts"] == 0


def test_reports_are_not_in_the_log_and_do_not_break_a_line(tmp_path: Path) -> None:
    cell = """
print("half", end="", flush=True)
kfnb_report_rank(step=7, metrics={"loss": 0.5}, progress=0.25)
print(" and half")
print("10%\\r20%\\r30%")
"""
    done = launch(tmp_path, cell, procs=1)
    assert done.log == "[rank 0] half and half\n[rank 0] 30%\n"
    assert done.of(0) == done.of(0) | {"step": 7, "progress": 0.25, "metrics": {"loss": 0.5}}


def test_many_lines_of_many_ranks_all_arrive_whole(tmp_path: Path) -> None:
    done = launch(tmp_path, "for n in range(2000):\n    print(n, 'x' * 200)", procs=6)
    lines = done.log.splitlines()
    assert len(lines) == 12_000
    for rank in range(6):
        mine = [line for line in lines if line.startswith(f"[rank {rank}] ")]
        assert mine == [f"[rank {rank}] {n} {'x' * 200}" for n in range(2000)]


def begun(folder: Path, cell: str, **size: int) -> tuple[subprocess.Popen[str], list[int]]:
    """A training that runs, whose ranks have written their process ids."""
    start = f"open('{folder}/pid%d' % rank, 'w').write(str(os.getpid()))\n"
    process = subprocess.Popen(
        [sys.executable, script(folder, start + cell, **size)],
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process, written(folder, "pid", size.get("procs", 2))


def test_a_training_that_is_ended_has_time_to_save(tmp_path: Path) -> None:
    cell = """
try:
    time.sleep(60)
finally:
    time.sleep(0.5)
    open(f"FOLDER/saved{rank}", "w").write("1")
"""
    process, pids = begun(tmp_path, cell.replace("FOLDER", str(tmp_path)))
    process.terminate()
    log = process.communicate(timeout=20)[0]
    assert process.returncode == 143
    assert (tmp_path / "saved0").exists()
    assert (tmp_path / "saved1").exists()
    assert gone(pids)
    assert ended(tmp_path, 143, log).of(1)["state"] == "CANCELED"


def test_no_process_outlives_a_launcher_that_is_killed(tmp_path: Path) -> None:
    cell = """
import subprocess
child = subprocess.Popen(["sleep", "60"])
open(f"FOLDER/child{rank}", "w").write(str(child.pid))
time.sleep(60)
"""
    process, pids = begun(tmp_path, cell.replace("FOLDER", str(tmp_path)))
    children = written(tmp_path, "child", 2)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert gone([*pids, *children])


def test_a_rank_that_ignores_its_end_is_killed(tmp_path: Path) -> None:
    cell = """
if rank == 1:
    time.sleep(0.5)
    sys.exit(3)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(60)
"""
    process, pids = begun(tmp_path, cell)
    process.communicate(timeout=20)
    assert process.returncode == 3
    assert gone(pids)


def test_results_of_other_ranks_are_kept_and_only_rank_0_goes_on(tmp_path: Path) -> None:
    done = launch(tmp_path, "kfnb_end_rank({'loss': rank})\nprint('goes on', rank)")
    assert done.log == "[rank 0] goes on 0\n"
    assert (tmp_path / "ranks" / "1" / "results.json").read_text() == '{"loss": 1}'


def test_gpus_are_dealt_out_to_nodes_and_too_few_are_an_error(tmp_path: Path) -> None:
    cell = "print(os.environ['CUDA_VISIBLE_DEVICES'])"
    done = launch(tmp_path, cell, nodes=2, procs=2, gpus=1, variables=[("CUDA_VISIBLE_DEVICES", "4,5,6,7")])
    assert sorted(done.log.splitlines()) == [
        "[rank 0] 4,5",
        "[rank 1] 4,5",
        "[rank 2] 6,7",
        "[rank 3] 6,7",
    ]
    done = launch(tmp_path, cell, procs=3, gpus=1, variables=[("CUDA_VISIBLE_DEVICES", "0,1")])
    assert done.code == 1
    assert done.failure == {"fault": "the training needs 3 GPUs, and this machine has 2"}


@pytest.mark.parametrize("ending", ["os._exit(0)", "sys.exit(0)", "sys.exit()"])
def test_rank_0_has_failed_if_it_leaves_before_the_end_of_its_cell(tmp_path: Path, ending: str) -> None:
    done = launch(tmp_path, f"if rank == 0:\n    {ending}\ntime.sleep(60)")
    assert done.code == 1
    assert "rank 0 failed: exited with code 0 before the end of its cell\n" in done.log
    assert (done.of(0)["state"], done.of(0)["exit"]) == ("FAILED", 0)
    assert done.of(1)["state"] == "CANCELED"


def test_another_rank_may_leave_early_and_is_named_by_the_failure_of_one_that_waited_for_it(
    tmp_path: Path,
) -> None:
    done = launch(tmp_path, "if rank == 1:\n    sys.exit()")
    assert (done.code, done.of(1)["state"]) == (0, "SUCCEEDED")
    cell = "if rank == 1:\n    sys.exit()\ntime.sleep(0.8)\n"
    done = launch(tmp_path, cell + "os.abort()")
    assert "rank 0 failed: was killed by SIGABRT; rank 1 had ended before\n" in done.log
    done = launch(tmp_path, cell + "raise OSError('no data')")
    assert "rank 0 failed: OSError: no data\n" in done.log, "it is the cell's own"


def test_a_rank_that_waits_for_a_thread_says_so(tmp_path: Path) -> None:
    cell = """
import threading
if rank == 1:
    threading.Thread(target=time.sleep, args=(4,), name="loader").start()
"""
    done = launch(tmp_path, cell)
    assert done.code == 0
    assert "[rank 1] rank 1 has finished its cell and waits for loader: end it, or start it as a" in done.log
    assert "[rank 0]" not in done.log
