"""`canonicalise`: a submitted file → the files that are reviewed and, once approved, released.

The original is never handed out. What leaves is written here from what was understood, so anything that was
not understood stays behind. Rewriting what was rewritten changes nothing (checked each time for text).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from hub.checks.archives import ArchiveProblem, open_archive, read_member
from hub.checks.canonical_images import rewrite_drawing, rewrite_image, rewrite_pdf
from hub.checks.canonical_notebooks import rewrite_notebook
from hub.checks.canonical_pages import rewrite_page
from hub.checks.canonical_tables import rewrite_delimited, rewrite_json, rewrite_text
from hub.checks.canonical_workbooks import rewrite_workbook
from hub.checks.findings import Finding, Place, Severity
from hub.checks.identifiers import Text
from hub.checks.intake import EXTENSIONS, Kind, extension_of, matches, refusal_of, sniff
from hub.checks.rewriting import CannotRewrite, Canonical, Part, Rewriting
from hub.checks.sentences import finding
from hub.checks.tables import Bounds
from hub.checks.texts import decode
from hub.checks.thresholds import Thresholds

MAX_PARTS = 20
_ROUNDS = 4
_INSTEAD = {Kind.NOTEBOOK: "ipynb (JupyterLab)", Kind.JSON: "csv"}


def take_in_file(file: Path, name: str, thresholds: Thresholds) -> Canonical:
    """`take_in` of a file, its size looked at before anything is read."""
    size = file.stat().st_size
    if size > thresholds.max_bytes:
        return Canonical((), (finding("too_large", Severity.BLOCK, size=size, limit=thresholds.max_bytes),))
    return take_in(file.read_bytes(), name, thresholds)


def take_in(data: bytes, name: str, thresholds: Thresholds) -> Canonical:
    """The parts of `data`, submitted as `name`. Never raises for hostile bytes.

    1. A kind that may leave at all. 2. Content that is what the name says. 3. Rewritten. 4. No part larger
    than a submission may be, nor all parts than four.
    """
    extension = extension_of(name)
    kind = EXTENSIONS.get(extension)
    refusal = _refuse(data, extension, kind)  # (1, 2)
    if refusal is not None or kind is None:
        return Canonical((), (refusal,) if refusal is not None else ())
    try:
        made = canonicalise(data, kind, name, thresholds)  # (3)
    except CannotRewrite as error:
        return Canonical((), error.findings, error.seen)
    limit = thresholds.max_bytes
    sizes = [len(part.data) for part in made.parts]
    if max(sizes) > limit or sum(sizes) > 4 * limit:  # (4)
        return Canonical((), (finding("grown", Severity.BLOCK, limit=limit), *made.changes), made.seen)
    return made


def canonicalise(data: bytes, kind: Kind, name: str, thresholds: Thresholds) -> Canonical:
    """`data` of `kind` in the form in which it leaves; each part has a name of its own. Deterministic.

    Raises `CannotRewrite` when nothing of it can.
    """
    rewriting = Rewriting()
    stem = PurePosixPath(name).stem
    bounds = Bounds(thresholds.max_columns, thresholds.max_cells)
    if kind in (Kind.PNG, Kind.JPEG):
        made = rewrite_image(data, rewriting, Place(), thresholds.max_pixels)
        rewriting.parts.append(Part(name if kind is Kind.PNG else f"{stem}.png", Kind.PNG, made))
    elif kind is Kind.PDF:
        pages = list(rewrite_pdf(data, rewriting, thresholds.max_pixels))
        names = [f"{stem}.png"] if len(pages) == 1 else [f"{stem} - p{n + 1}.png" for n in range(len(pages))]
        rewriting.parts += [Part(n, Kind.PNG, page) for n, page in zip(names, pages, strict=True)]
    elif kind is Kind.WORKBOOK:
        rewriting.parts += rewrite_workbook(data, stem, rewriting, bounds)
    elif kind is Kind.PAGE:
        rewriting.parts += rewrite_page(_decoded(data, rewriting), stem, rewriting, bounds)
    elif kind is Kind.ARCHIVE:
        _unpack(data, rewriting, thresholds)
    elif kind is Kind.SVG:
        made = rewrite_drawing(_decoded(data, rewriting), rewriting, Place(), thresholds.max_pixels)
        rewriting.parts.append(Part(f"{stem}.png", Kind.PNG, made))
    else:
        text = _stable(kind, _decoded(data, rewriting), rewriting, thresholds)
        if not text.strip():
            raise rewriting.refusal("empty")
        rewriting.parts.append(Part(name, kind, text.encode()))
    return Canonical(tuple(rewriting.parts), tuple(rewriting.changes), tuple(rewriting.seen))


def _refuse(data: bytes, extension: str, kind: Kind | None) -> Finding | None:
    if kind is None:
        return finding(refusal_of(extension), Severity.BLOCK, extension=extension[:20] or "—")
    if not data.strip():
        return finding("empty", Severity.BLOCK)
    found = sniff(data)
    if not matches(kind, found):
        return finding("type_mismatch", Severity.BLOCK, extension=extension, found=found)
    return None


def _decoded(data: bytes, rewriting: Rewriting) -> str:
    text, problem = decode(data)
    if problem is not None:
        rewriting.doubt("encoding", problem=problem)
    rewriting.seen.append(Text(Place(), text))
    return text


def _writer(kind: Kind, thresholds: Thresholds) -> Callable[[str, Rewriting], str]:
    bounds = Bounds(thresholds.max_columns, thresholds.max_cells)
    if kind in (Kind.CSV, Kind.TSV):
        return lambda text, rewriting: rewrite_delimited(text, rewriting, bounds, tabs=kind is Kind.TSV)
    if kind is Kind.JSON:
        return rewrite_json
    if kind is Kind.NOTEBOOK:
        return lambda text, rewriting: rewrite_notebook(text, rewriting, bounds, thresholds.max_pixels)
    return lambda text, rewriting: rewrite_text(text, rewriting, numbers=kind is not Kind.SCRIPT)


def _stable(kind: Kind, text: str, rewriting: Rewriting, thresholds: Thresholds) -> str:
    """The text rewritten until rewriting changes nothing more; only the first round reports."""
    write = _writer(kind, thresholds)
    made = write(text, rewriting)
    if made == text:
        return made
    for _ in range(_ROUNDS):
        again = write(made, Rewriting())
        if again == made:
            return made
        made = again
    raise rewriting.refusal("unstable", instead=_INSTEAD.get(kind, "txt"))


def _unpack(data: bytes, rewriting: Rewriting, thresholds: Thresholds) -> None:
    """Each member of a zip as a submitted file of its own; one that cannot leave keeps the others back."""
    try:
        archive = open_archive(data, max_members=10 * MAX_PARTS)
    except ArchiveProblem as error:
        rule = "archive_malformed" if str(error) == "not a zip" else "archive_limit"
        raise rewriting.refusal(rule, problem=str(error)) from error
    members = [one for one in archive.infolist() if not one.is_dir()]
    taken: set[str] = set()
    for member in members:
        name = _member_name(member.filename, taken)
        try:
            content = read_member(archive, member.filename)
        except (ArchiveProblem, KeyError) as error:
            raise rewriting.refusal("archive_malformed", problem="damaged") from error
        made = _take_member(content, name, thresholds)
        rewriting.changes += made.changes
        rewriting.seen += made.seen
        if not made.parts:
            raise rewriting.refusal("archive_member", name=name[:80])
        rewriting.parts += [replace(part, changes=made.changes) for part in made.parts]
        if len(rewriting.parts) > MAX_PARTS:
            raise rewriting.refusal("archive_limit", problem=f"more than {MAX_PARTS} files")
    if not rewriting.parts:
        raise rewriting.refusal("empty")
    rewriting.note("archive_unpacked", files=len(members))


def _take_member(content: bytes, name: str, thresholds: Thresholds) -> Canonical:
    if EXTENSIONS.get(extension_of(name)) is Kind.ARCHIVE:
        return Canonical((), (finding("type_archive", Severity.BLOCK, extension=".zip"),))
    return take_in(content, name, thresholds)


def _member_name(path: str, taken: set[str]) -> str:
    """A plain name for a member: folders become part of it, what a file system or a reader could mistake
    does not."""
    plain = unicodedata.normalize("NFC", path.replace("\\", "/")).strip("/").replace("/", "_")
    plain = re.sub(r'[:*?"<>|]', "_", "".join(c for c in plain if c.isprintable())).lstrip(". ")[-150:]
    stem, ending = PurePosixPath(plain).stem or "file", PurePosixPath(plain).suffix
    name, number = f"{stem}{ending}", 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem} ({number}){ending}"
    taken.add(name.casefold())
    return name
