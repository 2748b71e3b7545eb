"""``draw_logs``: where kfnb's logs are, and their last lines."""

from __future__ import annotations

from kfnb.diagnostics import LogList, described
from kfnb.ui.words import clean


def draw_logs(logs: LogList) -> dict[str, str]:
    """Logs, in text."""
    lines = [clean(described(one)) for one in logs.files]
    if not logs.written:
        how = "KFNB_DEBUG=true keeps a log there, and so does the setting debug in a notebook"
        lines.insert(0, f"{logs.log_file}: not written yet; {how}")
    return {"text/plain": "\n".join(lines)}
