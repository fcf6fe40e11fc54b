"""The model every document derives from, and the way from YAML text to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)
from pydantic_core import PydanticCustomError

from hub.documents import yaml
from hub.domain.errors import DocumentError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class Document(BaseModel):
    """Frozen, strict, closed: no unknown key, no conversion of types, no infinity."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        validate_by_alias=True,
        validate_by_name=True,
    )


class Sparse(Document):
    """A document whose absent optional keys are left out of its content: what is added to a form later
    does not change the hash of what was written before."""

    @model_serializer(mode="wrap")
    def _without_what_is_not_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        return {
            name: value
            for name, value in content.items()
            if value is not None or type(self).model_fields[name].default is not None
        }


class Text(Sparse):
    """A sentence or word in French and English, and in German where it was translated."""

    fr: str = Field(min_length=1)
    en: str = Field(min_length=1)
    de: str | None = Field(default=None, min_length=1)

    def __getitem__(self, language: str) -> str:
        language = language.lower()
        if language.startswith("de") and self.de is not None:
            return self.de
        return self.fr if language.startswith("fr") else self.en

    def translations(self) -> dict[str, str]:
        """The text in each language that it has, by the language's code."""
        every = {"fr": self.fr, "en": self.en}
        return every if self.de is None else every | {"de": self.de}


M = TypeVar("M", bound=Document)


def bad_value(en: str, fr: str) -> PydanticCustomError:
    """What a validator of a document raises: a public sentence in two languages, without values.

    The texts may not contain braces (pydantic would fill them in).
    """
    return PydanticCustomError("bad_value", "{en}", {"en": en, "fr": fr})


def parse(model: type[M], text: str, *, name: str) -> M:
    """The document in `text`; DocumentError naming `name`, line and key where it is not one."""
    document, refusals = parse_all(model, text, name=name)
    if document is None:
        # An unknown key first: it is often the misspelt one that is said to be missing.
        raise min(refusals, key=lambda r: (r.code != "unknown_key", r.line or 0))
    return document


def parse_all(model: type[M], text: str, *, name: str) -> tuple[M | None, list[DocumentError]]:
    """The document in `text`, or None and everything that is wrong with it, in the document's order.

    What is not YAML at all is one DocumentError, raised.
    """
    loaded = yaml.load(text, name=name)
    try:
        # JSON mode: strict, but lists become tuples and texts become enums and dates.
        return model.model_validate_json(json.dumps(loaded.value), by_alias=True, by_name=False), []
    except ValidationError as error:
        refusals = [_refusal(details, loaded) for details in error.errors(include_url=False)]
        return None, sorted(refusals, key=lambda refusal: refusal.line or 0)


def read(model: type[M], path: Path, *, name: str | None = None) -> M:
    """`parse` of the file at `path`, called `name` (by default its last part) in messages."""
    shown = name if name is not None else path.name
    return parse(model, read_text(path, name=shown), name=shown)


def read_text(path: Path, *, name: str) -> str:
    """The UTF-8 text of `path`, or a DocumentError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError:
        raise DocumentError(
            "unreadable",
            "the file cannot be read",
            "le fichier ne peut pas être lu",
            file=name,
            line=None,
            key=None,
        ) from None
    except UnicodeDecodeError:
        raise DocumentError(
            "not_utf8",
            "the file is not UTF-8 text",
            "le fichier n’est pas un texte UTF-8",
            file=name,
            line=None,
            key=None,
        ) from None


_EXPECTED = {
    "int": ("a whole number", "un nombre entier"),
    "float": ("a number", "un nombre"),
    "string": ("text", "un texte"),
    "bool": ("true or false", "true ou false"),
    "list": ("a list", "une liste"),
    "tuple": ("a list", "une liste"),
    "set": ("a list", "une liste"),
    "frozen_set": ("a list", "une liste"),
    "dict": ("keys and values", "des clés et des valeurs"),
    "model": ("keys and values", "des clés et des valeurs"),
    "model_attributes": ("keys and values", "des clés et des valeurs"),
    "date": ("a date such as 2026-01-31", "une date telle que 2026-01-31"),
    "datetime": ("a time such as 2026-01-31T17:00:00Z", "une heure telle que 2026-01-31T17:00:00Z"),
    "timezone": ("a time with its zone (…Z or …+01:00)", "une heure avec son fuseau (…Z ou …+01:00)"),
}
_LIMITS = {
    "greater_than": ("more than {gt}", "supérieur à {gt}"),
    "greater_than_equal": ("at least {ge}", "au moins {ge}"),
    "less_than": ("less than {lt}", "inférieur à {lt}"),
    "less_than_equal": ("at most {le}", "au plus {le}"),
    "string_too_short": ("at least {min_length} characters long", "long d’au moins {min_length} caractères"),
    "string_too_long": ("at most {max_length} characters long", "long d’au plus {max_length} caractères"),
    "too_short": ("at least {min_length} long", "d’au moins {min_length} éléments"),
    "too_long": ("at most {max_length} long", "d’au plus {max_length} éléments"),
    "string_pattern_mismatch": ("written like {pattern}", "de la forme {pattern}"),
    "enum": ("one of {expected}", "parmi {expected}"),
    "literal_error": ("one of {expected}", "parmi {expected}"),
}


def _refusal(details: ErrorDetails, loaded: yaml.Loaded) -> DocumentError:
    kind = details["type"]
    path = _path(details, loaded)
    key = yaml.dotted(path)
    code, en, fr = _sentence(kind, key, details)
    # A missing key has no line of its own: the line of what should contain it is named.
    return DocumentError(code, en, fr, file=loaded.name, line=loaded.line(path), key=key or None)


def _path(details: ErrorDetails, loaded: yaml.Loaded) -> yaml.Path:
    """pydantic's location as the path in the document.

    It contains names of branches of unions beside keys, and a branch may be called like a key: so
    every reading that leads to something in the document is followed, and the longest is taken.
    """
    parts = [part for part in details["loc"] if part != "[key]"]
    missing = parts.pop() if details["type"] == "missing" and parts else None
    readings: set[yaml.Path] = {()}
    for part in parts:
        readings |= {(*path, part) for path in readings if (*path, part) in loaded.lines}
    last = parts[-1:]
    path = max(readings, key=lambda reading: (list(reading[-1:]) == last, len(reading)))
    return path if missing is None else (*path, missing)


def _sentence(kind: str, key: str, details: ErrorDetails) -> tuple[str, str, str]:
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown_key", f"unknown key “{key}”", f"clé inconnue « {key} »"
    if kind in ("missing", "union_tag_not_found"):
        return "missing_key", f"the key “{key}” is missing", f"la clé « {key} » manque"
    if kind == "bad_value":
        return "bad_value", f"“{key}”: {context['en']}", f"« {key} » : {context['fr']}"
    if kind in _LIMITS:
        en, fr = _LIMITS[kind]
        en, fr = en.format(**context), fr.format(**context)
        return "bad_value", f"“{key}” must be {en}", f"« {key} » doit être {fr}"
    base = kind.removesuffix("_type").removesuffix("_parsing").removesuffix("_from_date")
    for name in (base, base.partition("_")[0]):
        if name in _EXPECTED:
            en, fr = _EXPECTED[name]
            return "wrong_type", f"“{key}” must be {en}", f"« {key} » doit être {fr}"
    return "bad_value", f"“{key}” has a value that is not allowed", f"« {key} » a une valeur non admise"
