"""What the desk writes and declares, the platform makes again: the two are computed by different programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import statsmodels.formula.api as smf
import vitrine

from hub.checks import Thresholds
from hub.checks.engine import run_checks
from hub.documents.outputs import parse_declaration
from hub.documents.policies import load_policies
from tests.conftest import ROOT

UNEXPLAINED = {"false_claim", "unreproduced", "unread_claim", "extract_unread"}
SINGLE = [
    {"stat": "count"}, {"stat": "persons"}, {"stat": "share"}, {"stat": "sum", "of": "wage"},
    {"stat": "mean", "of": "wage"}, {"stat": "median", "of": "wage"}, {"stat": "sd", "of": "wage"},
    {"stat": "quantile", "of": "wage", "quantile": 0.9}, {"stat": "variance", "of": "wage"},
    {"stat": "se", "of": "wage"}, {"stat": "ci_low", "of": "wage"}, {"stat": "ci_high", "of": "wage"},
    {"stat": "gini", "of": "wage"}, {"stat": "mean", "of": "wage", "weight": "weight"},
    {"stat": "count", "weight": "weight"}, {"stat": "share", "weight": "weight"},
]  # fmt: skip


@pytest.fixture(scope="module")
def thresholds() -> Thresholds:
    policies = load_policies(ROOT / "policies")
    return Thresholds.of(policies.outputs, max_bytes=policies.submissions.max_bytes)


def rules_of(file: str, extract: Path, thresholds: Thresholds) -> set[str]:
    """What the platform's checks find in the file, with its declaration."""
    declaration = parse_declaration(Path(f"{file}.spec.json").read_bytes(), file=file)
    report = run_checks(
        Path(file), name=file, form=None, extract=extract, thresholds=thresholds, declaration=declaration
    )
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize("measure", SINGLE, ids=lambda one: "-".join(map(str, one.values())))
def test_each_statistic(extract: Path, thresholds: Thresholds, measure: dict[str, Any]) -> None:
    vitrine.table("people", "region", measures=[measure], where=("region", "<", 4), file="t.csv")
    assert not rules_of("t.csv", extract, thresholds) & UNEXPLAINED


SHAPES: dict[str, Callable[[], object]] = {
    "bands": lambda: vitrine.table("people", "age", "mean", "wage", breaks=[18, 40, 75], file="t.csv"),
    "bands with upper edges and names": lambda: vitrine.table(
        "people", "age", "mean", "wage", breaks=[18, 40, 60], labels=["a", "b"], right=True, file="t.csv"
    ),
    "bands of large numbers": lambda: vitrine.table(
        "people", "wage", breaks=[0, 20000, 1000000], file="t.csv"
    ),
    "share of the bands": lambda: vitrine.table("people", "age", "share", breaks=[18, 40, 60], file="t.csv"),
    "merged codes": lambda: vitrine.table(
        "people", ["region", "sex"], "mean", "wage", groups={"region": {"south": [3, 4]}}, file="t.csv"
    ),
    "merged texts, spread, with totals": lambda: vitrine.merge(
        vitrine.table("people", ["year", "sex"], file="t.csv", spread=True, total="Ensemble"),
        "sex",
        groups={"both": ["F", "M"]},
    ),
    "share within": lambda: vitrine.table("people", ["sex", "year"], "share", within="sex", file="t.csv"),
    "spread with totals": lambda: vitrine.table(
        "people", ["sex", "year"], file="t.csv", spread=True, total="Ensemble"
    ),
    "totals of means": lambda: vitrine.table(
        "people", ["sex", "year"], "mean", "wage", total="all", file="t.csv"
    ),
    "rounded": lambda: vitrine.round_to(vitrine.table("people", ["sex", "year"], file="t.csv"), 5),
    "suppressed": lambda: vitrine.suppress(vitrine.table("people", "region", file="t.csv"), text="x"),
    "a nested filter": lambda: vitrine.table(
        "people", "sex", "mean", "wage",
        where={"or": [("year", "==", 2013), {"not": [("age", "between", [30, 50]), ("sex", "in", ["F"])]}]},
        file="t.csv",
    ),
    "transitions": lambda: vitrine.table("people", "sex", "transition", time="year", file="t.csv"),
    "transitions by group, in bands, of a part": lambda: vitrine.table(
        "people", ["sex", "age"], "transition", time="year", breaks={"age": [18, 45, 75]},
        where=("region", "<", 3), file="t.csv",
    ),
    "transitions spread": lambda: vitrine.table(
        "people", "employed", measures=[{"stat": "count"}], time="year", spread=True, file="t.csv"
    ),
    "no grouping": lambda: vitrine.table("people", (), "mean", "wage", file="t.csv"),
    "ols": lambda: vitrine.regression(
        "np.log(wage) ~ age + I(age**2) + C(year) + age:sex", "people", file="t.csv"
    ),
    "weighted": lambda: vitrine.regression("wage ~ age", "people", weight="weight", file="t.csv"),
    "no intercept": lambda: vitrine.regression(
        "wage ~ 0 + age", "people", where=("year", "==", 2014), file="t.csv"
    ),
    "logit": lambda: vitrine.regression("employed ~ age + sex", "people", kind="logit", file="t.csv"),
    "probit": lambda: vitrine.regression("employed ~ age", "people", kind="probit", file="t.csv"),
    "poisson": lambda: vitrine.regression("employed ~ age", "people", kind="poisson", file="t.csv"),
    "robust": lambda: vitrine.regression(fitted("wage ~ age + C(sex)", cov_type="HC3"), file="t.csv"),
    "clustered": lambda: vitrine.regression(
        clustered("wage ~ age"), file="t.csv", cluster="person", where=("wage", "is present")
    ),
}  # fmt: skip


