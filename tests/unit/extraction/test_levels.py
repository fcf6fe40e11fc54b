"""Levels: nothing finer than approved is planned, made, or found in a delivered file."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.documents import parse
from hub.documents.classes import BandScheme, ClassSchemes, DateScheme, GroupScheme, parse_schemes
from hub.documents.dictionaries import Dictionary
from hub.documents.projects import ColumnRequest, ExtractDocument
from hub.domain.errors import Conflict, DocumentError, Refused
from hub.domain.levels import Level
from hub.extraction import ExtractPlan, extract, register, verify_extract
from hub.extraction.levels import OUTSIDE, PlannedColumn, check_delivered, delivered
from tests.unit.extraction.conftest import DICTIONARY, MASTER_KEY, NOW, plan_short

SCHEMES = parse_schemes(
    {
        "classes/pay.yaml": """\
name: pay
title: {fr: Paie, en: Pay}
kind: bands
from: 0
classes:
  - {code: 0, below: 100, label: {fr: peu, en: little}}
  - {code: 5, below: 1000, label: {fr: assez, en: enough}}
  - {code: 7, label: {fr: beaucoup, en: much}}
""",
        "classes/narrow.yaml": """\
name: narrow
title: {fr: Étroit, en: Narrow}
kind: bands
from: 1
classes: [{code: 1, below: 9, label: {fr: a, en: a}}]
""",
        "classes/everybody.yaml": """\
name: everybody
title: {fr: Tous, en: All}
kind: groups
classes: [{code: 3, members: [2, 1], label: {fr: <tous>, en: <all>}}]
""",
        "classes/women.yaml": """\
