"""Attributes of areas in several tables that share a pseudonym: together they point to no area either."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.documents.policies import AreaLimits
from hub.domain.errors import Refused
from hub.domain.levels import FINE_TO_COARSE, Level
from hub.extraction import ExtractPlan, extract, register
from hub.extraction.maps import PSEUDONYM, read_map
from tests.unit.extraction import registers
from tests.unit.extraction.conftest import MASTER_KEY, NOW
from tests.unit.extraction.registers import LIMITS, SCHEMES, planned

HOMES = f"""\
name: homes
title: {{fr: Logements, en: Homes}}
{registers.HEAD}reference_period: {{first: 2005-01-01, last: 2005-03-31}}
unit_types:
  household: {{title: {{fr: m, en: h}}, key: [house], pseudonym: household_id, registry: households}}
  place: {{title: {{fr: s, en: s}}, key: [place], pseudonym: place_id, registry: sectors}}
record: {{unit: household, key: [house]}}
variables:
  house: {registers.NUMBER}
  place: {registers.NUMBER}
  rooms: {{type: integer, label: {{fr: r, en: r}}, minimum: 0, maximum: 9}}
  north: {{type: integer, label: {{fr: n, en: n}}, minimum: 0, maximum: 9, describes: place}}
"""
FIRMS = f"""\
name: firms
title: {{fr: Entreprises, en: Firms}}
{registers.HEAD}reference_period: {{first: 2005-01-01, last: 2005-03-31}}
unit_types:
  employer: {{title: {{fr: e, en: e}}, key: [firm], pseudonym: employer_id, registry: employers}}
  sector: {{title: {{fr: s, en: s}}, key: [seat], pseudonym: sector_id, registry: sectors}}
record: {{unit: employer, key: [firm]}}
variables:
  firm: {registers.NUMBER}
  seat: {registers.NUMBER}
  branch: {{type: integer, label: {{fr: b, en: b}}, minimum: 0, maximum: 9}}
"""
OWN = f"""\
name: own
title: {{fr: Aides, en: Aids}}
{registers.HEAD}reference_period: {{first: 2005-01-01, last: 2005-03-31}}
unit_types:
  person: {{title: {{fr: p, en: p}}, key: [worker], pseudonym: person_id, registry: national_register}}
  sector: {{title: {{fr: s, en: s}}, key: [place], pseudonym: sector_id, registry: sectors}}
record: {{unit: person, key: [worker]}}
variables:
  worker: {registers.NUMBER}
  place: {registers.NUMBER}
  row: {{type: integer, label: {{fr: c, en: c}}, minimum: 0, maximum: 9, describes: sector}}
"""
GRID = f"""\
name: grid
title: {{fr: Carte, en: Map}}
{registers.HEAD}reference_period: {{first: 2005-01-01, last: 2005-03-31}}
unit_types:
  sector: {{title: {{fr: s, en: s}}, key: [code], pseudonym: sector_id, registry: sectors}}
