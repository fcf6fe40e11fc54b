"""A released model is in the ledger with the persons that it was fitted on: what differs from it by three of
them, model or table, is found; what is about the same persons is not."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
import statsmodels.formula.api as smf

from hub.checks import Severity, Verdict, report_from_json
from hub.domain.pseudonyms import compose
from tests import factories
from tests.integration.portal.stage import Stage, parts

COUNT = 400
FEW, MANY = 3, 40
File = tuple[str, bytes]


def people() -> pl.DataFrame:
    """Two rows a person; `nearly` is missing for three persons, `partly` for forty."""
    random = np.random.default_rng(5)
    k = np.arange(2 * COUNT) // 2
    frame = pl.DataFrame(
        {
            "person_id": [compose(11, 7_919 * int(one)) for one in k],
            "age": 18 + (k * 13) % 47,
            "wage": np.round(1_500 + 20 * (k % 31) + random.normal(0, 300, 2 * COUNT), 2),
            "hours": np.round(30 + random.normal(0, 4, 2 * COUNT), 1),
            "everyone": 1,
            "nearly": [None if one < FEW else 1 for one in k],
            "partly": [None if one < MANY else 1 for one in k],
        }
    )
    return frame.sample(fraction=1.0, shuffle=True, seed=3)


@pytest.fixture
def session(stage: Stage) -> str:
    directory = stage.folder / "extracts" / "wages" / "v1"
    people().write_parquet(directory / "data.parquet")
    (directory / "manifest.json").write_text(
        '{"pseudonyms": {"tag": 11, "columns": {"person": "person_id"}}}'
    )
    return factories.open_session(stage.office).session.id


def model(formula: str, within: str = "everyone") -> File:
    """The summary that statsmodels prints of the model, on the rows that have `within`."""
    frame = people().to_pandas()
    fitted = smf.ols(formula, frame[frame[within].notna()]).fit()
    return f"{within}.txt", str(fitted.summary()).encode()


def means(of: str, within: str) -> File:
    """A table of one mean, with its count of persons."""
    frame = people().filter(pl.col(within).is_not_null())
    made = frame.group_by(within).agg(pl.len().alias("n"), pl.col(of).mean().round(2).alias(f"mean_{of}"))
    return f"{of} {within}.csv", made.write_csv().encode()


WAGE = "wage ~ age"
WHOLE, LESS, CLEARLY_LESS = (model(WAGE, within) for within in ("everyone", "nearly", "partly"))


def differing(stage: Stage, submission: str) -> list[tuple[Severity, object]]:
    with stage.office.units.read() as unit:
        (file,) = unit.files.find(submission=submission)
    report = report_from_json(dict(file.report))
    found = [one for one in report.findings if one.rule in ("differencing", "ledger_unread")]
    if found:
        assert report.verdict in (Verdict.REVIEW, Verdict.BLOCK)
    return sorted({(one.severity, one.evidence.get("release", one.rule)) for one in found})


DECLARED = {
    "version": 1,
    "file": "declared.csv",
    "output": {
        "kind": "regression",
        "table": "data",
        "model": "ols",
        "outcome": "wage",
        "terms": [{"variables": ["age"]}],
        "columns": {"term": "term", "estimate": "estimate"},
        "where": {"field": "nearly", "operator": "==", "values": [1]},
    },
}
BLOCKED = [(Severity.BLOCK, 1)]
DOUBTED = [(Severity.REVIEW, 1)]


@pytest.mark.parametrize(
    ("released", "new", "told"),
    [
        pytest.param(WHOLE, LESS, BLOCKED, id="a model on three persons fewer"),
        pytest.param(LESS, WHOLE, BLOCKED, id="a model on three persons more"),
        pytest.param(WHOLE, model("np.log(wage) ~ age", "nearly"), BLOCKED, id="of the logarithm"),
        pytest.param(WHOLE, means("wage", "nearly"), [*BLOCKED, *DOUBTED], id="a mean of its outcome"),
        pytest.param(means("wage", "nearly"), WHOLE, BLOCKED, id="a model after a mean of its outcome"),
        pytest.param(WHOLE, model("hours ~ age", "nearly"), DOUBTED, id="a model of something else"),
        pytest.param(WHOLE, means("hours", "nearly"), DOUBTED, id="a mean of something else"),
        pytest.param(WHOLE, model("wage ~ age + hours"), [], id="another model on the same persons"),
        pytest.param(WHOLE, means("wage", "everyone"), [], id="a mean of the same persons"),
        pytest.param(WHOLE, CLEARLY_LESS, [], id="a model on forty persons fewer"),
    ],
)
def test_what_differs_from_a_released_model_by_few_is_found(
    released: File, new: File, told: list[tuple[Severity, object]], stage: Stage, session: str
) -> None:
    first = stage.submit(session, released)
    assert differing(stage, first) == []
    stage.approve(first)
    assert differing(stage, stage.submit(session, ("again " + new[0], new[1]))) == told


def test_a_declared_model_is_found_too(stage: Stage, session: str) -> None:
    stage.approve(stage.submit(session, WHOLE))
    frame = people().to_pandas()
    fitted = smf.ols(WAGE, frame[frame["nearly"].notna()]).fit()
    lines = [f"{name},{value:.4f}" for name, value in fitted.params.items()]
    content = "\n".join(["term,estimate", *lines]).encode()
    form = parts({**factories.FORM, "what": "A declared model"}, ("declared.csv", content))
    form.append(("declaration", ("declared.csv", json.dumps(DECLARED).encode())))
    answer = stage.gate().post(f"/internal/sessions/{session}/submissions", files=form)
    assert answer.status_code == 201, answer.text
    assert differing(stage, answer.json()["id"]) == BLOCKED


def test_two_models_that_waited_together_do_not_both_leave(stage: Stage, session: str) -> None:
    first, second = stage.submit(session, WHOLE), stage.submit(session, LESS)
    stage.approve(first)
    for checker, status in (("chloe", 303), ("denis", 409)):
        ticks = stage.ticks(second)
        answer = stage.post(checker, f"/review/{second}/vote", decision="approve", **ticks)
        assert answer.status_code == status


def test_a_model_is_kept_with_its_persons_and_its_outcome(stage: Stage, session: str) -> None:
    made = stage.submit(session, CLEARLY_LESS)
    with stage.office.units.read() as unit:
        (kept,) = unit.ledger_files.find(submission=made)
        (file,) = unit.files.find(submission=made)
    assert report_from_json(dict(file.report)).verdict is Verdict.PASS
    (cell,) = kept.cells
    assert (cell["topic"], cell["size"]) == ("of wage", COUNT - MANY)
    assert "row" not in cell["place"]  # type: ignore[operator]  # a JSON object
