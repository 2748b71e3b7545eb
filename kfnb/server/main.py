"""The command line: serve a model folder, or check it."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kfnb.server.app import App
from kfnb.server.compression import with_gzip
from kfnb.server.findings import OnBadInput
from kfnb.server.http import HttpServer
from kfnb.server.http_messages import HttpLimits
from kfnb.server.log_settings import BYTES, DAYS, LogSettings
from kfnb.server.open_files import allow_connections
from kfnb.server.parity import check
from kfnb.server.predictor import NotServable
from kfnb.server.request_log import RequestLog
from kfnb.server.served import Served, serve_folder
from kfnb.server.server_log import log

_GRACE = 30.0
"""Seconds for requests under way, when the program is asked to end."""


def main(folder: Path, words: Sequence[str] | None = None) -> int:
    """Serve or check ``folder``, or the one that the words name; the exit status."""
    options = _parser(folder).parse_args(words)
    try:
        served = serve_folder(
            options.folder,
            options.name,
            options.version,
            OnBadInput(options.on_bad_input),
            pickle=options.pickle,
            trust=options.trust,
        )
    except (TypeError, ValueError, OSError, ImportError, NotServable) as error:
        log(f"{options.folder} cannot be served: {error}")
        return 2
    if options.command == "check":
        report = check(served)
        _say(report)
        return 0 if report["passed"] else 1
    requests = _request_log(options, served)
    asyncio.run(_serve(served, requests, options.host, options.port, options.socket))
    sys.stderr.flush()
    os._exit(0)  # a computation whose time is over is not waited for


def _parser(folder: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "serve.py", description="Serve the model in a folder.", allow_abbrev=False
    )
    parser.add_argument(
        "command", nargs="?", choices=["serve", "check"], default="serve", help="default: serve"
    )
    parser.add_argument(
        "--folder", type=Path, default=folder, help="the model folder (default: that of this file)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("PORT", "8080")), help="0 for a free one"
    )
    parser.add_argument("--socket", default="", metavar="PATH", help="listen on a Unix socket instead")
    parser.add_argument("--name", default="model", help="name of the model in paths (default: model)")
    parser.add_argument("--version", default="1", help="what answers say of the version (default: 1)")
    parser.add_argument(
        "--on-bad-input",
        choices=[one.value for one in OnBadInput],
        default=OnBadInput.REJECT.value,
        help="refuse bad inputs, take a typical value in their place, or take them as far as possible",
    )
    parser.add_argument("--pickle", action="store_true", help="load a pickle, which executes code")
    parser.add_argument(
        "--trust", action="append", default=[], metavar="TYPE", help="a type in the model that is safe"
    )
    _add_log(parser)
    return parser


def _add_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log", type=Path, metavar="FOLDER", help="keep requests and answers in files there")
    parser.add_argument(
        "--log-drop", action="append", default=[], metavar="COLUMN", help="a column that is not kept"
    )
    parser.add_argument(
        "--log-hash", action="append", default=[], metavar="COLUMN", help="a column of which digests are kept"
    )
    parser.add_argument(
        "--log-rate",
        type=float,
        default=0.0,
        metavar="N",
        help="keep about N requests a second (default: all)",
    )
    parser.add_argument(
        "--log-days",
        type=float,
        default=DAYS,
        metavar="N",
        help="remove them after N days (default: %(default)g)",
    )
    parser.add_argument(
        "--log-size", type=int, default=BYTES, metavar="BYTES", help="of all files (default: %(default)s)"
    )
    parser.add_argument(
        "--revision", type=int, default=1, metavar="N", help="what the files say of this process"
    )


def _request_log(options: argparse.Namespace, served: Served) -> RequestLog | None:
    """What keeps requests; None if it is not to, or cannot."""
    if options.log is None:
        return None
    if find_spec("pyarrow") is None:
        log("requests are not kept: pyarrow is not installed here")
        return None
    settings = LogSettings(
        options.log.absolute(),
        drop=options.log_drop,
        hash=options.log_hash,
        rate=options.log_rate,
        days=options.log_days,
        size=options.log_size,
        version=options.version,
        revision=options.revision,
    )
    _report_unknown(settings, served)
    return RequestLog(settings, served.inputs)


def _report_unknown(settings: LogSettings, served: Served) -> None:
    """Write which columns that are not kept the model does not have: another version may have other names."""
    names = {str(one["name"]) for one in served.folder.facts.get("inputs") or ()}
    unknown = sorted({*settings.drop, *settings.hash} - names)
    if unknown and served.inputs.named and served.folder.transform is None:
        log(f"columns that are not kept, or as digests: the model has no {', '.join(unknown)}")


async def _serve(served: Served, requests: RequestLog | None, host: str, port: int, socket: str) -> None:
    """Answer requests until the program is asked to end."""
    allow_connections()
    gc.freeze()  # what is loaded by now stays; it need not be looked through with each large request
    gc.set_threshold(100_000, 50, 100)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    limits = HttpLimits()
    handler = with_gzip(App(served, requests), limits)
    if socket:
        server = await HttpServer.on_socket(handler, socket, limits)
    else:
        server = await HttpServer.on_port(handler, host, port, limits)
    _say({"listening": server.address, "name": served.name, "version": served.version})
    await ended.wait()
    await server.stop(_GRACE)
    if requests is not None:
        requests.close()


def _say(content: Mapping[str, Any]) -> None:
    """Tell the caller, in a line of JSON."""
    sys.stdout.write(f"{json.dumps(content, allow_nan=False)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
