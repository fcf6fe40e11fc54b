"""A request for the source of `factories.dictionary`, ready to be sent, and offices to send it to."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from hub.actions import conditions, request_reviews, requests
from hub.actions.ports import Catalogue, Office
from hub.adapters.catalogue import FileCatalogue
from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.domain.requests import DataRequest
from tests import factories
from tests.factories import NOW, actor

TEXT = """\
slug: pay-gap
title: "L’écart salarial entre femmes et hommes"
purpose: "Mesurer l’écart salarial à qualification égale."
use: statistical
kind: public-data
legal_bases: ["RGPD, article 89"]
institutions:
  - {name: "Université du Luxembourg", country: LU}
people:
  - {username: ana, institution: "Université du Luxembourg", expertise: "Dix ans d’économétrie."}
tier: open
starts_at: 2026-03-02
ends_at: 2026-12-31
destroy_by: 2027-01-31
retain_until: 2028-01-31
populations:
  - name: everyone
    source: register
    unit: person
datasets:
  - name: pay
    source: register
    of: [everyone]
    units: [person]
    columns:
      - sex
      - variable: wage
        level: raw
        justification: "L’écart se calcule sur les montants."
"""

# For what runs by the machine's own clock.
LASTING = TEXT.replace("ends_at: 2026-12-31", "ends_at: 2099-12-31").replace(
    "destroy_by: 2027-01-31\nretain_until: 2028-01-31", "destroy_by: 2100-01-31"
)


def dictionary() -> Dictionary:
    """`register`, whose wages are delivered in classes by default, in bands or as they are with a
    reason. Of three people each sex has fewer than five: the risk report is red."""
    levels = "unit: EUR, levels: {raw: ~, band: wage_bands, class: wage_classes},"
    text = factories.DICTIONARY.replace("unit: EUR,", levels)
    text = text.replace("sex: {type: integer,", "sex: {type: integer, identifying: indirect,")
    return parse(Dictionary, text, name="register.yaml")


def make_catalogue(folder: Path) -> Catalogue:
    """The public dictionary of `register`."""
    catalogue = FileCatalogue(folder / "catalogue")
    catalogue.publish(dictionary())
    return catalogue


def draft(office: Office, catalogue: Catalogue, text: str = TEXT, who: str = "ana") -> DataRequest:
    return requests.start_request(office, catalogue, text=text, by=actor(who), now=NOW)


def sent(office: Office, catalogue: Catalogue, text: str = TEXT) -> DataRequest:
    made = draft(office, catalogue, text)
    return requests.send_request(office, catalogue, request_id=made.id, by=actor("ana"), now=NOW)


def approved(office: Office, catalogue: Catalogue, text: str = TEXT) -> DataRequest:
    made = sent(office, catalogue, text)
    return request_reviews.decide_request(
        office,
        catalogue,
        request_id=made.id,
        ruling=request_reviews.Ruling(1, "approve", accept_rest=True),
        by=actor("bob"),
        now=NOW,
    )


def meet_conditions(office: Office, request: DataRequest) -> None:
    """Record the licence, the one condition of public data."""
    conditions.record_condition(
        office,
        request_id=request.id,
        condition="licence",
        about="",
        paper=conditions.Paper("Licence CC0, lue", date(2026, 1, 15)),
        by=actor("bob"),
        now=NOW,
    )
