"""Class schemes: refused where in doubt; what they mean has one hash; they count among the policies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hub.documents.classes import BandScheme, load_schemes, parse_scheme
from hub.documents.policies import POLICY_FILES, load_policies
from hub.domain.errors import DocumentError

POLICIES = Path(__file__).parents[3] / "policies"

BANDS = """\
name: ages
title: {fr: Âges, en: Ages}
kind: bands
from: 0
classes:
  - {code: 0, below: 18, label: {fr: mineur, en: minor}}
  - {code: 18, label: {fr: majeur, en: adult}}
"""
GROUPS = """\
name: places
title: {fr: Lieux, en: Places}
kind: groups
classes:
  - {code: 1, members: [1, 2], label: {fr: nord, en: north}}
  - {code: 2, members: [3], label: {fr: sud, en: south}}
"""
DATES = "name: month\ntitle: {fr: Mois, en: Month}\nkind: dates\ncut: month\n"


@pytest.mark.parametrize(
    ("text", "old", "new", "code", "line"),
    [
        (BANDS, "kind: bands", "kind: ranges", "bad_value", 3),
        (BANDS, "kind: bands\n", "", "missing_key", 1),
        (BANDS, "kind: bands", "kind: [bands]", "bad_value", 3),
        (BANDS, "code: 18", "code: 0", "bad_value", 5),
        (BANDS, "code: 18", "code: -1", "bad_value", 7),
        (BANDS, "code: 18", "code: 18.5", "wrong_type", 7),
        (BANDS, "below: 18", "below: 0", "bad_value", 1),
        (BANDS, "below: 18, ", "", "bad_value", 5),
        (BANDS, "below: 18", "below: .inf", "wrong_type", 6),
        (BANDS, "below: 18", "below: 1e999", "bad_value", 6),
        (BANDS, "below: 18", "below: 99999999999999999", "bad_value", 1),
        (BANDS, "from: 0", "lowest: 0", "unknown_key", 4),
        (BANDS, ", en: minor", "", "missing_key", 6),
        (BANDS, "name: ages", "name: ../ages", "bad_value", 1),
        (GROUPS, "members: [3]", "members: [2]", "bad_value", 4),
        (GROUPS, "members: [3]", "members: ['3']", "bad_value", 4),
        (GROUPS, "members: [3]", "members: []", "bad_value", 6),
        (GROUPS, "code: 2", "code: 1", "bad_value", 4),
        (DATES, "cut: month", "cut: day", "bad_value", 4),
        (DATES, "cut: month", "cut: month\nfrom: 0", "unknown_key", 5),
    ],
)
def test_refuses(text: str, old: str, new: str, code: str, line: int) -> None:
    assert old in text
    with pytest.raises(DocumentError) as refused:
        parse_scheme(text.replace(old, new, 1), name="classes/x.yaml")
    assert (refused.value.code, refused.value.file, refused.value.line) == (code, "classes/x.yaml", line)


def _directory(tmp_path: Path) -> Path:
    for name in POLICY_FILES:
        shutil.copy(POLICIES / name, tmp_path / name)
    (tmp_path / "classes").mkdir()
    return tmp_path


def test_a_scheme_is_called_like_its_file(tmp_path: Path) -> None:
    directory = _directory(tmp_path)
    (directory / "classes" / "age.yaml").write_text(BANDS, encoding="utf-8")
    with pytest.raises(DocumentError) as refused:
        load_policies(directory)
    assert (refused.value.file, refused.value.key) == ("classes/age.yaml", "name")


def test_a_scheme_that_nobody_can_read_stops_all_policies(tmp_path: Path) -> None:
    directory = _directory(tmp_path)
    (directory / "classes" / "ages.yml").write_text(BANDS, encoding="utf-8")
    with pytest.raises(DocumentError):
        load_policies(directory)


def test_schemes_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    directory = _directory(tmp_path)
    without = load_policies(directory)
    (directory / "classes" / "ages.yaml").write_text(BANDS, encoding="utf-8")
    one = load_policies(directory)
    (directory / "classes" / "ages.yaml").write_text(BANDS.replace("18", "21"), encoding="utf-8")
    other = load_policies(directory)
    assert len({without.fingerprint, one.fingerprint, other.fingerprint}) == 3
    assert one.classes["ages"].digest != other.classes["ages"].digest
    assert dict(without.classes) == {}


def test_a_comment_changes_no_digest() -> None:
    assert (
        parse_scheme("# why\n" + BANDS, name="x").digest == parse_scheme(BANDS, name="x").digest
    )  # and every label counts:
    assert (
        parse_scheme(BANDS.replace("adult", "grown"), name="x").digest != parse_scheme(BANDS, name="x").digest
    )


@pytest.mark.parametrize("name", sorted(load_schemes(POLICIES)))
def test_the_schemes_of_the_office_are_whole(name: str) -> None:
    scheme = load_schemes(POLICIES)[name]
    labels = [] if scheme.kind == "dates" else [one.label for one in scheme.classes]
    for language in ("fr", "en"):
        assert len({label[language] for label in labels}) == len(labels)


def test_ages_are_years_for_minors_and_bands_of_five_for_adults_up_to_75() -> None:
    scheme = load_schemes(POLICIES)["age_years_minors_bands_adults"]
    assert isinstance(scheme, BandScheme)
    edges = [band.below for band in scheme.classes]
    assert edges == [*range(1, 19), 20, *range(25, 80, 5), None]
    assert scheme.top_code == 75