def fitted(formula: str, **more: Any) -> Any:
    return smf.ols(formula, vitrine.read_extract()).fit(**more)


def clustered(formula: str) -> Any:
    data = vitrine.read_extract().dropna(subset=["wage"])
    return smf.ols(formula, data).fit(cov_type="cluster", cov_kwds={"groups": data["pid"]})


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape(extract: Path, thresholds: Thresholds, shape: str) -> None:
    SHAPES[shape]()
    assert not rules_of("t.csv", extract, thresholds) & UNEXPLAINED


@pytest.mark.parametrize("spread", [False, True])
@pytest.mark.parametrize("of", [None, "wage"])
def test_a_suppressed_table_with_totals_gives_nothing_back(
    extract: Path, thresholds: Thresholds, of: str | None, *, spread: bool
) -> None:
    table = vitrine.table(
        "people", ["region", "age"], "mean" if of else "count", of, breaks={"age": [18, 19, 20, 30, 40, 75]},
        file="t.csv", total="all", spread=spread,
    )  # fmt: skip
    assert table.small() > 3
    vitrine.suppress(table)
    found = rules_of("t.csv", extract, thresholds)
    assert not found & {"suppression_solvable", "suppression_undone", "small_units", "small_count"}


@pytest.mark.parametrize(
    "more",
    [{"by": "sex"}, {"time": "year"}, {"by": "sex", "time": "sex"}],
    ids=["no time", "no state", "several rows at one time"],
)
def test_transitions_need_a_state_and_a_time_that_orders(extract: Path, more: dict[str, Any]) -> None:
    with pytest.raises(vitrine.BadArgument):
        vitrine.table("people", stat="transition", file="t.csv", **more)
    assert not Path("t.csv").exists()


def test_false_transitions_are_found(extract: Path, thresholds: Thresholds) -> None:
    vitrine.table("people", "sex", "transition", time="year", file="t.csv")
    lines = Path("t.csv").read_text().splitlines()
    state, later, count, *rest = lines[1].split(",")
    lines[1] = ",".join([state, later, str(int(count) + 11), *rest])
    Path("t.csv").write_text("\n".join(lines) + "\n")
    assert "false_claim" in rules_of("t.csv", extract, thresholds)


@pytest.mark.parametrize("ending", ["txt", "tex"])
@pytest.mark.parametrize("more", [{}, {"cov_type": "HC1"}])
def test_a_summary(extract: Path, thresholds: Thresholds, ending: str, more: dict[str, Any]) -> None:
    file = f"model.{ending}"
    vitrine.regression(fitted("wage ~ age + C(sex)", **more), file=file)
    assert not rules_of(file, extract, thresholds) & (UNEXPLAINED | {"model_numbers", "numbers_in_text"})


@pytest.mark.parametrize(("said", "instead"), [("mean", "median"), ("mean", "sum")])
def test_a_false_claim_is_named(extract: Path, thresholds: Thresholds, said: str, instead: str) -> None:
    vitrine.table("people", "sex", instead, "wage", column="x", file="t.csv")
    spec = Path("t.csv.spec.json")
    spec.write_text(spec.read_text(encoding="utf-8").replace(f'"{instead}"', f'"{said}"'), encoding="utf-8")
    assert "false_claim" in rules_of("t.csv", extract, thresholds)
