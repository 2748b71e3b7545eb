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
        ("nothing_like_it", "1", "settings: backend"),
        ("jobs", "many", "jobs must be a number"),
        ("jobs", "-1", "jobs must be a number"),
        ("backend", "moon", "backend must be one of these: where runs go"),
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


@pytest.mark.parametrize(
    ("setting", "ways"),
    [
        ("token=canary", ["KFNB_TOKEN", "token_file=FILE", "--insecure token=..."]),
        ("cookies=session=canary", ["KFNB_COOKIES", "c.Kfnb.cookies", "--insecure cookies=..."]),
        ("index_urls=https://me:canary@index.example/simple", ["KFNB_INDEX_URLS", "contains a password"]),
        ("host=https://me:canary@kubeflow.example", ["KFNB_HOST", "c.Kfnb.host"]),
    ],
)
def test_a_secret_in_a_cell_is_refused_with_the_ways_that_keep_it_out_of_the_notebook(
    shell: Shell, setting: str, ways: list[str]
) -> None:
    told = shell.fails(f"%kf_config {setting}")
    assert all(way in told for way in ways)
    assert "canary" not in told
    name = setting.partition("=")[0]
    assert "canary" not in str(getattr(shell.run("%kf_config"), name))
    shell.run(f"%kf_config --insecure {setting}")
    assert "canary" in str(getattr(shell.run("%kf_config"), name))
    assert "canary" not in str(list(shell.run("%kf_config").items()))


def test_ipythons_own_config_magic_refuses_a_secret_too(
    shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    shell.run("%config Kfnb.token = 'canary'")  # IPython logs what an object refuses
    assert "KFNB_TOKEN" in caplog.text
    assert not shell.run("%kf_config").token


def test_a_secret_is_taken_from_where_no_notebook_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config()
    config.Kfnb.cookies = "session=1"
    monkeypatch.setenv("KFNB_TOKEN", "canary")
    settings = Kfnb(start=Path("/"), config=config)
    assert (settings.token, settings.cookies) == ("canary", "session=1")


def test_a_secret_may_be_taken_away_in_a_cell(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run("%kf_config --insecure token=canary")
    shell.run("%kf_config token=")
    assert not shell.run("%kf_config").token


def test_a_file_of_a_token_and_an_address_without_a_password_are_no_secrets(shell: Shell) -> None:
    shell.run("%kf_config token_file=token.txt host=https://me@kubeflow.example/pipeline:1@x")
    assert shell.run("%kf_config").token_file == "token.txt"
