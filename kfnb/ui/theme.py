"""Colours and fonts, as inline CSS.

They come from JupyterLab's theme, else VS Code's, else a light page's, so that light and dark both read well.
The root element names them once (``--kfnb-ink``); all else refers to those names.
"""

from __future__ import annotations

INK = "var(--kfnb-ink)"
SOFT = "var(--kfnb-soft)"
LINE = "var(--kfnb-line)"
PAPER = "var(--kfnb-paper)"
SHADE = "rgba(130,138,150,.14)"
MONO = "var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace)"

# Midway between white and black: at least 3:1 on both, which Lab's own orange and green are not on white.
GREEN = "#1a9550"
RED = "#e5484d"
BLUE = "#2f81f7"
AMBER = "#c27c0e"
GREY = "#7d858d"
ARROW = "#7d8794"

# one for each of several runs, or iterations of a loop; their dashes differ too
SERIES = (BLUE, "#d0681c", "#9b6cf0", "#0a8f9c", "#d6409f", "#8a7a2e")
DASHES = ("", "6 3", "2 3", "8 3 2 3")

ROOT = ";".join(
    (
        "--kfnb-ink:var(--jp-ui-font-color1,var(--vscode-editor-foreground,#1f2328))",
        "--kfnb-line:var(--jp-border-color2,var(--vscode-widget-border,#d8dee4))",
        "--kfnb-paper:var(--jp-layout-color0,var(--vscode-editor-background,#fff))",
        # a page's own second colour of words is too faint on shades of its paper
        "--kfnb-soft:color-mix(in srgb,var(--kfnb-ink) 68%,var(--kfnb-paper))",
        f"color:{INK}",
        f"background:{PAPER}",
        "font-family:var(--jp-ui-font-family,system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif)",
        "font-size:13px",
        "line-height:1.45",
        "padding:4px 0",
    )
)
