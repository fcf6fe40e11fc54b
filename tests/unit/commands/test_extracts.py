"""`vitrine extract plan` and `run`: a request, a folder of sources, no office."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from hub.__main__ import app
from hub.actions import audits
from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.extraction import register, verify_extract
from hub.extraction.maps import PSEUDONYM, write_map
from tests import factories
from tests.unit.extraction import registers
from tests.unit.extraction.conftest import MASTER_KEY, NOW

REQUEST = """\
version: 1
slug: youth
title: Youth
purpose: To see.
use: statistical
kind: public-data
legal_bases: [law]
institutions: [{name: UCL, country: BE}]
people: [{username: ana, institution: UCL, expertise: knows}]
tier: open
starts_at: 2026-01-01
ends_at: 2026-12-31
destroy_by: 2026-12-31
populations:
  - {name: some, source: persons, unit: person, sample: {share: 0.1}}
datasets:
  - {name: people, source: persons, of: [some], units: [person], columns: [month, age]}
"""


RECORD = """\
conditions:
  - {condition: licence, document: "Licence CC0", date: 2026-01-15}
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return registers.register_all(tmp_path_factory.mktemp("registers"))


def _run(*arguments: object, text: str = REQUEST) -> Result:
    return CliRunner().invoke(app, ["extract", *map(str, arguments)], input=text)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "master.key"
    path.write_text(MASTER_KEY.hex() + "\n")
    return path


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("columns: [month, age]", "columns: [nr]"), "direct_identifier"),
        (("source: persons, of", "source: nothing, of"), "unknown_source"),
        (("slug: youth", "slug: Youth"), "bad_value"),
    ],
)
def test_a_bad_request_is_one_sentence(warehouse: Path, change: tuple[str, str], code: str) -> None:
    result = _run("plan", "-", "--warehouse", warehouse, text=REQUEST.replace(*change))
    assert result.exit_code == 2
    assert f"[{code}]" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", [None, "not hexadecimal", "00"])
def test_without_a_master_key_nothing_is_made(warehouse: Path, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "k").write_text(content)
    into = tmp_path / "x" / "v1"
    result = _run("run", "-", "--warehouse", warehouse, "--into", into, "--master-key-file", tmp_path / "k")
    assert result.exit_code == 2
    assert not into.exists()


def test_plan_says_what_would_come(warehouse: Path) -> None:
    plain = _run("plan", "-", "--warehouse", warehouse)
    assert plain.exit_code == 0, plain.stderr
    assert "population some: 40 of 400 units" in plain.stdout
    assert "dataset people of persons: person, 120 rows" in plain.stdout
    assert "    age: raw" in plain.stdout
    found = json.loads(_run("plan", "-", "--warehouse", warehouse, "--json").stdout)
    assert found["datasets"][0]["rows"] == 120
    assert found["light"] in ("green", "amber", "red")
    assert found["populations"] == {"some": {"drawn": 40, "of": 400}}
    quick = json.loads(_run("plan", "-", "--warehouse", warehouse, "--json", "--no-estimate").stdout)
    assert quick["plan_sha256"] == found["plan_sha256"]
    assert quick["datasets"][0]["rows"] is None


def _record(tmp_path: Path, plan_sha256: str | None = None, text: str = RECORD) -> Path:
    """What was recorded; a decision to extract over a red report where a plan is named."""
    if plan_sha256 is not None:
        text += (
            f"risk: {{plan_sha256: {plan_sha256}, decided_by: head, date: 2026-02-01, reason: Synthetic.}}\n"
        )
    path = tmp_path / "conditions.yaml"
    path.write_text(text)
    return path


def _plan_sha256(warehouse: Path, text: str = REQUEST) -> str:
    told = json.loads(
        _run("plan", "-", "--warehouse", warehouse, "--json", "--no-estimate", text=text).stdout
    )
    return str(told["plan_sha256"])


@pytest.mark.parametrize(
    ("record", "code", "field"),
    [
        (None, "conditions_open", "licence"),
        ("conditions: []\n", "conditions_open", "licence"),
        (RECORD.replace("2026-01-15", "2999-01-15"), "date_in_future", "licence"),
        (RECORD.replace("2026-01-15", "2025-01-15, valid_until: 2025-06-30"), "conditions_open", "licence"),
        (RECORD.replace("licence,", "license,"), "unknown_condition", "license"),
        (RECORD.replace("licence,", "licence, person: ana,"), "unknown_condition", "ana"),
        (RECORD.replace("licence,", "licence, person: ana, institution: UCL,"), "bad_value", "conditions"),
        ("conditions: [{condition: licence}]\n", "missing_key", "document"),
        ("ignore: all\n", "unknown_key", "ignore"),
        (RECORD, "risk_decision", "red"),
        (
            RECORD + f"risk: {{plan_sha256: {'0' * 64}, decided_by: head, date: 2026-02-01, reason: Yes.}}\n",
            "decision_outdated",
            "plan",
        ),
    ],
)
def test_what_the_law_asks_for_is_asked_for_without_an_office_too(
    warehouse: Path, tmp_path: Path, key: Path, record: str | None, code: str, field: str
) -> None:
    into = tmp_path / "extracts" / "v1"
    options: list[object] = ["--warehouse", warehouse, "--into", into, "--master-key-file", key]
    if record is not None:
        options += ["--conditions", _record(tmp_path, text=record)]
    result = _run("run", "-", *options)
    assert result.exit_code == 2
    assert f"[{code}]" in result.stderr
    assert field in result.stderr
    assert not into.exists()


