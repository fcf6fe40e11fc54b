"""What leaves beside the tables of a file is judged too: keys, values, prose, names of files and sheets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.checks import Severity, Verdict
from hub.checks.json_tables import json_parts
from hub.checks.tables import Bounds
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

FRAME = survey()
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
SAFE = LARGE.group_by("region").agg(n=pl.len(), wage_mean=pl.col("wage").mean().round(3)).sort("region")
RECORDS = SAFE.to_dicts()
BY_YEAR = LARGE.group_by("year").agg(n=pl.len()).sort("year").to_dicts()
SPLIT = {"columns": SAFE.columns, "data": [list(row) for row in SAFE.rows()]}
PRINTED = "".join(f"{r['region']:>7} {r['n']:>4}  {r['wage_mean']:.3f}\n" for r in RECORDS)
PRINTED = f" region    n  wage_mean\n{PRINTED}"
SHOWN = SAFE.columns, ["---"] * 3, *[[str(cell) for cell in row] for row in SAFE.rows()]
MARKDOWN = "".join(f"| {' | '.join(line)} |\n" for line in SHOWN)


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("survey") / "extract")


SAFE_JSON: Mapping[str, Any] = {
    "records": RECORDS,
    "split": SPLIT,
    "split with an index": {**SPLIT, "index": list(range(len(RECORDS)))},
    "split with labels as its index": {
        "columns": SAFE.columns[1:],
        "index": [row["region"] for row in RECORDS],
        "data": [list(row)[1:] for row in SAFE.rows()],
    },
    "columns": SAFE.to_dict(as_series=False),
    "columns by label": {name: {row["region"]: row[name] for row in RECORDS} for name in ("n", "wage_mean")},
    "under a name": {"table": RECORDS},
    "under names of variables": {"results": {"wage_by_region": RECORDS}},
}


@pytest.mark.parametrize("name", SAFE_JSON)
def test_safe_json_passes(extract: Path, tmp_path: Path, name: str) -> None:
    report = judged(extract, tmp_path, json.dumps(SAFE_JSON[name]), name="t.json")
    assert (report.verdict, rules_of(report) - {"small_integer"}) == (Verdict.PASS, set())


_INCOMES = FRAME.filter(pl.col("region") == RARE)["income"].to_list()
_PEOPLE = [
    f"{p} {r} {s} {i}" for p, r, s, i in FRAME.select("pid", "region", "sex", "income").head(400).rows()
]
UNSAFE_JSON: Mapping[str, Any] = {
    "values beside": {"table": RECORDS, **{f"rare{at}": one for at, one in enumerate(_INCOMES)}},
    "small numbers beside": {"table": RECORDS, "n_rare": 6, "sum_income_person9": 90000.25},
    "records as the index": {**SPLIT, "index": _PEOPLE},
    "numbers as the index": {**SPLIT, "index": [90000.25, 6, 1, 3]},
    "a key": {"Alone earns 90000.25": RECORDS},
    "a key over nothing": {"table": RECORDS, "Alone: six": {}},
    "a record among rows": {**SPLIT, "data": [*SPLIT["data"], {"pid": 1018, "income": 90000.25}]},
    "a list beside rows": {**SPLIT, "rare": [90000.25, 17.41, 19.2]},
    "values in a list": [RECORDS, 90000.25, "the sole one earns 17.31"],
    "one value in a list": [RECORDS, [6]],
    "far below": {"table": RECORDS, "a": {"b": {"c": {"d": {"e": {"f": {"g": [{"x": 9.25}, {"x": 1}]}}}}}}},
    "further below": [RECORDS, [[[[[[[[[[[[[[[[6]]]]]]]]]]]]]]]]],
    "a mixed list": {"meta": {"rows": BY_YEAR}, "list": [1018, "Rare", 90000.25, [3]]},
    "many tables": [*([RECORDS] * 100), [{"n": 6, "region": "Rare"}]],
}  # fmt: skip


@pytest.mark.parametrize("name", UNSAFE_JSON)
def test_json_holds_nothing_beside_its_tables(extract: Path, tmp_path: Path, name: str) -> None:
    report = judged(extract, tmp_path, json.dumps(UNSAFE_JSON[name]), name="t.json")
    assert report.verdict is not Verdict.PASS
    assert any(one.severity is not Severity.NOTE for one in report.findings)


@pytest.mark.parametrize("name", ["values beside", "records as the index", "a record among rows"])
def test_rows_beside_a_table_are_rows(extract: Path, tmp_path: Path, name: str) -> None:
    report = judged(extract, tmp_path, json.dumps(UNSAFE_JSON[name]), name="t.json")
    assert report.verdict is Verdict.BLOCK


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "x", "Rare", "n", "six", "90000.25", "North"]),
)
_KEYS = st.sampled_from(["x", "Rare", "n_rare", "six", "note", "6", "index", "columns", "data", "name"])


def _places(value: Any) -> Iterator[Any]:
    """Every list and object in `value`."""
    if isinstance(value, dict | list):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from _places(part)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_can_be_added_to_json_that_passes(extract: Path, tmp_path: Path, data: st.DataObject) -> None:
    value = json.loads(json.dumps(data.draw(st.sampled_from(list(SAFE_JSON.values())))))
    place = data.draw(st.sampled_from(list(_places(value))))
    added = data.draw(st.one_of(_SCALARS, st.lists(_SCALARS, min_size=1, max_size=3)))
    if isinstance(place, list):
        place.insert(data.draw(st.integers(0, len(place))), added)
    else:
        key = data.draw(_KEYS.filter(lambda one: one not in place))
        place[key] = added
    report = judged(extract, tmp_path, json.dumps(value), name="t.json")
    assert report.verdict is not Verdict.PASS, value


def test_each_key_and_value_of_json_is_in_a_table_or_said_to_be_in_none() -> None:
    value = {"a": [{"b": 1}], "c": {"d": {"e": [[2, 3], [4]]}}, "f": 5, "g": [], "h": [[[6]], "i"]}
    parts = json_parts(value, Bounds(100, 1_000))
    cells = [cell for table in parts.tables for row in (table.columns, *table.rows) for cell in row]
    assert set("abcdefghi123456") <= {*cells, *parts.names, *parts.loose}
