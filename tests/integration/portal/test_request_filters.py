"""Filters and joins in the form of a request, without a script: refusals, groups, what is kept and said."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from hub.actions import requests as actions
from hub.documents import parse, read, yaml
from hub.documents.dictionaries import Dictionary
from hub.documents.requests import RequestDocument
from tests import requests
from tests.conftest import ROOT
from tests.integration.portal.stage import P, Stage
from tests.integration.portal.test_requests import fields, send, text_of

WAGE = {"field": "wage", "operator": ">", "values": [2000]}
WOMEN = {"field": "sex", "operator": "==", "values": [2]}
OLD = {"field": "born", "operator": "<", "values": ["1980-01-01"]}
NESTED = {"and": [WOMEN, {"or": [WAGE, {"not": {"or": [OLD, {"not": WAGE}]}}]}]}
ATLAS = """
name: atlas
title: {fr: "Atlas des quartiers", en: "Atlas of quarters"}
description: {fr: "Des secteurs.", en: "Sectors."}
licence: "Restricted"
origin: "The office"
reference_period: {first: 2020-01-01, last: 2020-03-31}
file: {format: csv}
unit_types:
  sector: {title: {fr: "Secteur", en: "Sector"}, key: [sector], pseudonym: sector_id, registry: sectors}
record: {unit: sector, key: [sector]}
variables:
  sector: {type: string, label: {fr: "Secteur", en: "Sector"}, identifying: direct}
  rent: {type: float, label: {fr: "Loyer", en: "Rent"}, levels: {raw: ~, class: wage_classes}}
  owners: {type: float, label: {fr: "Propriétaires", en: "Owners"}}
"""


@pytest.fixture(autouse=True)
def catalogue(stage: Stage) -> None:
    """`register`, whose people live in sectors; `atlas`, which describes them; `cps`, which has neither."""
    catalogue = stage.portal.catalogue
    content: Any = yaml.load(requests.dictionary().model_dump_json(), name="r").value
    content["unit_types"]["sector"] = {
        "title": {"fr": "Secteur", "en": "Sector"},
        "key": ["sector"],
        "pseudonym": "sector_id",
        "registry": "sectors",
    }
    content["variables"]["sector"] = {
        "type": "string",
        "label": {"fr": "Secteur", "en": "Sector"},
        "identifying": "direct",
    }
    catalogue.publish(parse(Dictionary, yaml.dump(content), name="register.yaml"))
    catalogue.publish(parse(Dictionary, ATLAS, name="atlas.yaml"))
    catalogue.publish(read(Dictionary, ROOT / "examples" / "cps" / "dictionary.yaml"))


def draft(stage: Stage, filter_: Any = None, **dataset: Any) -> TestClient:
    """Ana's draft with a filter of its population, and more of its dataset; she is signed in."""
    content: Any = yaml.load(requests.TEXT, name="a").value
    content["populations"][0] |= {} if filter_ is None else {"filter": filter_}
    content["datasets"][0] |= dataset
    requests.draft(stage.office, stage.portal.catalogue, yaml.dump(content))
    return stage.visit("ana")


def saved(stage: Stage) -> Any:
    return yaml.load(text_of(stage), name="r").value


def edit(client: TestClient, language: str = "en") -> str:
    return client.get(f"{P}/requests/r1/edit?lang={language}").text


def press(client: TestClient, page: str, do: str, **typed: str | list[str]) -> str:
    """What the page is after a button that saves nothing; `do` must be one of its buttons."""
    assert f'value="{html.escape(do)}"' in page
    answer = send(client, "ana", {**fields(page), **typed}, do=do)
    assert answer.status_code == 200
    return answer.text


