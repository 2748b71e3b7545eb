"""Reading a display's HTML as a viewer does."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"img", "br", "meta", "link", "input", "hr"})
# what GitHub takes out of a notebook's HTML, with all that is inside
REMOVED = frozenset({"svg", "style", "script", "iframe"})


@dataclass
class Page(HTMLParser):
    """What a page holds: ``elements`` with their attributes, ``words`` outside of what is ``removed``."""

    removed: frozenset[str] = frozenset()
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.removed.intersection(self.open):
            self.pieces.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data!r}")

    def tags(self, *names):
        return [attributes for tag, attributes in self.elements if tag in names]

    @property
    def text(self):
        return "".join(self.pieces)


def read(html, removed=frozenset()):
    page = Page(removed)
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def rows(html):
    """The rows of all tables in a page, as GitHub leaves them."""
    found, cell = [], None
    for line in _table_events(html):
        if line == "<tr>":
            found.append([])
        elif line == "<cell>":
            cell = []
            found[-1].append(cell)
        elif line == "</cell>":
            cell = None
        elif cell is not None:
            cell.append(line)
    return [["".join(cell).replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in found]


def _table_events(html):
    events = []

    class Events(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag in ("td", "th"):
                events.append("<cell>")
            elif tag == "tr":
                events.append("<tr>")

        def handle_endtag(self, tag):
            if tag in ("td", "th"):
                events.append("</cell>")

        def handle_data(self, data):
            events.append(data)

    parser = Events(convert_charrefs=True)
    parser.feed(html)
    parser.close()
    return events
