"""Every rule of policies/outputs.yaml is raised by a file that breaks it, with the policy’s severity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyroaring import BitMap

from hub.checks import Severity, Verdict
from hub.checks.differencing import differences, findings_of
from hub.checks.ledger import Ledger, ReleasedCell, ToldCell, probe_of
from hub.checks.thresholds import Thresholds
from hub.commands.checks import read_thresholds
from hub.documents.policies import OUTPUT_RULES
from tests.unit.checks.samples import FULL_FORM, png
from tests.unit.checks.surveys import ALONE, RARE, judged, survey, written

POLICY = read_thresholds(Path(__file__).parents[3] / "policies")
FRAME = survey()
Given = tuple[Any, Mapping[str, Any]]


def agg(by: str | list[str], *more: pl.Expr, of: pl.DataFrame | None = None) -> pl.DataFrame:
    frame = FRAME if of is None else of
    return frame.group_by(by).agg(*more).sort(by)


LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
N = pl.len().alias("n")


def mean(name: str) -> pl.Expr:
    return pl.col(name).mean().round(4).alias(f"mean_{name}")


def regression(terms: list[dict[str, Any]], where: Mapping[str, Any] | None = None) -> Given:
    """A table of coefficients that is right about nothing but its terms, with its declaration."""
    names = ["Intercept"]
    for term in terms:
        one = term["variables"]
        values = [FRAME.get_column(v).unique().sort().to_list() for v in one]
        if "categorical" not in term:
            names.append(":".join(one))
        elif len(one) == 1:
            names += [f"C({one[0]})[T.{value}]" for value in values[0][1:]]
    table = pl.DataFrame({"term": names, "coef": [0.5] * len(names)})
    output = {
        "kind": "regression", "table": "units", "model": "ols", "outcome": "wage", "terms": terms,
        "columns": {"term": "term", "estimate": "coef"}, **({"where": where} if where else {}),
    }  # fmt: skip
    return table, {"output": output}


def residuals() -> pl.DataFrame:
    left = FRAME["wage"] - FRAME["wage"].mean()
    return pl.DataFrame({"resid": (left * 1.37 + 0.001).head(60).round(5)})


CASES: Mapping[str, Callable[[], Given]] = {
    "small_units": lambda: (agg("region", mean("wage"), of=FRAME.filter(pl.col("region") != ALONE)), {}),
    "empty_cell": lambda: ("region,group,n\nNorth,x,{}\nAlone,y,0\nSouth,x,{}\nEast,y,{}\n".format(
        *(FRAME.filter((pl.col("region") == r) & (pl.col("group") == g)).height
          for r, g in (("North", "x"), ("South", "x"), ("East", "y")))), {}),
    "group_share": lambda: (
        agg(["region", "group"], N, of=LARGE).pivot(on="group", index="region", values="n").fill_null(0), {}),
    "population_share": lambda: (
        pl.DataFrame({"age_band": ["[0, 63)", "[63, 99)"],
                      "n": [FRAME.filter(pl.col("age") < 63).height, FRAME.filter(pl.col("age") >= 63).height]
                      }).rename({"age_band": "age"}), {}),
    "small_share": lambda: (
        agg("region", mean("hired"), of=hired()).rename({"mean_hired": "share_hired"}),
        {"extract": "hired"}),
    "binary_mean": lambda: (agg("region", mean("hired"), of=hired()), {"extract": "hired"}),
    "same_value": lambda: (agg("region", pl.col("bonus").sum().round(2).alias("sum_bonus"), N, of=LARGE), {}),
    "dominance_one": lambda: (agg("region", mean("income"), of=LARGE), {}),
    "dominance_two": lambda: (agg("region", mean("income"), of=two_rich()), {"extract": "two_rich"}),
    "dominance_rest": lambda: (agg("region", mean("income"), of=near_even()), {"extract": "near_even"}),
    "extreme": lambda: (agg("region", pl.col("wage").max().alias("max_wage"), N, of=LARGE), {}),
    "percentile_units": lambda: (
        agg("region", pl.col("wage").quantile(0.99, "linear").round(4).alias("p99_wage"), of=LARGE), {}),
    "dispersion": lambda: (agg("region", pl.col("bonus").std().round(4).alias("sd_bonus"), of=LARGE), {}),
    "suppression_undone": lambda: (f"""region,n\nEast,{size('East')}\nNorth,{size('North')}
