"""The public dictionary: what is refused, what anyone reads, and in which form."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hub.documents import parse, read
from hub.documents.dictionaries import Dictionary
from tests import factories
from tests.conftest import ROOT
from tests.integration.portal.stage import PUBLIC_URL, P, Stage, make_stage
from tests.unit.documents.test_exports import OFFERED

LMP = ROOT / "examples" / "lmp-parental-leave" / "dictionaries"
PAGES = ("/dictionary", "/dictionary?q=e", "/dictionary/register", "/dictionary/register?q=e")
EXPORTS = {
    "table-schema.json": "application/json",
    "ddi.xml": "application/xml",
    "dcat.jsonld": "application/ld+json",
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = make_stage(tmp_path_factory.mktemp("portal"))
    stage.portal.catalogue.publish(factories.dictionary())
    return stage


@pytest.mark.parametrize(
    "source",
    [
        "none",
        "Register",
        "%2e%2e",
        "..%2fregister",
        "register%2f..%2fregister",
        "register%00",
        "é",
    ],
)
@pytest.mark.parametrize("rest", ["", *(f"/{name}" for name in EXPORTS)])
def test_an_unknown_source_is_not_found(published: Stage, source: str, rest: str) -> None:
    answer = published.visit(None).get(f"{P}/dictionary/{source}{rest}")
    assert answer.status_code == 404
    assert "7411" not in answer.text


def test_a_damaged_dictionary_is_a_sentence_and_hides_no_other(tmp_path: Path) -> None:
    stage = make_stage(tmp_path)
    stage.portal.catalogue.publish(factories.dictionary())
    stage.portal.catalogue.publish(factories.dictionary().model_copy(update={"name": "second"}))
    (tmp_path / "catalogue" / "register" / "dictionary.json").write_text("{")
    visitor = stage.visit(None)
    for path in ("/dictionary/register", *(f"/dictionary/register/{name}" for name in EXPORTS)):
        answer = visitor.get(f"{P}{path}")
        assert answer.status_code == 500
        assert 'data-code="dictionary_damaged"' in answer.text
        assert "The public dictionary of register cannot be read." in answer.text
    page = visitor.get(f"{P}/dictionary")
    assert page.status_code == 200
    assert 'data-testid="damaged"' in page.text
    assert 'data-testid="source-second"' in page.text


@pytest.mark.parametrize("path", [*PAGES, *(f"/dictionary/register/{name}" for name in EXPORTS)])
def test_no_page_has_what_is_not_public(published: Stage, path: str) -> None:
    text = published.visit(None).get(f"{P}{path}").text
    for secret in ("7411", "9422", "7,411", "BE-0417", "Secret", "Project wages", "ana"):
        assert secret not in text


@pytest.mark.parametrize("path", PAGES)
def test_nobody_signed_in_is_asked_to_and_nothing_is_run(published: Stage, path: str) -> None:
    answer = published.visit(None).get(f"{P}{path}")
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert 'data-testid="sign-in"' in answer.text
    assert "sign-out" not in answer.text


def test_words_of_a_search_are_shown_escaped(published: Stage) -> None:
    for path in ("/dictionary", "/dictionary/register"):
        page = published.visit(None).get(f"{P}{path}", params={"q": '"><script>alert(1)</script>'})
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    assert (
        "Salaire élevé &amp; &lt;brut&gt;" in published.visit(None, "fr").get(f"{P}/dictionary/register").text
    )


@pytest.mark.parametrize(
    ("path", "count", "sentence"),
    [
        ("/dictionary?q=ELEVE", 1, "1 variable trouvée pour « ELEVE »"),
        ("/dictionary?q=woman", 1, "1 variable trouvée pour « woman »"),
        ("/dictionary?q=absent", 0, "Aucune variable ne correspond à « absent »."),
        ("/dictionary/register?q=num", 1, "1 variable trouvée pour « num »"),
        ("/dictionary/register?q=absent", 0, "Aucune variable ne correspond à « absent »."),
        ("/dictionary/register", 5, "5 variables, dont 2 identifiants directs, jamais remis"),
    ],
)
def test_searching(published: Stage, path: str, count: int, sentence: str) -> None:
    page = published.visit(None, "fr").get(f"{P}{path}").text
    assert page.count('data-testid="result"') + page.count('data-testid="variable"') == count
    assert sentence in page


def test_a_found_variable_leads_to_its_place(published: Stage) -> None:
    visitor = published.visit(None, "en")
    assert f'href="{P}/dictionary/register#sex"' in visitor.get(f"{P}/dictionary?q=woman").text
    page = visitor.get(f"{P}/dictionary/register").text
    assert '<tr id="sex"' in page
    assert "January 2020 – March 2020" in page
    for shown in (
        "0.5 or more",
        "may be missing",
        "Direct identifier, never delivered",
        "Sensitive",
        "woman",
    ):
        assert shown in page


def test_every_page_leads_to_the_dictionary(published: Stage) -> None:
    for who, path in (("ana", "/"), ("bob", "/admin/people"), (None, "/dictionary"), ("sam", "/")):
        assert f'href="{P}/dictionary"' in published.visit(who).get(f"{P}{path}").text, (who, path)


@pytest.mark.parametrize(("name", "kind"), EXPORTS.items())
def test_the_exports(published: Stage, name: str, kind: str) -> None:
    answer = published.visit(None, "en").get(f"{P}/dictionary/register/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == kind
    if kind == "application/xml":
        assert len(list(ET.fromstring(answer.content).iter("{ddi:codebook:2_5}var"))) == 5  # noqa: S314
    elif name == "table-schema.json":
        assert [field["title"] for field in json.loads(answer.text)["fields"]][3:] == ["Sex", "Date of birth"]
    else:
        assert json.loads(answer.text)["dcat:landingPage"]["@id"] == f"{PUBLIC_URL}{P}/dictionary/register"


def test_a_thousand_variables_on_one_page(published: Stage, tmp_path: Path) -> None:
    stage = make_stage(tmp_path, filled=False)
    small = factories.dictionary()
    many = {f"v{n}": small.variables["sex"] for n in range(1_000)}
    big = small.model_copy(update={"variables": {**small.variables, **many}})
    stage.portal.catalogue.publish(big)
    page = stage.visit(None).get(f"{P}/dictionary/register").text
    assert page.count('data-testid="variable"') == 1_005
    found = stage.visit(None).get(f"{P}/dictionary?q=woman").text
    assert found.count('data-testid="result"') == 50
    assert "Page 1 of 21" in found


def german_stage(tmp_path: Path) -> Stage:
    stage = make_stage(tmp_path, filled=False)
    small = factories.dictionary()
    label = small.variables["sex"].label.model_copy(update={"de": "Geschlecht"})
    sex = small.variables["sex"].model_copy(update={"label": label})
    title = small.title.model_copy(update={"de": "Testregister"})
    stage.portal.catalogue.publish(
        small.model_copy(update={"title": title, "variables": {**small.variables, "sex": sex}})
    )
    return stage


def test_german_labels_for_who_reads_german_and_the_page_language_for_the_rest(tmp_path: Path) -> None:
    stage = german_stage(tmp_path)
    source = f"{P}/dictionary/register"
    page = stage.visit(None, "de-LU,de;q=0.9,en;q=0.5").get(source)
    assert page.headers["content-language"] == "en"  # the page itself has no German
    assert '<span lang="de">Geschlecht</span>' in page.text
    assert "Date of birth" in page.text
    only_german = stage.visit(None, "de").get(source).text
    assert '<span lang="de">Geschlecht</span>' in only_german
    assert "Date de naissance" in only_german
    for other in ("en", "fr,de;q=0.5"):
        assert "Geschlecht" not in stage.visit(None, other).get(source).text
    chosen = stage.visit(None, "de").get(f"{source}?lang=en").text
    assert "Geschlecht" not in chosen
    assert "<td>Sex" in chosen


def test_german_words_find_german_labels(tmp_path: Path) -> None:
    page = german_stage(tmp_path).visit(None, "en").get(f"{P}/dictionary?q=geschlecht").text
    assert page.count('data-testid="result"') == 1


def test_the_table_schema_is_german_only_where_the_dictionary_is(tmp_path: Path, published: Stage) -> None:
    answers = [
        stage.visit(None, "de").get(f"{P}/dictionary/register/table-schema.json")
        for stage in (german_stage(tmp_path), published)
    ]
    assert [answer.headers["content-language"] for answer in answers] == ["de", "fr"]
    assert [answer.json()["title"] for answer in answers] == ["Testregister", "Registre d’essai"]


def test_a_page_says_what_a_requester_needs(tmp_path: Path) -> None:
    stage = make_stage(tmp_path, filled=False)
    stage.portal.catalogue.publish(read(Dictionary, LMP / "lmp_residence.yaml"))
    stage.portal.catalogue.publish(read(Dictionary, LMP / "lmp_jobs.yaml"))
    text = OFFERED.replace(
        "levels: {raw: ~, band: tens, class: halves}", "levels: {raw: ~, class: wage_classes}"
    )
    stage.portal.catalogue.publish(parse(Dictionary, text, name="register.yaml"))
    page = stage.visit(None, "fr").get(f"{P}/dictionary/register").text
    assert 'data-testid="version">2005.2<' in page
    assert "<code>national_register</code>" in page
    assert "Identifiant indirect" in page
    assert "Recueillie dès février 2005" in page
    assert "Recueillie jusqu’en juin 2005" in page
    assert "Sexes (version ISO 5218:2004)" in " ".join(page.split())
    rent = page[page.index('<tr id="rent"') :]
    finest, coarsest = rent.index('data-testid="level-raw"'), rent.index('data-testid="level-class"')
    assert finest < coarsest < rent.index("<strong>par défaut</strong>")
    assert "<code>wage_classes</code>" in rent
    jobs = stage.visit(None, "fr").get(f"{P}/dictionary/lmp_jobs").text
    person = jobs[jobs.index('data-testid="unit-person"') :].partition("</tr>")[0]
    assert f'<a href="{P}/dictionary/lmp_residence"><code>lmp_residence</code></a>' in person
    assert "register" not in person.replace("national_register", "")


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("fr", 'data-testid="description" lang="en">Per month.<'),
        ("en", 'data-testid="description">Per month.<'),
    ],
)
def test_a_description_in_another_language_says_so(published: Stage, language: str, shown: str) -> None:
    assert shown in published.visit(None, language).get(f"{P}/dictionary/register").text


def test_a_description_is_read_in_the_readers_language(tmp_path: Path) -> None:
    stage = make_stage(tmp_path, filled=False)
    stage.portal.catalogue.publish(read(Dictionary, LMP / "lmp_jobs.yaml"))
    address = f"{P}/dictionary/lmp_jobs"
    assert 'data-testid="description">Treize chiffres.' in stage.visit(None, "fr").get(address).text
    assert (
        'data-testid="description" lang="de">Dreizehn Ziffern.' in stage.visit(None, "de").get(address).text
    )
