"""The form of a new project, read through the same strict document as the command line's file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from hub.documents import parse, yaml
from hub.documents.projects import ProjectDocument
from hub.domain.errors import DocumentError, Refused

FORM = "form"
FIELDS = (
    "slug",
    "title",
    "kind",
    "purpose",
    "people",
    "tier",
    "starts_at",
    "ends_at",
    "extract.source",
    "extract.columns",
    "extract.filter",
)


def read_form(form: Mapping[str, list[str]]) -> ProjectDocument:
    """The project in the form; DocumentError with the field's key where it is not one."""

    def one(name: str) -> str:
        return (form.get(name) or [""])[0].strip()

    extract: dict[str, Any] = {
        "source": one("extract.source"),
        "columns": re.split(r"[\s,;]+", one("extract.columns").strip(" ,;"))
        if one("extract.columns")
        else [],
        "household": one("extract.household") == "yes",
    }
    if one("extract.filter"):
        extract["filter"] = _read_filter(one("extract.filter"))
    given: dict[str, Any] = {
        name: one(name) for name in ("slug", "title", "kind", "purpose", "tier", "starts_at", "ends_at")
    }
    given["people"] = [name for name in form.get("people", []) if name]
    given["extract"] = extract
    return parse(ProjectDocument, json.dumps(given), name=FORM)


def _read_filter(text: str) -> Any:
    try:
        return yaml.load(text, name=FORM).value
    except DocumentError as error:
        where = f"{FORM}:{error.line}: " if error.line is not None else f"{FORM}: "
        en, fr = error.en.removeprefix(where), error.fr.partition(" : ")[2] or error.fr
        line = error.line or 1
        raise Refused(
            error.code, f"Line {line}: {en}", f"Ligne {line} : {fr}", field="extract.filter"
        ) from error


def field_of(error: Refused) -> str | None:
    """The form's field that the refusal is about; None where it is about none of them."""
    field = error.field or ""
    for name in FIELDS:
        if field == name or field.startswith((f"{name}[", f"{name}.")):
            return name
    return None
