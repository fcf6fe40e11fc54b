"""What rewriting a file gives: the parts that may leave, what was changed, and what was seen on the way."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.checks.findings import Finding, Place, Severity, UnreadableReport, finding_from_json
from hub.checks.identifiers import Text
from hub.checks.intake import CONVERTED, EXTENSIONS, MEDIA_TYPES, Kind, extension_of
from hub.checks.sentences import finding


@dataclass(frozen=True, slots=True)
class Part:
    """One rewritten file: what is reviewed and, once approved, released, byte for byte.

    `changes` are those of a member of an archive; None for a part that shares all changes of its file.
    """

    name: str
    kind: Kind
    data: bytes
    changes: Sequence[Finding] | None = None

    @property
    def media_type(self) -> str:
        """The media type of `kind`."""
        return MEDIA_TYPES[self.kind]


class CannotRewrite(Exception):
    """Nothing of the file can leave; `findings` say why, the first of them a BLOCK."""

    def __init__(self, findings: Sequence[Finding], seen: Sequence[Text]) -> None:
        super().__init__(findings[0].rule)
        self.findings = tuple(findings)
        self.seen = tuple(seen)


@dataclass
class Rewriting:
    """A rewriting under way. `seen`: texts of the original that are searched for identifiers, since what
    does not leave may still be evidence."""

    parts: list[Part] = field(default_factory=list)
    changes: list[Finding] = field(default_factory=list)
    seen: list[Text] = field(default_factory=list)

    def note(self, rule: str, place: Place | None = None, /, **values: Any) -> None:
        """A change that loses nothing."""
        self.changes.append(finding(rule, Severity.NOTE, place, **values))

    def doubt(self, rule: str, place: Place | None = None, /, **values: Any) -> None:
        """A change that a person must know of."""
        self.changes.append(finding(rule, Severity.REVIEW, place, **values))

    def charge(self, rule: str, place: Place | None = None, /, **values: Any) -> None:
        """Something that had no business in the file."""
        self.changes.append(finding(rule, Severity.BLOCK, place, **values))

    def refusal(self, rule: str, place: Place | None = None, /, **values: Any) -> CannotRewrite:
        """The exception for a file of which nothing can leave; it carries the changes noted so far."""
        return CannotRewrite((finding(rule, Severity.BLOCK, place, **values), *self.changes), self.seen)


@dataclass(frozen=True, slots=True)
class Canonical:
    """A file rewritten. No `parts`: nothing of it can leave, and `changes` hold the BLOCK that says why."""

    parts: Sequence[Part]
    changes: Sequence[Finding]
    seen: Sequence[Text] = ()

    @property
    def doubts(self) -> Sequence[Finding]:
        """The changes that count for the verdict; the others lose nothing and are only told."""
        return doubts_of(self.changes)

    def changes_of(self, part: Part) -> Sequence[Finding]:
        """What was changed on the way to one part."""
        return self.changes if part.changes is None else part.changes


def doubts_of(changes: Sequence[Finding]) -> Sequence[Finding]:
    """The changes that are more than a note."""
    return tuple(one for one in changes if one.severity is not Severity.NOTE)


def dump_canonical(made: Canonical) -> str:
    """Parts and changes as strict JSON, readable by `load_canonical`; what was seen stays in the process."""
    parts = [
        {
            "name": part.name,
            "kind": part.kind.value,
            "data": base64.b64encode(part.data).decode("ascii"),
            "changes": None if part.changes is None else [one.to_json() for one in part.changes],
        }
        for part in made.parts
    ]
    changes = [one.to_json() for one in made.changes]
    return json.dumps({"version": 1, "parts": parts, "changes": changes}, ensure_ascii=True, allow_nan=False)


def load_canonical(text: bytes) -> Canonical:
    """The inverse of `dump_canonical`. Raises `UnreadableReport` on anything unexpected, on a part of a kind
    that is never released as it is, and on no part without a BLOCK that says why."""
    try:
        raw = json.loads(text)
        if not isinstance(raw, dict) or set(raw) != {"version", "parts", "changes"} or raw["version"] != 1:
            raise UnreadableReport("keys")
        parts = tuple(_part_from_json(part) for part in raw["parts"])
        changes = tuple(finding_from_json(change) for change in raw["changes"])
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise UnreadableReport("not a rewriting") from error
    if not parts and all(one.severity is not Severity.BLOCK for one in changes):
        raise UnreadableReport("nothing and no reason")
    return Canonical(parts, changes)


def _part_from_json(raw: Any) -> Part:
    keys = {"name", "kind", "data", "changes"}
    if not isinstance(raw, dict) or set(raw) != keys or not isinstance(raw["name"], str):
        raise UnreadableReport("part")
    kind = Kind(raw["kind"])
    if kind in CONVERTED or not raw["name"] or EXTENSIONS.get(extension_of(raw["name"])) is not kind:
        raise UnreadableReport("kind of a part")
    changes = raw["changes"]
    told = None if changes is None else tuple(finding_from_json(change) for change in changes)
    return Part(raw["name"], kind, base64.b64decode(raw["data"], validate=True), told)
