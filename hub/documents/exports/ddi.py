"""DDI-Codebook 2.5 (https://ddialliance.org/Specification/DDI-Codebook/2.5/).

The order of elements is the schema's. Texts stand once per language, told apart by `xml:lang`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from hub.documents.base import Text
from hub.documents.dictionaries import CodeList, Dictionary, Variable, VariableType
from hub.domain.levels import default_level

NAMESPACE = "ddi:codebook:2_5"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# XML 1.0 has no way to write these, not even escaped.
_UNWRITABLE = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
# The schema allows one `security` element, so both languages stand in it.
_DIRECT = "Identifiant direct, jamais remis. Direct identifier, never delivered."
_SENSITIVE = "Donnée sensible. Sensitive."
_CHARACTER = frozenset({VariableType.STRING, VariableType.DATE})


def ddi_codebook(dictionary: Dictionary, *, page: str) -> bytes:
    """The codebook as UTF-8 XML; `page` is the address of the source's public page."""
    root = ET.Element("codeBook", {"xmlns": NAMESPACE, "version": "2.5", _LANG: "fr"})
    _study(ET.SubElement(root, "stdyDscr"), dictionary, page)
    _file(ET.SubElement(root, "fileDscr", {"ID": "F1"}), dictionary)
    described = ET.SubElement(root, "dataDscr")
    for name, variable in dictionary.variables.items():
        _variable(described, name, variable, dictionary.code_lists or {})
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, {name: _writable(value) for name, value in attributes.items()})
    if text is not None:
        element.text = _writable(text)
    return element


def _add_each(parent: ET.Element, tag: str, text: Text) -> None:
    for language, said in text.translations().items():
        _add(parent, tag, said).set(_LANG, language)


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)


def _study(study: ET.Element, dictionary: Dictionary, page: str) -> None:
    citation = _add(study, "citation")
    title = _add(citation, "titlStmt")
    for language, said in dictionary.title.translations().items():
        _add(title, "titl" if language == "fr" else "parTitl", said).set(_LANG, language)
    _add(title, "IDNo", dictionary.name)
    _add(_add(citation, "prodStmt"), "producer", dictionary.origin)
    if dictionary.version is not None:
        _add(_add(citation, "verStmt"), "version", dictionary.version)
    _add(citation, "holdings", URI=page)
    information = _add(study, "stdyInfo")
    _add_each(information, "abstract", dictionary.description)
    summary = _add(information, "sumDscr")
    period = dictionary.reference_period
    for event, day in (("start", period.first), ("end", period.last)):
        _add(summary, "timePrd", day.isoformat(), event=event, date=day.isoformat())
    for unit in dictionary.unit_types.values():
        _add_each(summary, "anlyUnit", unit.title)
    use = _add(_add(study, "dataAccs"), "useStmt")
    _add(use, "conditions", dictionary.licence)


def _file(described: ET.Element, dictionary: Dictionary) -> None:
    text = _add(described, "fileTxt")
    _add(text, "fileName", dictionary.name)
    _add(_add(text, "dimensns"), "varQnty", str(len(dictionary.variables)))
    _add(text, "fileType", dictionary.file.format)
    for name, unit in dictionary.unit_types.items():
        said = f"key: {', '.join(unit.key)}; pseudonym: {unit.pseudonym}"
        if unit.registry is not None:
            said += f"; register: {unit.registry}"
        _add(described, "notes", said, type="unit", subject=name)


def _variable(parent: ET.Element, name: str, variable: Variable, lists: Mapping[str, CodeList]) -> None:
    continuous = variable.codes is None and variable.type in (VariableType.INTEGER, VariableType.FLOAT)
    element = _add(
        parent, "var", ID=f"V_{name}", name=name, files="F1", intrvl="contin" if continuous else "discrete"
    )
    _add_each(element, "labl", variable.label)
    if not variable.deliverable:
        _add(element, "security", _DIRECT)
    elif variable.sensitivity == "sensitive":
        _add(element, "security", _SENSITIVE)
    _range(element, variable)
    for language, said in variable.descriptions.items():
        _add(element, "txt", said).set(_LANG, language)
    if variable.code_list is not None:
        listed = lists[variable.code_list]
        _add(element, "stdCatgry", f"{variable.code_list}, {listed.version}")
    for code in variable.codes or ():
        category = _add(element, "catgry")
        _add(category, "catValu", str(code.value))
        _add_each(category, "labl", code.label)
    kind = "character" if variable.type in _CHARACTER else "numeric"
    form = _add(element, "varFormat", variable.type.value, type=kind)
    if variable.type is VariableType.DATE:
        form.set("category", "date")
    if variable.unit:
        _add(element, "notes", variable.unit, type="unit")
    for kind, said in _offer(variable).items():
        _add(element, "notes", said, type=kind)


def _offer(variable: Variable) -> dict[str, str]:
    """What a requester needs to know beside values: what it is about, when it was collected, whether it
    singles units out, at which levels it may be delivered (`level scheme`, from fine to coarse)."""
    notes = {
        "describes": variable.describes or "",
        "first": variable.first or "",
        "last": variable.last or "",
        "identifying": "" if variable.identifying == "none" else variable.identifying,
    }
    if variable.deliverable:
        offered = [
            f"{level.value} {scheme}" if scheme else level.value for level, scheme in variable.offered.items()
        ]
        notes |= {"levels": ", ".join(offered), "default": default_level(list(variable.offered)).value}
    return {kind: said for kind, said in notes.items() if said}


def _range(element: ET.Element, variable: Variable) -> None:
    limits = {
        name: str(limit)
        for name, limit in (("min", variable.minimum), ("max", variable.maximum))
        if limit is not None
    }
    if limits:
        units = "INT" if variable.type is VariableType.INTEGER else "REAL"
        _add(_add(element, "valrng"), "range", UNITS=units, **limits)
