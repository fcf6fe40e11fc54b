"""Which kinds of file may be submitted, what is refused, and whether bytes are what the name says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePosixPath


class Kind(StrEnum):
    """A kind of file the engine can read. There is no 'other': what is not here cannot leave."""

    CSV = "csv"
    TSV = "tsv"
    TEXT = "text"
    MARKDOWN = "markdown"
    LATEX = "latex"
    SCRIPT = "script"
    JSON = "json"
    NOTEBOOK = "notebook"
    PNG = "png"
    JPEG = "jpeg"
    SVG = "svg"
    PDF = "pdf"
    WORKBOOK = "workbook"
    PAGE = "page"
    ARCHIVE = "archive"


# These are never released as they are: each becomes files of the kinds above.
CONVERTED = frozenset({Kind.JPEG, Kind.SVG, Kind.PDF, Kind.WORKBOOK, Kind.PAGE, Kind.ARCHIVE})

MEDIA_TYPES: Mapping[Kind, str] = {
    Kind.CSV: "text/csv",
    Kind.TSV: "text/tab-separated-values",
    Kind.TEXT: "text/plain",
    Kind.MARKDOWN: "text/markdown",
    Kind.LATEX: "application/x-tex",
    Kind.SCRIPT: "text/plain",
    Kind.JSON: "application/json",
    Kind.NOTEBOOK: "application/x-ipynb+json",
    Kind.PNG: "image/png",
    Kind.JPEG: "image/jpeg",
    Kind.SVG: "image/svg+xml",
    Kind.PDF: "application/pdf",
    Kind.WORKBOOK: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.PAGE: "text/html",
    Kind.ARCHIVE: "application/zip",
}
UNKNOWN_MEDIA_TYPE = "application/octet-stream"

EXTENSIONS: Mapping[str, Kind] = {
    ".csv": Kind.CSV,
    ".tsv": Kind.TSV,
    ".txt": Kind.TEXT,
    ".log": Kind.TEXT,
    ".md": Kind.MARKDOWN,
    ".tex": Kind.LATEX,
    ".py": Kind.SCRIPT,
    ".r": Kind.SCRIPT,
    ".do": Kind.SCRIPT,
    ".json": Kind.JSON,
    ".ipynb": Kind.NOTEBOOK,
    ".png": Kind.PNG,
    ".jpg": Kind.JPEG,
    ".jpeg": Kind.JPEG,
    ".svg": Kind.SVG,
    ".pdf": Kind.PDF,
    ".xlsx": Kind.WORKBOOK,
    ".html": Kind.PAGE,
    ".htm": Kind.PAGE,
    ".zip": Kind.ARCHIVE,
}

# What is refused by rule, with what to submit instead. Everything not listed anywhere is refused as well.
_REFUSED: Mapping[str, tuple[str, ...]] = {
    "type_data": (
        ".parquet", ".feather", ".arrow", ".dta", ".sav", ".zsav", ".por", ".sas7bdat", ".xpt", ".rds",
        ".rda", ".rdata", ".sqlite", ".sqlite3", ".db", ".duckdb", ".h5", ".hdf5", ".npy", ".npz", ".mat",
        ".ods", ".xls", ".xlsb", ".xlsm", ".gph", ".ster", ".avro", ".orc",
    ),
    "type_model": (
        ".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".onnx", ".pmml", ".keras", ".safetensors",
    ),
    "type_page": (".mht", ".mhtml", ".xhtml", ".xml", ".js"),
    "type_archive": (".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar"),
    "type_document": (".docx", ".doc", ".pptx", ".ppt", ".odt", ".odp", ".rtf", ".epub"),
}  # fmt: skip


def refusal_of(extension: str) -> str:
    """The rule that refuses an extension that is no `Kind`; `type_unlisted` when no other one says why."""
    for rule, extensions in _REFUSED.items():
        if extension in extensions:
            return rule
    return "type_unlisted"


# The first bytes of formats; a text that begins with one of them is that format in disguise.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"%PDF-", "pdf"),
    (b"%!PS", "postscript"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"GIF8", "gif"),
    (b"RIFF", "riff"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"\x7fELF", "program"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
    (b"<stata_dta>", "stata"),
    (b"$FL2", "spss"),
    (b"$FL3", "spss"),
    (b"RDX2\n", "rdata"),
    (b"RDX3\n", "rdata"),
    (b"{\\rtf", "rtf"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_MARKUP = re.compile(rb"\s*(?:<!doctype html|<html|<svg|<\?xml|<script)", re.IGNORECASE)
_TEXT_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def extension_of(name: str) -> str:
    """The extension of a file name, in small letters; empty when there is none."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower()


def sniff(data: bytes) -> str:
    """What the bytes are: the name of a known format, "markup", "binary", or "text"."""
    for magic, found in _MAGIC:
        if data.startswith(magic):
            return found
    if _PICKLE.match(data):
        return "pickle"
    if _MARKUP.match(data.removeprefix(b"\xef\xbb\xbf")[:1024]):
        return "markup"
    if b"\x00" in data and not data.startswith(_TEXT_MARKS):
        return "binary"
    return "text"


def matches(kind: Kind, found: str) -> bool:
    """Whether bytes that `sniff` calls `found` may be a file of `kind`."""
    if kind in (Kind.PNG, Kind.JPEG, Kind.PDF):
        return found == kind.value
    if kind in (Kind.WORKBOOK, Kind.ARCHIVE):
        return found == "zip"
    if kind in (Kind.SVG, Kind.PAGE):
        return found in ("markup", "text")
    # A Markdown or script file may begin with markup; it is only ever shown as text.
    return found == "text" or (found == "markup" and kind in (Kind.MARKDOWN, Kind.SCRIPT))
