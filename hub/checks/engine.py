"""`run_checks`: one file, the rules, and the extract if there is one → a report. Reads, never writes."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from hub.checks.canonical import take_in
from hub.checks.canonical_images import find_in_image
from hub.checks.contents import Contents, read_parts
from hub.checks.context import find_missing_context
from hub.checks.counts import find_counts_in_text, find_small_counts
from hub.checks.disclosure import MAX_CELLS
from hub.checks.encodings import holds_data
from hub.checks.extracts import Extract, UnreadableExtract, open_extract, open_with_index
from hub.checks.findings import Finding, Place, Report, Severity, Verdict, verdict_of
from hub.checks.fingerprints import find_row_level
from hub.checks.headings import HEADINGS, MAX_TABLES, Headings, headings_of
from hub.checks.identifiers import Text, find_pseudonyms
from hub.checks.intake import EXTENSIONS, MEDIA_TYPES, UNKNOWN_MEDIA_TYPE, extension_of
from hub.checks.judgement import Judgement, judge
from hub.checks.kinds import find_in_kinds
from hub.checks.printing import find_unrounded
from hub.checks.sentences import finding
from hub.checks.shown_models import find_near_models, find_residual_ends, shown_models
from hub.checks.subtotals import find_suppressed
from hub.checks.tables import Table
from hub.checks.texts import hidden_characters, is_formula
from hub.checks.thresholds import Thresholds

if TYPE_CHECKING:
    from hub.checks.indexes import Sealed
    from hub.documents.outputs import Declaration

_NOT_NUMBERS = frozenset({"nan", "inf", "-inf", "+inf", "infinity", "-infinity"})
_BLOB = re.compile(r"[A-Za-z0-9+/_=-]{200,}")


def run_checks(  # noqa: PLR0913  # as check_in_subprocess: everything a verdict depends on
    file: Path,
    *,
    name: str,
    form: Mapping[str, str] | None,
    extract: Path | None,
    thresholds: Thresholds,
    units: Mapping[str, str] | None = None,
    declaration: Declaration | None = None,
    with_units: bool = True,
    index: Sealed | None = None,
    named: bool = True,
) -> Report:
    """What the rules say of `file`, submitted as `name`. In this process: for hostile bytes use
    `check_in_subprocess`. `form` None: there is none to complete. `units`: unit type → column of the
    extract, where no dictionary says so. `declaration`: what the file says it is, recomputed as said.
    `index`: one of the extract that was compared, which makes the same answer sooner.
    `named` False: the file does not leave under that name, which therefore tells nothing.
    `with_units` False: the cells of the report come without their sets of units, which only the ledger needs.

    1. Size, before anything is read. 2. SHA-256 of what was read. 3. Rewritten as it would leave. 4. What
    the rewritten parts hold. 5. Rules over it. 6. Context. PASS only where every number was made again.
    """
    context = find_missing_context(form, thresholds.severity("missing_context")) if form is not None else []
    kind = EXTENSIONS.get(extension_of(name))
    media_type = MEDIA_TYPES[kind] if kind is not None else UNKNOWN_MEDIA_TYPE
    size = file.stat().st_size
    if size > thresholds.max_bytes:
        large = finding("too_large", Severity.BLOCK, size=size, limit=thresholds.max_bytes)
        return _report([large, *context], media_type, None, {"bytes": size}, thresholds)
    data = file.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    taken = take_in(data, name, thresholds)
    if not taken.parts:
        evidence = _rules(Contents(seen=list(taken.seen)), extract, thresholds) if taken.seen else []
        return _report([*taken.doubts, *evidence, *context], media_type, sha256, {"bytes": size}, thresholds)
    if extract is not None and index is not None:
        with contextlib.suppress(UnreadableExtract):  # whoever opens it next says so
            open_with_index(extract, index)
    contents = read_parts(taken, thresholds)
    contents.raw.append(Text(Place(), name))  # it leaves with the file
    if not named:
        own = PurePosixPath(name).stem
        contents.names = [one.removeprefix(own) for one in contents.names]  # what is left names sheets
    looked = [*taken.doubts, *contents.findings, *_rules(contents, extract, thresholds)]
    said = f"{name} {' '.join((form or {}).values())}"
    judgement = _judge(contents, extract, units, said, thresholds, declaration, _proven(looked), with_units)
    whole = [table for found, table in judgement.explained if found.complete]
    others = [table for table in contents.tables if not any(table is one for one in judgement.summaries)]
    kinds = find_in_kinds(replace(contents, tables=others), whole, thresholds)
    findings = [*judgement.kept(looked), *judgement.findings, *kinds, *context]
    unread = any(one.rule == "extract_unread" for one in findings)
    if extract is not None and verdict_of(findings, reproduced=judgement.reproduced) is Verdict.REVIEW:
        findings += _why(findings)
    summary = {
        "bytes": size,
        "tables": len(contents.tables),
        "rows": sum(len(table.rows) for table in contents.tables),
        "images": len(contents.images),
        "changed": sorted({one.rule for one in taken.changes}),
        "compared_with_extract": extract is not None and not unread,
        "reproduced": judgement.reproduced,
        "cells_reproduced": judgement.told(),
        HEADINGS: [one.to_json() for one in _headings(contents.tables, judgement)],
        **contents.counts,
    }
    report = _report(findings, media_type, sha256, summary, thresholds)
    return replace(report, cells=(*judgement.cells, *judgement.samples))


def _why(findings: Sequence[Finding]) -> list[Finding]:
    """That nothing could be recomputed, where no rule says why people must read the file."""
    if any(one.severity is not Severity.NOTE for one in findings):
        return []
    return [finding("nothing_made_again", Severity.REVIEW)]


def _judge(
    contents: Contents,
    extract: Path | None,
    units: Mapping[str, str] | None,
    context: str,
    thresholds: Thresholds,
    declaration: Declaration | None,
    proven: Sequence[Place],
    with_units: bool,  # noqa: FBT001
) -> Judgement:
    """What recomputation says; without an extract nothing can be made again, but models are known as such."""
    if extract is None:
        tables, findings = shown_models(contents, thresholds)
        return Judgement(findings, summaries=tables)
    try:
        return judge(
            contents,
            extract,
            units=units,
            context=context,
            thresholds=thresholds,
            declaration=declaration,
            proven=proven,
            with_units=with_units,
        )
    except UnreadableExtract:
        return Judgement()


def _headings(tables: Sequence[Table], judgement: Judgement) -> list[Headings]:
    """Which tables the file has, and of which of them every number is known, as far as they are kept."""
    places = [table.place for found, table in judgement.explained if found.complete]
    places += [table.place for table in judgement.summaries]
    kept = Counter(cell.place for cell in judgement.cells)
    return [
        headings_of(
            table,
            known=(judgement.reproduced or table.place in places) and kept[table.place] < MAX_CELLS,
        )
        for table in tables[:MAX_TABLES]
    ]


def _proven(findings: Sequence[Finding]) -> list[Place]:
    """The tables that are copies of the extract's rows."""
    return [one.place for one in findings if one.rule == "row_level" and one.severity is Severity.BLOCK]


