"""``kfnb run``: the words of the command, and what they do."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from kfnb.errors import NotebookError
from kfnb.execute.parameters import Text, read_file
from kfnb.execute.progress import ProgressText
from kfnb.execute.result import NotebookResult
from kfnb.execute.runner import run_notebooks

SUMMARY = "execute notebooks from top to bottom and keep what was executed"
_INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words that follow ``kfnb run``."""
    parser.add_argument("notebooks", metavar="NOTEBOOK", nargs="+", type=Path, help="a notebook (.ipynb)")
    parser.add_argument(
        "-p",
        dest="parameters",
        metavar=("NAME", "VALUE"),
        nargs=2,
        action="append",
        default=[],
        help="a parameter, for each notebook that has it; the value is a Python or JSON literal, else text",
    )
    parser.add_argument(
        "-f",
        dest="files",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a YAML or JSON file of parameters",
    )
    parser.add_argument("--jobs", metavar="N", type=_positive, default=1, help="how many run at once (1)")
    parser.add_argument(
        "--output-dir",
        metavar="DIR",
        type=Path,
        default=Path("executed"),
        help="where executed notebooks are kept (executed)",
    )
    parser.add_argument("--html", action="store_true", help="also write each executed notebook as HTML")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="write a report in JUnit's XML")


def main(args: argparse.Namespace) -> int:
    """Execute, and return the exit code: 0 if all succeeded, 1 if a notebook failed, 2 for wrong use."""
    try:
        results = run_notebooks(
            args.notebooks,
            parameters=_gather(args),
            jobs=args.jobs,
            output_dir=args.output_dir,
            html=args.html,
            junit=args.junit,
            on_progress=ProgressText(sys.stderr),
        )
    except NotebookError as error:
        print(f"kfnb run: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nkfnb run: interrupted; what was executed is in {args.output_dir}", file=sys.stderr)
        return _INTERRUPTED
    for result in results:
        _print_outputs(result)
    return 0 if all(result.succeeded for result in results) else 1


def _gather(args: argparse.Namespace) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for file in args.files:
        values.update(read_file(file))
    values.update({name: Text(text) for name, text in args.parameters})
    return values


def _print_outputs(result: NotebookResult) -> None:
    for path in (result.output, result.html):
        if path is not None and path.exists():
            print(path)


def _positive(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
