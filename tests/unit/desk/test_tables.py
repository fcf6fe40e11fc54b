"""`vitrine.table`: refusals first, then that file and declaration say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import vitrine
from hypothesis import given, settings
from hypothesis import strategies as st
from vitrine.declarations import number_text
from vitrine.suppression import suppressed_lines

from hub.checks.suppression import Margins, audit
from hub.documents.outputs import Declaration, parse_declaration


def declared(file: str) -> Declaration:
    """The declaration beside `file`, as strictly as the platform reads it."""
    return parse_declaration(Path(f"{file}.spec.json").read_bytes(), file=file)


def printed(file: str) -> pd.DataFrame:
    return pd.read_csv(file, dtype=str, keep_default_na=False)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d.assign(band=d["age"] // 10), "derived"),
        (lambda d: d.assign(region=d["region"] * 2), "changed_values"),
        (lambda d: d[d["age"] > 30], "changed_rows"),
    ],
)
def test_what_was_derived_cannot_be_declared(change: Any, code: str) -> None:
    data = change(vitrine.read_extract())
    by = "band" if "band" in data else "region"
    with pytest.raises(vitrine.NotDeclarable) as refusal:
        vitrine.table(data, by, "mean", "wage", file="t.csv", table="people")
    assert refusal.value.code == code
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"by": "region", "stat": "mean"}, "of"),
        ({"by": "region", "stat": "count", "of": "wage"}, "of"),
        ({"by": "region", "stat": "mode", "of": "wage"}, "stat"),
        ({"by": "region", "stat": "mean", "of": "sex"}, "of"),
        ({"by": "region", "stat": "quantile", "of": "wage"}, "quantile"),
        ({"by": "region", "stat": "sd", "of": "wage", "weight": "weight"}, "weight"),
        ({"by": "region", "stat": "median", "of": "wage", "weight": "weight"}, "weight"),
        ({"by": "age", "breaks": [30, 20]}, "breaks"),
        ({"by": "age", "breaks": [20, float("inf")]}, "breaks"),
        ({"by": "age", "breaks": [20, 30], "labels": ["a", "b"]}, "labels"),
        ({"by": "region", "where": ("age", "~", 3)}, "where"),
        ({"by": "region", "spread": True}, "spread"),
        ({"by": ["region", "sex", "year"], "total": "all"}, "total"),
        ({"by": "region", "file": "t.xlsx"}, "file"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(vitrine.BadArgument) as refusal:
        vitrine.table("people", **{"file": "t.csv", **arguments})
    assert refusal.value.name == name
    assert list(Path.cwd().iterdir()) == []


def test_a_table_and_its_declaration() -> None:
    data = vitrine.read_extract("people")
    vitrine.table(data, by=["region"], stat="mean", of="wage", file="wages.csv")
    output = declared("wages.csv").output.model_dump(mode="json")
    assert output == {
        "kind": "table",
        "table": "people",
        "by": [{"variable": "region", "next": False, "right": False}],
        "measures": [{"stat": "mean", "column": "mean_wage", "of": "wage"}],
        "spread": False,
    }
    wanted = data.groupby("region")["wage"].mean()
    shown = printed("wages.csv")
    assert wanted.max() < 100_000
    assert shown["region"].tolist() == ["1", "2", "3", "4"]
    assert shown["mean_wage"].tolist() == [f"{value:.1f}" for value in wanted]


def test_rows_in_another_order_are_the_same_rows() -> None:
    data = vitrine.read_extract().sort_values("wage").astype({"region": "float64"})
    assert vitrine.table(data, "region", file="t.csv").output is not None


def test_several_measures_bands_and_a_subpopulation() -> None:
    data = vitrine.read_extract()
    measures = [
        {"stat": "count"},
        {"stat": "persons"},
        {"stat": "share"},
        {"stat": "sum", "of": "wage"},
        {"stat": "median", "of": "wage"},
        {"stat": "quantile", "of": "wage", "quantile": 0.9},
        {"stat": "sd", "of": "wage"},
        {"stat": "gini", "of": "wage"},
        {"stat": "mean", "of": "wage", "weight": "weight", "column": "weighted"},
    ]
    where = [("year", "==", 2014), {"not": ("sex", "in", ["F"])}]
    vitrine.table(data, "age", measures=measures, where=where, breaks=[20, 40, 60], file="t.csv")
    assert declared("t.csv").output.where is not None
    rows = data[(data["year"] == 2014) & (data["sex"] != "F")]
    band = rows[(rows["age"] >= 20) & (rows["age"] < 40)]
    both = rows[(rows["age"] >= 20) & (rows["age"] < 60)]
    wages = band["wage"].dropna()
    weights = band.loc[wages.index, "weight"]
    shown = printed("t.csv").iloc[0]
    assert shown["age"] == "[20, 40)"
    assert shown[["count", "persons"]].tolist() == [str(len(band)), str(band["pid"].nunique())]
    assert float(shown["share"]) == pytest.approx(len(band) / len(both), rel=1e-5)
    assert float(shown["sum_wage"]) == pytest.approx(wages.sum(), rel=1e-5)
    assert float(shown["median_wage"]) == pytest.approx(wages.median(), rel=1e-5)
    assert float(shown["p90_wage"]) == pytest.approx(wages.quantile(0.9), rel=1e-5)
    assert float(shown["sd_wage"]) == pytest.approx(wages.std(), rel=1e-5)
    differences = np.abs(np.subtract.outer(wages.to_numpy(), wages.to_numpy())).mean()
    assert float(shown["gini_wage"]) == pytest.approx(differences / (2 * wages.mean()), rel=1e-5)
    assert float(shown["weighted"]) == pytest.approx(np.average(wages, weights=weights), rel=1e-5)


def test_a_spread_table_with_totals() -> None:
    data = vitrine.read_extract()
    vitrine.table(data, ["region", "sex"], file="t.csv", spread=True, total="all")
    output = declared("t.csv").output
    assert output.spread
    assert output.total == "all"
    shown = printed("t.csv").set_index("region")
    wanted = pd.crosstab(data["region"], data["sex"], margins=True, margins_name="all")
    assert list(shown.columns) == ["F", "M", "all"]
    assert shown.loc["all", "all"] == str(len(data))
    assert shown.astype(int).to_numpy().tolist() == wanted.to_numpy().tolist()


def test_totals_are_of_the_lines_shown() -> None:
    """A total that held those without a group would give them away."""
    data = vitrine.read_extract()
    bands = [float(data["age"].min()) + 1, float(data["age"].max()) + 1]
    inside = int((data["age"] >= bands[0]).sum())
    vitrine.table(data, ["sex", "age"], breaks={"age": bands}, file="b.csv", total="all")
    shown = printed("b.csv")
    assert 0 < inside < len(data)
    assert shown[(shown["sex"] == "all") & (shown["age"] == "all")]["count"].tolist() == [str(inside)]
    assert shown[(shown["sex"] != "all") & (shown["age"] == "all")]["count"].astype(int).sum() == inside


def test_suppression_hides_the_small_line_and_a_second_one() -> None:
    table = vitrine.table("people", "region", measures=[{"stat": "count"}], file="t.csv", total="all")
    assert table.small() == 1
    mended = vitrine.suppress(table, below=10, text="x")
    assert printed("t.csv")["count"].tolist()[2:4] == ["x", "x"]
    assert printed("t.csv")["count"].tolist()[-1] == "900"
    assert declared("t.csv").output.suppressed == "x"
    assert mended.small() == 0


@pytest.mark.parametrize(("secondary", "hidden"), [(False, 1), (True, 4)])
def test_suppression_in_two_directions(secondary: bool, hidden: int) -> None:
    lines = pd.DataFrame({"a": list("xxxyyyzzz"), "b": list("123123123")})
    counts = pd.Series([3, 40, 50, 60, 70, 80, 90, 100, 110])
    found = suppressed_lines(lines, ["a", "b"], counts, below=10, secondary=secondary)
    assert found[0]
    assert found.sum() == hidden


SIZES = st.lists(st.lists(st.integers(1, 40), min_size=3, max_size=3), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None)
@given(sizes=SIZES)
def test_what_is_hidden_is_not_given_back_by_totals(sizes: list[list[int]]) -> None:
    cells = [(r, c, n) for r, line in enumerate(sizes) for c, n in enumerate(line)]
    cells += [(r, "T", sum(line)) for r, line in enumerate(sizes)]
    cells += [("T", c, sum(column)) for c, column in enumerate(zip(*sizes, strict=True))]
    cells += [("T", "T", sum(map(sum, sizes)))]
    lines = pd.DataFrame(cells, columns=["a", "b", "n"]).astype({"a": object, "b": object})
    hidden = suppressed_lines(lines, ["a", "b"], lines["n"], below=10, secondary=True, total="T")
    assert hidden[(lines["n"] < 10).to_numpy()].all()
    shown = {(a, b): None if hide else float(n) for (a, b, n), hide in zip(cells, hidden, strict=True)}
    rows, columns = range(len(sizes)), range(3)
    margins = Margins(
        rows=[shown[r, "T"] for r in rows], columns=[shown["T", c] for c in columns], grand=shown["T", "T"]
    )
    assert audit([[shown[r, c] for c in columns] for r in rows], margins, threshold=10) == []
    for line, total in [([(r, c) for c in columns], (r, "T")) for r in rows]:
        rest = [sizes[r][c] for r, c in line if shown[r, c] is None]
        assert not rest or shown[total] is None or sum(rest) >= 10


def test_rounding_is_declared() -> None:
    table = vitrine.table("people", ["region", "sex"], file="t.csv")
    vitrine.round_to(table, 5)
    assert declared("t.csv").output.rounding == 5
    assert {int(text) % 5 for text in printed("t.csv")["count"]} == {0}


def test_wider_bands_and_merged_codes_are_declared() -> None:
    table = vitrine.table("people", "age", breaks=[18, 20, 22, 75], file="t.csv")
    vitrine.merge(table, "age", breaks=[18, 40, 75])
    assert printed("t.csv")["age"].tolist() == ["[18, 40)", "[40, 75)"]
    assert declared("t.csv").output.by[0].breaks == (18, 40, 75)
    codes = vitrine.table("people", "region", file="u.csv")
    merged = vitrine.merge(codes, "region", groups={"south": [3, 4]})
    assert printed("u.csv")["region"].tolist() == ["1", "2", "south"]
    assert declared("u.csv").output.by[0].groups == {"south": (3, 4)}
    assert merged.output is not None
    whole = vitrine.table("people", ["region", "sex"], file="v.csv", groups={"region": {"south": [3, 4]}})
    assert declared("v.csv").output.by[0].groups == {"south": (3, 4)}
    assert set(printed("v.csv")["region"]) == {"1", "2", "south"}
    vitrine.merge(whole, "region", groups={"north": [1, 2]})  # of the codes, not of the groups before
    assert set(printed("v.csv")["region"]) == {"3", "4", "north"}


@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"a": []},
        {"a": [1], "b": [1]},
        {"2": [1, 3]},
        {"a": [None]},
        {"a": [[1]]},
        {"a": [float("nan")]},
        {"regoin": {"a": [1, 2]}},
    ],
)
def test_groups_that_mean_nothing_are_refused_before_anything_is_written(
    groups: dict[str, list[Any]],
) -> None:
    with pytest.raises(vitrine.BadArgument):
        vitrine.table("people", "region", file="w.csv", groups=groups)
    with pytest.raises(vitrine.BadArgument):
        vitrine.table("people", "region", file="w.csv", stat="mean", of="region", groups={"a": [1, 2]})
    assert not Path("w.csv").exists()


def test_extremes_are_dropped() -> None:
    measures = [{"stat": "count"}, {"stat": "min", "of": "wage"}, {"stat": "max", "of": "wage"}]
    table = vitrine.table("people", "region", measures=measures, file="t.csv")
    vitrine.drop_extremes(table)
    assert list(printed("t.csv").columns) == ["region", "count"]
    with pytest.raises(vitrine.BadArgument):
        vitrine.drop_extremes(vitrine.table("people", "region", "min", "wage", file="v.csv"))


def test_a_wrong_declaration_never_lies_beside_a_new_file() -> None:
    vitrine.table("people", "region", file="t.csv")
    first = json.loads(Path("t.csv.spec.json").read_text(encoding="utf-8"))
    vitrine.table("people", "sex", file="t.csv")
    second = json.loads(Path("t.csv.spec.json").read_text(encoding="utf-8"))
    assert first["output"]["by"] != second["output"]["by"]
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["t.csv", "t.csv.spec.json"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567.891, "1234568"),
        (0.000123456789, "0.000123457"),
        (31.0, "31"),
        (-2.5, "-2.5"),
        (float("nan"), ""),
    ],
)
def test_numbers_have_six_digits_and_no_exponent(value: float, text: str) -> None:
    assert number_text(value) == text


def test_refusals_speak_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_LOCALE", "fr-FR")
    with pytest.raises(vitrine.NotDeclarable, match="ne figure pas dans la table « people »"):
        vitrine.table("people", "band", file="t.csv")