def _report(
    findings: Sequence[Finding],
    media_type: str,
    sha256: str | None,
    summary: Mapping[str, object],
    thresholds: Thresholds,
) -> Report:
    # The verdict comes first: what is not listed still counts.
    listed = _limited(findings, thresholds.max_findings)
    reproduced = summary.get("reproduced") is True
    return Report(verdict_of(findings, reproduced=reproduced), listed, media_type, sha256, summary)


def _limited(findings: Sequence[Finding], limit: int) -> tuple[Finding, ...]:
    """The first `limit` findings of each rule, gravest first, and how many more there are."""
    order = [Severity.BLOCK, Severity.REVIEW, Severity.NOTE]
    totals = Counter((one.rule, one.severity) for one in findings)
    seen: Counter[tuple[str, Severity]] = Counter()
    kept = []
    for one in sorted(findings, key=lambda f: order.index(f.severity)):
        seen[one.rule, one.severity] += 1
        if seen[one.rule, one.severity] <= limit:
            kept.append(one)
    for (rule, severity), total in totals.items():
        if total > limit:
            kept.append(finding("more_of_the_same", severity, count=total - limit, of=rule))
    return tuple(kept)


def _rules(contents: Contents, directory: Path | None, thresholds: Thresholds) -> list[Finding]:
    findings: list[Finding] = []
    for place, data in contents.images:
        findings += find_in_image(data, place, thresholds.max_pixels)[0]
    for text in contents.printed:
        findings += [*_find_in_text(text, thresholds), *find_residual_ends(text)]
    findings += find_near_models(contents, thresholds)
    for table in contents.tables:
        findings += [*_find_in_table(table, thresholds), *find_small_counts(table, thresholds)]
        findings += find_unrounded(table)
        findings += find_suppressed(table, thresholds)
    extract: Extract | None = None
    if directory is not None:
        try:
            extract = open_extract(directory)
        except UnreadableExtract:
            findings.append(finding("extract_unread", Severity.REVIEW))
    try:
        findings += _find_against(contents, contents.printed, extract, thresholds)
    except UnreadableExtract:
        findings.append(finding("extract_unread", Severity.REVIEW))
        findings += _find_against(contents, contents.printed, None, thresholds)
    return findings


