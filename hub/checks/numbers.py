"""Files of numbers: for each position among the sorted distinct persons of an extract's table, the number of
that person in the space of its source (hub.checks.numbering).

`VITRINE NUMBERS 1`, blanks, and from byte 24 on 32 bits each, so that they can be used where they lie.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from hub.checks.sets import sha256_of

NUMBERS = b"VITRINE NUMBERS 1\n      "
Numbers = npt.NDArray[np.uint32]


class BadNumbers(ValueError):
    """The register lacks a person, or a file of numbers is none."""


def numbers_from(path: Path) -> Numbers:
    """The numbers of a table's positions, mapped, where the file is what its name (SHA-256) says. Raises
    BadNumbers, OSError."""
    with path.open("rb") as stream:
        if sha256_of(stream) != path.stem or stream.read(len(NUMBERS)) != NUMBERS:
            raise BadNumbers("no file of numbers")
    if path.stat().st_size == len(NUMBERS):
        return np.zeros(0, dtype=np.uint32)
    return np.memmap(path, dtype="<u4", mode="r", offset=len(NUMBERS)).view(np.ndarray)