record: {{unit: sector, key: [code]}}
variables:
  code: {registers.NUMBER}
  line: {{type: integer, label: {{fr: l, en: l}}, minimum: 0, maximum: 9}}
  row: {{type: integer, label: {{fr: c, en: c}}, minimum: 0, maximum: 9}}
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registers; homes in the sectors where their people live; firms, in every sector ten of them; and
    a map, whose lines and rows no level makes coarser."""
    directory = tmp_path_factory.mktemp("areas")
    made = registers.register_all(directory)
    people = registers.persons()
    homes = people.filter(pl.col("month") == registers.MONTHS[0]).group_by("house").agg(
        pl.col("sector").first().alias("place"), rooms=pl.lit(3), north=(pl.col("sector").first() - 1) // 20
    )  # fmt: skip
    firms = pl.DataFrame(
        [(firm, 1 + firm % registers.SECTORS, 1) for firm in range(1, 401)],
        schema=["firm", "seat", "branch"],
        orient="row",
    )
    # Eight sectors in each line and in each row, one where they meet.
    codes = range(1, registers.SECTORS + 1)
    grid = pl.DataFrame(
        {"code": codes, "line": [(n - 1) % 5 for n in codes], "row": [(n - 1) // 8 for n in codes]}
    )
    first = people.filter(pl.col("month") == registers.MONTHS[0])
    own = first.select(worker="nr", place="sector", row=(pl.col("sector") - 1) // 8)
    for text, table in ((HOMES, homes), (FIRMS, firms), (GRID, grid), (OWN, own)):
        dictionary = parse(Dictionary, text, name="d.yaml")
        file = directory / f"{dictionary.name}.parquet"
        table.write_parquet(file)
        register(file, dictionary, warehouse=made, now=NOW, schemes=SCHEMES)
    return made


ALL = "populations:\n  - {name: all, source: persons, unit: person}\ndatasets:\n"


def _raw(*names: str) -> str:
    return "[" + ", ".join(f"{{variable: {name}, level: raw, justification: x}}" for name in names) + "]"


def _table(
    name: str,
    *joined: str,
    source: str = "persons",
    units: str = "person",
    columns: str = "sex",
    by: str = "person",
    unit: str = "sector",
    households: str = "persons",
) -> str:
    """A dataset with these columns of the Atlas or the map, raw, joined through `unit`."""
    text = (
        f"  - {{name: {name}, source: {source}, of: [all], by: {by}, units: [{units}], columns: [{columns}]"
    )
    text += f", households: {households}"
    if joined:
        far = "grid" if {"line", "row"} & set(joined) else "atlas"
        text += f", through: [{{source: {far}, unit: {unit}, columns: {_raw(*joined)}}}]"
    return text + "}\n"


HOUSEHOLD_LINK = _table("lives", units="person, household")
EMPLOYER_LINK = _table("works", source="jobs", units="person, employer", columns="wage")
AT_HOME = {"source": "homes", "units": "household", "columns": "rooms", "by": "household", "unit": "place"}
AT_FIRM = {
    "source": "firms",
    "units": "employer",
    "columns": "branch",
    "by": "employer",
    "households": "jobs",
}


def _levels(plan: ExtractPlan) -> dict[str, set[str]]:
    """Joined variable → the levels at which it is delivered."""
    found: dict[str, set[str]] = {}
    for dataset in plan.datasets:
        for part in dataset.through:
            for column in part.columns:
                found.setdefault(column.name, set()).add(str(column.level))
            for name in part.withheld:
                found.setdefault(name, set()).add(str(Level.NONE))
    return found


@pytest.mark.parametrize(
    ("link", "one", "two"),
    [
        pytest.param("", _table("a", "line"), _table("b", "row"), id="two tables"),
        pytest.param("", _table("a", "line"), _table("b", columns="row", source="own"), id="its own"),
        pytest.param(HOUSEHOLD_LINK, _table("a", "line"), _table("b", "row", **AT_HOME), id="households"),
        pytest.param(EMPLOYER_LINK, _table("a", "line"), _table("b", "row", **AT_FIRM), id="employers"),
    ],
)
def test_what_no_level_makes_safe_is_refused(warehouse: Path, link: str, one: str, two: str) -> None:
    planned(warehouse, ALL + link + one)
    planned(warehouse, ALL + link + two)
    with pytest.raises(Refused) as refused:
        planned(warehouse, ALL + link + one + two)
    assert refused.value.code == "points_to_areas"
    assert "line" in refused.value.en
    assert "row" in refused.value.en


@pytest.mark.parametrize("where", ["the same register", "over the household"])
def test_the_area_itself_is_delivered_in_no_table_that_meets_its_attributes(
    warehouse: Path, where: str
) -> None:
    if where == "the same register":
        tables = _table("a", "rent") + _table("b", units="person, sector")
    else:
        tables = HOUSEHOLD_LINK + _table("b", **AT_HOME | {"units": "household, place"}) + _table("a", "rent")
    with pytest.raises(Refused) as refused:
        planned(warehouse, ALL + tables)
    position = 0 if where == "the same register" else 2
    assert (refused.value.code, refused.value.field) == (
        "unit_delivered",
        f"datasets[{position}].through[0].unit",
    )


def test_without_limits_nothing_is_joined_and_the_table_is_named(warehouse: Path) -> None:
    with pytest.raises(Refused) as refused:
        planned(warehouse, ALL + _table("a") + _table("b", "rent"), areas=None)
    assert (refused.value.code, refused.value.field) == ("no_area_limits", "datasets[1].through")


ALONE = _table("one", "rent", "cars", columns="sex, region")


_ORDER = [str(level) for level in FINE_TO_COARSE]


@pytest.mark.parametrize(
    "tables",
    [
        pytest.param(_table("a", "rent") + _table("b", "cars", columns="sex, region"), id="two"),
        pytest.param(_table("a", "rent") + _table("b", "cars") + _table("c", columns="region"), id="three"),
        pytest.param(
            HOUSEHOLD_LINK
            + _table("a", "rent")
            + _table("b", "cars", **AT_HOME)
            + _table("c", columns="region"),
            id="households",
        ),
        pytest.param(
            HOUSEHOLD_LINK + _table("a", "rent", "cars") + _table("b", **AT_HOME | {"columns": "north"}),
            id="what a household's table tells",
        ),
        pytest.param(
            EMPLOYER_LINK + _table("a", "rent", columns="sex, region") + _table("b", "cars", **AT_FIRM),
            id="employers",
        ),
    ],
)
def test_several_tables_get_no_finer_levels_than_one(warehouse: Path, tables: str) -> None:
    alone, several = (_levels(planned(warehouse, ALL + text)) for text in (ALONE, tables))
    assert alone == {"rent": {"class"}, "cars": {"class"}}
    for name, levels in several.items():
        assert all(_ORDER.index(level) >= _ORDER.index("class") for level in levels), name


def test_tables_that_share_no_pseudonym_do_not_meet(warehouse: Path) -> None:
    """Without the table that says who lives where, households and persons cannot be put together."""
    apart = _table("a", "line") + _table("b", "row", **AT_HOME)
    assert _levels(planned(warehouse, ALL + apart)) == {"line": {"raw"}, "row": {"raw"}}
    delivered = _table("a", "line") + _table("b", units="household, sector")
    assert _levels(planned(warehouse, ALL + delivered)) == {"line": {"raw"}}


def test_the_same_variable_in_two_tables_is_made_coarser_in_both(warehouse: Path) -> None:
    tables = _table("a", "rent") + _table("b", "rent", "cars")
    levels = _levels(planned(warehouse, ALL + tables))
    assert levels == _levels(planned(warehouse, ALL + _table("one", "rent", "cars")))
    assert len(levels["rent"]) == 1


@pytest.mark.parametrize(
    ("before", "levels"),
    [
        (None, {"rent": {"raw"}}),
        ({}, {"rent": {"raw"}}),
        ({"a": {"sex": Level.RAW, "rent": Level.BAND}}, {"rent": {"band"}}),
        ({"a": {"rent": Level.CLASS}}, {"rent": {"class"}}),
        ({"a": {"sex": Level.RAW}}, {"rent": {"none"}}),
        ({"a": {"rent": Level.GROUP}}, {"rent": {"none"}}),
    ],
)
def test_a_next_version_is_no_finer_than_the_one_before(
    warehouse: Path, before: dict[str, dict[str, Level]] | None, levels: dict[str, set[str]]
) -> None:
    plan = planned(warehouse, ALL + _table("a", "rent"), before=before)
    assert _levels(plan) == levels
    assert plan.before == before


def test_who_is_in_two_sources_is_counted(tmp_path: Path) -> None:
    """Each source shows enough persons for every rent; but of those in both there are too few."""
    warehouse = registers.register_all(tmp_path)
    people = registers.persons().filter(pl.col("month") == registers.MONTHS[0])
    # Most of these numbers are of nobody in the other source.
    number = pl.when(pl.col("nr") % 41 < 2).then("nr").otherwise(pl.col("nr") + 50_000)
    other = people.select(worker=number, place="sector", row=1)
    other.write_parquet(tmp_path / "aids.parquet")
    dictionary = parse(Dictionary, OWN.replace("name: own", "name: aids"), name="aids.yaml")
    register(tmp_path / "aids.parquet", dictionary, warehouse=warehouse, now=NOW, schemes=SCHEMES)
    aids = {"source": "aids", "columns": "row"}
    one = planned(warehouse, ALL + _table("a", "rent"))
    two = planned(warehouse, ALL + _table("b", "rent", **aids))
    assert _levels(one) == _levels(two) == {"rent": {"raw"}}
    both = planned(warehouse, ALL + _table("a", "rent") + _table("b", "rent", **aids))
    assert _levels(both) != {"rent": {"raw"}}


COMMUTES = f"""\
name: commutes
title: {{fr: Trajets, en: Commutes}}
{registers.HEAD}reference_period: {{first: 2005-01-01, last: 2005-03-31}}
unit_types:
  person: {{title: {{fr: p, en: p}}, key: [worker], pseudonym: person_id, registry: national_register}}
  home: {{title: {{fr: d, en: h}}, key: [from], pseudonym: home_id, registry: sectors}}
  work: {{title: {{fr: t, en: w}}, key: [to], pseudonym: work_id, registry: sectors}}
