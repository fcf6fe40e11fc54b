"""What all examples promise: their requests fit their dictionaries, and their conditions the policy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hub.actions.conditions import Need, Standing, needs_of, statuses
from hub.actions.recorded_conditions import require_recorded
from hub.documents import read, yaml
from hub.documents.classes import load_schemes
from hub.documents.conditions import ConditionsRecord
from hub.documents.dictionaries import Dictionary
from hub.documents.projects import ProjectDocument
from hub.documents.requests import RequestDocument
from hub.domain.errors import Refused
from hub.domain.requests import RecordedCondition
from hub.extraction.levels import check_schemes
from tests.acceptance.examples import NOW, ROOT
from tests.factories import rules

EXAMPLES = ROOT / "examples"
DICTIONARIES = sorted(EXAMPLES.glob("*/dictionaries/*.yaml")) + sorted(EXAMPLES.glob("*/dictionary.yaml"))
GHENT, LOUVAIN = "Universiteit Gent", "Université catholique de Louvain"
SIGNED = {"csss-07-110": date(2007, 11, 6), "lmp-parental-leave": date(2026, 3, 1)}


def recorded(example: str) -> list[Mapping[str, Any]]:
    path = EXAMPLES / example / "conditions.yaml"
    listed: list[Mapping[str, Any]] = yaml.load(path.read_text(encoding="utf-8"), name=path.name).value[
        "conditions"
    ]
    return listed


def standings(example: str, records: list[Mapping[str, Any]]) -> dict[tuple[str, str], Standing]:
    """How the request's needs stand on the day of `SIGNED` with these documents recorded."""
    request = read(RequestDocument, EXAMPLES / example / "request.yaml")
    papers = [
        RecordedCondition(
            id=f"r1/{number}",
            request="r1",
            condition=record["condition"],
            about=record.get("institution") or record.get("person") or "",
            document=record["document"],
            dated=date.fromisoformat(str(record["date"])),
            valid_until=None,
            recorded_by="bob",
            recorded_at=NOW,
        )
        for number, record in enumerate(records)
    ]
    needs: list[Need] = needs_of(rules(), request)
    found = statuses(needs, papers, SIGNED[example])
    return {(status.need.condition, status.need.about): status.standing for status in found}


@pytest.mark.parametrize("example", SIGNED)
def test_what_was_recorded_opens_the_gate_of_the_command_too(example: str) -> None:
    """`vitrine extract run --conditions` judges the same file by the same policy."""
    record = read(ConditionsRecord, EXAMPLES / example / "conditions.yaml")
    request = read(RequestDocument, EXAMPLES / example / "request.yaml")
    paths = (EXAMPLES / example / "dictionaries").glob("*.yaml")
    sources = {path.stem: read(Dictionary, path) for path in paths}
    assert require_recorded(rules(), request, record, sources, now=NOW)
    for lacking in record.conditions:
        fewer = ConditionsRecord(conditions=tuple(one for one in record.conditions if one is not lacking))
        with pytest.raises(Refused) as refused:
            require_recorded(rules(), request, fewer, sources, now=NOW)
        assert refused.value.code == "conditions_open"


@pytest.mark.parametrize("path", DICTIONARIES, ids=lambda path: path.stem)
def test_every_level_of_every_dictionary_has_its_scheme_and_german_its_place(path: Path) -> None:
    dictionary = read(Dictionary, path)
    check_schemes(dictionary, load_schemes(ROOT / "policies"))
    if path.parent.name == "dictionaries":
        assert dictionary.name == path.stem
    texts = {"title": dictionary.title, "description": dictionary.description}
    texts |= {f"unit {name}": unit.title for name, unit in dictionary.unit_types.items()}
    for name, variable in dictionary.variables.items():
        texts[name] = variable.label
        texts |= {f"{name} {code.value}": code.label for code in variable.codes or ()}
    assert [place for place, text in texts.items() if not text.de] == []


@pytest.mark.parametrize("example", sorted(SIGNED))
def test_the_conditions_listed_are_all_that_the_policy_asks(example: str) -> None:
    assert set(standings(example, recorded(example)).values()) == {Standing.MET}


@pytest.mark.parametrize("example", sorted(SIGNED))
def test_each_of_them_is_needed(example: str) -> None:
    records = recorded(example)
    for missing in records:
        found = standings(example, [record for record in records if record is not missing])
        assert list(found.values()).count(Standing.OPEN) == 1


def test_csss_07_110_2_1_the_committee_authorises() -> None:
    assert ("authorisation", "") in standings("csss-07-110", [])


def test_csss_07_110_2_6_the_commission_acknowledges() -> None:
    assert standings("csss-07-110", [])["acknowledgement", ""] is Standing.OPEN


def test_csss_07_110_2_7_a_contract_with_each_university() -> None:
    contracts = {about for condition, about in standings("csss-07-110", []) if condition == "contract"}
    assert contracts == {GHENT, LOUVAIN}


def test_the_cps_request_asks_for_what_its_project_has() -> None:
    request = read(RequestDocument, EXAMPLES / "cps" / "request.yaml")
    project = read(ProjectDocument, EXAMPLES / "cps" / "project.yaml")
    (asked,), (had,) = request.datasets, project.extract.specification("tax_unit").datasets
    assert (asked.source, asked.units, asked.columns) == (had.source, had.units, had.columns)
    assert request.populations[0].filter == project.extract.filter
    assert (request.slug, request.title, request.tier) == (project.slug, project.title, project.tier)
