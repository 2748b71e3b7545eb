"""Markdown that a step wrote, as it is read in a run's display."""

import subprocess
import sys

import pytest
import widget_pages as reading
import widget_samples as samples

from kfnb.resources.runs.view.run import draw_run
from kfnb.ui.markdown import Markdown


def page_of(text):
    return reading.read(str(Markdown(text).to_html()))


def tags_of(text):
    return [tag for tag, _ in page_of(text).elements]


def test_what_markdown_means_is_shown():
    text = "# Card\n\n**bold** _it_ `code` ~~no~~\n\n1. one\n2. two\n\n- a\n\n> said\n\n```\nx = 1\n```\n\n"
    text += "|a|b|\n|-|-|\n|1|2|\n"
    assert set(tags_of(text)) >= {"strong", "em", "code", "s", "ol", "ul", "li", "pre", "table", "th", "td"}
    assert page_of(text).text.replace("\n", "") == "Cardbold it code noonetwoasaidx = 1ab12"


def test_html_in_markdown_is_shown_as_in_a_cell():
    text = "a <b>bold</b> <sub>low</sub><br>next\n\n<details open><summary>more</summary>\n\n**inside**\n\n</details>\n"
    text += (
        '<table><tr><td colspan="2" align="right">1</td></tr></table>\n\n<span style="color: red">red</span>'
    )
    assert set(tags_of(text)) >= {"strong", "sub", "details", "summary", "table", "td", "span"}
    attributes = dict(page_of(text).elements)
    assert attributes["td"]["colspan"] == "2"
    assert "text-align:right" in attributes["td"]["style"]
    assert "color:red" in str(Markdown(text).to_html())


@pytest.mark.parametrize(
    "text",
    [
        'before <img src=x onerror="alert(1)"> after',
        "before <script>alert(1)</script> after",
        "before <style>* {display: none}</style> after",
        'before <svg onload="alert(1)"><text>x</text></svg> after',
        '<p onclick="alert(1)" style="position:fixed;background-image:url(https://x.org)">before after</p>',
        '<a href="javascript:alert(1)" target=x>before after</a>',
        "before <iframe srcdoc='<script>alert(1)</script>'></iframe> after",
        "before <input autofocus onfocus=alert(1)> after",
        'before <img src="data:text/html;base64,PHNjcmlwdD4="> after',
        "before <math><mtext><style><img src=x onerror=alert(1)></style></mtext></math> after",
        "<form action=https://x.org><button>go</button></form>before after",
        "before <ScRiPt>alert(1)</sCrIpT > after",
    ],
)
def test_what_acts_or_loads_in_it_is_left_out(text):
    page = page_of(text)
    assert page.tags("img", "script", "style", "svg", "iframe", "input", "form", "a", "button", "math") == []
    assert "before" in page.text
    assert "after" in page.text
    for _, attributes in page.elements:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("href", "srcdoc", "target")
        ]
        assert "url(" not in attributes.get("style", "")
        assert "position" not in attributes.get("style", "")


def test_tags_that_nobody_closed_or_opened_do_no_harm():
    assert page_of("<div><b>one\n\n</i></p>two").text.replace("\n", "") == "onetwo"


def test_a_picture_that_is_in_the_text_is_shown():
    data = "iVBORw0KGgo" * 50
    text = f'![a chart](data:image/png;base64,{data})\n\n<img src="data:image/png;base64,{data}" width="40">'
    one, two = page_of(text).tags("img")
    assert one["alt"] == "a chart"
    assert one["src"] == two["src"] == f"data:image/png;base64,{data}"
    assert two["width"] == "40"
    assert Markdown(text).to_text().count("iVBOR") == 0


def test_a_large_picture_is_no_longer_text():
    data = "iVBORw0KGgo" * 20_000
    assert len(page_of(f"**big** ![x](data:image/png;base64,{data})").tags("img")) == 1


@pytest.mark.parametrize(
    "text", ["[here](javascript:alert(1))", "[here](https://example.org)", "<https://example.org>"]
)
def test_a_link_cannot_be_followed_and_says_where_it_leads(text):
    page = page_of(text)
    assert page.tags("a") == []
    assert not any("href" in attributes for _, attributes in page.elements)
    assert "example.org" in page.text or "here" in page.text


def test_a_picture_is_not_loaded():
    page = page_of("![a chart](https://example.org/x.png)")
    assert page.tags("img") == []
    assert "[picture: a chart]" in page.text


@pytest.mark.parametrize(
    "text", ["", "> " * 5000 + "x", "*" * 3000, "[" * 3000, "- " * 200 + "x", "\x00\x1b[31m"]
)
def test_no_text_is_too_odd(text):
    str(Markdown(text).to_html())


def test_without_the_parser_it_is_shown_as_it_was_written(monkeypatch):
    monkeypatch.setitem(sys.modules, "mistune", None)
    assert page_of("**bold**").text.strip() == "**bold**"
    assert tags_of("**bold**") == ["pre"]


def test_the_parser_is_imported_by_the_first_markdown():
    program = "import sys, kfnb.resources.runs.view.task; assert 'mistune' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_run_shows_its_steps_markdown():
    html = draw_run(samples.succeeded(), samples.CONTENTS, now=samples.NOW)["text/html"]
    assert "<strong" in html
    assert "# Notes" not in reading.read(html).text
    assert "Notes" in reading.read(html).text
