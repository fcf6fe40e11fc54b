"""Documents against their models: each refusal names file, line and key, and no value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hub.documents import parse, read
from hub.documents.dictionaries import Dictionary
from hub.documents.projects import ProjectDocument
from hub.domain.errors import DocumentError

PROJECT = """\
slug: wages
title: Wages
purpose: To see.
tier: open
starts_at: 2026-01-01
ends_at: 2026-12-31
people: [ana]
extract:
  source: cps
  columns: [e00200]
kind: open-data
"""


def _refusal(text: str) -> DocumentError:
    with pytest.raises(DocumentError) as refused:
        parse(ProjectDocument, text, name="p.yaml")
    return refused.value


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "key"),
    [
        ("title: Wages", "titel: Wages", "unknown_key", 2, "titel"),
        ("tier: open", "tier: open\nsecret_key: 4711", "unknown_key", 5, "secret_key"),
        ("  source: cps", "  source: cps\n  colums: []", "unknown_key", 10, "extract.colums"),
        ("title: Wages\n", "", "missing_key", 1, "title"),
        ("title: Wages", "title: 4711", "wrong_type", 2, "title"),
        ("title: Wages", "title:", "wrong_type", 2, "title"),
        ("title: Wages", "title: ''", "bad_value", 2, "title"),
        ("people: [ana]", "people: ana4711", "wrong_type", 7, "people"),
        ("people: [ana]", "people: []", "bad_value", 7, "people"),
        ("people: [ana]", "people:\n- ana\n- Ana4711", "bad_value", 9, "people[1]"),
        ("people: [ana]", "people: [ana, ana]", "bad_value", 7, "people"),
        ("slug: wages", "slug: ../4711", "bad_value", 1, "slug"),
        ("slug: wages", "slug: wages-and-a-very-long-name-4711", "bad_value", 1, "slug"),
        ("tier: open", "tier: opaque4711", "bad_value", 4, "tier"),
        ("starts_at: 2026-01-01", "starts_at: 2026-02-31", "bad_value", 5, "starts_at"),
        ("starts_at: 2026-01-01", "starts_at: 1700004711", "bad_value", 5, "starts_at"),
        ("starts_at: 2026-01-01", "starts_at: 2026-01-01T10:00:00", "bad_value", 5, "starts_at"),
        ("ends_at: 2026-12-31", "ends_at: 2025-12-31", "bad_value", 6, "ends_at"),
        ("ends_at: 2026-12-31", "ends_at: 2026-01-01T00:00:00Z", "bad_value", 6, "ends_at"),
        ("  source: cps", "  source: ../cps4711", "bad_value", 9, "extract.source"),
        ("[e00200]", "[e00200, e00200]", "bad_value", 10, "extract.columns"),
        ("[e00200]", "[e00200]\n  household: 1", "wrong_type", 11, "extract.household"),
        ("[e00200]", "[e00200]\n  filter: {}", "missing_key", 11, "extract.filter.field"),
        ("[e00200]", "[e00200]\n  filter: 'age > 4711'", "wrong_type", 11, "extract.filter"),
        (
            "[e00200]",
            "[e00200]\n  filter: {and: [{field: a, operator: eval, values: [4711]}]}",
            "bad_value",
            11,
            "extract.filter.and[0].operator",
        ),
        (
            "[e00200]",
            "[e00200]\n  filter:\n    terms: []",
            "unknown_key",
            12,
            "extract.filter.terms",
        ),
        (
            "[e00200]",
            "[e00200]\n  filter: {field: a, operator: between, values: [4711]}",
            "bad_value",
            11,
            "extract.filter",
        ),
        (
            "[e00200]",
            "[e00200]\n  filter: {and: [{field: a, operator: is missing}], or: []}",
            "unknown_key",
            11,
            "extract.filter.or",
        ),
        ("[e00200]", "[e00200]\n  filter: {field: a, operator: '==', values: [[4711]]}", None, 11, None),
    ],
)
def test_refuses(old: str, new: str, code: str | None, line: int, key: str | None) -> None:
    assert old in PROJECT
    refusal = _refusal(PROJECT.replace(old, new))
    if code is not None:
        assert (refusal.code, refusal.key) == (code, key)
    assert (refusal.file, refusal.line) == ("p.yaml", line)
    for language in ("fr", "en"):
        assert "4711" not in refusal.message(language).replace(key or "", "")
    assert refusal.fr != refusal.en


def test_reads_dates_as_whole_days_and_times_as_they_are() -> None:
    days = parse(ProjectDocument, PROJECT, name="p")
    assert (days.starts_at, days.ends_at) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (days.start, days.end) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    times = parse(ProjectDocument, PROJECT.replace("2026-12-31", "2026-12-31T17:00:00+01:00"), name="p")
    assert times.end == datetime(2026, 12, 31, 16, tzinfo=UTC)


def test_a_file_that_is_missing_or_not_utf8_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as missing:
        read(ProjectDocument, tmp_path / "p.yaml")
    (tmp_path / "latin.yaml").write_bytes("title: \xe9".encode("latin-1"))
    with pytest.raises(DocumentError) as latin:
        read(ProjectDocument, tmp_path / "latin.yaml")
    assert (missing.value.code, missing.value.file) == ("unreadable", "p.yaml")
    assert (latin.value.code, latin.value.file) == ("not_utf8", "latin.yaml")


DICTIONARY = """\
name: toy
title: {fr: Jouet, en: Toy}
description: {fr: Jouet, en: Toy}
licence: CC0-1.0
origin: made
reference_period: {first: 2026-01-01, last: 2026-12-31}
file: {format: csv}
unit_types:
  person: {title: {fr: Personne, en: Person}, key: [id], pseudonym: person_id}
