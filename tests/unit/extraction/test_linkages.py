"""Several registers in one extract: populations, households, links, and sectors that stay behind."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.documents.manifests import Manifest
from hub.documents.policies import AreaLimits, load_policies
from hub.domain.errors import Refused
from hub.extraction import ExtractPlan, assess, extract, register
from hub.extraction.risk_reports import MeasureId
from tests.unit.extraction import registers
from tests.unit.extraction.conftest import MASTER_KEY, NOW
from tests.unit.extraction.registers import LIMITS, SCHEMES, planned

ROOT = Path(__file__).parents[3]
CHILDREN = """\
populations:
  - {name: helped, source: measures, unit: child}
  - name: others
    source: persons
    unit: person
    filter: {field: age, operator: "<", values: [18]}
    without: [helped]
    sample: {share: 0.5}
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return registers.register_all(tmp_path_factory.mktemp("registers"))


def _extract(plan: ExtractPlan, warehouse: Path, into: Path) -> Manifest:
    return extract(
        plan, warehouse=warehouse, master_key=MASTER_KEY, into=into, now=NOW, schemes=SCHEMES, areas=LIMITS
    )


def _tables(warehouse: Path, directory: Path, text: str, project: str = "study") -> dict[str, pl.DataFrame]:
    _extract(planned(warehouse, text, project), warehouse, directory / "v1")
    return {path.stem: pl.read_parquet(path) for path in (directory / "v1").glob("*.parquet")}


def _data(name: str = "people", source: str = "persons", of: str = "all", **more: str) -> str:
    """One dataset as YAML."""
    keys = {"units": "[person]", "columns": "[month, age, sex]"} | more
    return f"datasets:\n  - name: {name}\n    source: {source}\n    of: [{of}]\n" + "".join(
        f"    {key}: {value}\n" for key, value in keys.items()
    )


