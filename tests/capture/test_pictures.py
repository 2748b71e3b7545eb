"""``kf.figure``, ``kf.image``, ``kf.table`` and pictures in ``kf.markdown``: in the cell, in a run, in a pod's step."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kfnb.capture.embedded.figures import (
    kfnb_figure_html,
    kfnb_image,
    kfnb_img,
    kfnb_markdown,
    kfnb_png,
    kfnb_table_html,
    kfnb_with_pictures,
)
from kfnb.ui.frame import Frame
from tests.conftest import Shell

FIGURE = """
import matplotlib
matplotlib.use('agg')
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.plot([1, 3, 2])
"""


def data_of(html: str) -> bytes:
    """The picture that a piece of a page holds."""
    found = re.search(r'src="data:image/[\w+]+;base64,([^"]+)"', html)
    assert found is not None, html[:200]
    return base64.b64decode(found[1])


class _Figure:
    """What looks like a figure of Plotly: with a picture where kaleido is, and with scripts."""

    def __init__(self, still: bytes | None) -> None:
        self.still = still

    def to_image(self, **how: str) -> bytes:
        assert how == {"format": "svg"}
        if self.still is None:
            raise ValueError("install kaleido")
        return self.still

    def to_html(self, *, include_plotlyjs: str, full_html: bool) -> str:
        assert (include_plotlyjs, full_html) == ("cdn", False)
        return "<div class=live></div><script>draw()</script>"


def test_a_figure_of_matplotlib_is_a_picture_in_the_page() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes = figure.subplots()
    axes.plot([1, 2])
    for one in (figure, axes):
        html = kfnb_figure_html(one, "A <line>")
        assert data_of(html).lstrip().startswith(b"<?xml")
        assert "<b>A &lt;line&gt;</b>" in html
        assert re.search(r'<img [^>]*height="\d+"', html)
        assert "<script" not in html


def test_a_figure_of_very_many_points_is_a_picture_of_pixels() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes = figure.subplots()
    for number in range(60):
        axes.scatter(range(200), [(number * value) % 97 for value in range(200)])
    html = kfnb_figure_html(figure, "")
    assert data_of(html).startswith(b"\x89PNG")
    assert len(html) < 500_000


def test_a_figure_with_scripts_has_a_still_picture_where_none_run() -> None:
    html = kfnb_figure_html(_Figure(b"<svg width='10'></svg>"), "Loss")
    assert data_of(html) == b"<svg width='10'></svg>"
    assert "<div hidden><div class=live></div><script>draw()</script></div>" in html


def test_a_figure_that_cannot_be_a_picture_says_what_is_missing() -> None:
    html = kfnb_figure_html(_Figure(None), "")
    assert re.search(r"<noscript>.*--package kaleido.*</noscript><div class=live>", html)


def test_plotly_and_altair_are_known() -> None:
    plotly = pytest.importorskip("plotly.graph_objects")
    altair = pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    live = kfnb_figure_html(plotly.Figure(plotly.Scatter(y=[1, 3, 2])), "")
    assert "Plotly.newPlot" in live
    chart = altair.Chart({"values": [{"a": 1, "b": 2}]}).mark_bar().encode(x="a:Q", y="b:Q")
    assert data_of(kfnb_figure_html(chart, "")).startswith(b"<svg")


@pytest.mark.parametrize("thing", [3, "a text", None, [1]])
def test_what_is_no_figure_is_refused(thing: Any) -> None:
    with pytest.raises(TypeError, match=r"kf\.figure takes a figure of matplotlib, Plotly or Altair, not"):
        kfnb_figure_html(thing, "")


def test_pixels_become_a_picture_that_pillow_reads() -> None:
    numpy, image = pytest.importorskip("numpy"), pytest.importorskip("PIL.Image")
    colours = numpy.arange(4 * 5 * 3, dtype="uint8").reshape(4, 5, 3)
    opened = image.open(io.BytesIO(kfnb_png(colours)))
    assert (opened.size, opened.mode) == ((5, 4), "RGB")
    assert (numpy.asarray(opened) == colours).all()
    grey = image.open(io.BytesIO(kfnb_png(numpy.array([[0.0, 0.5], [1.0, 2.0]]))))
    assert numpy.asarray(grey).tolist() == [[0, 128], [255, 255]]
    with pytest.raises(ValueError, match=r"shape \(2, 2, 7\) is not a picture"):
        kfnb_png(numpy.zeros((2, 2, 7)))


def test_a_picture_is_a_path_bytes_or_an_image(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image").new("RGB", (3, 2))
    image.save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    html = SimpleNamespace(path=tmp_path / "page")
    for one in (str(tmp_path / "a.png"), tmp_path / "a.png", data, image):
        kfnb_image(html)(one, title="three")
    page = (tmp_path / "page").read_text()
    assert page.count('width="3" height="2"') == 4
    assert page.count("<b>three</b>") == 4
    with pytest.raises(ValueError, match="not a picture"):
        kfnb_img(b"text")
    with pytest.raises(TypeError, match="not int"):
        kfnb_image(html)(3)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"a": 1, "b": "<x>"}, {"a": 2.5}], ["a", "b", "1", "&lt;x&gt;", "2.5", ""]),
        ({"a": [1, 2], "b": [3, 4]}, ["a", "b", "1", "3", "2", "4"]),
        ({"accuracy": 0.5}, ["name", "value", "accuracy", "0.5"]),
        ([[1, 2], [3, 4]], ["0", "1", "1", "2", "3", "4"]),
        ([], []),
    ],
)
def test_a_table_is_made_of_what_has_rows(rows: Any, told: list[str]) -> None:
    assert re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", kfnb_table_html(rows, "", 10)) == told


def test_a_table_of_pandas_shows_its_first_rows_and_how_many_there_are() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": range(1000)}, index=pandas.Index(range(1000), name="day"))
    html = kfnb_table_html(frame, "Rows", 3)
    assert re.findall(r"<th[^>]*>([^<]*)", html) == ["day", "a"]
    assert "the first 3 of 1,000 rows" in html
    assert kfnb_table_html(frame["a"].rename("b").reset_index(drop=True), "", 2).count("<tr>") == 3
    with pytest.raises(TypeError, match=r"kf\.table takes a DataFrame"):
        kfnb_table_html(3, "", 10)


def test_pictures_of_markdown_are_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    data = base64.b64encode(b"\x89PNG").decode()
    others = " ![no](missing.png) ![far](https://x.org/a.png) [link](a.png)"
    text = f'![one](a.png "title") <img width="3" src="a.png">{others}'
    assert kfnb_with_pictures(text) == (
        f'![one](data:image/png;base64,{data} "title") <img width="3" src="data:image/png;base64,{data}">'
        f"{others}"
    )
    kfnb_markdown(SimpleNamespace(path=tmp_path / "page"))("![one](a.png)")
    assert data in (tmp_path / "page").read_text()


def test_a_frame_is_as_high_as_its_pictures() -> None:
    def height(page: str) -> int:
        found = re.search(r"height:(\d+)px", str(Frame("a", page).to_html()))
        assert found is not None
        return int(found[1])

    picture = kfnb_img(b"<svg width='400' height='300'>".replace(b"'", b'"') + b"x" * 100_000 + b"</svg>")
    assert height("<p>a</p>") + 300 <= height(f"<p>a</p>{picture}")


def test_they_are_shown_in_the_cell(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from kfnb.capture import kf

    shown: list[dict[str, str]] = []
    monkeypatch.setattr(kf, "_display", shown.append)
    shell.run(
        f"%%kf_component report\n{FIGURE}kf.figure(fig, 'Loss')\nkf.table([{{'a': 1}}])\n"
        "kf.image(b'GIF89a')\nkf.markdown('**x**')"
    )
    kinds = [next(iter(bundle)) for bundle in shown]
    assert kinds == ["text/html", "text/html", "text/html", "text/markdown"]
    assert "image/svg+xml" in shown[0]["text/html"]


def test_a_dict_of_metrics_is_logged(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run('%%kf_component report\nkf.log_metrics({"acc": 1, "loss": 0.5}, rows=3)')
    assert "acc = 1  loss = 0.5  rows = 3" in capsys.readouterr().out
    shell.run("%kf_pipeline p report")
    assert shell.submit("p").metrics["report"] == {"acc": 1, "loss": 0.5, "rows": 3}


def test_a_local_run_and_its_panel_show_them(shell: Shell) -> None:
    pytest.importorskip("matplotlib")
    from kfnb.resources.runs.artifact_text import previews_of, texts_of
    from kfnb.resources.runs.view.task import draw_task

    shell.run(
        f"%%kf_component report\n{FIGURE}kf.figure(fig, 'Loss')\nkf.table([{{'a': 12345}}], 'Rows')\n"
        "fig.savefig('loss.png')\nkf.markdown('# Card\\n\\n<b>bold</b> ![the loss](loss.png)')"
    )
    shell.run("%kf_pipeline p report")
    run = shell.submit("p")
    with run.artifacts["report"]["kf_html"].open("r") as file:
        page = file.read()
    assert data_of(page).lstrip().startswith(b"<?xml")
    assert "12345" in page
    (task,) = run.snapshot().tasks
    html = draw_task(task, texts_of(task), previews_of(task))["text/html"]
    assert re.search(r'<iframe sandbox="" srcdoc="[^"]*data:image/svg', html)
    assert re.search(r'<img src="data:image/png;base64,[^"]+" alt="the loss"', html)
    assert "<strong>bold</strong>" in html


def test_a_pods_step_shows_them_without_kfnb(shell: Shell, tmp_path: Path) -> None:
    from tests.pipeline.launched import launch

    shell.run(
        "%%kf_component report\nkf.table([{'a': 12345}], 'Rows')\nkf.image(b'GIF89a')\nkf.markdown('*x*')"
    )
    shell.run("%kf_pipeline p report")
    launched = launch("p", "report", tmp_path)
    assert launched.code == 0, launched.log
    page = (tmp_path / "artifacts" / "kf_html").read_text()
    assert "12345" in page
    assert "data:image/gif" in page
    assert (tmp_path / "artifacts" / "kf_markdown").read_text() == "*x*\n"