record: {unit: person, key: [id]}
variables:
  id: {type: integer, label: {fr: n, en: n}, identifying: direct}
  sex: {type: integer, label: {fr: sexe, en: sex}, codes: [{value: 1, label: {fr: f, en: f}}]}
  wage: {type: float, label: {fr: s, en: w}, minimum: 0, maximum: 9}
"""


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("identifying: direct}\n", "identifying: none}\n", None),  # the key itself could be delivered
        ("identifying: direct}\n", "identifying: sometimes}\n", "variables.id.identifying"),
        ("identifying: direct}\n", "identifying: direct, missing_allowed: true}\n", None),
        ("key: [id], pseudonym", "key: [idd], pseudonym", None),
        ("pseudonym: person_id", "pseudonym: WAGE", None),
        ("record: {unit: person", "record: {unit: persons", None),
        ("minimum: 0, maximum: 9", "minimum: 9, maximum: 0", "variables.wage"),
        ("minimum: 0, maximum: 9", "minimum: .inf", "variables.wage.minimum"),
        ("type: float", "type: string", "variables.wage"),
        ("type: float", "type: decimal", "variables.wage.type"),
        ("{value: 1, label", "{value: one, label", "variables.sex"),
        ("  wage:", "  SEX:", "variables"),
        ("  wage:", "  wage-x:", "variables.wage-x"),
        ("last: 2026-12-31", "last: 2025-12-31", "reference_period"),
        ("format: csv", "format: xlsx", "file.format"),
        ("format: csv", "format: csv, sha256: abc", "file.sha256"),
    ],
)
def test_a_dictionary_that_contradicts_itself_is_refused(old: str, new: str, key: str | None) -> None:
    assert old in DICTIONARY
    with pytest.raises(DocumentError) as refused:
        parse(Dictionary, DICTIONARY.replace(old, new), name="d.yaml")
    assert refused.value.key == key


def test_a_dictionary_has_one_hash_and_comes_back_whole() -> None:
    dictionary = parse(Dictionary, DICTIONARY, name="d.yaml")
    commented = parse(Dictionary, "# why\n" + DICTIONARY, name="d.yaml")
    changed = parse(Dictionary, DICTIONARY.replace("maximum: 9", "maximum: 8"), name="d.yaml")
    assert dictionary.digest == commented.digest != changed.digest
    assert Dictionary.model_validate_json(dictionary.to_json()) == dictionary
