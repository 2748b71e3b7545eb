"""``kf.figure``, ``kf.image``, ``kf.table`` and the pictures in ``kf.markdown``, as self-contained HTML.

The HTML is shown without scripts in kfnb's frames and in a saved notebook; where scripts run (KFP's own page), an
interactive figure replaces the still picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kfnb.capture.embedded.reports import kfnb_text


def kfnb_figure(artifact: Any) -> Callable[..., None]:
    """``kf.figure``, which adds to the file ``artifact``."""

    def figure(fig: Any, title: str = "") -> None:
        """Show a figure of matplotlib, Plotly or Altair, or whatever a notebook shows as a picture or HTML."""
        kfnb_text(artifact)(kfnb_figure_html(fig, title))

    return figure


def kfnb_image(artifact: Any) -> Callable[..., None]:
    """``kf.image``, which adds to the file ``artifact``."""

    def image(picture: Any, title: str = "", width: Any = None) -> None:
        """Show a picture: a file's path, its bytes, an image of Pillow, or an array of pixels."""
        kfnb_text(artifact)(kfnb_captioned(kfnb_img(kfnb_pixels(picture), title, width), title))

    return image


def kfnb_table(artifact: Any) -> Callable[..., None]:
    """``kf.table``, which adds to the file ``artifact``."""

    def table(rows: Any, title: str = "", most: int = 100) -> None:
        """Show the first ``most`` rows of a DataFrame, a list of dicts or of lists, or a dict of columns."""
        kfnb_text(artifact)(kfnb_table_html(rows, title, most))

    return table


def kfnb_markdown(artifact: Any) -> Callable[[str], None]:
    """``kf.markdown``, which adds to the file ``artifact``; pictures named by a path are embedded."""

    def markdown(text: str) -> None:
        kfnb_text(artifact)(kfnb_with_pictures(text))

    return markdown


def kfnb_with_pictures(text: str) -> str:
    """Embed the pictures that Markdown names by paths in the text: the files stay where the step ran."""
    import base64
    import mimetypes
    import os
    import re

    largest = 5 * 10**6

    def inside(found: Any) -> str:
        path = found[2]
        kind = mimetypes.guess_type(path)[0] or ""
        if not (kind.startswith("image/") and os.path.isfile(path) and os.path.getsize(path) <= largest):
            return str(found[0])
        with open(path, "rb") as file:
            data = base64.b64encode(file.read()).decode()
        return f"{found[1]}data:{kind};base64,{data}{found[3]}"

    text = re.sub(r"(!\[[^\]]*\]\(\s*<?)([^)\s>]+)(>?[^)]*\))", inside, text)
    return re.sub(r"""(<img\b[^>]*\bsrc\s*=\s*["'])([^"']+)(["'])""", inside, text)


def kfnb_captioned(inside: str, title: str) -> str:
    """A fragment of a page under its title."""
    from html import escape

    head = f"<figcaption><b>{escape(title)}</b></figcaption>" if title else ""
    return f'<figure style="margin:0 0 16px;font-family:sans-serif">{head}{inside}</figure>'


def kfnb_img(data: bytes, title: str = "", width: Any = None) -> str:
    """A picture as HTML that embeds it. Raises ``ValueError`` for anything else."""
    import base64
    import re
    from html import escape

    starts = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}
    kind = next((name for start, name in starts.items() if data.startswith(start)), "")
    kind = "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else kind
    kind = "svg+xml" if b"<svg" in data[:4096] else kind
    if not kind:
        raise ValueError("not a picture: kf.image takes PNG, JPEG, GIF, WebP or SVG")
    size = ""
    if width is not None:
        size = f' width="{int(width)}"'
    elif kind == "png":  # so that its frame has its height
        size = f' width="{int.from_bytes(data[16:20], "big")}" height="{int.from_bytes(data[20:24], "big")}"'
    elif kind == "svg+xml":
        found = re.search(rb'<svg\b[^>]*\bwidth="([\d.]+)(pt)?[a-z]*"[^>]*\bheight="([\d.]+)', data)
        found = found or re.search(rb'<svg\b[^>]*()()\bheight="([\d.]+)', data)
        by = 4 / 3 if found and found[2] else 1
        size = f' height="{round(float(found[3]) * by)}"' if found else ""
        size += f' width="{round(float(found[1]) * by)}"' if found and found[1] else ""
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return f'<img src="{source}" alt="{escape(title)}"{size} style="max-width:100%;height:auto">'


