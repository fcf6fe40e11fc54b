"""The catalogues agree with each other and with everything that asks for a sentence."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime

import pytest

from hub.domain.lifecycle import (
    ExtractState,
    PersonState,
    ProjectState,
    RequestState,
    SessionState,
    SubmissionState,
)
from hub.portal.languages import Words, catalogue, preferred
from tests.conftest import ROOT

PORTAL = ROOT / "hub" / "portal"
_USED = re.compile(r"""\b(?:t|words|word)\(\s*"([a-z_]+\.[A-Za-z_0-9]+)"(?!\s*~)""")
_BUILT = re.compile(r"""\b(?:t|words)\(\s*f?"([a-z_]+\.[a-z_]*)"?(?:\s*~|\{)""")


def sources() -> dict[str, str]:
    paths = [*PORTAL.glob("*.py"), *(PORTAL / "templates").glob("*.html")]
    return {str(path.relative_to(PORTAL)): path.read_text(encoding="utf-8") for path in paths}


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences_with_the_same_gaps() -> None:
    fr, en = catalogue("fr"), catalogue("en")
    assert sorted(fr) == sorted(en)
    assert {key: fields(fr[key]) for key in fr} == {key: fields(en[key]) for key in en}
    assert all(text.strip() for text in (*fr.values(), *en.values()))


@pytest.mark.parametrize("name", sorted(sources()))
def test_every_sentence_asked_for_exists(name: str) -> None:
    used = set(_USED.findall(sources()[name]))
    used |= set(re.findall(r'"(menu\.[a-z]+)"', sources()[name]))
    assert used <= set(catalogue("fr"))


def test_every_sentence_is_asked_for() -> None:
    everything = "\n".join(sources().values())
    asked = set(_USED.findall(everything)) | set(re.findall(r'"((?:menu|desk)\.[a-z_]+)"', everything))
    families = tuple(set(_BUILT.findall(everything)) | {"done."})
    unused = {
        key
        for key in catalogue("fr")
        if key.removesuffix("_one") not in asked and not key.startswith(families)
    }
    assert unused == set()


def test_every_state_has_its_word() -> None:
    for section, states in (
        ("project", ProjectState),
        ("extract", ExtractState),
        ("session", SessionState),
        ("submission", SubmissionState),
        ("request", RequestState),
        ("people", PersonState),
    ):
        for state in states:
            assert f"{section}.{state.value}" in catalogue("fr")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "fr"),
        ("fr-LU,fr;q=0.9,en;q=0.8", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de,en;q=0.5,fr;q=0.4", "en"),
        ("lb,de;q=0.9", "fr"),
        ("en;q=zero, fr;q=0.1", "fr"),
        (",,;;", "fr"),
    ],
)
def test_the_preferred_language(header: str, language: str) -> None:
    assert preferred(header) == language


def test_numbers_sizes_and_dates() -> None:
    fr, en = Words("fr"), Words("en")
    moment = datetime(2026, 8, 1, 17, 5, tzinfo=UTC)
    assert (fr.number(280005), en.number(280005)) == ("280\u202f005", "280,005")
    assert (fr.size(1_234_567), en.size(1_234_567)) == ("1,2\u00a0Mo", "1.2\u00a0MB")
    assert (fr.size(12), en.size(999)) == ("12\u00a0octets", "999\u00a0bytes")
    assert (fr.moment(moment), en.day(moment)) == ("1 août 2026, 17:05 UTC", "1 August 2026")


@pytest.mark.parametrize(
    ("language", "n", "sentence"),
    [
        ("fr", 0, "0 jour restant"),
        ("fr", 1, "1 jour restant"),
        ("fr", 2, "2 jours restants"),
        ("en", 0, "0 days left"),
        ("en", 1, "1 day left"),
    ],
)
def test_one_and_many(language: str, n: int, sentence: str) -> None:
    assert Words(language)("card.days_left", n=n) == sentence
