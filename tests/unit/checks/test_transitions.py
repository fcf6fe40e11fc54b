"""Tables of transitions: cells of few persons block, what pairs of rows make again passes, the rest stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hub.checks import Verdict
from hub.checks.panels import open_panels
from hub.checks.transitions import moves_of
from tests.unit.checks.surveys import UNITS, judged, rules_of, written

STATES = np.array(["work", "search", "home"])


def _panel(persons: int = 700, years: int = 5) -> pl.DataFrame:
    """States by year, of which one is rare; a seventh of the years missing, some states too."""
    rng = np.random.default_rng(11)
    rows = persons * years
    person = np.repeat(np.arange(persons), years)
    state = STATES[rng.choice(3, rows, p=[0.5, 0.3, 0.2])].astype(object)
    state[rng.choice(rows, 3, replace=False)] = "prison"
    state[rng.choice(rows, 60, replace=False)] = None
    frame = pl.DataFrame(
        {
            "pid": 1_000 + 3 * person,
            "hid": 500 + person // 2,
            "eid": 70 + person % 90,
            "year": 2001 + np.tile(np.arange(years), persons),
            "sex": np.array(["F", "M"])[person % 2],
            "state": state,
            "rare": np.where(state == "prison", "prison", "free"),
        },
        schema_overrides={"state": pl.String},
    )
    return frame.filter(pl.Series(rng.random(rows) > 0.14)).sample(fraction=1.0, shuffle=True, seed=2)


FRAME = _panel()
COMMON = FRAME.filter(pl.col("state").is_null() | (pl.col("state") != "prison"))


def pairs(
    frame: pl.DataFrame, state: str = "state", *, consecutive: bool = False, drop: bool = True
) -> pl.DataFrame:
    """Each row with the next of the same person; the columns `state`, `next`."""
    made = frame.drop_nulls(state) if drop else frame
    made = made.sort("pid", "year").with_columns(
        next=pl.col(state).shift(-1).over("pid"), ahead=pl.col("year").shift(-1).over("pid")
    )
    made = made.drop_nulls(["next", state])
    return made.filter(pl.col("ahead") - pl.col("year") == 1) if consecutive else made


def counted(made: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    table = (
        made.group_by(by)
        .agg(pl.len().alias("transitions"), pl.col("pid").n_unique().alias("persons"))
        .sort(by)
    )
    share = pl.col("transitions") / pl.col("transitions").sum().over(by[:-1])
    return table.with_columns(share=share.round(4))


def crossed(made: pl.DataFrame, state: str = "state") -> str:
    table = (
        made.group_by(state, "next").len().sort("next").pivot("next", index=state, values="len").sort(state)
    )
    return table.fill_null(0).write_csv()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(COMMON, tmp_path_factory.mktemp("common"))


@pytest.mark.parametrize("form", ["long", "renamed", "crossed"])
def test_a_rare_move_blocks(form: str, whole: Path, tmp_path: Path) -> None:
    made = pairs(FRAME)
    long = counted(made, ["state", "next"])
    content = {
        "long": long.rename({"next": "next_state"}).write_csv(),
        "renamed": long.rename({"state": "from", "next": "to"}).drop("persons", "share").write_csv(),
        "crossed": crossed(made),
    }[form]
    report = judged(whole, tmp_path, content)

    assert report.verdict is Verdict.BLOCK
    assert "small_units" in rules_of(report)


def test_many_moves_of_few_persons_block(tmp_path: Path) -> None:
    one = FRAME.filter(pl.col("pid") < 1_000 + 3 * 9).with_columns(state=pl.lit("prison"))
    frame = pl.concat([FRAME.filter(pl.col("pid") >= 1_000 + 3 * 9), one])
    table = counted(pairs(frame), ["state", "next"]).filter(
        (pl.col("state") != "prison") | (pl.col("next") == "prison")
    )
    assert table.filter(pl.col("state") == "prison")["transitions"].item() >= 10
    report = judged(written(frame, tmp_path / "few"), tmp_path, table.rename({"next": "next_state"}))

    assert report.verdict is Verdict.BLOCK
    assert "small_units" in rules_of(report)


@pytest.mark.parametrize("consecutive", [False, True])
@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("form", ["long", "renamed", "crossed", "previous", "by sex"])
def test_what_pairs_of_rows_make_again_passes(
    form: str, drop: bool, consecutive: bool, common: Path, tmp_path: Path
) -> None:
    made = pairs(COMMON, drop=drop, consecutive=consecutive)
    long = counted(made, ["state", "next"])
    content = {
        "long": long.rename({"next": "next_state"}).write_csv(),
        "renamed": long.rename({"state": "from", "next": "to"}).drop("persons").write_csv(),
        "crossed": crossed(made),
        "previous": long.rename({"state": "previous_state", "next": "state"}).write_csv(),
        "by sex": counted(made, ["sex", "state", "next"]).rename({"next": "next_state"}).write_csv(),
    }[form]
    report = judged(common, tmp_path, content)

    assert report.verdict is Verdict.PASS, rules_of(report)
    assert {cell.persons for cell in report.cells} <= set(range(10, 701))


def test_counts_of_moves_are_another_topic_than_counts_of_rows(common: Path, tmp_path: Path) -> None:
    content = counted(pairs(COMMON), ["state", "next"]).rename({"next": "next_state"})
    report = judged(common, tmp_path, content)

    told = {(cell.statistic, cell.variable) for cell in report.cells}
    assert told == {("transition", "next state"), ("persons", None)}


@pytest.mark.parametrize("column", ["transitions", "persons", "share"])
def test_a_changed_number_does_not_pass(column: str, common: Path, tmp_path: Path) -> None:
    table = counted(pairs(COMMON), ["state", "next"]).rename({"next": "next_state"})
    first = table[column].to_list()
    first[4] = first[4] + (11 if column != "share" else 0.0311)
    report = judged(common, tmp_path, table.with_columns(pl.Series(column, first)))

    assert report.verdict is not Verdict.PASS
    assert "transition" in rules_of(report)


def test_that_nearly_all_stay_is_left_to_people(tmp_path: Path) -> None:
    frame = FRAME.with_columns(state=pl.when(pl.col("pid") % 2 == 0).then(pl.lit("a")).otherwise(pl.lit("b")))
    moved = pl.col("pid").is_in(list(range(1_000, 1_600))) & (pl.col("year") > 2003)
    frame = frame.with_columns(
        state=pl.when(moved & (pl.col("state") == "a")).then(pl.lit("b"))
        .when(moved).then(pl.lit("a")).otherwise(pl.col("state"))
    )  # fmt: skip
    table = counted(pairs(frame), ["state", "next"])
    assert table["share"].max() > 0.9
    assert table["persons"].min() >= 10
    report = judged(written(frame, tmp_path / "stay"), tmp_path, table.rename({"next": "next_state"}))

    assert report.verdict is Verdict.REVIEW
    assert "population_share" in rules_of(report)
    assert "group_share" not in rules_of(report)


def test_two_rows_of_one_person_at_one_time_are_no_panel(tmp_path: Path) -> None:
    directory = written(pl.concat([FRAME, FRAME.head(1)]), tmp_path / "double")
    _, (panel,) = open_panels(directory, UNITS)

    assert moves_of(panel, "year") is None
    assert moves_of(panel, "sex") is None


def test_months_beside_years_are_times(tmp_path: Path) -> None:
    frame = FRAME.with_columns(month=pl.col("year") % 3 + 1, year=2001 + (pl.col("year") - 2001) // 3)
    _, (panel,) = open_panels(written(frame, tmp_path / "months"), UNITS)

    assert moves_of(panel, "year") is not None
