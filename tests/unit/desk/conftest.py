"""A small extract, and the desk's own package `vitrine`, which is installed in the desk and not here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "images" / "desk" / "python"))

ROWS = 900


def make_extract(place: Path) -> pd.DataFrame:
    """Write `people.parquet` (two rows per person, some values missing) and its manifest; answer the rows."""
    dice = np.random.default_rng(7)
    person = np.repeat(np.arange(ROWS // 2) + 100000000000007, 2)
    frame = pd.DataFrame(
        {
            "pid": person,
            "year": np.tile([2013, 2014], ROWS // 2),
            "region": dice.choice([1, 2, 3, 4], ROWS, p=[0.5, 0.3, 0.19, 0.01]),
            "sex": dice.choice(["F", "M"], ROWS),
            "age": dice.integers(18, 75, ROWS),
            "weight": dice.uniform(0.5, 3, ROWS).round(3),
            "wage": dice.lognormal(10, 0.6, ROWS).round(2),
            "born": pd.to_datetime("1970-01-01") + pd.to_timedelta(dice.integers(0, 9000, ROWS), unit="D"),
        }
    )
    frame["employed"] = (dice.uniform(size=ROWS) < 0.3 + 0.005 * frame["age"]).astype("int8")
    frame.loc[dice.choice(ROWS, 40, replace=False), "wage"] = np.nan
    frame["born"] = frame["born"].dt.date
    frame["region"] = frame["region"].astype("int64")
    frame.to_parquet(place / "people.parquet", index=False)
    manifest = {
        "version": 2,
        "pseudonyms": {"tag": 10, "key_version": 1, "units": {"person": ["pid"]}},
        "files": [{"name": "people.parquet", "rows": ROWS, "columns": list(frame.columns)}],
    }
    codebook = {
        "version": 2,
        "tables": [{"name": "people", "file": "people.parquet", "units": {"person": "pid"}}],
    }
    for name, content in (("manifest.json", manifest), ("codebook.json", codebook)):
        (place / name).write_text(json.dumps(content), encoding="utf-8")
    return frame


@pytest.fixture(scope="session")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as it is mounted at /data."""
    place = tmp_path_factory.mktemp("extract")
    make_extract(place)
    return place


@pytest.fixture(autouse=True)
def _desk(extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk in English, in a folder of its own."""
    monkeypatch.setenv("VITRINE_EXTRACT", str(extract))
    monkeypatch.setenv("VITRINE_LOCALE", "en")
    monkeypatch.chdir(tmp_path)