South,{size('South')}\nWest,{size('West')}\nTotal,{FRAME.height}\n""", {}),
    "suppressed_margins": lambda: (
        ("region,sex,kind,n\nNorth,F,a,40\nNorth,M,a,<10\nNorth,Total,a,99\nSouth,F,a,50\nSouth,M,b,60\n"
        "South,Total,b,110\nTotal,Total,b,209\n"), {}),
    "suppression_solvable": lambda: ("region,n\nA,40\nB,<10\nC,50\nTotal,94\n", {}),
    "differing_populations": lambda: (
        agg("region", N, of=LARGE).with_columns(n_without=pl.col("n") - pl.Series([0, 3, 0, 0])), {}),
    "degrees_of_freedom": lambda: ("term,coef\nIntercept,1.2\nage,0.3\nN,9\n", {}),
    "dummy_units": lambda: ("term,coef\nIntercept,1.2\nC(region)[T.Rare],0.3\n", {}),
    "saturated_model": lambda: regression([{"variables": ["region"], "categorical": ["region"]}]),
    "unit_series": lambda: ("term,coef\nIntercept,1.2\nC(pid)[T.1003],0.3\nC(pid)[T.1006],0.1\n", {}),
    "residuals": lambda: (residuals(), {}),
    "trajectory": lambda: (FRAME.filter(pl.col("pid") == 1_060).select("year", "wage", "income"), {}),
    "instance_model": lambda: ("SVC(C=1)\nsupport_vectors_: [[12.1, 0.3], [9.2, 0.1]]\n", {"name": "m.txt"}),
    "unit_plot": lambda: (png(), {"name": "plot.png"}),
    "transition": lambda: ("region,next_region,n\nNorth,South,40\nSouth,North,55\n", {}),
    "map": lambda: ("lat,lon,n\n49.61,6.13,40\n50.85,4.35,60\n", {}),
    "share_without_base": lambda: (
        agg("sex", N).with_columns(share=(pl.col("n") / FRAME.height).round(4)).drop("n"), {}),
    "rounded_small": lambda: (
        agg("region", ((pl.len() / 5).round() * 5).cast(pl.Int64).alias("n")), {}),
    "unknown_units": lambda: (agg("sex", N, mean("wage")), {"units": {}}),
    "unreproduced": lambda: ("region,mean\nNorth,12345.678\nSouth,98765.432\n", {}),
    "false_claim": lambda: (
        agg("sex", N).with_columns(pl.col("n") + 17),
        {"output": {"kind": "table", "table": "units", "by": [{"variable": "sex"}],
                    "measures": [{"stat": "count", "column": "n"}]}}),
    "missing_context": lambda: (agg("sex", N), {"form": {**FULL_FORM, "population": ""}}),
}  # fmt: skip


def size(region: str) -> int:
    return FRAME.filter(pl.col("region") == region).height


def hired() -> pl.DataFrame:
    return LARGE.with_columns(hired=(pl.col("pid") % 150 == 1_060 % 150).cast(pl.Int64))


def two_rich() -> pl.DataFrame:
    first, second = LARGE.filter(pl.col("region") == "South")["pid"].unique().sort().to_list()[:2]
    return LARGE.with_columns(income=pl.when(pl.col("pid").is_in([first, second])).then(5_500.5)
                              .otherwise(pl.min_horizontal("income", 90.0)))  # fmt: skip


def near_even() -> pl.DataFrame:
    """No two of South hold 67 % as the policy of the test would have it: only the p % rule is left."""
    return two_rich()


EXTRACTS = {"hired": hired, "two_rich": two_rich, "near_even": near_even}


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("survey"))


def test_no_rule_of_the_policy_is_without_a_case() -> None:
    assert set(CASES) | {"differencing"} == set(OUTPUT_RULES)


@pytest.mark.parametrize("rule", CASES)
def test_a_file_that_breaks_the_rule_is_found(rule: str, extract: Path, tmp_path: Path) -> None:
    content, more = CASES[rule]()
    options = dict(more)
    own = options.pop("extract", None)
    where = written(EXTRACTS[own](), tmp_path / "own") if own else extract
    thresholds: Thresholds = POLICY
    if rule == "dominance_rest":
        shares = {"dominance_two.share": 1.0, "dominance_one.share": 1.0, "dominance_rest.share": 3.0}
        thresholds = replace(POLICY, limits={**POLICY.limits, **shares})
    report = judged(where, tmp_path, content, thresholds=thresholds, **options)
    found = [one for one in report.findings if one.rule == rule]
    assert found, [(one.rule, one.where) for one in report.findings]
    assert report.verdict is not Verdict.PASS or POLICY.severity(rule) is Severity.NOTE
    assert POLICY.severity(rule) in {one.severity for one in found}
    assert all(one.message["fr"] and one.message["en"] for one in found)


def test_a_number_near_a_released_one_is_found() -> None:
    old = BitMap(range(100))
    cell = ReleasedCell("0", 1, "old.csv", "old", "count", len(old), probe_of(old))
    told = [ToldCell("new", "count", BitMap(range(103)))]
    found = differences(told, Ledger([cell], lambda _: old), 10)
    assert {one.rule for one in findings_of(told, found, 10)} == {"differencing"}


@pytest.mark.parametrize("rule", ["missing_context", "unit_plot", "map", "transition", "share_without_base"])
def test_the_severity_is_that_of_the_policy(rule: str, extract: Path, tmp_path: Path) -> None:
    strict = replace(POLICY, severities={**POLICY.severities, rule: "BLOCK"})
    content, more = CASES[rule]()
    report = judged(extract, tmp_path, content, thresholds=strict, **more)
    assert {one.severity for one in report.findings if one.rule == rule} == {Severity.BLOCK}
    assert report.verdict is Verdict.BLOCK
