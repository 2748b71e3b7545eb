"""The command that serves kfnb's pages to a browser."""

from __future__ import annotations

import argparse
import webbrowser
from dataclasses import dataclass

from kfnb.commands.command import Command, flag, option
from kfnb.commands.session import Session


def _port(text: str) -> int:
    if text.isdecimal() and int(text) < 2**16:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port")


@dataclass(frozen=True, kw_only=True)
class ServePages(Command):
    """Show runs, studies, models, services and monitors in a browser, without a notebook, until you press Ctrl+C.

    The address has a token: who has it sees and does what you can. It works on this machine alone.
    """

    port: int = option(
        metavar="PORT", type=_port, default=0, help="the port at 127.0.0.1 (default: a free one)"
    )
    no_browser: bool = flag(help="print the address, and open no browser")

    def run(self, session: Session) -> None:
        """Serve until interrupted."""
        from kfnb.web.server import serve

        def opened(address: str) -> None:
            session.notify(f"kfnb's pages are at {address}\nPress Ctrl+C to stop.")
            if not self.no_browser:
                webbrowser.open(address)

        try:
            serve(self.port, opened)
        except KeyboardInterrupt:
            session.notify("Stopped.")
