"""Quantiles and Gini coefficients of groups whose values are sorted.

Everywhere `values` are those of all groups, group after group, sorted in each; `starts` (one more than there
are groups) is where each begins. Results have one number per group, NaN without values.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hub.checks.runs import STEP, Floats

Starts = npt.NDArray[np.int64]
# How programs interpolate quantiles: R and pandas by default, SAS and Stata, and the order statistics.
QUANTILE_METHODS = ("linear", "averaged_inverted_cdf", "lower", "higher", "midpoint", "nearest")


def ginis_of(values: Floats, starts: Starts) -> Floats:
    """Gini coefficients; NaN with a total of 0."""
    found = np.full(starts.size - 1, np.nan)
    for group, (first, last) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
        size, weighed = last - first, 0.0
        for at in range(first, last, STEP):
            own = values[at : min(at + STEP, last)]
            ranks = np.arange(at - first + 1, at - first + 1 + own.size)
            weighed += float(((2 * ranks - size - 1) * own).sum())
        whole = size * float(values[first:last].sum())
        if whole != 0:
            found[group] = weighed / whole
    return found


def quantiles_of(values: Floats, starts: Starts, share: float, method: str) -> Floats:
    """The two neighbours of the quantile's place, and their mix by one of `QUANTILE_METHODS` (of numpy)."""
    count = starts.size - 1
    sizes = np.diff(starts)
    filled = sizes > 0
    found = np.full(count, np.nan)
    if not filled.any():
        return found
    first, size = starts[:-1][filled], sizes[filled]
    if method == "averaged_inverted_cdf":
        place = size * share
        low = np.clip(np.ceil(place - 1e-9).astype(np.int64) - 1, 0, size - 1)
        whole = np.abs(place - np.round(place)) < 1e-9
        high = np.clip(low + whole, 0, size - 1)
        part = np.full(low.shape, 0.5)
    else:
        place = (size - 1) * share
        low = np.floor(place + 1e-9).astype(np.int64)
        high = np.minimum(low + 1, size - 1)
        part = {
            "linear": np.maximum(place - low, 0.0),
            "lower": np.zeros(low.shape),
            "higher": (place - low > 1e-9).astype(np.float64),
            "midpoint": np.where(place - low > 1e-9, 0.5, 0.0),
            "nearest": np.round(place - low),
        }[method]
    found[filled] = values[first + low] * (1 - part) + values[first + high] * part
    return found