record: {{unit: person, key: [worker]}}
variables:
  worker: {registers.NUMBER}
  from: {registers.NUMBER}
  to: {registers.NUMBER}
  by_bus: {{type: integer, label: {{fr: b, en: b}}, minimum: 0, maximum: 9}}
"""


@pytest.mark.parametrize("elsewhere", [0, 1, 30])
@pytest.mark.parametrize("home", ["commutes", "persons"])
def test_a_home_and_a_place_of_work_stand_for_enough_persons_together(
    tmp_path: Path, elsewhere: int, home: str
) -> None:
    """All work in another sector of their line; but so many that live in the first work in the second."""
    warehouse = registers.register_all(tmp_path)
    people = registers.persons().filter(pl.col("month") == registers.MONTHS[0]).sort("sector", "nr")
    line = (pl.col("from") - 1) % 5
    moved = (line == 0) & (line == 0).cum_sum().is_between(1, elsewhere)
    commutes = people.select(worker="nr", **{"from": "sector"}, by_bus=1).with_columns(
        to=(pl.col("from") + 4 + moved.cast(pl.Int64)) % registers.SECTORS + 1
    )
    codes = range(1, registers.SECTORS + 1)
    grid = pl.DataFrame({"code": codes, "line": [(n - 1) % 5 for n in codes], "row": 0})
    for text, table in ((COMMUTES, commutes), (GRID, grid)):
        dictionary = parse(Dictionary, text, name="d.yaml")
        table.write_parquet(tmp_path / f"{dictionary.name}.parquet")
        register(
            tmp_path / f"{dictionary.name}.parquet", dictionary, warehouse=warehouse, now=NOW, schemes=SCHEMES
        )
    commuting = {"source": "commutes", "columns": "by_bus"}
    live = _table("a", "line", **(commuting | {"unit": "home"} if home == "commutes" else {}))
    work = _table("b", "line", **commuting, unit="work")
    for alone in (live, work):
        assert _levels(planned(warehouse, ALL + alone)) == {"line": {"raw"}}
    if elsewhere == 1:
        with pytest.raises(Refused) as refused:
            planned(warehouse, ALL + live + work)
        assert refused.value.code == "points_to_areas"
    else:
        assert _levels(planned(warehouse, ALL + live + work)) == {"line": {"raw"}}


_CUT = {"raw": 1, "band": 10, "class": 50}


def _broken(
    plan: ExtractPlan, warehouse: Path, directory: Path, limits: AreaLimits
) -> list[tuple[object, ...]]:
    """Extract, put everything together over the pseudonyms as a researcher can, and look, knowing who is
    who, which combinations of attributes stand for too few."""
    extract(
        plan, warehouse=warehouse, master_key=MASTER_KEY, into=directory / "study" / "v1", now=NOW,
        schemes=SCHEMES, areas=limits, maps=directory / "maps" / "v1.map",
    )  # fmt: skip
    attributes = {"rent", "cars", "region", "north"}
    joined: pl.DataFrame | None = None
    told: list[str] = []
    tables = [pl.read_parquet(directory / "study" / "v1" / f"{one.name}.parquet") for one in plan.datasets]
    # First the tables about persons, then what hangs on their households.
    for number, table in enumerate(sorted(tables, key=lambda one: "person_id" not in one.columns)):
        keys = [name for name in ("person_id", "household_id") if name in table.columns]
        mine = sorted(attributes & set(table.columns))
        part = table.select(*keys, *(pl.col(name).alias(f"{name} {number}") for name in mine)).unique()
        told += [f"{name} {number}" for name in mine]
        if joined is None:
            joined = part
            continue
        common = [name for name in keys if name in joined.columns]
        joined = joined.join(part, on=common) if common else joined
    assert joined is not None
    if not told:
        return []
    _, tables_of = read_map(directory / "maps" / "v1.map", project=plan.project, master_key=MASTER_KEY)
    names = tables_of["register national_register"].rename({PSEUDONYM: "person_id", " key 0": "nr"})
    true = registers.persons().select("nr", "sector").unique().join(names, on="nr")
    here = [name for name in told if name in joined.columns]
    sizes = (
        joined.join(true, on="person_id")
        .group_by(here)
        .agg(pl.col("sector").n_unique(), pl.col("person_id").n_unique())
    )
    return sizes.filter(
        (pl.col("sector") < limits.min_areas) | (pl.col("person_id") < limits.min_units)
    ).rows()


def test_what_several_tables_put_together_keeps_the_limits(warehouse: Path, tmp_path: Path) -> None:
    tables = _table("a", "rent") + _table("b", "cars") + _table("c", columns="region")
    assert _broken(planned(warehouse, ALL + tables), warehouse, tmp_path, LIMITS) == []


_Drawn = tuple[list[str], dict[str, str]]
_ATLAS = st.lists(st.sampled_from(["rent", "cars"]), unique=True, max_size=2)
_PERSONS = st.builds(
    lambda joined, columns, units: (joined, {"columns": columns, "units": units}),
    _ATLAS,
    st.sampled_from(["sex", "sex, region", "region"]),
    st.sampled_from(["person", "person, household"]),
)
_HOUSEHOLDS = st.builds(
    lambda joined, columns: (joined, AT_HOME | {"columns": columns}),
    _ATLAS,
    st.sampled_from(["rooms", "rooms, north"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tables=st.tuples(st.lists(_PERSONS, min_size=1, max_size=3), st.lists(_HOUSEHOLDS, max_size=2)),
    limits=st.sampled_from([(3, 10), (5, 50), (10, 100), (15, 200)]),
)
def test_whatever_is_delivered_together_keeps_the_limits(
    warehouse: Path,
    tmp_path_factory: pytest.TempPathFactory,
    tables: tuple[list[_Drawn], list[_Drawn]],
    limits: tuple[int, int],
) -> None:
    # Nobody moves in these two months: of who does, each area is a combination of its own.
    text = "period: {first: 2005-01, last: 2005-02}\n" + ALL
    for number, (joined, more) in enumerate([*tables[0], *tables[1]]):
        text += _table(f"t{number}", *joined, **more)
    least = AreaLimits(min_areas=limits[0], min_units=limits[1])
    try:
        plan = planned(warehouse, text, areas=least)
    except Refused as refused:
        if refused.code != "points_to_areas":
            raise
        return
    if not any(dataset.through for dataset in plan.datasets):
        return
    assert _broken(plan, warehouse, tmp_path_factory.mktemp("drawn"), least) == []
