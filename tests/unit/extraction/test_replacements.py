"""A new edition of a source: whole or not at all, and extracts are of one edition or none."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.documents.policies import load_policies
from hub.documents.projects import ExtractDocument, SampleDocument
from hub.domain.errors import Conflict, NotFound, Refused
from hub.extraction import SourceDiffers, assess, extract, load_source, register, verify_extract
from hub.extraction import staging as staging_room
from hub.extraction.sources import open_source, verify_source
from tests.unit.extraction.conftest import DICTIONARY, MASTER_KEY, NOW, ROWS, plan_short

THRESHOLDS = load_policies(Path(__file__).parents[3] / "policies").risks.thresholds
LATER = NOW.replace(month=4)
MORE = [*ROWS[:2], "3,2026,a,2,77,1990-12-01,false", *ROWS[3:], "5,2026,d,1,12,1999-01-01,true"]
REQUEST = ExtractDocument(source="toy", columns=("wage",), household=True)


@pytest.fixture
def registered(dictionary: Dictionary, csv: Path, warehouse: Path) -> Path:
    register(csv, dictionary, warehouse=warehouse, now=NOW)
    return warehouse


@pytest.fixture
def more(tmp_path: Path) -> Path:
    """One wage corrected, one person more."""
    path = tmp_path / "more.csv"
    path.write_text("\n".join(MORE) + "\n", encoding="utf-8")
    return path


def replace(file: Path, dictionary: Dictionary, warehouse: Path) -> None:
    register(file, dictionary, warehouse=warehouse, now=LATER, replace=True)


def snapshot(warehouse: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(warehouse)): path.read_bytes() for path in warehouse.rglob("*") if path.is_file()
    }


def test_only_a_registered_source_is_replaced(dictionary: Dictionary, more: Path, warehouse: Path) -> None:
    with pytest.raises(NotFound) as refused:
        replace(more, dictionary, warehouse)
    assert refused.value.code == "unknown_source"
    assert list(warehouse.iterdir()) == []


def test_without_saying_so_nothing_is_replaced(registered: Path, dictionary: Dictionary, more: Path) -> None:
    with pytest.raises(Conflict) as refused:
        register(more, dictionary, warehouse=registered, now=LATER)
    assert refused.value.code == "source_exists"
    assert "source replace" in refused.value.en


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("5,2026,d,1", "5,2026,d,3", "outside_domain"),
        ("5,2026,d,1", "7,2026,d,1", "duplicate_key"),
        ("wage,born", "pay,born", "missing_column"),
    ],
)
def test_what_differs_leaves_the_old_edition(
    registered: Path, dictionary: Dictionary, more: Path, old: str, new: str, code: str
) -> None:
    before = snapshot(registered)
    more.write_text(more.read_text().replace(old, new), encoding="utf-8")
    with pytest.raises(SourceDiffers) as refused:
        replace(more, dictionary, registered)
    assert refused.value.differences[0].code == code
    assert snapshot(registered) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            "key: [id], pseudonym: person_id", "key: [id, year], pseudonym: person_id", id="another key"
        ),
        pytest.param(
            "pseudonym: person_id}", "pseudonym: person_id, registry: people}", id="another register"
        ),
        pytest.param("pseudonym: person_id", "pseudonym: human_id", id="another name of the pseudonym"),
        pytest.param(
            "household: {title: {fr: Ménage, en: Household}, key",
            "home: {title: {fr: m, en: m}, key",
            id="a unit less",
        ),
    ],
)
def test_other_units_are_another_source(registered: Path, more: Path, old: str, new: str) -> None:
    assert old in DICTIONARY
    with pytest.raises(Conflict) as refused:
        replace(more, parse(Dictionary, DICTIONARY.replace(old, new), name="toy.yaml"), registered)
    assert refused.value.code == "units_differ"
    assert load_source(registered, "toy").rows == 5


def test_a_file_system_that_cannot_exchange_directories_refuses(
    registered: Path, dictionary: Dictionary, more: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(registered)

    def fail(one: Path, other: Path) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(staging_room, "_exchange", fail)
    with pytest.raises(Refused) as refused:
        replace(more, dictionary, registered)
    assert refused.value.code == "storage_failed"
    assert snapshot(registered) == before
    assert [path.name for path in registered.iterdir()] == ["toy"]


def test_a_new_edition_with_the_hashes_of_those_before(
    registered: Path, dictionary: Dictionary, csv: Path, more: Path
) -> None:
    first = load_source(registered, "toy")
    replace(more, dictionary, registered)
    record = verify_source(registered, "toy")
    assert (record.rows, record.registered_at) == (6, LATER)
    assert [one.file_sha256 for one in record.earlier or ()] == [first.file_sha256]
    assert [path.name for path in registered.iterdir() if path.name != ".bucket.key"] == ["toy"]
    # And back again: what was before is told, whatever it was.
    replace(csv, dictionary, registered)
    again = verify_source(registered, "toy")
    assert [one.rows for one in again.earlier or ()] == [5, 6]
    assert {path.name for path in (registered / "toy").iterdir()} == {
        "data.parquet", "dictionary.json", "source.json",
    }  # fmt: skip


@pytest.mark.parametrize("large", [True, False])
def test_a_source_that_crosses_the_size_of_large_ones_keeps_its_samples(
    dictionary: Dictionary, warehouse: Path, tmp_path: Path, large: bool
) -> None:
    """In buckets samples are drawn in another order: who was drawn from the edition before is drawn again."""
    (warehouse / ".bucket.key").write_bytes(b"b" * 32)
    head, *_ = ROWS
    rows = [f"{n},2026,h{n},1,10,1990-01-01,true" for n in range(300)]
    request = ExtractDocument(source="toy", columns=("wage",), sample=SampleDocument(share=0.2))
    drawn = []
    for version, number in ((1, 280), (2, 300)):
        file = tmp_path / f"{number}.csv"
        file.write_text("\n".join([head, *rows[:number]]) + "\n", encoding="utf-8")
        limit = 290 if not large else 270 if version == 1 else 310
        register(file, dictionary, warehouse=warehouse, now=NOW, bucketed_from=limit, replace=version == 2)
        into = tmp_path / "extracts" / f"v{version}"
        extract(
            plan_short(request, warehouse), warehouse=warehouse, master_key=MASTER_KEY, into=into, now=NOW
        )
        drawn.append(set(pl.read_parquet(into / "toy.parquet")["person_id"]))
    assert (load_source(warehouse, "toy").index is not None) == large
    assert [len(one) for one in drawn] == [56, 60]
    # A share of more people has some of the new ones instead of a few at its end.
    assert len(drawn[0] & drawn[1]) > 45


def test_the_same_edition_is_not_replaced(registered: Path, dictionary: Dictionary, csv: Path) -> None:
    before = snapshot(registered)
    replace(csv, dictionary, registered)
    assert snapshot(registered) == before


def test_a_plan_made_before_is_not_extracted(
    registered: Path, dictionary: Dictionary, more: Path, tmp_path: Path
) -> None:
    plan = plan_short(REQUEST, registered)
    replace(more, dictionary, registered)
    with pytest.raises(Conflict) as refused:
        extract(plan, warehouse=registered, master_key=MASTER_KEY, into=tmp_path / "x" / "v1", now=NOW)
    assert refused.value.code == "source_changed"


@pytest.mark.parametrize("stage", ["pseudonyms", "write"])
def test_no_extract_is_of_two_editions(
    registered: Path, dictionary: Dictionary, more: Path, tmp_path: Path, stage: str
) -> None:
    plan, into = plan_short(REQUEST, registered), tmp_path / "x" / "v1"

    def during(step: str, _share: float) -> None:
        if step == stage:
            replace(more, dictionary, registered)

    with pytest.raises(Conflict) as refused:
        extract(plan, warehouse=registered, master_key=MASTER_KEY, into=into, now=NOW, progress=during)
    assert refused.value.code == "source_changed"
    assert list(into.parent.iterdir()) == []


def test_no_risk_report_is_of_two_editions(registered: Path, dictionary: Dictionary, more: Path) -> None:
    plan = plan_short(REQUEST, registered)

    def during(step: str, _share: float) -> None:
        if step == "count":
            replace(more, dictionary, registered)

    with pytest.raises(Conflict) as refused:
        assess(plan, warehouse=registered, master_key=MASTER_KEY, thresholds=THRESHOLDS, progress=during)
    assert refused.value.code == "source_changed"


def test_a_refresh_has_the_new_data_under_the_same_pseudonyms(
    registered: Path, dictionary: Dictionary, more: Path, tmp_path: Path
) -> None:
    made = []
    for version in (1, 2):
        into = tmp_path / "extracts" / f"v{version}"
        plan = plan_short(REQUEST, registered)
        made.append(
            extract(
                plan,
                warehouse=registered,
                master_key=MASTER_KEY,
                into=into,
                now=NOW,
                maps=tmp_path / "maps" / f"v{version}.map",
            )
        )
        replace(more, dictionary, registered)
    tables = [pl.read_parquet(tmp_path / "extracts" / f"v{v}" / "toy.parquet") for v in (1, 2)]
    assert len(tables[1]) == 6
    old, new = (set(table["person_id"]) for table in tables)
    assert old < new
    both = tables[0].join(tables[1], on=["person_id", "household_id"], suffix=" now")
    assert len(both) == 5
    assert both.filter(pl.col("wage").ne_missing(pl.col("wage now")))["wage now"].to_list() == [77]
    # The first says still, and the record too, what it was made from.
    first = verify_extract(tmp_path / "extracts" / "v1")
    record = load_source(registered, "toy")
    assert [one.file_sha256 for one in first.sources] == [one.file_sha256 for one in record.earlier or ()]
    assert (
        made[1].sources[0].file_sha256
        == record.file_sha256
        == open_source(registered, "toy").record.file_sha256
    )
