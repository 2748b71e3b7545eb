"""What the schedules of the tests do at their ticks: a line in a file, and what ``then`` says."""

import os
import signal
import time
from pathlib import Path

from kfnb.errors import BackendError
from kfnb.jobs.scheduler.folder import ScheduleFolder
from kfnb.jobs.scheduler.history import TickState
from kfnb.jobs.scheduler.order import TickOutcome


def tick(folder: ScheduleFolder, due: float) -> TickOutcome:
    data = folder.spec().data
    with Path(data["file"]).open("a") as file:
        file.write(f"{due}\n")
    match data.get("then"):
        case "sleep":
            time.sleep(data["seconds"])
        case "die":
            print("last words", flush=True)  # noqa: T201
            os.kill(os.getpid(), signal.SIGKILL)
        case "fail":
            raise BackendError("no such service")
        case "break":
            raise ValueError("bug")
        case "skip":
            return TickOutcome(TickState.SKIPPED, "nothing new")
    return TickOutcome(note="done", made="made-it")
