"""The codebook of an extract as DDI-Codebook 2.5: one `fileDscr` per table, one `var` per delivered column.

https://ddialliance.org/Specification/DDI-Codebook/2.5/. The order of elements is the schema's.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

NAMESPACE = "ddi:codebook:2_5"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# XML 1.0 has no way to write these, not even escaped.
_UNWRITABLE = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_LANGUAGES = ("fr", "en", "de")


def codebook_ddi(codebook: dict[str, Any]) -> bytes:
    """The content of `codebook.json` as UTF-8 XML."""
    root = ET.Element("codeBook", {"xmlns": NAMESPACE, "version": "2.5", _LANG: "fr"})
    _study(ET.SubElement(root, "stdyDscr"), codebook)
    for number, table in enumerate(codebook["tables"], start=1):
        _file(ET.SubElement(root, "fileDscr", {"ID": f"F{number}"}), table)
    described = ET.SubElement(root, "dataDscr")
    for number, table in enumerate(codebook["tables"], start=1):
        for column in table["columns"]:
            _variable(described, column, number)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, {name: _writable(value) for name, value in attributes.items()})
    if text is not None:
        element.text = _writable(text)
    return element


def _add_all(parent: ET.Element, tag: str, text: dict[str, str]) -> None:
    """One element per language in which the text is there."""
    for language in _LANGUAGES:
        if language in text:
            _add(parent, tag, text[language]).set(_LANG, language)


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)


def _study(study: ET.Element, codebook: dict[str, Any]) -> None:
    citation = _add(study, "citation")
    title = _add(citation, "titlStmt")
    _add(title, "titl", f"Extrait du projet {codebook['project']}").set(_LANG, "fr")
    _add(title, "parTitl", f"Extract of the project {codebook['project']}").set(_LANG, "en")
    _add(title, "IDNo", codebook["project"])
    producers = _add(citation, "prodStmt")
    for source in codebook["sources"]:
        _add(producers, "producer", source["origin"])
    information = _add(study, "stdyInfo")
    for source in codebook["sources"]:
        _add_all(information, "abstract", source["description"])
    summary = _add(information, "sumDscr")
    for source in codebook["sources"]:
        for event, name in (("start", "first"), ("end", "last")):
            day = source["reference_period"][name]
            _add(summary, "timePrd", day, event=event, date=day)
    use = _add(_add(study, "dataAccs"), "useStmt")
    for licence in dict.fromkeys(source["licence"] for source in codebook["sources"]):
        _add(use, "conditions", licence)


def _file(described: ET.Element, table: dict[str, Any]) -> None:
    text = _add(described, "fileTxt")
    _add(text, "fileName", table["file"])
    # `fileCont` may stand once only; a citation has its title in other languages too.
    title = _add(_add(text, "fileCitation"), "titlStmt")
    for language in _LANGUAGES:
        if language in table["title"]:
            said = table["title"][language]
            _add(title, "titl" if language == "fr" else "parTitl", said).set(_LANG, language)
    _add(_add(text, "dimensns"), "varQnty", str(len(table["columns"])))
    _add(text, "fileType", "Parquet")


def _variable(parent: ET.Element, column: dict[str, Any], file: int) -> None:
    name, kind = column["name"], column["type"]
    continuous = "codes" not in column and column["role"] == "variable" and kind in ("integer", "float")
    element = _add(
        parent,
        "var",
        ID=f"V{file}_{name}",
        name=name,
        files=f"F{file}",
        intrvl="contin" if continuous else "discrete",
    )
    _add_all(element, "labl", column["label"])
    if column.get("sensitivity") == "sensitive":
        _add(element, "security", "Donnée sensible. Sensitive.")
    limits = {
        short: str(column[name]) for name, short in (("minimum", "min"), ("maximum", "max")) if name in column
    }
    if limits:
        units = "INT" if kind == "integer" else "REAL"
        _add(_add(element, "valrng"), "range", UNITS=units, **limits)
    described = column.get("description", "")
    if described:
        _add_all(element, "txt", {"en": described} if isinstance(described, str) else described)
    for code in column.get("codes", ()):
        category = _add(element, "catgry")
        _add(category, "catValu", str(code["value"]))
        _add_all(category, "labl", code["label"])
    form = _add(element, "varFormat", kind, type="character" if kind in ("string", "date") else "numeric")
    if kind == "date":
        form.set("category", "date")
    for note in ("unit", "level"):
        if note in column:
            _add(element, "notes", column[note], type=note)
