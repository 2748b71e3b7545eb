"""The command ``kfnb``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.metadata import version

from kfnb.notebooks import command as run


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (the process's own by default) and return its exit code."""
    parser = argparse.ArgumentParser(prog="kfnb", description="Kubeflow from a notebook and a terminal")
    parser.add_argument("--version", action="version", version=f"kfnb {version('kfnb')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    runner = commands.add_parser("run", help=run.SUMMARY, description=run.SUMMARY, allow_abbrev=False)
    run.add_arguments(runner)
    runner.set_defaults(action=run.main)
    args = parser.parse_args(argv)
    code: int = args.action(args)
    return code