name: women
title: {fr: Femmes, en: Women}
kind: groups
classes: [{code: 1, members: [1], label: {fr: f, en: f}}]
""",
        "classes/month.yaml": "name: month\ntitle: {fr: Mois, en: Month}\nkind: dates\ncut: month\n",
    }
)


def _dictionary(**levels: str) -> Dictionary:
    text = DICTIONARY
    for name, value in ({"wage": "{raw: ~, class: pay}", "born": "{band: month}"} | levels).items():
        if name == "sex":
            text = text.replace("  sex:\n", f"  sex:\n    levels: {value}\n")
        else:
            text = text.replace(f"  {name}: {{", f"  {name}: {{levels: {value}, ")
    return parse(Dictionary, text, name="toy.yaml")


@pytest.fixture
def sources(csv: Path, warehouse: Path) -> Path:
    dictionary = _dictionary(works="{raw: ~, none: ~}", sex="{raw: ~, group: everybody}")
    register(csv, dictionary, warehouse=warehouse, now=NOW, schemes=SCHEMES)
    return warehouse


def _plan(warehouse: Path, *columns: object, schemes: ClassSchemes = SCHEMES) -> ExtractPlan:
    request = ExtractDocument.model_validate({"source": "toy", "columns": columns}, strict=False)
    return plan_short(request, warehouse, schemes=schemes)


@pytest.mark.parametrize(
    ("levels", "key"),
    [
        ({"wage": "{exact: ~}"}, "variables.wage.levels.exact"),
        ({"wage": "{class: ~}"}, "variables.wage.levels"),
        ({"wage": "{raw: pay}"}, "variables.wage.levels"),
        ({"wage": "{none: pay}"}, "variables.wage.levels"),
        ({"wage": "{}"}, "variables.wage.levels"),
        ({"wage": "{class: ../pay}"}, "variables.wage.levels.class"),
    ],
)
def test_a_dictionary_with_unclear_levels_is_refused(levels: dict[str, str], key: str) -> None:
    with pytest.raises(DocumentError) as refused:
        _dictionary(**levels)
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("levels", "code", "field"),
    [
        ({"wage": "{class: unheard}"}, "unknown_scheme", "variables.wage.levels.class"),
        ({"wage": "{class: narrow}"}, "scheme_does_not_fit", "variables.wage.levels.class"),
        ({"wage": "{group: everybody}"}, "scheme_does_not_fit", "variables.wage.levels.group"),
        ({"wage": "{band: month}"}, "scheme_does_not_fit", "variables.wage.levels.band"),
        ({"born": "{band: pay}"}, "scheme_does_not_fit", "variables.born.levels.band"),
        ({"sex": "{group: women}"}, "scheme_does_not_fit", "variables.sex.levels.group"),
        ({"works": "{class: pay}"}, "scheme_does_not_fit", "variables.works.levels.class"),
    ],
)
def test_a_level_without_a_fitting_scheme_is_not_registered(
    csv: Path, warehouse: Path, levels: dict[str, str], code: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        register(csv, _dictionary(**levels), warehouse=warehouse, now=NOW, schemes=SCHEMES)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert list(warehouse.iterdir()) == []


RAW = {"variable": "wage", "level": "raw", "justification": "means"}


@pytest.mark.parametrize(
    ("column", "code", "field"),
    [
        (RAW | {"justification": ""}, "justification_needed", "datasets[0].columns[1].justification"),
        (RAW | {"justification": " \n"}, "justification_needed", "datasets[0].columns[1].justification"),
        (RAW | {"level": "band"}, "unknown_level", "datasets[0].columns[1].level"),
        (RAW | {"level": "none"}, "unknown_level", "datasets[0].columns[1].level"),
        (RAW | {"variable": "born"}, "unknown_level", "datasets[0].columns[1].level"),
        (RAW | {"variable": "house"}, "direct_identifier", "datasets[0].columns[1]"),
        (RAW | {"variable": "pay"}, "unknown_variable", "datasets[0].columns[1]"),
        ("works", "not_delivered", "datasets[0].columns[1]"),
        ({"variable": "works", "level": "none"}, "not_delivered", "datasets[0].columns[1].level"),
        (
            {"variable": "works", "level": "raw"},
            "justification_needed",
            "datasets[0].columns[1].justification",
        ),
    ],
)
def test_a_level_that_is_not_due_is_refused_with_its_field(
    sources: Path, column: object, code: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        _plan(sources, "year", column)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_variable_is_asked_for_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        ExtractDocument.model_validate({"source": "toy", "columns": ("wage", ColumnRequest(variable="wage"))})


@pytest.mark.parametrize(
    "change",
    [
        {"level": Level.RAW, "scheme": None, "scheme_sha256": None},
        {"scheme": None, "scheme_sha256": None},
        {"scheme": "narrow"},
        {"scheme_sha256": "0" * 64},
        {"level": Level.BAND},
        {"name": "born"},
    ],
)
def test_a_forged_plan_delivers_nothing(sources: Path, tmp_path: Path, change: dict[str, object]) -> None:
    plan = _plan(sources, "wage")
    dataset = plan.datasets[0]
    column = dataset.columns[0].model_copy(update=change)
    forged = plan.model_copy(update={"datasets": (dataset.model_copy(update={"columns": (column,)}),)})
    with pytest.raises(Refused) as refused:
        extract(
            forged, warehouse=sources, master_key=MASTER_KEY, into=tmp_path / "v1", now=NOW, schemes=SCHEMES
        )
    assert refused.value.code == "plan_changed"
    assert not (tmp_path / "v1").exists()


def test_a_scheme_that_changed_or_went_since_planning_stops_the_extract(
    sources: Path, tmp_path: Path
) -> None:
    plan = _plan(sources, "wage")
    pay = SCHEMES["pay"]
    assert isinstance(pay, BandScheme)
    other = pay.model_copy(update={"classes": pay.classes[-1:]})
    with pytest.raises(Conflict) as changed:
        extract(
            plan, warehouse=sources, master_key=MASTER_KEY, into=tmp_path / "v1", now=NOW,
            schemes={**SCHEMES, "pay": other},
        )  # fmt: skip
    with pytest.raises(Refused) as gone:
        extract(plan, warehouse=sources, master_key=MASTER_KEY, into=tmp_path / "v1", now=NOW)
    assert (changed.value.code, gone.value.code) == ("plan_changed", "unknown_scheme")


def _codes(values: pl.Series, scheme: str) -> list[int | None]:
    column = PlannedColumn(name=values.name, level=Level.CLASS, scheme=scheme, scheme_sha256="0" * 64)
    return values.to_frame().select(delivered(column, SCHEMES)).to_series().to_list()


@given(st.lists(st.none() | st.floats(0, 10_000) | st.sampled_from([0.0, 99.999, 100.0, 1000.0]), min_size=1))
def test_every_number_falls_into_the_band_around_it(values: list[float | None]) -> None:
    codes = _codes(pl.Series("wage", values, dtype=pl.Float64), "pay")
    expected = [None if v is None else 0 if v < 100 else 5 if v < 1000 else 7 for v in values]
    assert codes == expected


BOUNDS = st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=12, unique=True).map(sorted)


@given(BOUNDS, st.booleans(), st.booleans(), st.lists(st.integers(-2 * 10**6, 2 * 10**6)))
def test_any_scheme_puts_edges_and_neighbours_where_they_belong(
    edges: list[int], below: bool, above: bool, more: list[int]
) -> None:
    uppers: list[int | None] = list(edges if below else edges[1:])
    uppers += [None] if above else []
    scheme = BandScheme.model_validate(
        {
            "name": "any", "title": {"fr": "a", "en": "a"}, "kind": "bands",
            "from": None if below else edges[0],
            "classes": [
                {"code": 3 * place, "below": upper, "label": {"fr": "a", "en": "a"}}
                for place, upper in enumerate(uppers)
            ],
        },
        strict=False,
    )  # fmt: skip
    values = [value + shift for value in edges for shift in (-1, 0, 1)] + more
    column = PlannedColumn(name="x", level=Level.BAND, scheme="any")
    codes = pl.DataFrame({"x": values}).select(delivered(column, {"any": scheme}))["x"]
    for value, code in zip(values, codes, strict=True):
        lowers = [scheme.lowest, *uppers[:-1]]
        fits = [
            3 * place
            for place, (low, high) in enumerate(zip(lowers, uppers, strict=True))
            if (low is None or value >= low) and (high is None or value < high)
        ]
        assert [code] == (fits or [OUTSIDE])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -0.5])
def test_what_no_class_has_is_refused_and_not_put_into_the_last(value: float) -> None:
    table = pl.DataFrame({"wage": [1.0, value]})
    column = PlannedColumn(name="wage", level=Level.CLASS, scheme="pay")
    written = table.lazy().select(delivered(column, SCHEMES))
    assert written.collect()["wage"].to_list() == [0, OUTSIDE]
    with pytest.raises(Refused) as refused:
        check_delivered(written, [column], SCHEMES)
    assert (refused.value.code, str(value) in refused.value.en) == ("outside_scheme", False)


@given(st.lists(st.none() | st.sampled_from([1, 2, 3, -1]), min_size=1))
def test_codes_become_their_group_and_strangers_are_marked(values: list[int | None]) -> None:
    codes = _codes(pl.Series("sex", values, dtype=pl.Int64), "everybody")
    assert codes == [None if v is None else 3 if v in (1, 2) else OUTSIDE for v in values]


@given(
    st.lists(st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1))),
    st.sampled_from(["month", "quarter", "year"]),
)
def test_dates_become_the_first_day_of_their_period(days: list[date | None], cut: str) -> None:
    scheme = DateScheme.model_validate(
        {"name": "cut", "title": {"fr": "a", "en": "a"}, "kind": "dates", "cut": cut}
    )
    column = PlannedColumn(name="day", level=Level.BAND, scheme="cut")
    table = pl.DataFrame({"day": pl.Series(days, dtype=pl.Date)}).lazy()
    cutted = table.select(delivered(column, {"cut": scheme}))
    assert cutted.collect()["day"].to_list() == [None if day is None else scheme.start(day) for day in days]
    check_delivered(cutted, [column], {"cut": scheme})


def test_a_date_within_a_period_is_refused() -> None:
    with pytest.raises(Refused):
        check_delivered(
            pl.LazyFrame({"day": [date(2026, 1, 2)]}),
            [PlannedColumn(name="day", level=Level.BAND, scheme="month")],
            SCHEMES,
        )


def test_the_extract_has_classes_and_its_papers_say_which(sources: Path, tmp_path: Path) -> None:
    plan = _plan(sources, "wage", "born", "sex", "year")
    into = tmp_path / "v1"
    manifest = extract(plan, warehouse=sources, master_key=MASTER_KEY, into=into, now=NOW, schemes=SCHEMES)
    assert verify_extract(into, manifest_sha256=manifest.sha256) == manifest
    table = pl.read_parquet(into / "toy.parquet")
    assert [table.schema[name] for name in ("wage", "born", "sex")] == [pl.Int16, pl.Date, pl.Int16]
    assert sorted(table["wage"].drop_nulls()) == [0, 0, 5, 7]
    assert table["wage"].null_count() == table["born"].null_count() == 1
    assert {day.day for day in table["born"].drop_nulls()} == {1}
    levels = manifest.levels["toy"]
    assert [(name, level.level, level.scheme) for name, level in levels.items()] == [
        ("wage", "class", "pay"),
        ("born", "band", "month"),
        ("sex", "group", "everybody"),
        ("year", "raw", None),
    ]
    assert levels["wage"].scheme_sha256 == SCHEMES["pay"].digest
    (described,) = json.loads((into / "codebook.json").read_text())["tables"]
    columns = {one["name"]: one for one in described["columns"]}
    assert [code["value"] for code in columns["wage"]["codes"]] == [0, 5, 7]
    assert columns["wage"]["scheme"]["sha256"] == SCHEMES["pay"].digest
    assert columns["born"]["cut"] == "month"
    assert "minimum" not in columns["wage"]
    page = (into / "codebook.html").read_text(encoding="utf-8")
    assert "&lt;tous&gt;" in page
    assert "<tous>" not in page


def test_no_file_of_an_extract_holds_a_value_behind_a_class(sources: Path, tmp_path: Path) -> None:
    plan = _plan(sources, "wage", "born")
    extract(plan, warehouse=sources, master_key=MASTER_KEY, into=tmp_path / "v1", now=NOW, schemes=SCHEMES)
    original = pl.read_parquet(sources / "toy" / "data.parquet")
    content = b"".join(path.read_bytes() for path in (tmp_path / "v1").iterdir())
    for wage in original["wage"].drop_nulls().to_list():
        assert wage == 0 or str(wage).encode() not in content
    # The rows of a unit are in the order of classes: that of the values behind would tell them apart.
    table = pl.read_parquet(tmp_path / "v1" / "toy.parquet")
    assert table.equals(table.sort(table.columns, nulls_last=True))


def test_with_a_reason_the_finer_level_is_delivered_and_recorded(sources: Path, tmp_path: Path) -> None:
    plan = _plan(sources, RAW, {"variable": "works", "level": "raw", "justification": "why"})
    assert [column.justification for column in plan.datasets[0].columns] == ["means", "why"]
    extract(plan, warehouse=sources, master_key=MASTER_KEY, into=tmp_path / "v1", now=NOW, schemes=SCHEMES)
    table = pl.read_parquet(tmp_path / "v1" / "toy.parquet")
    assert sorted(table["wage"].drop_nulls()) == [0, 31.25, 100.5, 2500]


def test_a_dictionary_without_levels_is_what_it_was(
    dictionary: Dictionary, csv: Path, warehouse: Path
) -> None:
    """The hash of a source registered before there were levels: it must still be found intact."""
    assert dictionary.digest == "583ed2187f8f150f07393e589719e9821cab238f216dc72ee56c6891f9531da0"
    assert all(variable.offered == {Level.RAW: None} for variable in dictionary.variables.values())


def test_groups_of_text_take_text() -> None:
    scheme = GroupScheme.model_validate(
        {
            "name": "any", "title": {"fr": "a", "en": "a"}, "kind": "groups",
            "classes": [{"code": 1, "members": ["LU", "BE"], "label": {"fr": "a", "en": "a"}}],
        },
        strict=False,
    )  # fmt: skip
    column = PlannedColumn(name="x", level=Level.GROUP, scheme="any")
    table = pl.DataFrame({"x": ["LU", None, "FR"]}).select(delivered(column, {"any": scheme}))
    assert table["x"].to_list() == [1, None, OUTSIDE]
