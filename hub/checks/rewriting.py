"""What rewriting a file gives: the parts that may leave, what was changed, and what was seen on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.checks.findings import Finding, Place, Severity
from hub.checks.identifiers import Text
from hub.checks.intake import MEDIA_TYPES, Kind
from hub.checks.sentences import finding


@dataclass(frozen=True, slots=True)
class Part:
    """One rewritten file: what is reviewed and, once approved, released, byte for byte."""

    name: str
    kind: Kind
    data: bytes

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
        return tuple(one for one in self.changes if one.severity is not Severity.NOTE)
