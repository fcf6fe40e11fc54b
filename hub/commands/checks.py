"""`vitrine check`: the output checks on any files and any extract directory, without a running hub."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from polars.exceptions import PolarsError

from hub.actions.ledgers import NamedSets, compare_headings, place_sets
from hub.actions.ports import ExtractFiles, Ledger
from hub.adapters.ledgers import FileLedger
from hub.checks import Finding, Limits, Report, Severity, add_changes, check_in_subprocess
from hub.checks.confinement import limits_for
from hub.checks.headings import HEADINGS
from hub.checks.indexes import Sealed, rows_of
from hub.checks.prepared import Indexes
from hub.checks.sentences import finding
from hub.checks.thresholds import Thresholds
from hub.commands import context
from hub.documents.base import parse, read, read_text
from hub.documents.outputs import SUFFIX, Declaration
from hub.documents.policies import OutputsPolicy, SubmissionsPolicy
from hub.domain.errors import DocumentError, Refused

# What one check may use: 25 million rows of the columns that a table needs, sorted once.
LIMITS = Limits(memory_bytes=12 * 2**30, cpu_seconds=120, wall_seconds=120.0, open_files=256)
_UNJUDGED = ("parser_died", "extract_unread", "ledger_unread")


def check(
    files: Annotated[list[Path], typer.Argument(help="The files to judge.", show_default=False)],
    extract: Annotated[
        Path | None, typer.Option(help="The extract: a directory of Parquet, with codebook if there is one.")
    ] = None,
    spec: Annotated[
        Path | None,
        typer.Option(help="A declaration (…spec.json) of the file; by default the one beside it."),
    ] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option(help="person=COLUMN: which column holds a unit, where no dictionary says so."),
    ] = None,
    index: Annotated[
        Path | None,
        typer.Option(help="Keep an index of a large extract in this directory, which only you can write."),
    ] = None,
    policies: Annotated[Path, typer.Option(help="The office's rules.")] = Path("policies"),
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per file.")] = False,  # noqa: FBT002
) -> None:
    """Judge files as one submission would be: PASS, REVIEW or BLOCK, with reasons. Several files are also
    compared with each other. Exit 0: all were judged."""
    with context.sentences(), contextlib.ExitStack() as held:
        thresholds = read_thresholds(policies)
        units = parse_units(unit or [])
        judged = True
        sealed = _index(index, extract, units)
        together = held.enter_context(_together(extract, sealed, units, thresholds, files))
        for file in files:
            if not file.is_file():
                typer.echo(f"{file}: no such file", err=True)
                judged = False
                continue
            declaration, doubt = _declaration(file, spec, alone=len(files) == 1)
            with together.aside() as sets:
                report = check_in_subprocess(
                    file,
                    name=file.name,
                    form=None,
                    extract=extract,
                    thresholds=thresholds,
                    units=units,
                    declaration=declaration,
                    limits=together.limits,
                    sets=sets,
                    index=sealed,
                    named=False,  # a file on a disk is called as its owner likes
                )
                report = together.compared(file.name, report, sets)
            report = add_changes(report, doubt)
            judged &= all(one.rule not in _UNJUDGED for one in report.findings)
            typer.echo(json.dumps(line(file, report), ensure_ascii=False) if as_json else _told(file, report))
    raise typer.Exit(0 if judged else 1)


@contextlib.contextmanager
def _together(
    extract: Path | None,
    sealed: Sealed | None,
    units: dict[str, str],
    thresholds: Thresholds,
    files: Sequence[Path],
) -> Iterator[Together]:
    """What compares the files; nothing where there is one, or no extract that says who is behind a number."""
    if extract is None or len(files) < 2:
        yield Together(None, None, thresholds, LIMITS)
        return
    rows = 0
    with contextlib.suppress(OSError, PolarsError):  # the check says so itself
        rows = rows_of(extract)
    limits = replace(LIMITS, sets_bytes=limits_for(rows).sets_bytes)
    with tempfile.TemporaryDirectory(prefix="vitrine-check-") as scratch:
        of = ExtractFiles("checked/v1", extract, sealed, units)
        yield Together(FileLedger(Path(scratch)), of, thresholds, limits)


class Together:
    """The files of one command, compared with those before them as the portal compares the files of one
    submission: of two that differ by too few, the later says so. Their sets of persons are gone afterwards.
    `limits`: what one check may use."""

    def __init__(
        self, ledger: Ledger | None, extract: ExtractFiles | None, thresholds: Thresholds, limits: Limits
    ) -> None:
        self._ledger, self._extract, self._thresholds = ledger, extract, thresholds
        self.limits = limits
        self._before: list[NamedSets] = []
        self._headed: list[tuple[str, object]] = []

    def aside(self) -> contextlib.AbstractContextManager[IO[bytes] | None]:
        """Where a check is to write the sets behind its numbers; None where nothing is compared."""
        return self._ledger.aside() if self._ledger is not None else contextlib.nullcontext()

    def compared(self, name: str, report: Report, sets: IO[bytes] | None) -> Report:
        """The report with what its numbers tell beside those of the files before. What keeps them from being
        compared is the finding `ledger_unread`."""
        if self._ledger is None or self._extract is None or sets is None:
            return report
        placed, found = place_sets(
            self._ledger,
            min_units=self._thresholds.min_units,
            severity=self._thresholds.severity("differencing"),
            extract=self._extract,
            cells=report.cells,
            sets=sets,
            beside=self._before,
        )
        headed = report.summary.get(HEADINGS)
        found += compare_headings(headed, self._headed)
        self._before.append(NamedSets(name, placed))
        self._headed.append((name, headed))
        return report.with_findings(found) if found else report


def _index(directory: Path | None, extract: Path | None, units: dict[str, str]) -> Sealed | None:
    """The index of the extract in the directory, made first if need be; None where there is to be none."""
    if directory is None or extract is None:
        return None
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    said = directory.stat()
    if said.st_uid != os.geteuid() or said.st_mode & 0o022:
        raise Refused(
            "open_directory",
            "--index names a directory that others can write: what lies there could be forged",
            "--index désigne un dossier où d’autres peuvent écrire : son contenu pourrait être falsifié",
            field="index",
        )
    secret = directory / "key"
    if not secret.exists():
        with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    whole = json.dumps([str(extract.resolve()), units], sort_keys=True)
    name = hashlib.sha256(whole.encode()).hexdigest()[:20]
    return Indexes(directory, bytes.fromhex(secret.read_text().strip())).made(extract, name, units)


def read_thresholds(policies: Path) -> Thresholds:
    """The numbers of the office's rules."""
    outputs = read(OutputsPolicy, policies / "outputs.yaml", name="outputs.yaml")
    submissions = read(SubmissionsPolicy, policies / "submissions.yaml", name="submissions.yaml")
    return Thresholds.of(outputs, max_bytes=submissions.max_bytes)


