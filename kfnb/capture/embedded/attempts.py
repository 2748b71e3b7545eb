"""How a step retries itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def kfnb_attempts(retries: int, artifacts: Sequence[Any]) -> None:
    """Run the rest of the step in a new process, and in another process when that fails, up to ``retries`` times.

    Only the new processes return from this function. Each further attempt follows a pause of 1, 2, 4, ... seconds, and
    none begins later than an hour after the first, as in KFP. What a failed attempt wrote to ``artifacts`` is removed.
    """
    import os
    import shutil
    import sys
    import time

    longest = 3600

    def report_failure(write_end: int) -> None:
        """Write the reason why this process fails to a pipe."""
        show = sys.excepthook

        def hook(kind: Any, error: Any, trace: Any) -> None:
            os.write(write_end, f"{kind.__name__}: {error}".encode(errors="replace")[:500])
            show(kind, error, trace)

        sys.excepthook = hook

    def read_failure(read_end: int, code: int) -> str:
        """Read the reason why a process failed."""
        os.set_blocking(read_end, False)  # a process that the attempt left behind may hold the other end
        try:
            words = os.read(read_end, 500).decode(errors="replace")
        except BlockingIOError:
            words = ""
        os.close(read_end)
        return words.split("\n")[0] or f"exit code {code}"

    if kfnb_retried_from_outside():
        return
    begun = time.monotonic()
    for attempt in range(1, retries + 2):
        sys.stdout.flush()
        sys.stderr.flush()
        read_end, write_end = os.pipe()
        process = os.fork()
        if not process:
            report_failure(write_end)
            return
        os.close(write_end)
        status = os.waitpid(process, 0)[1]
        code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        pause = 2 ** (attempt - 1)
        if not code or attempt > retries or time.monotonic() - begun + pause > longest:
            os._exit(code)
        words = f"{read_failure(read_end, code)}; next attempt in {pause} s"
        print(f"attempt {attempt} of {retries + 1} failed: {words}", flush=True)
        for path in [getattr(artifact, "path", artifact) for artifact in artifacts]:
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.remove(path)
        time.sleep(pause)


def kfnb_retried_from_outside() -> bool:
    """Whether the engine that runs the step retries it when its program fails.

    kfnb's own engines do, and set ``KFNB_RETRIES``. Argo does so depending on its policy for the step, which is in the
    template that its pods have: with KFP up to 2.16 it does, with the configuration of KFP 2.17 it does not.
    """
    import json
    import os

    if "KFNB_RETRIES" in os.environ:
        return True
    try:
        with open("/var/run/argo/template", encoding="utf-8") as file:
            strategy = json.load(file).get("retryStrategy")
    except (OSError, ValueError):
        return False
    return bool(strategy) and strategy.get("retryPolicy", "OnFailure") in ("OnFailure", "Always")
