"""Ids and digests as bytes side by side: a sixth of what they take as Python's strings of hexadecimal digits."""

from collections.abc import Sequence

import numpy as np

Packed = np.ndarray[tuple[int], np.dtype[np.void]]


def packed(words: Sequence[str], size: int) -> Packed:
    """Hexadecimal words of `size` bytes each."""
    return np.frombuffer(bytes.fromhex("".join(words)), f"V{size}")


def hexadecimal(values: Packed) -> list[str]:
    digits, length = values.tobytes().hex(), 2 * values.itemsize
    return [digits[first : first + length] for first in range(0, len(digits), length)]