ALL = "populations:\n  - {name: all, source: persons, unit: person}\n"
MEASURED = "populations:\n  - {name: all, source: measures, unit: child}\n" + _data(
    source="measures", units="[child]", columns="[kind]"
)
RAW = "[{variable: rent, level: raw, justification: a}, {variable: cars, level: raw, justification: b}]"
THROUGH = "[{source: atlas, unit: sector, columns: %s}]"


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        (ALL + _data(units="[worker]"), "unknown_unit", "datasets[0].units"),
        (ALL + _data(source="jobs", by="employer", columns="[wage]"), "cannot_link", "datasets[0].by"),
        (
            "populations:\n  - {name: all, source: measures, unit: measure}\n" + _data(),
            "cannot_link",
            "datasets[0].by",
        ),
        (ALL.replace("persons", "nothing") + _data(), "unknown_source", "source"),
        (ALL.replace("unit: person", "unit: firm") + _data(), "unknown_unit", "populations[0].unit"),
        (
            ALL + "  - {name: homes, source: persons, unit: household, without: [all]}\n" + _data(),
            "cannot_link",
            "populations[1].without",
        ),
        (
            ALL + "  - {name: homes, source: persons, unit: household}\n" + _data(of="all, homes"),
            "cannot_link",
            "datasets[0].of",
        ),
        (
            ALL + _data(source="jobs", members="others", columns="[wage]"),
            "unknown_unit",
            "datasets[0].households",
        ),
        (ALL + _data(columns="[nr]"), "direct_identifier", "datasets[0].columns[0]"),
        (ALL + _data(mark="person_id"), "column_twice", "datasets[0].columns"),
        (
            "period: {first: 2004-12, last: 2005-01}\n" + ALL + _data(),
            "outside_coverage",
            "period",
        ),
        (
            "period: {first: 2035-01, last: 2035-12}\n" + MEASURED,
            "outside_coverage",
            "period",
        ),
        (
            "period: {first: 2005-01, last: 2006-12}\n" + MEASURED,
            "outside_coverage",
            "period",
        ),
        (
            "period: {first: 2005-01, last: 2005-02}\n" + ALL + _data(columns="[month, late]"),
            "outside_coverage",
            "datasets[0].columns[1]",
        ),
        (
            ALL + _data(units="[person, sector]", through=THROUGH % "[rent]"),
            "unit_delivered",
            "datasets[0].through[0].unit",
        ),
        (ALL + _data(through=THROUGH % "[code]"), "direct_identifier", "datasets[0].through[0].columns[0]"),
        (ALL + _data(through=THROUGH % "[exact]"), "points_to_areas", "datasets[0].through"),
        (
            ALL + _data(through="[{source: atlas, unit: household, columns: [rent]}]"),
            "cannot_link",
            "datasets[0].through[0].unit",
        ),
    ],
)
def test_what_cannot_be_linked_is_refused_with_its_field(
    warehouse: Path, text: str, code: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        planned(warehouse, text)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_columns_that_point_to_areas_are_named(warehouse: Path) -> None:
    with pytest.raises(Refused) as refused:
        planned(warehouse, ALL + _data(columns="[age, region]", through=THROUGH % "[exact]"))
    assert "region, exact" in refused.value.en


def test_without_limits_nothing_is_joined_through_an_area(warehouse: Path) -> None:
    with pytest.raises(Refused) as refused:
        planned(warehouse, ALL + _data(through=THROUGH % "[rent]"), areas=None)
    assert refused.value.code == "no_area_limits"


def test_nobody_left_names_the_population(warehouse: Path, tmp_path: Path) -> None:
    text = ALL + "  - {name: none, source: persons, unit: person, without: [all]}\n" + _data(of="none")
    with pytest.raises(Refused) as refused:
        _extract(planned(warehouse, text), warehouse, tmp_path / "v1")
    assert (refused.value.code, refused.value.field) == ("empty_population", "populations[1].filter")


def test_two_populations_of_two_registers_with_their_mark(warehouse: Path, tmp_path: Path) -> None:
    table = _tables(warehouse, tmp_path, CHILDREN + _data(of="helped, others", mark="group"))["people"]
    assert table.columns == ["person_id", "group", "month", "age", "sex"]
    sizes = table.group_by("group").agg(pl.col("person_id").n_unique()).sort("group")
    # 100 children, 10 of them helped; half of the other 90.
    assert sizes.rows() == [(1, 10), (2, 45)]
    assert set(table["age"]) == {10}


def test_the_same_person_has_the_same_pseudonym_in_every_register(warehouse: Path, tmp_path: Path) -> None:
    text = (
        CHILDREN
        + _data(of="helped")
        + "  - {name: measures, source: measures, of: [helped], units: [child], columns: [kind]}\n"
    )
    tables = _tables(warehouse, tmp_path, text)
    assert set(tables["people"]["person_id"]) == set(tables["measures"]["child_id"])
    assert len(tables["measures"]) == 20


@pytest.mark.parametrize(("members", "at_home"), [("household", 4), ("others", 3)])
def test_members_of_the_household_in_the_months_in_which_they_live_there(
    warehouse: Path, tmp_path: Path, members: str, at_home: int
) -> None:
    units = "[person, household]"
    text = CHILDREN + _data(of="helped", members=members, units=units, mark="group")
    table = _tables(warehouse, tmp_path, text)["people"]
    sizes = table.group_by("household_id", "month").len()
    # In March one has moved out and the neighbours' has moved in: still as many.
    assert set(sizes["len"]) == {at_home}
    assert len(sizes) == 30
    assert set(table["group"]) == {1}
    assert (10 in set(table["age"])) == (members == "household")
    assert table["person_id"].n_unique() == 10 * (at_home + 1)


def test_jobs_of_the_adults_in_the_households_of_chosen_children(warehouse: Path, tmp_path: Path) -> None:
    columns = {"source": "jobs", "columns": "[month, wage]", "units": "[person, employer]"}
    text = CHILDREN + _data(of="helped", name="jobs", members="others", households="persons", **columns)
    text += (
        "  - {name: homes, source: persons, of: [helped], members: others, units: [person], columns: [age]}\n"
    )
    tables = _tables(warehouse, tmp_path, text)
    assert set(tables["jobs"]["person_id"]) == set(tables["homes"]["person_id"])
    assert tables["jobs"]["employer_id"].n_unique() <= 8


def test_rows_found_by_another_unit_than_the_populations(warehouse: Path, tmp_path: Path) -> None:
    """Everybody whom the employers of the chosen persons employ."""
    text = """\
populations:
  - {name: few, source: jobs, unit: person, filter: {field: wage, operator: "==", values: [800]}}
"""
    text += _data(of="few", source="jobs", by="employer", units="[person, employer]", columns="[month, wage]")
    table = _tables(warehouse, tmp_path, text)["people"]
    assert table["employer_id"].n_unique() == 1
    assert table["person_id"].n_unique() == 50


def test_only_months_of_the_period(warehouse: Path, tmp_path: Path) -> None:
    text = "period: {first: 2005-02, last: 2005-03}\n" + ALL + _data(columns="[month, late]")
    table = _tables(warehouse, tmp_path, text)["people"]
    assert sorted({day.month for day in table["month"]}) == [2, 3]


def test_a_smaller_sample_lies_inside_a_larger_and_another_project_draws_others(
    warehouse: Path, tmp_path: Path
) -> None:
    drawn = {}
    for name, share, project in (("a", 0.05, "study"), ("b", 0.1, "study"), ("c", 0.1, "other")):
        text = ALL.replace("}", f", sample: {{share: {share}}}}}") + _data(
            columns="[month, age, sex, region]"
        )
        (tmp_path / name).mkdir()
        drawn[name] = _tables(warehouse, tmp_path / name, text, project)["people"]
    assert [table["person_id"].n_unique() for table in drawn.values()] == [20, 40, 40]
    assert set(drawn["a"]["person_id"]) < set(drawn["b"]["person_id"])
    assert not set(drawn["b"]["person_id"]) & set(drawn["c"]["person_id"])
    assert not drawn["b"].drop("person_id").sort(pl.all()).equals(drawn["c"].drop("person_id").sort(pl.all()))


def test_attributes_of_a_sector_come_banded_and_without_the_sector(warehouse: Path, tmp_path: Path) -> None:
    columns = (
        "[{variable: rent, level: raw, justification: why}, {variable: cars, level: raw, justification: y}]"
    )
    text = ALL + _data(columns="[age, region]", through=THROUGH % columns)
    plan = planned(warehouse, text)
    (part,) = plan.datasets[0].through
    assert "sector" not in plan.datasets[0].names
    manifest = _extract(plan, warehouse, tmp_path / "v1")
    table = pl.read_parquet(tmp_path / "v1" / "people.parquet")
    names = ["region", *(column.name for column in part.columns)]
    # Every delivered combination stands for at least three sectors and ten persons.
    people = registers.persons().unique("nr").join(registers.atlas(), left_on="sector", right_on="code")
    assert table.select(names).unique().height <= registers.SECTORS // 3
    level = manifest.levels["people"]["rent"]
    assert level.level != "raw"
    assert level.asked == "raw"
    described = json.loads((tmp_path / "v1" / "codebook.json").read_text())["tables"][0]
    (rent,) = (column for column in described["columns"] if column["name"] == "rent")
    assert (rent["asked"], rent["through"], rent["source"]) == ("raw", "sector", "atlas")
    assert described["withheld"] == list(part.withheld)
    assert people.height == registers.PEOPLE


@pytest.mark.parametrize("least", [(3, 10), (5, 50), (10, 10), (3, 80)])
def test_no_combination_points_to_too_few(warehouse: Path, tmp_path: Path, least: tuple[int, int]) -> None:
    limits = AreaLimits(min_areas=least[0], min_units=least[1])
    columns = (
        "[{variable: rent, level: raw, justification: why}, {variable: cars, level: raw, justification: y}]"
    )
    text = ALL + _data(columns="[age, region]", through=THROUGH % columns)
    plan = planned(warehouse, text, areas=limits)
    extract(
        plan, warehouse=warehouse, master_key=MASTER_KEY, into=tmp_path / "v1", now=NOW, schemes=SCHEMES,
        areas=limits,
    )  # fmt: skip
    names = ["region", *(column.name for column in plan.datasets[0].through[0].columns)]
    sectors = registers.persons().select("nr", "sector", "region").unique()
    classed = sectors.join(registers.atlas(), left_on="sector", right_on="code")
    for column in plan.datasets[0].through[0].columns:
        cut = {"band": 10, "class": 50}[column.level]
        classed = classed.with_columns((pl.col(column.name) // cut * cut).alias(column.name))
    sizes = classed.group_by(names).agg(pl.col("sector").n_unique(), pl.col("nr").n_unique())
    assert sizes["sector"].min() >= least[0]  # type: ignore[operator]
    assert sizes["nr"].min() >= least[1]  # type: ignore[operator]
    written = pl.read_parquet(tmp_path / "v1" / "people.parquet").select(names).unique()
    assert sorted(written.rows()) == sorted(sizes.select(names).rows())


def test_what_an_extract_would_contain_is_counted_without_making_it(warehouse: Path, tmp_path: Path) -> None:
    text = (
        CHILDREN
        + _data(of="helped, others")
        + (
            "  - {name: jobs, source: jobs, of: [helped], members: others, households: persons,\n"
            "     units: [person, employer], columns: [month, wage]}\n"
        )
    )
    plan = planned(warehouse, text)
    thresholds = load_policies(ROOT / "policies").risks.thresholds
    found = assess(
        plan, warehouse=warehouse, master_key=MASTER_KEY, thresholds=thresholds, schemes=SCHEMES, areas=LIMITS
    )
    manifest = _extract(plan, warehouse, tmp_path / "v1")
    assert found.rows == {file.dataset: file.rows for file in manifest.data}
    assert {name: (one.drawn, one.of) for name, one in found.populations.items()} == {
        "helped": (10, 10),
        "others": (45, 90),
    }
    assert {measure.table for measure in found.report.measures} == {"people", "jobs"}
    told = {(measure.table, measure.id) for measure in found.report.measures}
    # Ages and sexes by month are a path, too; wages are known by month and have no quasi-identifier.
    assert ("people", MeasureId.CHARACTERISTICS) in told
    assert ("jobs", MeasureId.TRAJECTORIES) in told
    assert ("jobs", MeasureId.CHARACTERISTICS) not in told


STATUSES = f"""\
name: statuses
title: {{fr: Statuts, en: Statuses}}
{registers.HEAD}reference_period: {{first: 2005-01-01, last: 2005-03-31}}
unit_types:
  person: {{title: {{fr: p, en: p}}, key: [nr], pseudonym: person_id}}
record: {{unit: person, key: [nr]}}
variables:
  nr: {registers.NUMBER}
  sex: {{type: integer, label: {{fr: s, en: s}}, identifying: indirect}}
  status:
    type: integer
    label: {{fr: s, en: s}}
    minimum: 0
    maximum: 99
    sensitivity: sensitive
    levels: {{raw: ~, class: halves}}
"""


@pytest.mark.parametrize(("level", "values"), [("raw", 50), ("class", 2)])
def test_diversity_is_measured_in_the_population_too_at_the_delivered_levels(
    tmp_path: Path, level: str, values: int
) -> None:
    """One of each sex is drawn, so that the sample tells their status; the population has all statuses."""
    (tmp_path / "warehouse").mkdir()
    rows = {"nr": range(100), "sex": [1, 2] * 50, "status": [person // 2 * 2 for person in range(100)]}
    pl.DataFrame(rows).write_parquet(tmp_path / "statuses.parquet")
    dictionary = parse(Dictionary, STATUSES, name="statuses.yaml")
    warehouse = tmp_path / "warehouse"
    register(tmp_path / "statuses.parquet", dictionary, warehouse=warehouse, now=NOW, schemes=SCHEMES)
    text = (
        "populations:\n"
        "  - {name: few, source: statuses, unit: person, sample: {count: 1, per: sex}}\n"
        + _data(
            source="statuses",
            of="few",
            columns=f"[sex, {{variable: status, level: {level}, justification: j}}]",
        )
    )
    thresholds = load_policies(ROOT / "policies").risks.thresholds
    found = assess(
        planned(warehouse, text),
        warehouse=warehouse,
        master_key=MASTER_KEY,
        thresholds=thresholds,
        schemes=SCHEMES,
        areas=LIMITS,
    )
    figures = {measure.id: measure.figure for measure in found.report.measures}
    assert figures[MeasureId.L_DIVERSITY] == 1
    assert figures[MeasureId.POPULATION_L] == values


MONTHLY = f"""\
name: sectors
title: {{fr: Secteurs, en: Sectors}}
{registers.HEAD}reference_period: {{first: 2005-01-01, last: 2005-03-31}}
unit_types:
  sector: {{title: {{fr: s, en: s}}, key: [code], pseudonym: sector_id, registry: sectors}}
record: {{unit: sector, key: [code, month], period: month}}
variables:
  code: {registers.NUMBER}
  month: {{type: date, label: {{fr: m, en: m}}}}
  jobless: {{type: integer, label: {{fr: c, en: u}}, minimum: 0, maximum: 9}}
"""


@pytest.fixture(scope="module")
def monthly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registers and a source of sectors by month, whose only value is the month's number."""
    directory = tmp_path_factory.mktemp("monthly")
    warehouse = registers.register_all(directory)
    rows = [
        {"code": code, "month": month, "jobless": month.month}
        for code in range(1, registers.SECTORS + 1)
        for month in registers.MONTHS
    ]
    pl.DataFrame(rows).write_parquet(directory / "sectors.parquet")
    dictionary = parse(Dictionary, MONTHLY, name="sectors.yaml")
    register(directory / "sectors.parquet", dictionary, warehouse=warehouse, now=NOW, schemes=SCHEMES)
    return warehouse


MONTHLY_THROUGH = "[{source: sectors, unit: sector, columns: [jobless]}]"


def test_months_are_joined_to_the_same_months(monthly: Path, tmp_path: Path) -> None:
    table = _tables(monthly, tmp_path, ALL + _data(through=MONTHLY_THROUGH))["people"]
    assert len(table) == registers.PEOPLE * len(registers.MONTHS)
    assert (table["jobless"] == table["month"].dt.month()).all()


def test_several_rows_for_one_unit_cannot_be_joined(monthly: Path, tmp_path: Path) -> None:
    """A source of sectors has one row per sector, so that a series of months does not fit it."""
    text = "populations:\n  - {name: all, source: atlas, unit: sector}\n"
    text += _data(source="atlas", units="[other]", columns="[rent]", through=MONTHLY_THROUGH)
    plain = registers.ATLAS.replace("name: atlas", "name: places").replace(
        "record: {unit: sector, key: [code]}",
        "  other: {title: {fr: o, en: o}, key: [code], pseudonym: other_id, registry: other}\n"
        "record: {unit: sector, key: [code]}",
    )
    file = tmp_path / "places.parquet"
    registers.atlas().write_parquet(file)
    dictionary = parse(Dictionary, plain, name="places.yaml")
    register(file, dictionary, warehouse=monthly, now=NOW, schemes=SCHEMES)
    with pytest.raises(Refused) as refused:
        _tables(monthly, tmp_path, text.replace("source: atlas", "source: places"))
    assert (refused.value.code, refused.value.field) == ("several_rows", "through")
