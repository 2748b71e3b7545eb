"""``%kf_notebook`` where there is no cluster, and where one was recorded."""

import pytest
from traitlets.config import Config

from kfnb import settings
from tests.ipython.test_completion import complete


@pytest.fixture
def alone(shell, monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    for name in ("KFNB_CONTEXT", "KFNB_NAMESPACE", "NB_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    settings.reset(config=Config())
    return shell


@pytest.mark.parametrize("words", ["", "stop nb", "create nb --image a:1 --dry-run", "delete nb --yes"])
def test_without_a_cluster_it_says_how_one_is_named(alone, words):
    assert "no cluster is known here: %kf_config context=NAME names one" in alone.fails(
        f"%kf_notebook {words}"
    )


def test_its_verbs_and_options_are_completed(alone):
    assert complete(alone, "%kf_notebook st") == ["start", "stop"]
    assert complete(alone, "%kf_notebook create x --im") == ["--image", "--image-config"]


def test_help_shows_the_words(alone, capsys):
    assert alone.run("%kf_notebook --help") is None
    assert "--with-volume" in capsys.readouterr().out