def _find_against(
    contents: Contents, texts: list[Text], extract: Extract | None, thresholds: Thresholds
) -> list[Finding]:
    findings = find_pseudonyms(texts, extract)
    if not findings:  # the whole file holds the parts; search it only for what they do not show
        findings = find_pseudonyms(contents.raw, extract)
    elif all(one.severity is not Severity.BLOCK for one in findings):
        findings += [one for one in find_pseudonyms(contents.raw, extract) if one.severity is Severity.BLOCK]
    if all(one.severity is not Severity.BLOCK for one in findings):  # what stays behind is evidence too
        seen = find_pseudonyms(contents.seen, extract)
        findings += [one for one in seen if one.severity is Severity.BLOCK or not findings]
    for table in contents.tables:
        findings += find_row_level(table, extract, thresholds)
    return findings


def _find_in_text(text: Text, thresholds: Thresholds) -> list[Finding]:
    findings = []
    hidden = hidden_characters(text.content)
    if hidden:
        findings.append(
            finding("hidden_characters", Severity.REVIEW, text.place, evidence={"characters": hidden})
        )
    for blob in _BLOB.finditer(text.content):
        if len(set(blob.group())) >= 12:  # a ruler of dashes is not data
            severity = Severity.BLOCK if holds_data(blob.group()) else Severity.REVIEW
            findings.append(finding("encoded_blob", severity, text.place, characters=len(blob.group())))
    for line in find_counts_in_text(text.content, thresholds):
        place = text.place.within(line=line)
        findings.append(finding("small_integer", Severity.REVIEW, place, cells=1, limit=thresholds.min_units))
    return findings


def _find_in_table(table: Table, thresholds: Thresholds) -> list[Finding]:
    cells = [cell for row in (table.columns, *table.rows) for cell in row]
    findings = []
    if table.ragged_rows:
        findings.append(finding("ragged", Severity.REVIEW, table.place, rows=table.ragged_rows))
    if len(table.rows) > thresholds.max_rows:
        rows, limit = len(table.rows), thresholds.max_rows
        findings.append(finding("many_rows", Severity.REVIEW, table.place, rows=rows, limit=limit))
    longest = max((len(cell) for cell in cells), default=0)
    if longest > thresholds.max_cell_characters:
        limit = thresholds.max_cell_characters
        findings.append(finding("long_cell", Severity.BLOCK, table.place, characters=longest, limit=limit))
    odd = sum(cell.casefold() in _NOT_NUMBERS for cell in cells)
    if odd:
        findings.append(finding("not_a_number", Severity.REVIEW, table.place, cells=odd))
    formulas = sum(is_formula(cell) for cell in cells)
    if formulas:
        findings.append(finding("formula", Severity.REVIEW, table.place, cells=formulas))
    if table.place.cell is None:  # those of a notebook are searched with its texts
        findings += _find_in_text(Text(table.place, "\n".join(cells)), thresholds)[:1]
    return findings
