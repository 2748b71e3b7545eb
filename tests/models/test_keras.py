"""Models of Keras, where it is installed, with one of its backends."""

from __future__ import annotations

import numpy as np
import pytest

import kfnb
from kfnb.errors import UsageError
from tests.conftest import Shell

keras = pytest.importorskip("keras", reason="Keras and a backend are not installed")

ROWS = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")


@pytest.mark.filterwarnings("default")  # of the backends
def test_a_model_of_keras_comes_back_and_names_its_backend(shell: Shell) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
    version = kfnb.register(model, "net", example=ROWS)
    assert version.format == "keras"
    assert {"keras", keras.config.backend()} <= set(version.packages)
    np.testing.assert_allclose(
        version.load().predict(ROWS, verbose=0), model.predict(ROWS, verbose=0), rtol=1e-5
    )


def test_a_layer_that_holds_code_is_refused_when_it_is_saved(shell: Shell) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda rows: rows * 2)])
    with pytest.raises(UsageError, match=r"Keras cannot load it in safe mode: .*Lambda"):
        kfnb.register(model, "net")
