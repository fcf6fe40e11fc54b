"""The office's rules: refused where in doubt, one fingerprint, schemas that follow the models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hub.documents.policies import POLICY_FILES, Tier, load_policies
from hub.documents.schemas import schemas
from hub.domain.errors import DocumentError
from hub.domain.permissions import parse_roles

POLICIES = Path(__file__).parents[3] / "policies"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in POLICY_FILES:
        shutil.copy(POLICIES / name, tmp_path / name)
    shutil.copytree(POLICIES / "classes", tmp_path / "classes")
    return tmp_path


def one(name: str, tier: str = "open", sample: float = 0.1) -> str:
    """A class of submissions that one checker decides, as review.yaml would say it."""
    limits = f"tiers: [{tier}], max_files: 1, max_bytes: 9, sample: {sample}"
    return f"\none_decider:\n  {name}: {{reason: {{fr: x, en: x}}, {limits}}}"


def test_a_low_risk_class_is_read(directory: Path) -> None:
    path = directory / "review.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\none_decider: {}", one("table")), encoding="utf-8")
    (named,) = load_policies(directory).review.one_decider
    assert named == "table"


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "key"),
    [
        ("review.yaml", "approvals_needed: 2", "approvals_needed: 1", "bad_value", "approvals_needed"),
        ("review.yaml", "approvals_needed: 2", "approvals_needed: two", "wrong_type", "approvals_needed"),
        ("review.yaml", "approvals_needed: 2", "approvals_needed: true", "wrong_type", "approvals_needed"),
        ("review.yaml", "approvals_needed: 2", "approvals: 2", "unknown_key", "approvals"),
        ("review.yaml", "\none_decider: {}", one("figure"), "bad_value", "one_decider.figure"),
        (
            "review.yaml",
            "\none_decider: {}",
            one("table", "open", 1),
            "bad_value",
            "one_decider.table.sample",
        ),
        ("review.yaml", "\none_decider: {}", one("table", "wide"), "bad_value", "one_decider.table.tiers[0]"),
        ("review.yaml", "\none_decider: {}", "\n", "missing_key", "one_decider"),
        ("review.yaml", "  description:", "  De scription:", "bad_value", None),
        ("submissions.yaml", "max_files: 20", "max_files: 20\nmax_files: 90", "duplicate_key", "max_files"),
        ("submissions.yaml", ".csv,", "csv,", "bad_value", "types[0]"),
        ("submissions.yaml", ".csv,", ".csv, .csv,", "bad_value", "types"),
        ("outputs.yaml", "thresholds: {share: 0.90}", "thresholds: {share: 90}", "bad_value", None),
        ("outputs.yaml", "thresholds: {units: 10}", "thresholds: {units: 0}", "bad_value", None),
        ("outputs.yaml", "  extreme:", "  extremes:", "bad_value", "rules"),
        ("outputs.yaml", "{units: 10}", "{unit: 10}", "bad_value", "rules"),
        ("outputs.yaml", "    severity: block", "    severity: high", "bad_value", None),
        ("tiers.yaml", "  open:", "  opened:", "bad_value", "tiers.opened"),
        ("tiers.yaml", "pids: 512", "pids: -1", "bad_value", "tiers.open.pids"),
        ("roles.yaml", "project.read: own", "project.read: all", "bad_value", None),
    ],
)
def test_refuses(directory: Path, file: str, old: str, new: str, code: str, key: str | None) -> None:
    path = directory / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DocumentError) as refused:
        load_policies(directory)
    assert (refused.value.code, refused.value.file) == (code, file)
    assert refused.value.line is not None
    assert key is None or refused.value.key == key


@pytest.mark.parametrize("file", sorted(POLICY_FILES))
def test_no_rule_may_be_missing(directory: Path, file: str) -> None:
    (directory / file).unlink()
    with pytest.raises(DocumentError) as refused:
        load_policies(directory)
    assert (refused.value.code, refused.value.file) == ("unreadable", file)


@pytest.mark.parametrize("name", ["reviews.yaml", "review.yml"])
def test_a_rule_that_nobody_would_obey_is_refused(directory: Path, name: str) -> None:
    (directory / name).write_text("approvals_needed: 3\n", encoding="utf-8")
    with pytest.raises(DocumentError) as refused:
        load_policies(directory)
    assert (refused.value.code, refused.value.file) == ("unknown_policy", name)


@pytest.mark.parametrize("file", sorted(POLICY_FILES))
def test_the_fingerprint_changes_with_every_file(directory: Path, file: str) -> None:
    before = load_policies(directory).fingerprint
    assert before == load_policies(POLICIES).fingerprint
    with (directory / file).open("a", encoding="utf-8") as stream:
        stream.write("# a word more\n")
    assert load_policies(directory).fingerprint != before


def test_the_shipped_rules_are_sound() -> None:
    policies = load_policies(POLICIES)
    assert policies.tiers.tiers[Tier.OPEN].memory_bytes == 2 * 2**30
    assert policies.review.approvals_needed >= 2
    assert parse_roles(policies.roles.permissions())


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_schemas_beside_the_rules_are_current(name: str) -> None:
    written = (POLICIES / "schema" / name).read_text(encoding="utf-8")
    assert written == schemas()[name], "run: python -m hub.documents.schemas"


def test_no_schema_is_left_over() -> None:
    assert {path.name for path in (POLICIES / "schema").iterdir()} == set(schemas())
