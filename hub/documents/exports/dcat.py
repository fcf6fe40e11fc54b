"""DCAT-AP 3 as JSON-LD (https://semiceu.github.io/DCAT-AP/releases/3.0.0/)."""

from __future__ import annotations

from typing import Any

from hub.documents.base import Text
from hub.documents.dictionaries import Dictionary

_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_AUTHORITY = "http://publications.europa.eu/resource/authority"
# Licences with an address of their own; any other is given by its words.
_LICENCES = {
    "CC0-1.0": f"{_AUTHORITY}/licence/CC0",
    "CC-BY-4.0": f"{_AUTHORITY}/licence/CC_BY_4_0",
    "CC-BY-SA-4.0": f"{_AUTHORITY}/licence/CC_BYSA_4_0",
}
_LANGUAGES = {"fr": "FRA", "en": "ENG", "de": "DEU"}


def dcat(dictionary: Dictionary, *, page: str) -> dict[str, Any]:
    """The source as a `dcat:Dataset` whose address is `page`, its public page.

    There is no `dcat:Distribution`: from here the data can be seen inside the research desktop only, which is
    what the access right says, unless anyone may have the same data from their producer.
    """
    period = dictionary.reference_period
    right = "PUBLIC" if dictionary.access == "open" else "RESTRICTED"
    told = {
        "@context": _CONTEXT,
        "@id": f"{page}#dataset",
        "@type": "dcat:Dataset",
        "dct:identifier": dictionary.name,
        "dct:title": _tagged(dictionary.title),
        "dct:description": _tagged(dictionary.description),
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": dictionary.origin},
        "dct:language": [
            _linguistic_system(_LANGUAGES[language]) for language in dictionary.title.translations()
        ],
        "dct:license": _licence(dictionary.licence),
        "dct:accessRights": {"@id": f"{_AUTHORITY}/access-right/{right}", "@type": "dct:RightsStatement"},
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _day(period.first.isoformat()),
            "dcat:endDate": _day(period.last.isoformat()),
        },
        "dcat:keyword": [word for unit in dictionary.unit_types.values() for word in _tagged(unit.title)],
        "dcat:landingPage": {"@id": page, "@type": "foaf:Document"},
        "dct:conformsTo": {"@id": f"{page}/table-schema.json", "@type": "dct:Standard"},
        "foaf:page": [
            {"@id": f"{page}/{name}", "@type": "foaf:Document"} for name in ("ddi.xml", "table-schema.json")
        ],
    }
    return told if dictionary.version is None else told | {"dcat:version": dictionary.version}


def _tagged(text: Text) -> list[dict[str, str]]:
    return [{"@value": said, "@language": language} for language, said in text.translations().items()]


def _licence(words: str) -> dict[str, Any]:
    if words in _LICENCES:
        return {"@id": _LICENCES[words], "@type": "dct:LicenseDocument"}
    return {"@type": "dct:LicenseDocument", "rdfs:label": words}


def _linguistic_system(code: str) -> dict[str, str]:
    return {"@id": f"{_AUTHORITY}/language/{code}", "@type": "dct:LinguisticSystem"}


def _day(text: str) -> dict[str, str]:
    return {"@value": text, "@type": "xsd:date"}
