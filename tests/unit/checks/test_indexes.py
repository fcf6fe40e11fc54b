"""An index says what the extract says, is believed only while it is the one that was made, and a forged or
damaged one changes no verdict."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import numpy as np
import polars as pl
import pytest

from hub.checks import Limits, check_in_subprocess
from hub.checks.axes import Axis, Band
from hub.checks.confinement import limits_for
from hub.checks.engine import run_checks
from hub.checks.extracts import Part, open_extract, open_with_index
from hub.checks.filters import mask_of
from hub.checks.findings import Place, Report
from hub.checks.groups import Groups
from hub.checks.indexes import Sealed, UnreadableIndex, identity_of, make_index, open_index, seal_of, verify
from hub.checks.matching import Matcher
from hub.checks.measures import Cube
from hub.checks.panels import Panel
from hub.checks.prepared import Indexes
from hub.checks.printed_columns import print_columns
from hub.checks.tables import Table
from hub.checks.thresholds import Thresholds
from hub.documents.filters import Comparison, Operator

THRESHOLDS = Thresholds(min_units=10, row_level_min_rows=20)
UNITS = {"person": "pid", "household": "hid"}
KEY = b"k" * 32


def survey(rows: int = 6_000) -> pl.DataFrame:
    """Codes, texts, gaps, dense amounts, and two units of which one stands in no order."""
    rng = np.random.default_rng(5)
    gaps = rng.random(rows) < 0.1
    return pl.DataFrame(
        {
            "pid": np.sort(rng.integers(0, rows // 4, rows)) * 7 + 100,
            "hid": rng.integers(0, rows // 6, rows),
            "region": ["East"] * 5 + rng.choice(["North", "South"], rows - 5).tolist(),
            "year": rng.integers(2000, 2010, rows),
            "wage": pl.Series(rng.lognormal(3, 1, rows).round(4)).set(pl.Series(gaps), None),
            "income": rng.integers(0, 900_000, rows),
            "union": pl.Series(rng.integers(0, 2, rows)).set(pl.Series(gaps), None),
        }
    )


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    directory = tmp_path / "extract"
    directory.mkdir()
    survey().write_parquet(directory / "units.parquet")
    return directory


@pytest.fixture
def indexes(tmp_path: Path) -> Indexes:
    return Indexes(tmp_path / "indexes", KEY, least_rows=1)


def small_counts(tmp_path: Path) -> Path:
    """A table whose last region is a few persons."""
    counts = survey().group_by("region").len("n").sort("region")
    path = tmp_path / "table.csv"
    counts.write_csv(path)
    return path


def judged(file: Path, extract: Path, index: Sealed | None) -> Report:
    return check_in_subprocess(
        file, name="table.csv", form=None, extract=extract, thresholds=THRESHOLDS, units=UNITS, index=index
    )


def test_an_index_answers_as_the_files_do(extract: Path, indexes: Indexes) -> None:
    sealed = indexes.made(extract, "a", UNITS)
    assert sealed is not None
    (plain,) = open_extract(extract).parts
    (part,) = open_with_index(extract, sealed).parts
    assert part.stored is not None
    one, two = Panel(plain, UNITS), Panel(part, UNITS)
    for name in ("year", "wage", "income", "union"):
        np.testing.assert_array_equal(one.numbers(name), two.numbers(name))
        assert one.span(name) == two.span(name)
        assert one.is_complete(name) == two.is_complete(name)
        for ours, theirs in zip(one.ends(name), two.ends(name), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(plain.ranked(name)[0], part.ranked(name)[0])
        np.testing.assert_array_equal(plain.ranked(name)[1], part.ranked(name)[1])
    for name in ("region", "year", "union", "wage"):
        ours, theirs = one.categories(name), two.categories(name)
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            assert ours.values == theirs.values
            np.testing.assert_array_equal(ours.codes, theirs.codes)
    for name in plain.schema:
        at = np.array([0, 17, 17, 5_999, 3])
        assert plain.at(name, at).to_list() == part.at(name, at).to_list()
    known = one.categories("region")
    assert known is not None
    for kind in UNITS:
        np.testing.assert_array_equal(one.unit(kind)[0], two.unit(kind)[0])
        ours, theirs = (Groups(panel, known.codes, 3) for panel in (one, two))
        np.testing.assert_array_equal(ours.units(kind, "wage"), theirs.units(kind, "wage"))
        np.testing.assert_array_equal(ours.members(kind, 1), theirs.members(kind, 1))
        np.testing.assert_allclose(ours.top_shares(kind, "wage"), theirs.top_shares(kind, "wage"))


def test_rows_are_counted_as_an_index_tells_them(extract: Path, indexes: Indexes) -> None:
    sealed = indexes.made(extract, "a", UNITS)
    assert sealed is not None
    (plain,) = open_extract(extract).parts
    (part,) = open_with_index(extract, sealed).parts
    one, two = Panel(plain, UNITS), Panel(part, UNITS)
    for names in (
        ("region",),
        ("union",),
        ("region", "union"),
        ("year", "region"),
        ("year", "union", "region"),
    ):
        ours, theirs = one.crossing(names), two.crossing(names)
        assert ours is not None
        assert theirs is not None
        assert ("rows" in theirs._sums) is (len(names) < 3)
        np.testing.assert_array_equal(ours.total("rows"), theirs.total("rows"))


@pytest.mark.parametrize(
    ("bands", "told"),
    [
        ([(0, 10, True, False), (10, 30, True, True), (40, 1e9, False, True)], True),
        ([(30, 80, False, True), (-5, 30, False, True)], True),
        ([(0, 10, True, True), (10, 30, True, True)], True),  # no wage is 10
        ([(0, 30, True, True), (10, 40, True, True)], False),
    ],
)
def test_rows_of_bands_are_counted_as_an_index_tells_them(
    extract: Path, indexes: Indexes, bands: list[Band], told: bool
) -> None:
    sealed = indexes.made(extract, "a", UNITS)
    assert sealed is not None
    (part,) = open_with_index(extract, sealed).parts
    panel, axis = Panel(part, UNITS), Axis("wage", bands=tuple(bands))
    counted = np.bincount(axis.levels(panel) + 1, minlength=len(bands) + 1)[1:]
    rows = axis.rows_told(panel)
    assert (rows is not None) is told
    if rows is not None:
        np.testing.assert_array_equal(rows, counted)
    np.testing.assert_array_equal(Cube(panel, (axis,)).groups((True,), "known").rows(), counted)


@pytest.mark.parametrize(
    ("field", "operator", "values"),
    [
        ("region", "==", ["North"]), ("region", "not in", ["North", "East"]), ("year", "<", [2003]),
        ("year", "between", [2002, 2004]), ("union", "is missing", []), ("union", "is present", []),
        ("union", "!=", [1]), ("wage", "is missing", []), ("wage", ">", [20.0]), ("income", "is present", []),
    ],
)  # fmt: skip
def test_a_filter_keeps_the_same_rows_with_an_index(
    extract: Path, indexes: Indexes, field: str, operator: str, values: list[object]
) -> None:
    sealed = indexes.made(extract, "a", UNITS)
    assert sealed is not None
    (plain,) = open_extract(extract).parts
    (part,) = open_with_index(extract, sealed).parts
    condition = Comparison(field=field, operator=Operator(operator), values=tuple(values))
    kept = mask_of(condition, Panel(plain, UNITS))
    assert 0 < kept.sum() <= kept.size
    np.testing.assert_array_equal(mask_of(condition, Panel(part, UNITS)), kept)


@pytest.fixture(scope="module", params=["with an index", "without"])
def part(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Part:
    directory = tmp_path_factory.mktemp("extract")
    survey().write_parquet(directory / "units.parquet")
    if request.param == "without":
        return open_extract(directory).parts[0]
    index = tmp_path_factory.mktemp("indexes") / "a"
    make_index(directory, index, UNITS)
    return open_with_index(directory, Sealed(index, seal_of(index))).parts[0]


@pytest.mark.parametrize("decimals", [0, 1, 2, 4])
@pytest.mark.parametrize("name", ["wage", "income", "year", "union"])
def test_printed_numbers_are_found_as_among_all_rows(name: str, decimals: int, part: Part) -> None:
    column = survey()[name]
    printed = (column.cast(pl.Float64) * 10.0**decimals).round().drop_nulls().cast(pl.Int64)
    wanted = np.unique(np.concatenate([printed.head(200).to_numpy(), printed.head(200).to_numpy() + 1]))
    matcher = Matcher(part)
    known = set(printed.to_list())
    assert matcher.holds(name, decimals, wanted).tolist() == [one in known for one in wanted.tolist()]
    lowest, highest = matcher.edges(name, decimals, 5)
    assert lowest.tolist() == sorted(known)[:5]
    assert highest.tolist() == sorted(known)[-5:]


@pytest.mark.parametrize("first", [1, 4_096])  # rows with a value that are looked at before all of them
@pytest.mark.parametrize("rare", [0.0, 0.02, 1.0])  # of the rows: so many are looked at one by one
@pytest.mark.parametrize(
    "names", [("region", "year"), ("region", "union", "year"), ("income", "year"), ("year", "wage", "region")]
)
def test_rows_of_printed_tuples_are_counted_as_by_joining(
    names: tuple[str, ...], rare: float, first: int, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.checks.matching._RARE_SHARE", rare)
    monkeypatch.setattr("hub.checks.matching._FIRST", first)
    rows = survey().select(names).sample(60, seed=3)
    shuffled = rows.select(pl.col(name).shuffle(seed=at) for at, name in enumerate(names))
    printed = pl.concat([rows, shuffled]).unique(maintain_order=True)
    cells = [["" if value is None else str(value) for value in row] for row in printed.rows()]
    table = Table(names, tuple(tuple(row) for row in cells), Place())
    columns = {column.head: column for column in print_columns(table)}
    mapping = [(columns[name], name) for name in names]
    counts = survey().select(names).drop_nulls().group_by(names).agg(rows=pl.len())
    joined = printed.drop_nulls().join(counts, on=names, how="left")["rows"].fill_null(0)
    matcher = Matcher(part)
    assert matcher.present(mapping) == int((joined > 0).sum())
    for fewer_than in (2, 4, 30):
        expected = int(((joined > 0) & (joined < fewer_than)).sum())
        assert matcher.rare(mapping, fewer_than) == expected


def forged(directory: Path) -> None:
    """As if everybody lived in one region: whole in itself, with right hashes, but made by nobody here."""
    import hashlib

    content = json.loads((directory / "index.json").read_text())
    told = content["parts"]["units.parquet"]["columns"]["region"]
    name, kind, size = told["arrays"]["codes"]
    (directory / name).write_bytes(np.zeros(size, dtype=kind).tobytes())
    values = json.loads((directory / told["values"]).read_text())
    values["rows"] = [sum(values["rows"]), *[0] * (len(values["rows"]) - 1)]
    (directory / told["values"]).write_text(json.dumps(values))
    for changed in (name, told["values"]):
        content["sha256"][changed] = hashlib.sha256((directory / changed).read_bytes()).hexdigest()
    (directory / "index.json").write_text(json.dumps(content))


def damaged(directory: Path) -> None:
    path = max(directory.glob("*.bin"), key=lambda one: one.stat().st_size)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def cut(directory: Path) -> None:
    path = max(directory.glob("*.bin"), key=lambda one: one.stat().st_size)
    path.write_bytes(path.read_bytes()[:-8])


def emptied(directory: Path) -> None:
    (directory / "index.json").write_text("{}")


def gone(directory: Path) -> None:
    shutil.rmtree(directory)


ATTACKS: list[Callable[[Path], None]] = [forged, damaged, cut, emptied, gone]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_not_the_index_that_was_made_is_made_again(
    attack: Callable[[Path], None], extract: Path, indexes: Indexes, tmp_path: Path
) -> None:
    """A file that is blocked stays blocked, whether the attack comes before a first look or after."""
    file = small_counts(tmp_path)
    first = indexes.made(extract, "a", UNITS)
    assert first is not None
    assert judged(file, extract, first).verdict.value == "BLOCK"
    attack(first.directory)
    assert judged(file, extract, first).verdict.value == "BLOCK"  # the child compares too
    for again in (indexes, Indexes(indexes.directory, KEY, least_rows=1)):
        with again._lock:
            assert again._believed(extract, "a") is None
    renewed = indexes.made(extract, "a", UNITS)
    assert renewed is not None
    assert open_index(renewed, extract)
    assert judged(file, extract, renewed).verdict.value == "BLOCK"


def test_a_forged_index_would_matter(extract: Path, indexes: Indexes, tmp_path: Path) -> None:
    """The attack of the test above is one: a check that believed it would not see the few."""
    sealed = indexes.made(extract, "a", UNITS)
    assert sealed is not None
    forged(sealed.directory)
    believed = Sealed(sealed.directory, seal_of(sealed.directory))
    file = small_counts(tmp_path)
    report = run_checks(
        file, name="table.csv", form=None, extract=extract, thresholds=THRESHOLDS, units=UNITS, index=believed
    )
    assert "small_units" not in {one.rule for one in report.findings}


def test_an_index_made_with_another_key_is_not_believed(extract: Path, indexes: Indexes) -> None:
    assert indexes.made(extract, "a", UNITS) is not None
    other = Indexes(indexes.directory, b"x" * 32, least_rows=1)
    with other._lock:
        assert other._believed(extract, "a") is None


def test_an_index_of_another_extract_is_not_believed(extract: Path, indexes: Indexes) -> None:
    sealed = indexes.made(extract, "a", UNITS)
    assert sealed is not None
    survey(6_001).write_parquet(extract / "units.parquet")
    assert open_index(sealed, extract) == {}
    with pytest.raises(UnreadableIndex):
        verify(sealed.directory, extract)
    renewed = indexes.made(extract, "a", UNITS)
    assert renewed is not None
    assert open_index(renewed, extract)


def test_an_index_is_begun_and_the_first_file_does_without(extract: Path, indexes: Indexes) -> None:
    assert indexes.of(extract, "project/v1") is None
    indexes.await_made()
    assert indexes.of(extract, "project/v1") is not None


def test_a_small_extract_has_none(extract: Path, tmp_path: Path) -> None:
    indexes = Indexes(tmp_path / "indexes", KEY)
    assert indexes.of(extract, "a") is None
    assert not (tmp_path / "indexes").exists()


def test_what_was_interrupted_is_made_again(extract: Path, tmp_path: Path) -> None:
    aside = tmp_path / "a.part"
    aside.mkdir()
    (aside / "00000.bin").write_bytes(b"half")
    make_index(extract, tmp_path / "a", UNITS)
    assert not aside.exists()
    assert json.loads((tmp_path / "a" / "index.json").read_text())["extract"] == identity_of(extract)


def test_indexes_of_extracts_that_are_gone_are_removed(extract: Path, indexes: Indexes) -> None:
    """An index holds the data of its extract."""
    assert indexes.made(extract, "extract", UNITS) is not None
    indexes.prune(extract.parent)
    assert (indexes.directory / "extract" / "index.json").is_file()
    shutil.rmtree(extract)
    indexes.prune(extract.parent)
    assert list(indexes.directory.iterdir()) == []


def test_a_key_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Indexes(tmp_path, b"short")


@pytest.mark.parametrize(
    ("rows", "gibibytes", "seconds"), [(0, 3.5, 20), (600_000, 3.7, 22), (25_000_000, 13.3, 120)]
)
def test_limits_grow_with_the_extract(rows: int, gibibytes: float, seconds: int) -> None:
    limits = limits_for(rows)
    assert limits.memory_bytes / 2**30 == pytest.approx(gibibytes, rel=0.05)
    assert limits.cpu_seconds == pytest.approx(seconds, abs=1)
    assert limits.wall_seconds > limits.cpu_seconds


def test_a_child_that_needs_more_than_its_limits_is_a_review(extract: Path, tmp_path: Path) -> None:
    """What an extract of any size asks beyond the limits ends the child, and the file is for people."""
    few = replace(Limits(), memory_bytes=160 * 2**20)
    report = check_in_subprocess(
        small_counts(tmp_path), name="table.csv", form=None, extract=extract, thresholds=THRESHOLDS,
        units=UNITS, limits=few,
    )  # fmt: skip
    assert report.verdict.value == "REVIEW"
    assert [one.rule for one in report.findings] == ["parser_died"]


def test_of_a_large_extract_one_file_is_judged_at_a_time(
    extract: Path, indexes: Indexes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each child may take gigabytes: the second waits, files of small extracts do not."""
    monkeypatch.setattr("hub.checks.prepared.LARGE_ROWS", 6_000)
    small = extract.parent / "small"
    small.mkdir()
    survey(100).write_parquet(small / "units.parquet")
    begun, done = Event(), Event()

    def second() -> None:
        begun.set()
        with indexes.turn(extract, "large"):
            done.set()

    with indexes.turn(extract, "large") as limits:
        assert limits == limits_for(6_000)
        waiting = Thread(target=second)
        waiting.start()
        assert begun.wait(10)
        with indexes.turn(small, "small") as others:
            assert others == limits_for(100)
        assert not done.wait(0.2)
    waiting.join(10)
    assert done.is_set()
