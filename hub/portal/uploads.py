"""A submission as it arrives: one form, then files, hashed and counted while they come.

A part `declaration` may follow the file it is about, under the file's name (hub.documents.outputs).
Nothing is believed about lengths, names or order; the first thing that is wrong ends the reading, and
leaving the vault's arrival removes what had come so far.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from hub.actions.ports import Arrival, ArrivingFile, Office
from hub.actions.submissions import check_file_name, parse_form
from hub.documents import outputs
from hub.documents.outputs import Declaration, parse_declaration
from hub.domain.errors import Refused

FORM_BYTES = 64_000
_HEADER_BYTES = 4_000
_BOUNDARY = re.compile(r'multipart/form-data;.*\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([a-z]+\*?)=(?:"([^"]*)"|([^\s;"]*))', re.IGNORECASE)


def _malformed() -> Refused:
    return Refused("bad_upload", "The upload is not well formed.", "L’envoi est mal formé.", field="files")


@dataclass
class Received:
    """What came: the form's fields, what it supersedes, the files by name in their order, and what
    declared files (by name) are said to be."""

    form: dict[str, str] = field(default_factory=dict)
    supersedes: str | None = None
    files: list[tuple[str, ArrivingFile]] = field(default_factory=list)
    declarations: dict[str, Declaration] = field(default_factory=dict)


class SubmissionReader:
    """Takes the body of an upload in chunks. Every method may raise Refused; then reading is over.
    `draft`: the form may still be empty (hub.actions.prechecks)."""

    def __init__(self, office: Office, arrival: Arrival, content_type: str, *, draft: bool = False) -> None:
        match = _BOUNDARY.match(content_type)
        if match is None:
            raise _malformed()
        self._office = office
        self._draft = draft
        self._arrival = arrival
        self._received = Received()
        self._parts = self._bytes = 0
        self._form = bytearray()
        self._file: ArrivingFile | None = None
        self._declaration: bytearray | None = None
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: dict[str, bytes] = {}
        self._ended = False
        self._parser = MultipartParser(
            (match[1] or match[2]).encode("latin-1", "replace"),
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._take_header_name,
                "on_header_value": self._take_header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._take_data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
            max_header_count=8,
            max_header_size=_HEADER_BYTES,
        )

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes. May block on the disk."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed() from error

    def finish(self) -> Received:
        """What arrived, once the body is complete; Refused `cut_short` when it is not."""
        if not self._ended:
            raise Refused(
                "cut_short",
                "The upload was cut off; nothing was kept. Please submit again.",
                "L’envoi a été interrompu ; rien n’a été conservé. Veuillez soumettre à nouveau.",
                field="files",
            )
        if not self._received.files:
            raise Refused(
                "file_count", "Submit at least one file.", "Soumettez au moins un fichier.", field="files"
            )
        return self._received

    @property
    def _place(self) -> str:
        return f"files[{max(len(self._received.files) - 1, 0)}]"

    def _begin_part(self) -> None:
        self._parts += 1
        self._headers = {}
        self._declaration = None

    def _take_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        name = self._header_name.decode("latin-1").lower()
        if name in self._headers:
            raise _malformed()
        self._headers[name] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        name, filename = _disposition(self._headers.get("content-disposition", b""))
        if self._parts == 1:
            if name != "form" or filename is not None:
                raise Refused("bad_form", "The form is missing.", "Le formulaire manque.", field="form")
            return
        if name == "declaration":
            self._begin_declaration(filename)
        elif name == "file" and filename is not None:
            self._begin_file(filename)
        else:
            raise _malformed()

    def _begin_declaration(self, filename: str | None) -> None:
        """It follows its file, once."""
        files = self._received.files
        if not files or files[-1][0] != filename or filename in self._received.declarations:
            raise _malformed()
        self._declaration = bytearray()

    def _begin_file(self, filename: str) -> None:
        most, position = self._office.rules.submissions.max_files, len(self._received.files)
        if position >= most:
            raise Refused(
                "too_many_files",
                f"A submission has at most {most} files.",
                f"Une soumission compte au plus {most} fichiers.",
                field="files",
            )
        place = f"files[{position}]"
        try:
            check_file_name(self._office, filename)
        except Refused as error:
            raise type(error)(error.code, error.en, error.fr, field=place) from error
        if filename.casefold() in {known.casefold() for known, _ in self._received.files}:
            raise Refused(
                "duplicate_name",
                "Two files have the same name.",
                "Deux fichiers portent le même nom.",
                field=place,
            )
        self._file = self._arrival.open(position)
        self._received.files.append((filename, self._file))

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        if self._declaration is not None:
            self._declaration += data[start:end]
            if len(self._declaration) > outputs.MAX_BYTES:
                raise Refused(
                    "too_large",
                    "The declaration is too long.",
                    "La déclaration est trop longue.",
                    field=self._place,
                )
            return
        if self._file is None:
            self._form += data[start:end]
            if len(self._form) > FORM_BYTES:
                raise Refused(
                    "too_large", "The form is too long.", "Le formulaire est trop long.", field="form"
                )
            return
        self._bytes += end - start
        most = self._office.rules.submissions.max_bytes
        if self._bytes > most:
            raise Refused(
                "too_large",
                f"A submission has at most {most / 1e6:g} MB in all.",
                f"Une soumission compte au plus {f'{most / 1e6:g}'.replace('.', ',')} Mo en tout.",
                field=self._place,
            )
        self._file.write(data[start:end])

    def _end_part(self) -> None:
        if self._declaration is not None:
            name = self._received.files[-1][0]
            try:
                declaration = parse_declaration(bytes(self._declaration), file=name)
            except Refused as error:
                raise Refused(error.code, error.en, error.fr, field=self._place) from error
            self._received.declarations[name] = declaration
            return
        if self._file is None:
            try:
                raw = json.loads(self._form)
            except (ValueError, RecursionError) as error:
                raise Refused(
                    "bad_form", "The form is missing.", "Le formulaire manque.", field="form"
                ) from error
            self._received.form, self._received.supersedes = parse_form(raw, draft=self._draft)
            return
        if self._file.size == 0:
            raise Refused("empty_file", "This file is empty.", "Ce fichier est vide.", field=self._place)

    def _end(self) -> None:
        self._ended = True


def _disposition(value: bytes) -> tuple[str | None, str | None]:
    """`name` and `filename` of a part, exactly as sent: nothing is unescaped or cut off, so a trick in a
    name stays visible to the check of names. Not UTF-8, or a parameter twice: refused."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed() from error
    if not text.lower().startswith("form-data"):
        raise _malformed()
    rest = text[len("form-data") :]
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(rest):
        name = match[1].lower()
        if name in parameters:
            raise _malformed()
        parameters[name] = match[2] if match[2] is not None else match[3]
    if _PARAMETER.sub("", rest).strip():
        raise _malformed()
    filename = parameters.get("filename")
    extended = parameters.get("filename*")
    if extended is not None:
        encoding, _, quoted = extended.partition("''")
        if encoding.lower() != "utf-8":
            raise _malformed()
        filename = unquote(quoted, errors="strict") if _decodes(quoted) else ""
    return parameters.get("name"), filename


def _decodes(quoted: str) -> bool:
    try:
        unquote(quoted, errors="strict")
    except UnicodeDecodeError:
        return False
    return True
