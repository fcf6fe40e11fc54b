"""The schema of DDI-Codebook 2.5, unchanged, under its own licence (LGPL-3). Only tests read it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lxml import etree

_SCHEMA = Path(__file__).parent / "schemas" / "ddi-codebook-2.5" / "codebook.xsd"


def schema_errors(content: bytes) -> list[str]:
    """Where the XML is not what the schema says; nothing is fetched."""
    schema = _schema()
    schema.validate(etree.fromstring(content, _parser()))
    return [f"{error.line}: {error.message}" for error in schema.error_log]


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_SCHEMA), _parser()))


def _parser() -> etree.XMLParser:
    return etree.XMLParser(no_network=True)
