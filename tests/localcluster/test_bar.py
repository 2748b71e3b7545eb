"""How far a cluster is, in a terminal and elsewhere."""

import io

from kfnb.resources.localcluster.lifecycle import UpProgress
from kfnb.resources.localcluster.progress_bar import Bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_elsewhere_a_line_is_written_where_something_is_new():
    out = io.StringIO()
    bar = Bar(out)
    for told in ("", "0 of 2 ready", "0 of 2 ready", "1 of 2 ready"):
        bar(UpProgress(3, 12, "waits for Istio", told))
    bar.clear()

    assert out.getvalue().splitlines() == [
        "[3/12] waits for Istio",
        "[3/12] waits for Istio: 0 of 2 ready",
        "[3/12] waits for Istio: 1 of 2 ready",
    ]


def test_in_a_terminal_one_line_is_written_over_and_is_never_wider_than_it(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out = Terminal()
    bar = Bar(out)
    bar(UpProgress(6, 12, "waits for Istio", "x" * 200))
    bar.clear()

    first, line, rest = out.getvalue().split("\r\x1b[2K")
    assert first == rest == ""
    assert line.startswith("[##########----------] 6/12 waits for Istio: xxx")
    assert len(line) == 59


def test_what_a_cluster_says_cannot_steer_a_terminal():
    out = Terminal()
    Bar(out)(UpProgress(0, 1, "Katib", "\x1b]0;title\x07 two\nlines"))

    assert out.getvalue().count("\x1b") == 1
    assert "\n" not in out.getvalue()
    assert "\x07" not in out.getvalue()
