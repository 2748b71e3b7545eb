"""The command ``kfnb``: the verbs of the magics, for a terminal and for CI.

It waits for what it starts, prints progress on stderr, and with ``--json`` the handle on stdout. Exit codes:
0 succeeded, 1 failed, 2 wrong use, 130 interrupted. A verb is imported when it is used, so that help comes at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from kfnb import __version__ as version
from kfnb.errors import BackendError, Help, KfnbError, UsageError, did_you_mean


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (the process's own by default) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _told(words)
        sys.stdout.flush()  # here, where it is caught: at Python's end it would be a traceback
    except BrokenPipeError:
        # what read our output has had enough of it; Python must not complain when it flushes the rest at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _told(words: list[str]) -> int:
    """Do what the words ask for; help and errors are told."""
    try:
        return _dispatch(words)
    except Help as text:
        print(text)
        return 0
    except KfnbError as error:
        from kfnb.commands.terminal import tell

        tell(str(error))
        # all but what the backend says is told before anything has started: wrong use
        return 1 if isinstance(error, BackendError) else 2


def _dispatch(words: list[str]) -> int:
    verb = words[0] if words else ""
    if verb in ("--version", "-V"):
        print(f"kfnb {version}")
        return 0
    if verb in ("", "--help", "-h"):
        print(_usage())
        return 0 if verb else 2
    if verb not in VERBS:
        raise UsageError(f"unknown verb {verb}{did_you_mean(verb, VERBS)}; kfnb --help shows the verbs")
    return verb_of(verb)(words[1:])


def verb_of(verb: str) -> Callable[[list[str]], int]:
    """What does a verb's work: a function of the words that follow it."""
    module, _, function = VERBS[verb][0].partition(":")
    found: Callable[[list[str]], int] = getattr(import_module(module), function)
    return found


def _usage() -> str:
    verbs = "\n".join(f"  {verb:<11} {told}" for verb, (_, told) in VERBS.items())
    return f"usage: kfnb VERB ...\n\n{verbs}\n\nkfnb VERB --help shows its words."


VERBS: dict[str, tuple[str, str]] = {
    "run": ("kfnb.verbs.runs:run_notebooks", "execute notebooks from top to bottom"),
    "submit": ("kfnb.verbs.runs:submit", "run a pipeline: a compiled file, or a program of KFP's SDK"),
    "compile": ("kfnb.verbs.kept:compile_", "write a pipeline of a program of KFP's SDK as YAML"),
    "runs": (
        "kfnb.verbs.runs:runs",
        "the newest runs; kfnb runs show ID shows one, kfnb runs prune --keep N removes the others",
    ),
    "compare": ("kfnb.verbs.runs:compare", "runs side by side: what differs between them"),
    "logs": ("kfnb.verbs.runs:logs", "what a run's tasks wrote"),
    "stop": ("kfnb.verbs.runs:stop", "end a run and all of its processes"),
    "retry": ("kfnb.verbs.runs:retry", "run again what did not succeed of a run"),
    "archive": ("kfnb.verbs.runs:archive", "put runs away; --undo puts them back"),
    "delete": ("kfnb.verbs.runs:delete", "remove finished runs for good"),
    "status": ("kfnb.verbs.cluster:status", "where you are, what there is, and what is broken"),
    "doctor": (
        "kfnb.verbs.cluster:doctor",
        "check this machine, the clients and the way to the cluster; 1 where something is bad",
    ),
    "notebook": (
        "kfnb.verbs.notebook:notebook",
        "the notebooks on the cluster: list, start, stop, create, delete",
    ),
    "cluster": (
        "kfnb.verbs.own:cluster",
        "a Kubeflow on this machine, with minikube or kind: up, status, down",
    ),
    "image": ("kfnb.verbs.image:image", "write what an image for notebooks with kfnb in it is built from"),
    "experiments": ("kfnb.verbs.kept:experiments", "the experiments there are"),
    "upload": ("kfnb.verbs.kept:upload", "keep a pipeline on the cluster, or a new version of one"),
    "tune": ("kfnb.verbs.tuning:tune", "search for the parameters of a pipeline that make an objective best"),
    "studies": (
        "kfnb.verbs.tuning:studies",
        "the studies there are; kfnb studies show NAME shows one, stops it, or goes on with it",
    ),
    "schedule": (
        "kfnb.verbs.kept:schedule",
        "run a pipeline on the cluster again and again; list, pause, resume, delete",
    ),
    "completion": (
        "kfnb.commands.shell_completion:completion",
        "print what completes kfnb's words in bash, zsh or fish",
    ),
}

"""Each verb: where its function is (``module:function``), and what it does."""

if __name__ == "__main__":
    sys.exit(main())
