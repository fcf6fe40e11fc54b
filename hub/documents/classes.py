"""Class schemes: how values become classes. One YAML file per scheme in `policies/classes/`.

    kind: bands    numbers between edges: `from` (absent: open below), then `below` of every class; the
                   last class may have none (open above, which is what top-coding means)
    kind: groups   codes by the group that each belongs to
    kind: dates    dates cut to the first day of their month, quarter or year

Codes are whole numbers in ascending order. Extracts hold the codes, codebooks the labels: a small
integer is read alike by R, Stata and pandas, keeps its order, and favours no language.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, RootModel, field_validator, model_validator

from hub.documents import yaml
from hub.documents.base import Document, Text, bad_value, parse, read_text
from hub.domain.errors import DocumentError

ClassName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
ClassCode = Annotated[int, Field(ge=0, le=9999)]


class Band(Document):
    """The values under `below` that no band before has."""

    code: ClassCode
    below: int | float | None = None
    label: Text


class Group(Document):
    """The codes of a variable that belong together."""

    code: ClassCode
    members: tuple[int | str, ...] = Field(min_length=1)
    label: Text


class _Scheme(Document):
    name: ClassName
    title: Text

    @property
    def digest(self) -> str:
        """SHA-256 of the meaning: comments do not count."""
        content = self.model_dump(mode="json", by_alias=True)
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _ascending(codes: list[int]) -> None:
    if any(one >= two for one, two in pairwise(codes)):
        raise bad_value("the codes must ascend", "les codes doivent être croissants")


class BandScheme(_Scheme):
    """Numbers in bands. A band holds its lower edge and not its upper one."""

    kind: Literal["bands"]
    lowest: int | float | None = Field(default=None, alias="from")
    classes: tuple[Band, ...] = Field(min_length=1, max_length=1000)

    @field_validator("classes")
    @classmethod
    def _in_order(cls, classes: tuple[Band, ...]) -> tuple[Band, ...]:
        _ascending([band.code for band in classes])
        if any(band.below is None for band in classes[:-1]):
            raise bad_value(
                "only the last class may be without below", "seule la dernière classe peut être sans below"
            )
        return classes

    @model_validator(mode="after")
    def _edges_ascend(self) -> BandScheme:
        edges = [edge for edge in (self.lowest, *(band.below for band in self.classes)) if edge is not None]
        if any(one >= two for one, two in pairwise(edges)):
            raise bad_value("the edges must ascend", "les bornes doivent être croissantes")
        if any(isinstance(edge, int) and abs(edge) > 2**53 for edge in edges):
            raise bad_value("an edge is beyond 2^53", "une borne dépasse 2^53")
        return self

    @property
    def top_code(self) -> int | float | None:
        """From where on values are not told apart; None where the last class has an upper edge."""
        if self.classes[-1].below is not None:
            return None
        return self.classes[-2].below if len(self.classes) > 1 else self.lowest


class GroupScheme(_Scheme):
    """Codes in groups; a code that belongs to none cannot be delivered."""

    kind: Literal["groups"]
    classes: tuple[Group, ...] = Field(min_length=1, max_length=1000)

    @field_validator("classes")
    @classmethod
    def _each_once(cls, classes: tuple[Group, ...]) -> tuple[Group, ...]:
        _ascending([group.code for group in classes])
        members = [member for group in classes for member in group.members]
        if len({type(member) for member in members}) != 1:
            raise bad_value("members are all numbers or all text", "les membres sont tous nombres ou textes")
        if len(set(members)) != len(members):
            raise bad_value("a member belongs to two groups", "un membre appartient à deux groupes")
        return classes


class DateScheme(_Scheme):
    """Dates cut to the first day of a period: a date is what every program can count with."""

    kind: Literal["dates"]
    cut: Literal["month", "quarter", "year"]

    def start(self, day: date) -> date:
        """The first day of the period around `day`."""
        month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[self.cut]
        return date(day.year, month, 1)


ClassScheme = BandScheme | GroupScheme | DateScheme
ClassSchemes = Mapping[str, ClassScheme]
NO_SCHEMES: ClassSchemes = MappingProxyType({})

_MODELS: dict[str, type[ClassScheme]] = {
    "bands": BandScheme,
    "groups": GroupScheme,
    "dates": DateScheme,
}


class ClassesFile(RootModel[Annotated[ClassScheme, Field(discriminator="kind")]]):
    """One file of `policies/classes/`, for its JSON Schema."""


def parse_scheme(text: str, *, name: str) -> ClassScheme:
    """The scheme in `text`; DocumentError naming `name`, line and key where it is not one."""
    loaded = yaml.load(text, name=name)
    kind = loaded.value.get("kind")
    model = _MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        words = ", ".join(_MODELS)
        raise DocumentError(
            "bad_value" if "kind" in loaded.value else "missing_key",
            f"“kind” must be one of {words}",
            f"« kind » doit être parmi {words}",
            file=name,
            line=loaded.line(("kind",)),
            key="kind",
        )
    return parse(model, text, name=name)


def scheme_files(policies: Path) -> Iterator[tuple[str, Path]]:
    """Name for messages (`classes/month.yaml`) and path of every scheme of a directory of policies."""
    for path in sorted((policies / "classes").glob("*.y*ml")):
        yield f"classes/{path.name}", path


def parse_schemes(texts: Mapping[str, str]) -> ClassSchemes:
    """The schemes of these files (`classes/month.yaml` → text) by name; each is called like its file."""
    schemes: dict[str, ClassScheme] = {}
    for shown, text in texts.items():
        scheme = parse_scheme(text, name=shown)
        if shown != f"classes/{scheme.name}.yaml":
            raise DocumentError(
                "bad_value",
                f"“name” and the file’s name differ: {scheme.name}.yaml was expected",
                f"« name » et le nom du fichier diffèrent : {scheme.name}.yaml était attendu",
                file=shown,
                line=None,
                key="name",
            )
        schemes[scheme.name] = scheme
    return MappingProxyType(schemes)


def load_schemes(policies: Path) -> ClassSchemes:
    """The class schemes of a directory of policies; DocumentError where one is in doubt."""
    return parse_schemes({shown: read_text(path, name=shown) for shown, path in scheme_files(policies)})
