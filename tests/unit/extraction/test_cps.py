"""The demo's real microdata, from the package index to a sealed extract."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from hub.documents import read
from hub.documents.classes import load_schemes
from hub.documents.exports import ddi_codebook
from hub.documents.projects import ExtractDocument, ProjectDocument
from hub.domain.errors import Refused
from hub.domain.pseudonyms import looks_like_pseudonym, project_tag
from hub.extraction import ExtractPlan, extract, load_dictionary, load_source, register, verify_extract
from tests.ddi import schema_errors
from tests.unit.extraction.conftest import MASTER_KEY, NOW, plan_short

ROOT = Path(__file__).parents[3]
CPS = ROOT / "examples" / "cps"
DOWNLOADS = ROOT / "var" / "downloads"
SCHEMES = load_schemes(ROOT / "policies")


def _fetch(destination: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(CPS / "fetch.py"), str(destination)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def source_file() -> Path:
    fetched = _fetch(DOWNLOADS)
    assert fetched.returncode == 0, fetched.stderr
    return DOWNLOADS / "cps.csv.gz"


@pytest.fixture(scope="module")
def warehouse(source_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warehouse")
    register(source_file, CPS / "dictionary.yaml", warehouse=path, now=NOW, schemes=SCHEMES)
    return path


@pytest.fixture(scope="module")
def plan(warehouse: Path) -> ExtractPlan:
    project = read(ProjectDocument, CPS / "project.yaml")
    return plan_short(project.extract, warehouse, project.slug, schemes=SCHEMES)


NO_INDEX = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": "", "PIP_NO_CACHE_DIR": "1"}  # fmt: skip


def test_an_unreachable_index_is_explained_and_leaves_nothing(tmp_path: Path) -> None:
    answer = _fetch(tmp_path, **NO_INDEX)
    assert answer.returncode == 1
    assert "could not be downloaded" in answer.stderr
    assert "pip config list" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_is_not_taken_for_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "cps.csv.gz").write_bytes(b"something else")
    assert _fetch(tmp_path, **NO_INDEX).returncode == 1


def test_a_second_fetch_needs_no_index(source_file: Path, tmp_path: Path) -> None:
    shutil.copy(source_file, tmp_path / "cps.csv.gz")
    answer = _fetch(tmp_path, **NO_INDEX)
    assert (answer.returncode, answer.stdout.strip()) == (0, str(tmp_path / "cps.csv.gz"))


def test_registered_as_it_was_delivered(source_file: Path, warehouse: Path) -> None:
    record = load_source(warehouse, "cps")
    assert (record.rows, len(record.columns)) == (280_005, 68)
    delivered = pl.read_csv(source_file, infer_schema_length=None)
    assert pl.read_parquet(warehouse / "cps" / "data.parquet").equals(delivered)


def test_the_demo_project_gets_what_it_asked_for(
    source_file: Path, warehouse: Path, plan: ExtractPlan, tmp_path: Path
) -> None:
    manifest = extract(
        plan, warehouse=warehouse, master_key=MASTER_KEY, into=tmp_path / "v1", now=NOW, schemes=SCHEMES
    )
    assert verify_extract(tmp_path / "v1", manifest_sha256=manifest.sha256) == manifest
    table = pl.read_parquet(tmp_path / "v1" / "cps.parquet")
    original = pl.read_csv(source_file, infer_schema_length=None).filter(
        pl.col("age_head").is_between(18, 66), pl.col("DSI") == 0
    )
    raw = [column.name for column in plan.datasets[0].columns if column.scheme is None]
    assert {"fips", "e00200"} <= set(raw)
    assert table.select(raw).sort(raw).equals(original.select(raw).sort(raw))
    _assert_classes(table, original)
    assert table["tax_unit_id"].n_unique() == original["RECID"].n_unique() == manifest.rows
    assert table["tax_unit_id"].is_sorted()
    # The households are the same groups of rows as before.
    sizes = table.group_by("household_id").agg(pl.len(), pl.col("e00200").sum())
    expected = original.group_by("FLPDYR", "h_seq").agg(pl.len(), pl.col("e00200").sum())
    assert sorted(sizes.drop("household_id").rows()) == sorted(expected.drop("FLPDYR", "h_seq").rows())
    tokens = table["tax_unit_id"].cast(pl.String).to_list() + table["household_id"].cast(pl.String).to_list()
    tag = project_tag("cps-wages")
    assert all(looks_like_pseudonym(token, tag) for token in tokens)
    assert not {"RECID", "h_seq", "a_lineno", "ffpos"} & set(table.columns)
    _assert_order_tells_nothing(table, original)


def _assert_classes(table: pl.DataFrame, original: pl.DataFrame) -> None:
    """Ages in bands and benefits in classes: each has as many rows as its ages and amounts had."""
    ages = pl.col("age_head")
    expected = original.select(
        pl.when(ages < 20).then(18).otherwise(ages // 5 * 5).cast(pl.Int16).alias("age")
    )
    assert table["age_head"].sort().equals(expected["age"].sort(), null_equal=True)
    for name, scheme in (
        ("age_spouse", "age_of_spouse"),
        ("snap_ben", "benefit_classes"),
        ("e00200p", "wage_classes"),
    ):
        codes = {one.code for one in SCHEMES[scheme].classes}  # type: ignore[union-attr]
        assert set(table[name]) <= codes
        assert (table[name] == 0).sum() == (original[name] == 0).sum()
    assert set(table["mcaid_ben"]) == {0, 1}


def _small(warehouse: Path, project: str, sample: dict[str, object]) -> ExtractPlan:
    asked = {
        "source": "cps",
        "columns": ("fips",),
        "household": True,
        "sample": sample,
    }
    request = ExtractDocument.model_validate(asked, strict=False)
    return plan_short(request, warehouse, project, schemes=SCHEMES)


def test_samples_of_the_real_file(warehouse: Path, tmp_path: Path) -> None:
    drawn = {}
    for name, project, sample in (
        ("small", "one", {"share": 0.025}),
        ("large", "one", {"share": 0.05}),
        ("houses", "one", {"count": 5000, "units": "household"}),
    ):
        into = tmp_path / name
        plan = _small(warehouse, project, sample)
        extract(plan, warehouse=warehouse, master_key=MASTER_KEY, into=into, now=NOW, schemes=SCHEMES)
        drawn[name] = pl.read_parquet(into / "cps.parquet")
    assert (len(drawn["small"]), len(drawn["large"])) == (7000, 14_000)  # of 280,005, rounded down
    assert set(drawn["small"]["tax_unit_id"]) < set(drawn["large"]["tax_unit_id"])
    assert drawn["houses"]["household_id"].n_unique() == 5000
    assert set(drawn["houses"]["fips"]) == {1, 2, 3, 4}  # regions
    # The South has its share of the sample: the order has nothing to do with the rows.
    shares = [
        (frame["fips"] == 3).mean()
        for frame in (
            drawn["large"],
            pl.read_parquet(warehouse / "cps" / "data.parquet").select(
                pl.col("fips").is_in(SCHEMES["us_regions"].classes[2].members).cast(pl.Int64) * 3
            ),
        )  # type: ignore[union-attr]
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)


def _assert_order_tells_nothing(table: pl.DataFrame, original: pl.DataFrame) -> None:
    """The source's rows lie in blocks of years; in the extract neighbours are strangers."""
    kept = (original["FLPDYR"] == original["FLPDYR"].shift()).mean()
    mixed = (table["FLPDYR"] == table["FLPDYR"].shift()).mean()
    shares = original["FLPDYR"].value_counts(normalize=True)["proportion"]
    assert isinstance(kept, float)
    assert kept > 0.99
    assert mixed == pytest.approx((shares**2).sum(), abs=0.01)


