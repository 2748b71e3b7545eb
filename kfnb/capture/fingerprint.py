"""Fingerprints of memory: of all bytes, at the speed of memory; of a sample; or of the addresses.

They are only compared within one process, and never stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import Any

WHOLE = 64 * 2**20
"""Bytes of one value's arrays that are hashed completely (some 15 ms); beyond that, samples are."""

_SMALL = 64 * 2**10
_ROW = 4096
_CHUNK = 2**22
_SAMPLES = 4096
_FEWER = 64
_FULLY_SAMPLED = 48
"""Arrays of one value that get many samples each; those beyond get few."""


class Thoroughness(Enum):
    """How thoroughly a value's arrays are compared."""

    QUICK = "whole up to a limit, beyond that samples"
    WHOLE = "every byte"
    PLACE = "where the memory of pandas' columns is, and samples of the rest"


class Memory:
    """Fingerprints of the arrays of one value, as thorough as ``thoroughness``.

    ``sampled`` is whether some were not read completely, ``unseen`` the number of bytes in those of them that are
    writable. Which are sampled depends on their order, so two fingerprints of one value agree.
    """

    def __init__(self, thoroughness: Thoroughness) -> None:
        self.thoroughness = thoroughness
        self.sampled = False
        self.unseen = 0
        self._left = WHOLE
        self._fully_sampled = _FULLY_SAMPLED

    def of(self, array: Any) -> bytes:
        """The fingerprint of a numpy array that holds no Python objects."""
        if self.thoroughness is Thoroughness.WHOLE or array.nbytes <= self._left:
            self._left -= array.nbytes
            return _whole(array)
        self.unseen += array.nbytes
        return self._sample(array)

    def lent(self, array: Any) -> bytes:
        """The fingerprint of an array that is copied before it is written: its address shows whether it was."""
        if self.thoroughness is Thoroughness.PLACE:
            return place_of(array)
        if self.thoroughness is Thoroughness.WHOLE or array.nbytes <= self._left:
            return self.of(array)
        return self._sample(array)

    def skip(self, size: int) -> None:
        """Count ``size`` bytes that are read by samples."""
        self.sampled = True
        self.unseen += size

    def _sample(self, array: Any) -> bytes:
        self.sampled = True
        self._fully_sampled -= 1
        return _sample(array, _SAMPLES if self._fully_sampled >= 0 else _FEWER)


def place_of(array: Any) -> bytes:
    """The address and layout of the array's memory."""
    return repr((array.__array_interface__["data"][0], array.shape, array.strides)).encode()


def positions(size: int, count: int) -> Any:
    """``count`` indices into ``size`` items: both ends, and between them without a pattern."""
    import numpy as np

    steps = np.linspace(0, size - 1, count).astype(np.int64)
    # a separate generator: the notebook's is not drawn from
    jitter = np.random.default_rng(size).integers(0, max(1, size // count), count)
    jitter[0] = 0
    return np.minimum(steps + jitter, size - 1)


def _sample(array: Any, count: int) -> bytes:
    import numpy as np

    places = positions(array.size, count)
    if array.flags.f_contiguous:
        array = array.T
    taken: Any = array[np.unravel_index(places, array.shape)] if array.ndim > 1 else array[places]
    return hashlib.blake2b(taken.view(np.uint8), digest_size=16).digest()


def _whole(array: Any) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for piece in _pieces(array):
        if piece.nbytes <= _SMALL:
            digest.update(piece)
            continue
        rows, rest = _rows(piece)
        digest.update(_sums(rows))
        digest.update(rest)
    return digest.digest()


def _pieces(array: Any) -> Iterator[Any]:
    """The array's bytes, copied piece by piece only where they are not contiguous."""
    import numpy as np

    if array.flags.f_contiguous:
        array = array.T
    if array.flags.c_contiguous:
        yield array.reshape(-1).view(np.uint8)
        return
    step = max(1, _CHUNK * len(array) // array.nbytes)
    for start in range(0, len(array), step):
        yield np.ascontiguousarray(array[start : start + step]).reshape(-1).view(np.uint8)


def _rows(piece: Any) -> tuple[Any, Any]:
    """The bytes as rows of 64-bit words, and the remainder."""
    import numpy as np

    most = piece.nbytes // (8 * _ROW) * (8 * _ROW)
    return piece[:most].view(np.uint64).reshape(-1, _ROW), piece[most:]


def _sums(rows: Any) -> Any:
    """A weighted sum of each row, modulo 2**64: any change of one word changes it, as every weight is odd."""
    import numpy as np

    return np.einsum("ij,j->i", rows, _weights())


@lru_cache(maxsize=1)
def _weights() -> Any:
    import numpy as np

    return np.random.default_rng(1).integers(0, 2**64, _ROW, dtype=np.uint64) | np.uint64(1)
