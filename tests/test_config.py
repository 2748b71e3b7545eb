"""Settings come from the session, the environment, the kernel's config and pyproject.toml, in that order."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets.config import Config

from kfnb.errors import KfnbError, SettingError
from kfnb.settings import Kfnb, names, reset
from tests.conftest import Shell


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names():
        monkeypatch.delenv(f"KFNB_{name.upper()}", raising=False)


def sources(settings: Kfnb) -> dict[str, str]:
    return {name: source for name, _, source in settings.items()}


def test_the_session_wins_over_the_environment_over_the_kernel_config_over_pyproject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.kfnb]\nexperiment = "from toml"\njobs = 7\ncache = false\n'
    )
    config = Config()
    config.Kfnb.experiment = "from config"
    config.Kfnb.cache = True
    monkeypatch.setenv("KFNB_EXPERIMENT", "from environment")
    settings = Kfnb(start=tmp_path, config=config)
    assert (settings.experiment, settings.cache, settings.jobs) == ("from environment", True, 7)
    settings.set("experiment", "from session")
    assert settings.experiment == "from session"
    assert sources(settings)["experiment"] == "set"
    assert sources(settings)["jobs"] == "pyproject.toml"


def test_the_nearest_pyproject_counts_even_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.kfnb]\njobs = 3\n")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert Kfnb(start=below).jobs == 3


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("cach", "true", "did you mean cache?"),
        ("nothing_like_it", "1", "settings are backend"),
        ("jobs", "many", "jobs is how many tasks"),
        ("jobs", "-1", "jobs is how many tasks"),
        ("backend", "moon", "backend is where runs go"),
    ],
)
def test_a_wrong_setting_says_what_it_should_be(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingError, match=told.replace("?", r"\?")):
        Kfnb(start=Path("/")).set(name, value)


def test_a_wrong_value_in_the_environment_says_where_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFNB_JOBS", "several")
    with pytest.raises(SettingError, match="from the environment"):
        Kfnb(start=Path("/"))


def test_kf_config_shows_and_sets(shell: Shell) -> None:
    shell.run("%kf_config experiment=mine jobs=2")
    settings = shell.run("%kf_config")
    assert (settings.experiment, settings.jobs) == ("mine", 2)
    assert "did you mean" in shell.fails("%kf_config experimen=x")
    assert "name=value" in shell.fails("%kf_config experiment")


def test_ipythons_own_config_magic_sets_them_too(shell: Shell) -> None:
    shell.run("%config Kfnb.experiment = 'mine'")
    assert shell.run("%kf_config").experiment == "mine"


def test_debug_brings_tracebacks_back(shell: Shell) -> None:
    error = SettingError("wrong")
    assert error._render_traceback_() == ["SettingError: wrong"]
    shell.run("%kf_config debug=true")
    assert KfnbError.debug
    assert any("SettingError" in line for line in error._render_traceback_())
    reset()
    assert not KfnbError.debug