RUN = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from hub.domain.errors import Refused
from hub.documents.classes import load_schemes
from hub.extraction import ExtractPlan, extract, register
schemes = load_schemes(Path("policies"))
warehouse, into, action = (Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
now = datetime(2026, 3, 1, 12, tzinfo=UTC)
print("ready", flush=True)
try:
    if action == "register":
        register(Path(sys.argv[4]), Path(sys.argv[5]), warehouse=into.parent, now=now, schemes=schemes)
    else:
        plan = ExtractPlan.model_validate_json(sys.argv[4])
        extract(plan, warehouse=warehouse, master_key=bytes(range(32)), into=into, now=now, schemes=schemes)
except Refused as refused:
    sys.exit(refused.code)
"""


def _run(*arguments: str, limit: str = "", **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", limit + RUN, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _plan_text(plan: ExtractPlan) -> str:
    return plan.model_dump_json(by_alias=True)


def test_another_process_with_other_threads_writes_the_same_bytes(
    warehouse: Path, plan: ExtractPlan, tmp_path: Path
) -> None:
    manifests = []
    for threads in ("1", "3"):
        into = tmp_path / f"v{threads}"
        with _run(
            str(warehouse), str(into), "extract", _plan_text(plan), POLARS_MAX_THREADS=threads
        ) as process:
            _, problems = process.communicate(timeout=120)
        assert process.returncode == 0, problems
        manifests.append(verify_extract(into))
    assert manifests[0] == manifests[1]


@pytest.mark.parametrize("action", ["register", "extract"])
def test_killed_at_any_moment(
    source_file: Path, warehouse: Path, plan: ExtractPlan, tmp_path: Path, action: str
) -> None:
    """Killed after ever longer times: it is there and whole, or not there at all."""
    into = tmp_path / "area" / "cps"
    more = [str(source_file), str(CPS / "dictionary.yaml")] if action == "register" else [_plan_text(plan)]
    delays = random.Random(7)  # noqa: S311 (moments, not secrets)
    for attempt in range(5):
        with _run(str(warehouse), str(into), action, *more) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.05 + attempt * 0.3 + delays.random() * 0.2)
            process.send_signal(signal.SIGKILL)
        if into.exists():
            break
        assert not into.parent.exists() or [p.name for p in into.parent.iterdir()] in ([], [".cps.staging"])
    if action == "register":
        assert (
            register(
                source_file, CPS / "dictionary.yaml", warehouse=into.parent, now=NOW, schemes=SCHEMES
            ).rows
            == 280_005
        )
    else:
        if not into.exists():
            extract(plan, warehouse=warehouse, master_key=MASTER_KEY, into=into, now=NOW, schemes=SCHEMES)
        assert verify_extract(into).rows == 234_939
    assert [path.name for path in into.parent.iterdir()] == ["cps"]


@pytest.mark.parametrize("action", ["register", "extract"])
def test_a_disk_that_takes_no_more(
    source_file: Path, warehouse: Path, plan: ExtractPlan, tmp_path: Path, action: str
) -> None:
    into = tmp_path / "area" / "cps"
    more = [str(source_file), str(CPS / "dictionary.yaml")] if action == "register" else [_plan_text(plan)]
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
    )
    with _run(str(warehouse), str(into), action, *more, limit=limit) as process:
        _, problems = process.communicate(timeout=120)
    assert (process.returncode, problems.strip()) == (1, "storage_failed")
    assert list(into.parent.iterdir()) == []


def test_the_dictionary_is_checked_against_the_file(source_file: Path, tmp_path: Path) -> None:
    text = (CPS / "dictionary.yaml").read_text(encoding="utf-8")
    assert text.count("maximum: 85") == 2
    (tmp_path / "d.yaml").write_text(text.replace("maximum: 85", "maximum: 84", 1), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        register(source_file, tmp_path / "d.yaml", warehouse=tmp_path / "w", now=NOW, schemes=SCHEMES)
    assert (refused.value.code, refused.value.field) == ("source_differs", "age_head")
    assert list((tmp_path / "w").iterdir()) == []


def test_the_codebooks_are_valid_ddi(plan: ExtractPlan, warehouse: Path, tmp_path: Path) -> None:
    assert schema_errors(ddi_codebook(load_dictionary(warehouse, "cps"), page="https://example.org/d")) == []
    into = tmp_path / "extract"
    extract(plan, warehouse=warehouse, master_key=MASTER_KEY, into=into, now=NOW, schemes=SCHEMES)
    assert schema_errors((into / "codebook.xml").read_bytes()) == []


def test_the_schema_refuses_another_document(plan: ExtractPlan, warehouse: Path) -> None:
    made = ddi_codebook(load_dictionary(warehouse, plan.sources[0].name), page="https://example.org/d")
    assert schema_errors(made.replace(b"<citation>", b"<cited>").replace(b"</citation>", b"</cited>")) != []
