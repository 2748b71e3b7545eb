"""Markdown that a step wrote, as it is read in a run's display."""

import subprocess
import sys

import pytest
import widget_pages as reading
import widget_samples as samples

from kfnb.widgets import draw_run
from kfnb.widgets.markdown import Markdown


def page_of(text):
    return reading.read(str(Markdown(text).to_html()))


def tags_of(text):
    return [tag for tag, _ in page_of(text).elements]


def test_what_markdown_means_is_shown():
    text = "# Card\n\n**bold** _it_ `code` ~~no~~\n\n1. one\n2. two\n\n- a\n\n> said\n\n```\nx = 1\n```\n\n"
    text += "|a|b|\n|-|-|\n|1|2|\n"
    assert set(tags_of(text)) >= {"strong", "em", "code", "s", "ol", "ul", "li", "pre", "table", "th", "td"}
    assert page_of(text).text.replace("\n", "") == "Cardbold it code noonetwoasaidx = 1ab12"


def test_markup_in_markdown_stays_text():
    text = 'before <img src=x onerror="alert(1)"> after\n\n<script>alert(1)</script>\n'
    page = page_of(text)
    assert page.tags("img", "script") == []
    assert '<img src=x onerror="alert(1)">' in page.text
    assert "<script>alert(1)</script>" in page.text


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
    program = "import sys, kfnb.widgets; assert 'mistune' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_run_shows_its_steps_markdown():
    html = draw_run(samples.succeeded(), samples.CONTENTS, now=samples.NOW)["text/html"]
    assert "<strong" in html
    assert "# Notes" not in reading.read(html).text
    assert "Notes" in reading.read(html).text
