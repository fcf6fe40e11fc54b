"""Extracts: refusals before anything is written; sealed, complete, the same bytes again, and provable."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from hub.documents.dictionaries import Dictionary
from hub.documents.filters import Comparison, Operator
from hub.documents.manifests import Manifest
from hub.documents.projects import ExtractDocument
from hub.domain.errors import Conflict, IntegrityError, NotFound, Refused
from hub.domain.levels import Level
from hub.domain.pseudonyms import looks_like_pseudonym, project_tag
from hub.extraction import ExtractPlan, extract, register, verify_extract
from hub.extraction.levels import PlannedColumn
from tests.unit.extraction.conftest import MASTER_KEY, NOW, plan_short

RICH = Comparison(field="wage", operator=Operator.AT_LEAST, values=(50,))


@pytest.fixture
def sources(dictionary: Dictionary, csv: Path, warehouse: Path) -> Path:
    register(csv, dictionary, warehouse=warehouse, now=NOW)
    return warehouse


def _plan(warehouse: Path, project: str = "study", **changes: object) -> ExtractPlan:
    asked = {"source": "toy", "columns": ("year", "wage", "born"), "household": True} | changes
    request = ExtractDocument.model_validate(asked)
    return plan_short(request, warehouse, project)


def _extract(plan: ExtractPlan, warehouse: Path, into: Path, key: bytes = MASTER_KEY) -> Manifest:
    return extract(plan, warehouse=warehouse, master_key=key, into=into, now=NOW)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"source": "none"}, "unknown_source", "source"),
        ({"columns": ("year", "id")}, "direct_identifier", "datasets[0].columns[1]"),
        ({"columns": ("house",)}, "direct_identifier", "datasets[0].columns[0]"),
        ({"columns": ("year", "pay")}, "unknown_variable", "datasets[0].columns[1]"),
        ({"columns": ("person_id",)}, "unknown_variable", "datasets[0].columns[0]"),
        (
            {"filter": Comparison(field="id", operator=Operator.EQUAL, values=(7,))},
            "direct_identifier",
            "populations[0].filter",
        ),
    ],
)
def test_a_plan_is_refused_with_its_field(
    sources: Path, changes: dict[str, object], code: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        _plan(sources, **changes)
    assert (refused.value.code, refused.value.field) == (code, field)


ID_SEVEN = Comparison(field="id", operator=Operator.EQUAL, values=(7,))
NOBODY = Comparison(field="wage", operator=Operator.MORE, values=(10**6,))


def _forged(plan: ExtractPlan, part: str, change: dict[str, object]) -> ExtractPlan:
    """The plan as somebody would change it in a store."""
    if part == "plan":
        return plan.model_copy(update=change)
    if part == "source":
        return plan.model_copy(update={"sources": (plan.sources[0].model_copy(update=change),)})
    if part == "planned":
        return plan.model_copy(update={"datasets": (plan.datasets[0].model_copy(update=change),)})
    asked = plan.specification
    changed = {part: (getattr(asked, part)[0].model_copy(update=change),)}
    return plan.model_copy(update={"specification": asked.model_copy(update=changed)})


@pytest.mark.parametrize(
    ("part", "change", "code"),
    [
        ("datasets", {"columns": ("id",)}, "direct_identifier"),
        ("datasets", {"columns": ("none",)}, "unknown_variable"),
        ("datasets", {"units": ("person", "employer")}, "unknown_unit"),
        ("datasets", {"filter": ID_SEVEN}, "direct_identifier"),
        ("datasets", {"filter": NOBODY}, "empty_extract"),
        ("populations", {"filter": ID_SEVEN}, "direct_identifier"),
        ("populations", {"filter": NOBODY}, "empty_population"),
        ("planned", {"columns": (PlannedColumn(name="id", level=Level.RAW),)}, "plan_changed"),
        ("planned", {"units": ("household",)}, "plan_changed"),
        ("source", {"file_sha256": "0" * 64}, "source_changed"),
        ("source", {"dictionary_sha256": "0" * 64}, "source_changed"),
        ("source", {"name": "other"}, "source_changed"),
    ],
)
def test_a_plan_is_judged_again_when_it_runs(
    sources: Path, tmp_path: Path, part: str, change: dict[str, object], code: str
) -> None:
    (tmp_path / "extracts").mkdir()
    forged = _forged(_plan(sources), part, change)
    with pytest.raises(Refused) as refused:
        _extract(forged, sources, tmp_path / "extracts" / "v1")
    assert refused.value.code == code
    assert list((tmp_path / "extracts").iterdir()) == []


def test_a_weak_key_or_damaged_source_leaves_nothing(sources: Path, tmp_path: Path) -> None:
    plan = _plan(sources)
    (tmp_path / "extracts").mkdir()
    with pytest.raises(Refused) as weak:
        _extract(plan, sources, tmp_path / "extracts" / "v1", key=b"short")
    data = sources / "toy" / "data.parquet"
    data.chmod(0o600)
    data.write_bytes(data.read_bytes()[:-1] + b"?")
    with pytest.raises(IntegrityError) as damaged:
        _extract(plan, sources, tmp_path / "extracts" / "v1")
    assert (weak.value.code, damaged.value.code) == ("weak_master_key", "source_damaged")
    assert list((tmp_path / "extracts").iterdir()) == []


def test_what_exists_is_not_overwritten(sources: Path, tmp_path: Path) -> None:
    plan = _plan(sources)
    sealed = _extract(plan, sources, tmp_path / "v1")
    (tmp_path / "v2").symlink_to(tmp_path / "nowhere")
    for name in ("v1", "v2"):
        with pytest.raises(Conflict):
            _extract(plan, sources, tmp_path / name)
    assert verify_extract(tmp_path / "v1") == sealed


def test_a_plan_for_a_source_that_is_gone_is_refused(sources: Path, tmp_path: Path) -> None:
    plan = _plan(sources)
    (sources / "toy").rename(tmp_path / "gone")
    with pytest.raises(NotFound):
        _extract(plan, sources, tmp_path / "v1")


def test_rows_are_the_chosen_ones_with_pseudonyms_in_their_order(sources: Path, tmp_path: Path) -> None:
    _extract(_plan(sources, filter=RICH), sources, tmp_path / "v1")
    table = pl.read_parquet(tmp_path / "v1" / "toy.parquet")
    assert table.columns == ["person_id", "household_id", "year", "wage", "born"]
    assert table.schema["person_id"] == table.schema["household_id"] == pl.Int64
    assert sorted(table["wage"].to_list()) == [100.5, 2500.0]
    assert table["person_id"].is_sorted()
    assert table["household_id"].n_unique() == 1  # both of house a in 2025
    tag = project_tag("study")
    tokens = [*table["person_id"].cast(pl.String), *table["household_id"].cast(pl.String)]
    assert all(looks_like_pseudonym(token, tag) for token in tokens)


def test_a_household_is_told_by_its_whole_key(sources: Path, tmp_path: Path) -> None:
    _extract(_plan(sources), sources, tmp_path / "v1")
    table = pl.read_parquet(tmp_path / "v1" / "toy.parquet")
    sizes = table.group_by("household_id").agg(pl.col("year").n_unique(), pl.len()).sort("len")
    assert sizes["len"].to_list() == [1, 1, 1, 2]  # house a of 2026 is not house a of 2025
    assert set(sizes["year"]) == {1}


def test_a_filter_changes_rows_and_no_pseudonym(sources: Path, tmp_path: Path) -> None:
    _extract(_plan(sources), sources, tmp_path / "all")
    _extract(_plan(sources, filter=RICH, household=False), sources, tmp_path / "rich")
    everybody = pl.read_parquet(tmp_path / "all" / "toy.parquet")
    rich = pl.read_parquet(tmp_path / "rich" / "toy.parquet")
    assert "household_id" not in rich.columns
    assert rich.equals(everybody.filter(pl.col("wage") >= 50).drop("household_id"))


@pytest.mark.parametrize("other", ["project", "key", "version"])
def test_other_projects_get_other_pseudonyms(sources: Path, tmp_path: Path, other: str) -> None:
    plan = _plan(sources)
    second = _plan(sources, project="study-b") if other == "project" else plan
    second = second.model_copy(update={"key_version": 2}) if other == "version" else second
    _extract(plan, sources, tmp_path / "a")
    _extract(second, sources, tmp_path / "b", key=bytes(32) if other == "key" else MASTER_KEY)
    one, two = (pl.read_parquet(tmp_path / name / "toy.parquet") for name in "ab")
    for column in ("person_id", "household_id"):
        assert not set(one[column]) & set(two[column])


def test_the_same_plan_gives_the_same_bytes(sources: Path, tmp_path: Path) -> None:
    plan = _plan(sources)
    assert _extract(plan, sources, tmp_path / "a") == _extract(plan, sources, tmp_path / "b")
    for name in ("toy.parquet", "codebook.json", "codebook.html", "manifest.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_sealed_extract_is_read_only_and_says_what_it_is(sources: Path, tmp_path: Path) -> None:
    plan = _plan(sources)
    stages: list[tuple[str, float]] = []
    manifest = extract(
        plan, warehouse=sources, master_key=MASTER_KEY, into=tmp_path / "v1",
        now=datetime(2026, 3, 1, 13, tzinfo=UTC), progress=lambda stage, share: stages.append((stage, share)),
    )  # fmt: skip
    directory = tmp_path / "v1"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o555
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o444}
    assert verify_extract(directory, manifest_sha256=manifest.sha256) == manifest
    assert [stage for stage, _ in stages] == ["verify", "pseudonyms", "write", "seal", "done"]
    assert [share for _, share in stages] == sorted(share for _, share in stages)
    assert (manifest.rows, manifest.plan_sha256, manifest.policy_fingerprint) == (5, plan.digest, "f00d")
    assert manifest.pseudonyms.units == {"person": ("person_id",), "household": ("household_id",)}
    assert manifest.data[0].columns == ("person_id", "household_id", "year", "wage", "born")


def test_the_codebook_describes_the_columns_and_no_others(sources: Path, tmp_path: Path) -> None:
    _extract(_plan(sources, columns=("sex", "wage")), sources, tmp_path / "v1")
    codebook = json.loads((tmp_path / "v1" / "codebook.json").read_text(encoding="utf-8"))
    assert [column["name"] for column in codebook["tables"][0]["columns"]] == [
        "person_id",
        "household_id",
        "sex",
        "wage",
    ]
    page = (tmp_path / "v1" / "codebook.html").read_text(encoding="utf-8")
    assert "&lt;salaire&gt;" in page
    assert "<salaire>" not in page
    assert "1 = f<br>2 = h" in page
    assert "<code>born</code>" not in page


def test_no_secret_and_no_key_value_is_delivered(sources: Path, tmp_path: Path) -> None:
    _extract(_plan(sources, columns=("sex",)), sources, tmp_path / "v1")
    content = b"".join(path.read_bytes() for path in (tmp_path / "v1").iterdir())
    assert MASTER_KEY not in content
    assert MASTER_KEY.hex().encode() not in content
    assert b'"house"' not in content


@pytest.mark.parametrize(
    "damage", ["changed", "longer", "removed", "added", "linked", "manifest", "no manifest"]
)
def test_any_change_after_sealing_is_found(sources: Path, tmp_path: Path, damage: str) -> None:
    sealed = _extract(_plan(sources), sources, tmp_path / "v1")
    directory = tmp_path / "v1"
    directory.chmod(0o700)
    data, manifest = directory / "toy.parquet", directory / "manifest.json"
    content = data.read_bytes()
    for path in (data, manifest):
        path.chmod(0o600)
    match damage:
        case "changed":
            data.write_bytes(content[:50] + bytes([content[50] ^ 1]) + content[51:])
        case "longer":
            data.write_bytes(content + b"\0")
        case "removed":
            data.unlink()
        case "added":
            (directory / "more.parquet").write_bytes(content)
        case "linked":
            data.rename(tmp_path / "elsewhere")
            data.symlink_to(tmp_path / "elsewhere")
        case "manifest":
            manifest.write_text(manifest.read_text().replace("study", "studi"))
        case "no manifest":
            manifest.unlink()
    with pytest.raises(IntegrityError):
        verify_extract(directory, manifest_sha256=sealed.sha256)
