"""``kfnb completion``: the words of the command, as real shells complete them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kfnb import registry
from kfnb.cli import main
from kfnb.commands.shell.commands import answers

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("kfnb comp", ["compile", "compare", "completion"]),
        ("kfnb submit p.yaml --ba", ["--backend"]),
        ("kfnb submit p.yaml --backend ", ["local", "kubeflow"]),
        ("kfnb submit p.yaml --backend=k", ["--backend=kubeflow"]),
        ("kfnb submit p.yaml --js", ["--json"]),
        ("kfnb submit --o", []),
        ("kfnb runs p", ["prune"]),
        ("kfnb runs prune --k", ["--keep"]),
        ("kfnb runs --state can", ["canceling", "canceled"]),
        ("kfnb studies show --re", ["--resume"]),
        ("kfnb cluster ", ["up", "status", "down"]),
        ("kfnb cluster up --with ", ["kind", "minikube"]),
        ("kfnb tune p.yaml --algorithm mult", ["multivariate-tpe"]),
        ("kfnb completion ", ["bash", "zsh", "fish"]),
        ("kfnb unknown ", []),
        ("kfnb submit 'p", []),
    ],
)
def test_what_fits_in_a_terminal(
    line: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert answers(line) == expected


def test_files_and_their_parameters_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "tests/runs/local/data/pipeline-kfp-2.0.yaml", tmp_path / "old.yaml")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "made").mkdir()
    monkeypatch.chdir(tmp_path)
    assert answers("kfnb submit ") == ["old.yaml"]
    assert answers("kfnb submit ma") == ["made/"]
    assert answers("kfnb submit old.yaml --")[0] not in ("--backend", "--help")


@pytest.mark.parametrize("verb", list(registry.verbs()))
def test_every_verb_tells_how_its_words_go_on(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--help" in answers(f"kfnb {verb} --")
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def terminal(tmp_path: Path) -> dict[str, str]:
    """The environment of a shell in which ``kfnb`` is this one."""
    command = tmp_path / "bin" / "kfnb"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m kfnb.cli "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "KFNB_HOME": str(tmp_path / "home"),
    }


_BASH = """
source <(kfnb completion bash)
COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}
_kfnb
printf '%s\\n' "${{COMPREPLY[@]}}"
complete -p kfnb
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("kfnb submi", ["submit"]),
        ("kfnb submit p.yaml --backend=", ["local", "kubeflow"]),  # bash replaces what follows the =
        ("kfnb submit p.yaml --backend ", ["local", "kubeflow"]),
    ],
)
def test_bash_completes(line: str, expected: list[str], terminal: dict[str, str], tmp_path: Path) -> None:
    script = _BASH.format(line=line)
    done = subprocess.run(
        ["bash", "-c", script],
        check=True,
        env=terminal,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    *found, registered = done.stdout.splitlines()
    assert found == expected
    assert "-F _kfnb kfnb" in registered


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_a_tab_in_a_real_terminal_completes_the_line(terminal: dict[str, str], tmp_path: Path) -> None:
    pexpect = pytest.importorskip("pexpect")
    bash = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile", "-i"],
        env={**terminal, "PS1": "$ ", "TERM": "dumb"},
        cwd=str(tmp_path),
        timeout=60,
        encoding="utf-8",
    )
    bash.sendline("source <(kfnb completion bash); echo ready-$((1+1))")
    bash.expect("ready-2")
    bash.send("kfnb submit p.yaml --backend=kube\t")
    bash.expect("--backend=kubeflow")
    bash.sendcontrol("c")
    bash.close(force=True)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
def test_zsh_reads_the_script(terminal: dict[str, str], tmp_path: Path) -> None:
    script = "autoload -U compinit; compinit -u; source <(kfnb completion zsh); print -r -- $_comps[kfnb]"
    done = subprocess.run(
        ["zsh", "-fc", script],
        check=True,
        env={**terminal, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "_kfnb"
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish here")
def test_fish_completes(terminal: dict[str, str], tmp_path: Path) -> None:
    script = 'kfnb completion fish | source; complete -C "kfnb submi"'
    done = subprocess.run(
        ["fish", "-c", script],
        check=True,
        env={**terminal, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split() == ["submit"]


def test_a_shell_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "tcsh" in capsys.readouterr().err
