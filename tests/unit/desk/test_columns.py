"""The stream R reads: every kind of column, nothing lost."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vitrine
from vitrine.columns import MISSING, write_columns

TABLE = pa.table(
    {
        "small": pa.array([1, None, 3], pa.int16()),
        "pid": pa.array([100000000000007, None, 999999999999999], pa.int64()),
        "huge": pa.array([2**60, 1, None], pa.int64()),
        "wage": pa.array([1.5, None, float("nan")]),
        "yes": pa.array([True, None, False]),
        "name": pa.array(["é", None, "z"]),
        "code": pa.array(["b", "a", None]).dictionary_encode(),
        "day": pa.array([dt.date(1970, 1, 2), None, dt.date(2000, 1, 1)]),
        "at": pa.array(
            [dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC).replace(tzinfo=None), None, None],
            pa.timestamp("ns"),
        ),
    }
)


def test_every_kind_of_column(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "t.parquet")
    stream = io.BytesIO()
    write_columns(tmp_path / "t.parquet", None, stream)
    stream.seek(0)
    head = json.loads(stream.readline())
    kinds = {column["name"]: column["kind"] for column in head["columns"]}
    assert kinds == {
        "small": "integer", "pid": "double", "huge": "character", "wage": "double", "yes": "logical",
        "name": "character", "code": "factor", "day": "date", "at": "time",
    }  # fmt: skip
    values = {
        column["name"]: np.frombuffer(
            stream.read(3 * (8 if column["kind"] in ("double", "date", "time") else 4)),
            "<f8" if column["kind"] in ("double", "date", "time") else "<i4",
        )
        for column in head["columns"]
    }
    assert stream.read() == b""
    assert values["small"].tolist() == [1, MISSING, 3]
    assert values["pid"][[0, 2]].tolist() == [100000000000007, 999999999999999]
    # R tells a missing number from NaN by the low word 1954.
    assert values["wage"].view("<u4")[2] == 1954
    assert values["wage"].view("<u4")[4] != 1954
    assert np.isnan(values["wage"][[1, 2]]).all()
    assert values["yes"].tolist() == [1, MISSING, 0]
    assert values["code"].tolist() == [1, 2, MISSING]
    assert values["day"][[0, 2]].tolist() == [1, 10957]
    assert values["at"][0] == 1
    levels = {column["name"]: column["levels"] for column in head["columns"]}
    assert levels["name"] == ["é", "z"]
    assert levels["huge"][0] == str(2**60)


@pytest.mark.parametrize(
    "asked",
    [
        {"call": "columns", "path": "no.parquet"},
        {"call": "table", "table": "people", "by": ["x"], "file": "t.csv"},
    ],
)
def test_the_bridge_says_why_not(asked: dict[str, object]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vitrine.bridge"],
        input=json.dumps(asked).encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(vitrine.__file__).parents[1])},
    )
    assert done.returncode == 3
    assert done.stderr.strip()
    assert b"Traceback" not in done.stderr