def test_a_kind_for_open_data_is_for_no_other(warehouse: Path, tmp_path: Path, key: Path) -> None:
    text = REQUEST.replace("kind: public-data", "kind: open-data")
    into = tmp_path / "v1"
    result = _run("run", "-", "--warehouse", warehouse, "--into", into, "--master-key-file", key, text=text)
    assert "[not_open]" in result.stderr
    assert not into.exists()


@pytest.mark.parametrize("kind", ["open-data", "public-data", "microdata-platform"])
def test_data_that_anyone_may_have_need_no_record(tmp_path: Path, key: Path, kind: str) -> None:
    warehouse, file = tmp_path / "warehouse", tmp_path / "persons.parquet"
    warehouse.mkdir()
    registers.persons().write_parquet(file)
    text = registers.PERSONS.replace("licence: CC0-1.0", "licence: CC0-1.0\naccess: open")
    dictionary = parse(Dictionary, text, name="persons.yaml")
    register(file, dictionary, warehouse=warehouse, now=NOW, schemes=registers.SCHEMES)
    into = tmp_path / "v1"
    request = REQUEST.replace("kind: public-data", f"kind: {kind}")
    made = _run("run", "-", "--warehouse", warehouse, "--into", into, "--master-key-file", key, text=request)
    assert made.exit_code == 0, made.stderr
    assert verify_extract(into).rows == 120


def test_run_makes_and_seals(warehouse: Path, tmp_path: Path, key: Path) -> None:
    into, maps = tmp_path / "extracts" / "v1", tmp_path / "maps" / "v1.map"
    record = _record(tmp_path, _plan_sha256(warehouse))
    options = ["--warehouse", warehouse, "--into", into, "--master-key-file", key, "--maps", maps]
    options += ["--conditions", record]
    made = _run("run", "-", *options)
    assert made.exit_code == 0, made.stderr
    manifest = verify_extract(into)
    assert manifest.sha256 in made.stdout
    assert (manifest.rows, manifest.project) == (120, "youth")
    assert manifest.request_sha256 is not None
    assert maps.is_file()
    again = _run("run", "-", *options)
    assert "[extract_exists]" in again.stderr


UNITS = {
    "register people": pl.DataFrame({" key 0": [8, 7], PSEUDONYM: [102, 101]}),
    "register homes": pl.DataFrame({" key 0": ["a"], " key 1": [2026], PSEUDONYM: [201]}),
}
WHY = ("--reason", "Refresh of 2027")


@pytest.fixture
def sealed_map(tmp_path: Path) -> Path:
    path = tmp_path / "maps" / "youth" / "v1.map"
    write_map(path, UNITS, project="youth", key_version=1, master_key=MASTER_KEY)
    return path


@pytest.fixture(autouse=True)
def _no_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("VITRINE_DATABASE_URL", raising=False)
    monkeypatch.delenv("VITRINE_SECRETS", raising=False)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"--project": "other"}, "map_damaged"),
        ({"--master-key-file": "other.key"}, "map_damaged"),
        ({"--master-key-file": "none.key"}, "no_master_key"),
        ({"--into": "there.csv"}, "exists"),
        ({"--into": "link.csv"}, "exists"),
        ({"--into": "nowhere/map.csv"}, "unwritable"),
        ({"--reason": "  "}, "missing"),
    ],
)
def test_a_map_that_is_not_opened_leaves_nothing(
    tmp_path: Path, key: Path, sealed_map: Path, change: dict[str, str], code: str
) -> None:
    (tmp_path / "other.key").write_text("11" * 32)
    (tmp_path / "there.csv").write_text("mine")
    (tmp_path / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    options = {
        "--project": "youth",
        "--master-key-file": "master.key",
        "--into": "map.csv",
        "--reason": "why",
    }
    paths = {"--master-key-file", "--into"}
    given = [
        part
        for name, value in (options | change).items()
        for part in (name, tmp_path / value if name in paths else value)
    ]
    result = _run("map", sealed_map, *given)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"[{code}]" in result.stderr
    assert not (tmp_path / "map.csv").exists()
    assert not (tmp_path / "elsewhere.csv").exists()
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_the_trustee_reads_who_is_who(tmp_path: Path, key: Path, sealed_map: Path) -> None:
    into = tmp_path / "map.csv"
    options = ["--project", "youth", "--master-key-file", key, "--into", into, *WHY]
    opened = _run("map", sealed_map, *options)
    assert (opened.exit_code, opened.stdout, opened.stderr) == (0, "", "")
    assert into.stat().st_mode & 0o777 == 0o600
    assert into.read_text() == (
        "units,key_1,key_2,pseudonym\n"
        "register homes,a,2026,201\nregister people,7,,101\nregister people,8,,102\n"
    )


def test_an_office_records_who_opened_a_map_and_why(
    tmp_path: Path, key: Path, sealed_map: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = factories.make_office(tmp_path)
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path))
    monkeypatch.setenv("VITRINE_POLICIES", str(factories.ROOT / "policies"))
    into = tmp_path / "map.csv"
    options = ["--project", "youth", "--master-key-file", key, "--into", into, *WHY]
    # What cannot be recorded (here: without the key of the audit log) is not opened.
    assert "[secret_missing]" in _run("map", sealed_map, *options).stderr
    assert not into.exists()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "audit.key").write_text(factories.KEY.hex())
    made = _run("map", sealed_map, *options)
    assert (made.exit_code, made.stdout) == (0, ""), made.stderr
    assert audits.verify_chain(office.units, factories.KEY)[1] is None
    with office.units.read() as unit:
        entry = list(unit.events())[-1]
    office.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits
    assert (entry.action, entry.object) == ("map.opened", "project:youth")
    assert (entry.details["reason"], entry.details["units"]) == ("Refresh of 2027", 3)