def parse_units(given: list[str]) -> dict[str, str]:
    """`person=pid` → {"person": "pid"}; refused when it is written otherwise."""
    units: dict[str, str] = {}
    for one in given:
        kind, mark, column = one.partition("=")
        if not (kind and mark and column):
            raise Refused(
                "bad_unit",
                "--unit is written TYPE=COLUMN, for example person=pid",
                "--unit s’écrit TYPE=COLONNE, par exemple person=pid",
                field="unit",
            )
        units[kind] = column
    return units


def line(file: Path, report: Report) -> dict[str, Any]:
    """One line of the answer."""
    return {
        "file": str(file),
        "verdict": report.verdict.value,
        "findings": [
            {
                "rule": one.rule,
                "severity": one.severity.value,
                "where": one.where,
                "evidence": dict(one.evidence),
                "message": dict(one.message),
                "place": one.place.to_json(),
            }
            for one in report.findings
        ],
        "sha256": report.sha256,
    }


def _declaration(file: Path, spec: Path | None, *, alone: bool) -> tuple[Declaration | None, list[Finding]]:
    """The declaration of a file. One beside it that is none, or of another file, is a finding, and the file
    is judged without it. One that was asked for is that of the only file given, however it is called here; of
    several files it is refused for those that it does not name."""
    path = spec if spec is not None else file.with_name(file.name + SUFFIX)
    if spec is None and not path.is_file():
        return None, []
    try:
        declaration = parse(Declaration, read_text(path, name=path.name), name=path.name)
    except DocumentError as error:
        return None, [finding("unread_claim", Severity.REVIEW, problem=error.en[:120])]
    if declaration.file == file.name or (spec is not None and alone):
        return declaration, []
    if spec is not None:
        raise Refused(
            "another_file",
            f"{path.name} is the declaration of {declaration.file}, not of {file.name}",
            f"{path.name} est la déclaration de {declaration.file}, pas de {file.name}",
            field="file",
        )
    return None, [finding("unread_claim", Severity.REVIEW, problem="it is of another file")]


def _told(file: Path, report: Report) -> str:
    language = "fr" if context.language().startswith("fr") else "en"
    lines = [f"{report.verdict.value}  {file}"]
    for one in report.findings:
        if one.severity is not Severity.NOTE:
            lines.append(f"  {one.severity.value.lower()} {one.rule} ({one.where}): {one.message[language]}")
    return "\n".join(lines)