def kfnb_pixels(picture: Any) -> bytes:
    """A picture as the bytes of its file. Raises ``TypeError`` for anything else."""
    import io
    import os

    if isinstance(picture, (bytes, bytearray)):
        return bytes(picture)
    if isinstance(picture, (str, os.PathLike)):
        with open(picture, "rb") as file:
            return file.read()
    if hasattr(picture, "shape") and hasattr(picture, "dtype"):
        return kfnb_png(picture)
    if hasattr(picture, "save") and hasattr(picture, "mode"):  # Pillow
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG")
        return buffer.getvalue()
    raise TypeError(
        f"kf.image takes a path, bytes, a Pillow image or an array of pixels, not {type(picture).__name__}"
    )


def kfnb_png(pixels: Any) -> bytes:
    """An array of pixels (height x width, and 1, 3 or 4 channels) as PNG; floats are from 0 to 1."""
    import struct
    import zlib

    import numpy

    values = numpy.asarray(pixels)
    values = values[:, :, 0] if values.shape[2:] == (1,) else values
    kinds = {(): 0, (3,): 2, (4,): 6}
    kind = kinds.get(values.shape[2:]) if values.ndim > 1 else None
    if kind is None or not values.size:
        raise ValueError(f"an array of shape {values.shape} is not a picture: height x width, or x 3 or 4")
    if values.dtype.kind in "fb":
        values = numpy.nan_to_num(values.astype(float)) * 255
    values = numpy.clip(values, 0, 255).round().astype(numpy.uint8)
    height, width = values.shape[:2]

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + row.tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    packed = zlib.compress(rows, 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def kfnb_still(fig: Any) -> Any:
    """A figure as the bytes of a picture; None where the package that renders it is not installed."""
    import io

    largest = 500_000
    buffer: Any = io.BytesIO()
    try:
        if hasattr(fig, "savefig"):  # matplotlib's, and seaborn's grids
            fig.savefig(buffer, format="svg", bbox_inches="tight")
            if buffer.tell() > largest:  # each of many points is an element
                buffer = io.BytesIO()
                fig.savefig(buffer, format="png", bbox_inches="tight", dpi=100)
            return buffer.getvalue()
        if hasattr(fig, "to_image"):  # Plotly's, by kaleido
            return fig.to_image(format="svg")
        if hasattr(fig, "to_dict") and hasattr(fig, "save"):  # Altair's, by vl-convert
            buffer = io.StringIO()
            fig.save(buffer, format="svg")
            return buffer.getvalue().encode()
    except Exception:
        return None
    for name in ("_repr_svg_", "_repr_png_"):
        data = getattr(fig, name, lambda: None)()
        if data:
            return data.encode() if isinstance(data, str) else data
    return None


def kfnb_live(fig: Any) -> str:
    """A figure as HTML whose scripts draw it; empty where it has none."""
    import uuid

    if hasattr(fig, "savefig"):
        return ""
    if hasattr(fig, "to_image") and hasattr(fig, "to_html"):
        return str(fig.to_html(include_plotlyjs="cdn", full_html=False))
    if hasattr(fig, "to_dict") and hasattr(fig, "to_html"):
        return str(fig.to_html(fullhtml=False, output_div=f"kfnb-{uuid.uuid4().hex}"))
    html = getattr(fig, "_repr_html_", lambda: None)()
    return str(html or "")


def kfnb_figure_html(fig: Any, title: str) -> str:
    """A figure as a fragment of a page: a still picture, which a live figure replaces where scripts run."""
    for name in ("figure", "fig"):  # of matplotlib's axes, and of libraries that draw with it
        if not hasattr(fig, "savefig") and hasattr(getattr(fig, name, None), "savefig"):
            fig = getattr(fig, name)
    still, live = kfnb_still(fig), kfnb_live(fig)
    if still is None and not live:
        raise TypeError(f"kf.figure takes a figure of matplotlib, Plotly or Altair, not {type(fig).__name__}")
    if still is None and "<script" not in live:
        return kfnb_captioned(live, title)
    if still is None:
        notice = "This figure is drawn by scripts, which do not run here. To save a picture too, add"
        notice += " --package kaleido (Plotly) or --package vl-convert-python (Altair) to its component."
        return kfnb_captioned(f"<noscript>{notice}</noscript>{live}", title)
    picture = kfnb_img(still, title or "figure")
    if not live:
        return kfnb_captioned(picture, title)
    # where scripts run, the still picture stays until the live one is drawn
    script = (
        "(function(s){var live=s.previousElementSibling,still=live.previousElementSibling;live.hidden=false;"
        "var timer=setInterval(function(){if(live.querySelector('svg,canvas')){still.hidden=true;clearInterval(timer)}}"
        ",200)})(document.currentScript)"
    )
    return kfnb_captioned(f"<div>{picture}</div><div hidden>{live}</div><script>{script}</script>", title)


def kfnb_rows(rows: Any, most: int) -> tuple[list[Any], list[Any], int]:  # noqa: PLR0911 - a return for each kind
    """The column names of a table, its first rows, and the total number of rows."""
    if hasattr(rows, "to_frame") and not hasattr(rows, "columns"):
        rows = rows.to_frame()
    if hasattr(rows, "iloc") and hasattr(rows, "columns"):  # pandas
        head = rows.iloc[:most]
        if type(rows.index).__name__ != "RangeIndex" or rows.index.name is not None:
            head = head.reset_index()
        return list(head.columns), list(head.itertuples(index=False, name=None)), len(rows)
    if hasattr(rows, "iter_rows") and hasattr(rows, "columns"):  # polars
        return list(rows.columns), list(rows.head(most).iter_rows()), len(rows)
    if hasattr(rows, "column_names") and hasattr(rows, "to_pylist"):  # Arrow
        names = list(rows.column_names)
        return names, [[row[name] for name in names] for row in rows.slice(0, most).to_pylist()], len(rows)
    rows = rows.tolist() if hasattr(rows, "tolist") else rows
    if isinstance(rows, dict):
        if rows and all(isinstance(column, (list, tuple)) for column in rows.values()):
            return list(rows), list(zip(*rows.values()))[:most], max(map(len, rows.values()))  # noqa: B905 - also Python 3.9
        return ["name", "value"], list(rows.items())[:most], len(rows)
    if not isinstance(rows, (list, tuple)):
        raise TypeError(f"kf.table takes a DataFrame, a list of dicts or a dict, not {type(rows).__name__}")
    if rows and all(isinstance(row, dict) for row in rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        return names, [[row.get(name, "") for name in names] for row in rows[:most]], len(rows)
    wide = [row if isinstance(row, (list, tuple)) else (row,) for row in rows]
    return list(range(max(map(len, wide), default=0))), list(wide[:most]), len(rows)


def kfnb_table_html(rows: Any, title: str, most: int) -> str:
    """The first rows of a table as a fragment of a page."""
    from html import escape

    longest = 200
    names, shown, count = kfnb_rows(rows, most)

    def cell(value: Any) -> str:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        text = text if len(text) <= longest else text[:longest] + "…"
        style = "padding:3px 12px 3px 0;border-bottom:1px solid #ddd" + ";text-align:right" * number
        return f'<td style="{style}">{escape(text)}</td>'

    head = "".join(
        f'<th style="padding:3px 12px 3px 0;border-bottom:1px solid #999;text-align:left">{escape(str(name))}</th>'
        for name in names
    )
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in shown)
    note = f"<small>the first {len(shown):,} of {count:,} rows</small>" if count > len(shown) else ""
    table = f'<table style="border-collapse:collapse;font-size:13px"><tr>{head}</tr>{body}</table>'
    return kfnb_captioned(table + note, title)
