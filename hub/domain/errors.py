"""Refusals: a stable code, a sentence for people in two languages, and the field it is about.

Messages never carry data, tokens or paths of the vault; callers branch on `code`, never on text.
"""

from __future__ import annotations


class Refused(Exception):  # the house's word: nothing failed, something was refused
    """Something was asked that is not to be done. Nothing has been changed.

    `code` is stable; `en` and `fr` are public sentences; `field` names the input to mend.
    """

    def __init__(self, code: str, en: str, fr: str | None = None, *, field: str | None = None) -> None:
        super().__init__(en)
        self.code = code
        self.en = en
        self.fr = fr if fr is not None else en
        self.field = field

    def message(self, language: str) -> str:
        """The sentence in `language` (French for 'fr…', English otherwise)."""
        return self.fr if language.lower().startswith("fr") else self.en


class PermissionDenied(Refused):
    """The actor may not do this to this subject."""


class NotFound(Refused):
    """No such thing, or none that this actor may know of."""


class Conflict(Refused):
    """The thing's present state does not allow this."""


class DocumentError(Refused):
    """A YAML document is not what it must be: `file`, `line` (from 1) and `key` say where."""

    def __init__(
        self, code: str, en: str, fr: str | None = None, *, file: str, line: int | None, key: str | None
    ) -> None:
        where = file if line is None else f"{file}:{line}"
        super().__init__(code, f"{where}: {en}", f"{where} : {fr if fr is not None else en}", field=key)
        self.file = file
        self.line = line
        self.key = key


class IntegrityError(Refused):
    """Stored bytes or records are not what was recorded. Never answered with the bytes."""