def said(page: str) -> list[str]:
    found = re.findall(r'data-testid="said">(.*?)<button', page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", text)).strip() for text in found]


@pytest.mark.parametrize(
    ("filter_", "place", "sentence"),
    [
        (
            {"and": [WOMEN, {"field": "shoe", "operator": "==", "values": [1]}]},
            "terms.1",
            "has no variable “shoe”",
        ),
        ({"field": "employer", "operator": "is missing"}, "terms.0", "identifies units directly"),
        (
            {"or": [WAGE, {"not": {"field": "number", "operator": ">", "values": [1]}}]},
            "terms.1",
            "identifies units",
        ),
        ({"and": [WOMEN, {"or": []}]}, "terms.1", "This group of conditions is empty"),
        ({"field": "sex", "operator": "==", "values": [3]}, "terms.0", "not among the codes of sex"),
        (
            {"and": [WAGE, {"or": [WAGE, {"field": "sex", "operator": "in", "values": [1, 9]}]}]},
            "terms.1.terms.1",
            "not among the codes",
        ),
        ({"field": "wage", "operator": "between", "values": [1]}, "terms.0", "takes 2 values"),
        ({"field": "wage", "operator": "==", "values": ["much"]}, "terms.0", "not of the type of wage"),
        ({"field": "born", "operator": ">", "values": ["1980"]}, "terms.0", "not of the type of born"),
        ({"and": [WAGE, {"field": "", "operator": "==", "values": [2]}]}, "terms.1", "Choose a variable"),
        (
            {
                "and": [
                    WAGE,
                    {"or": [WAGE, {"and": [WAGE, {"or": [{"field": "shoe", "operator": "is missing"}]}]}]},
                ]
            },
            "terms.1.terms.1.terms.1",
            "no variable “shoe”",
        ),
    ],
)
def test_what_is_wrong_with_a_condition_is_said_at_it(
    stage: Stage, filter_: Any, place: str, sentence: str
) -> None:
    client = draft(stage, filter_, filter=filter_)
    page = edit(client)
    for of in ("populations.0", "datasets.0"):
        told = re.findall(rf'id="error-{re.escape(f"{of}.where.{place}")}-\d+">(.*?)</p>', page, re.DOTALL)
        assert len(told) == 1
        assert sentence in html.unescape(told[0])
        assert f'id="{of}.where.{place}"' in page  # the list of problems leads there
    answer = send(client, "ana", fields(page), do="send")
    assert "request_saved_incomplete" in answer.headers["location"]
    content = saved(stage)
    assert [content[part][0]["filter"] for part in ("populations", "datasets")] == [filter_, filter_]


@pytest.mark.parametrize(
    ("part", "place", "sentence"),
    [
        ({"source": "atlas", "unit": "sector", "columns": ["shoe"]}, "columns.0", "no variable “shoe”"),
        (
            {"source": "atlas", "unit": "sector", "columns": ["sector"]},
            "columns.0",
            "no variable “sector” that may",
        ),
        (
            {"source": "atlas", "unit": "sector", "columns": [{"variable": "rent", "level": "raw"}]},
            "columns.0.justification",
            "say why",
        ),
        ({"source": "atlas", "unit": "sector"}, "columns", "This is missing"),
        ({"source": "cps", "unit": "sector", "columns": ["MARS"]}, "unit", "no unit type"),
        ({"source": "atlas", "unit": "region", "columns": ["rent"]}, "unit", "no unit “region”"),
        ({"source": "nowhere", "unit": "sector", "columns": ["rent"]}, "source", "no public dictionary"),
    ],
)
def test_what_is_wrong_with_a_join_is_said_at_it(stage: Stage, part: Any, place: str, sentence: str) -> None:
    client = draft(stage, through=[part], units=["person"])
    page = edit(client)
    name = re.escape(f"datasets.0.through.0.{place}")
    told = re.findall(rf'id="error-{name}-\d+">(.*?)</p>', page, re.DOTALL)
    assert told
    assert sentence in html.unescape(told[0])
    send(client, "ana", fields(page), do="save")
    assert saved(stage)["datasets"][0]["through"] == [part]


def test_a_unit_that_is_delivered_joins_nothing(stage: Stage) -> None:
    part = {"source": "atlas", "unit": "sector", "columns": ["rent"]}
    page = edit(draft(stage, through=[part], units=["person", "sector"]))
    assert "“sector” is delivered itself" in html.unescape(page)
    assert 'value="atlas:sector"' not in page


def test_a_nested_filter_is_built_without_a_script_and_read_in_words(stage: Stage) -> None:
    client = draft(stage)
    page = press(client, edit(client, "fr"), "add:populations.0.where")
    page = press(
        client,
        page,
        "group:populations.0.where",
        **{"populations.0.where.terms.0.field": "sex", "populations.0.where.terms.0.values": "2"},
    )
    group = "populations.0.where.terms.1"
    page = press(
        client,
        page,
        f"group:{group}",
        **{
            f"{group}.terms.0.field": "wage",
            f"{group}.terms.0.operator": ">",
            f"{group}.terms.0.values": "2000",
        },
    )
    assert f'value="group:{group}.terms.1"' not in page  # no deeper
    page = press(
        client,
        page,
        f"add:{group}.terms.1",
        **{
            f"{group}.terms.1.join": "not or",
            f"{group}.terms.1.terms.0.field": "born",
            f"{group}.terms.1.terms.0.operator": "<",
            f"{group}.terms.1.terms.0.values": "1980-01-01",
        },
    )
    page = press(
        client,
        page,
        "refresh",
        **{
            f"{group}.terms.1.terms.1.not": "1",
            f"{group}.terms.1.terms.1.field": "wage",
            f"{group}.terms.1.terms.1.operator": ">",
            f"{group}.terms.1.terms.1.values": "2000",
        },
    )
    (sentence,) = said(page)
    assert sentence.startswith(
        "Retient les unités « Personne » pour lesquelles sex est égal à 2 (femme) et (wage"
    )
    assert sentence.endswith("ou non (born est inférieur à 1980-01-01 ou non (wage est supérieur à 2000))).")
    send(client, "ana", fields(page), do="save")
    assert saved(stage)["populations"][0]["filter"] == NESTED
    page = press(client, edit(client), f"remove:{group}.terms.1")
    send(client, "ana", fields(page), do="save")
    assert saved(stage)["populations"][0]["filter"] == {"and": [WOMEN, {"or": [WAGE]}]}
    page = press(client, edit(client), f"remove:{group}")
    send(client, "ana", fields(page), do="save")
    assert saved(stage)["populations"][0]["filter"] == WOMEN


def test_a_group_that_is_emptied_is_kept_and_refused(stage: Stage) -> None:
    client = draft(stage, {"and": [WOMEN, {"or": [WAGE]}]})
    page = press(client, edit(client), "remove:populations.0.where.terms.1.terms.0")
    assert "This group is empty" in page
    send(client, "ana", fields(page), do="save")
    assert saved(stage)["populations"][0]["filter"] == {"and": [WOMEN, {"or": []}]}
    assert 'id="error-populations.0.where.terms.1-1"' in edit(client)


@pytest.mark.parametrize(
    "filter_",
    [
        NESTED,
        {"not": {"and": [WAGE, {"not": {"not": WOMEN}}]}},
        {"or": [WAGE, {"and": [WOMEN, {"or": [OLD, {"and": [WAGE, {"or": [WOMEN, OLD]}]}]}]}]},
        {"field": "employer", "operator": "in", "values": ["a; b", ' <c> & "d"', "e"]},
    ],
)
def test_a_filter_that_came_in_as_yaml_opens_in_the_form_and_is_saved_as_it_was(
    stage: Stage, filter_: Any
) -> None:
    client = draft(stage, filter_, filter=filter_)
    page = edit(client)
    for do in ("refresh", "save"):
        answer = send(client, "ana", fields(page), do=do)
        page = answer.text
    content = saved(stage)
    assert [content[part][0]["filter"] for part in ("populations", "datasets")] == [filter_, filter_]


def test_a_join_is_built_without_a_script(stage: Stage) -> None:
    client = draft(stage)
    page = edit(client)
    offered = re.findall(r'<option value="(\w+:\w+)">', page)
    assert offered == ["atlas:sector"]  # the CPS knows no sectors
    page = press(client, page, "add:datasets.0.through", **{"datasets.0.join": "atlas:sector"})
    assert "The unit “Sector” itself is not delivered" in page
    assert "Atlas of quarters, by: Sector" in page
    page = press(client, page, "add:datasets.0.through.0.columns:rent")
    page = press(
        client,
        page,
        "add:datasets.0.through.0.columns",
        **{"datasets.0.through.0.add": "owners rent", "datasets.0.through.0.columns.0.level": "raw"},
    )
    page = client.get(send(client, "ana", fields(page), do="save").headers["location"]).text
    assert 'id="error-datasets.0.through.0.columns.0.justification-1"' in page
    assert "column-row finer" in page
    given = fields(page) | {"datasets.0.through.0.columns.0.justification": "The index is the question."}
    answer = send(client, "ana", given, do="save")
    assert answer.headers["location"].endswith("done=request_saved")
    rent = {"variable": "rent", "level": "raw", "justification": "The index is the question."}
    assert saved(stage)["datasets"][0]["through"] == [
        {"source": "atlas", "unit": "sector", "columns": [rent, "owners"]}
    ]
    page = press(client, edit(client), "remove:datasets.0.through.0")
    send(client, "ana", fields(page), do="save")
    assert "through" not in saved(stage)["datasets"][0]


def test_the_order_of_populations_and_pseudonyms_survives_the_form(stage: Stage) -> None:
    """A mark says the position in `of`: the form may not change it."""
    content: Any = yaml.load(requests.TEXT, name="a").value
    content["populations"] += [{"name": name, "source": "register", "unit": "person"} for name in "bcd"]
    content["populations"][3]["without"] = ["c", "everyone"]
    content["datasets"][0] |= {"of": ["c", "everyone", "b"], "units": ["sector", "person"], "mark": "whose"}
    requests.draft(stage.office, stage.portal.catalogue, yaml.dump(content))
    client = stage.visit("ana")
    send(client, "ana", fields(edit(client)), do="save")
    after = saved(stage)
    assert after["datasets"] == content["datasets"]
    assert after["populations"] == content["populations"]


@pytest.mark.parametrize("example", ["csss-07-110", "lmp-parental-leave", "cps"])
def test_the_examples_open_in_the_form_and_come_back_as_they_are(stage: Stage, example: str) -> None:
    folder = ROOT / "examples" / example
    for path in sorted(folder.glob("dictionaries/*.yaml")):
        stage.portal.catalogue.publish(read(Dictionary, path))
    before = read(RequestDocument, folder / "request.yaml")
    requests.draft(
        stage.office, stage.portal.catalogue, (folder / "request.yaml").read_text(encoding="utf-8")
    )
    client = stage.visit("ana")
    page = edit(client)
    answer = send(client, "ana", fields(page), do="save")
    assert answer.status_code == 303
    after = parse(RequestDocument, text_of(stage), name="after.yaml")
    assert levels(after, stage) == levels(before, stage)
    assert page.count('<textarea name="populations') == 0  # nothing of it needs YAML


def levels(document: RequestDocument, stage: Stage) -> dict[str, Any]:
    """The document with each variable's default level left out, as the form writes it."""
    content: dict[str, Any] = document.model_dump(mode="json", by_alias=True)
    for dataset in content["datasets"]:
        for part in [dataset, *(dataset.get("through") or [])]:
            known = stage.portal.catalogue.read(part["source"]).variables
            for number, column in enumerate(part["columns"]):
                asked = {"variable": column} if isinstance(column, str) else column
                default = list(known[asked["variable"]].offered)[-1].value
                part["columns"][number] = {
                    k: v for k, v in asked.items() if v and (k, v) != ("level", default)
                }
    return content


def test_actions_know_the_request_again(stage: Stage) -> None:
    """The digest, by which a version is approved, is the same before and after the form."""
    client = draft(stage, NESTED)
    with stage.office.units.read() as unit:
        before = actions.get_version(unit, actions.get_request(unit, "r1")).digest
    send(client, "ana", fields(edit(client)), do="save")
    with stage.office.units.read() as unit:
        assert actions.get_version(unit, actions.get_request(unit, "r1")).digest == before


def test_those_who_decide_read_filters_and_joins_in_words(stage: Stage) -> None:
    part = {"source": "atlas", "unit": "sector", "columns": ["owners", {"variable": "rent"}]}
    client = draft(stage, NESTED, filter={"not": WAGE}, through=[part], members="others")
    page = html.unescape(client.get(f"{P}/requests/r1?lang=en").text)
    assert "sex is 2 (woman) and (wage is more than 2000 or not (born is less" in page
    assert "Keeps the rows for which not (wage is more than 2000)" in page
    assert "atlas, by: sector: owners, rent" in page
