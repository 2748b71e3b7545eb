"""How what is followed in the page is displayed: a static picture at first, which the page keeps up to date."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from kfnb.commands.display import bundle
from kfnb.errors import KfnbError
from kfnb.live.followables import Handle, row_of
from kfnb.resources.runs.handle import RunList
from kfnb.resources.runs.live import RunsTable
from kfnb.resources.runs.priced import priced_runs

if TYPE_CHECKING:
    from kfnb.ipython.kernel import Kernel
    from kfnb.live.board import Board


def table(runs: RunList, board: Board | None) -> dict[str, str]:
    """Runs as a mimebundle; with a board, the page has the table live."""
    if board is None or not runs:
        return priced_runs(runs)
    shown = RunsTable(f"runs-{secrets.token_hex(4)}", runs)
    board.follow(shown)
    return board.drawing(shown)(runs)


def show(handle: Handle, kernel: Kernel) -> None:
    """Display a run or a study; where there is a page, the display changes as it does, until it is finished.

    A cell that ends with ``r.wait()`` says in a line how that went where another one shows the run.
    """
    from IPython.display import display

    board = kernel.board
    try:
        if board is not None and kernel.ends_in_an_order and board.is_shown(handle):
            print(row_of(handle).line(handle.snapshot()))
            return
        if board is None:
            display(bundle(handle), raw=True)
            return
        now = handle.snapshot()
    except KfnbError as error:  # IPython would print a traceback
        print(f"{type(error).__name__}: {error}")
        return
    board.follow(handle)  # the page knows it by the time that it gets a place for it
    picture = board.drawing(handle)(now)
    place = kernel.place()
    if place is None:
        place = display(picture, raw=True, display_id=True)
    else:
        place.update(picture, raw=True)
    board.follow(handle, place)
    board.placed(handle, kernel.cell_id)
