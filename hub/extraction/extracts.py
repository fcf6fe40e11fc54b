"""From a plan to a sealed extract, and the proof that a sealed one is intact."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError
from pydantic import ValidationError

from hub.documents.classes import NO_SCHEMES, ClassSchemes
from hub.documents.dictionaries import Dictionary
from hub.documents.manifests import (
    CODEBOOK_NAME,
    MANIFEST_NAME,
    DeliveredLevel,
    Manifest,
    ManifestFile,
    PseudonymColumns,
)
from hub.documents.projects import ColumnRequest
from hub.domain.errors import Conflict, IntegrityError, Refused
from hub.extraction.codebooks import codebook_html, codebook_json
from hub.extraction.filtering import check_filter, expression
from hub.extraction.keys import assign, canonical, pseudonym_key
from hub.extraction.levels import check_delivered, delivered, plan_column
from hub.extraction.plans import ExtractPlan
from hub.extraction.samples import check_sample, draw
from hub.extraction.sources import (
    data_of,
    load_dictionary,
    software,
    verify_source,
)
from hub.extraction.staging import sha256_of, staged
from hub.extraction.tables import translated, write_parquet

Progress = Callable[[str, float], None]


def extract(
    plan: ExtractPlan,
    *,
    warehouse: Path,
    master_key: bytes,
    into: Path,
    now: datetime,
    schemes: ClassSchemes = NO_SCHEMES,
    progress: Progress | None = None,
) -> Manifest:
    """Write the extract of `plan` as the directory `into`, which must not exist; its manifest.

    `into` holds `<source>.parquet` (the units' pseudonyms first, rows in their order),
    `codebook.json`, `codebook.html` and `manifest.json`, all 0444 in a directory 0555. The same plan,
    source, key and software give the same bytes, except for `created`. `master_key` (at least 32
    bytes) is used and not stored; `schemes` are the class schemes of the policies, among them those of
    the plan. `progress` is called with a stage (verify, pseudonyms, write, seal,
    done) and the share done, 0 to 1.
    """
    report: Progress = progress if progress is not None else lambda _stage, _share: None
    if os.path.lexists(into):
        raise Conflict("extract_exists", "This extract exists already.", "Cet extrait existe déjà.")
    report("verify", 0.0)
    try:
        dictionary = _verified(plan, warehouse, schemes)
        with staged(into) as staging:
            report("pseudonyms", 0.1)
            rows = _rows(plan, dictionary, data_of(warehouse, plan.source), master_key)
            table = _delivered(plan, dictionary, rows, schemes)
            report("write", 0.5)
            data = _write_data(plan, dictionary, table, staging)
            check_delivered(pl.scan_parquet(staging / data.name, glob=False), plan.columns, schemes)
            report("seal", 0.9)
            manifest = _seal(plan, dictionary, schemes, data, staging, now)
    except (OSError, PolarsError) as error:
        raise translated(error) from None
    report("done", 1.0)
    return manifest


def _verified(plan: ExtractPlan, warehouse: Path, schemes: ClassSchemes) -> Dictionary:
    """The dictionary of the plan's source, after judging the plan again: it may come from a store.

    1. The stored source is what was registered.
    2. It is the one that the plan was made for.
    3. Every column is still what would be planned: no direct identifier, at a level that is offered
       and, where it must be, justified, by the same class scheme.
    4. Its units, filter and sample are sound.
    """
    record = verify_source(warehouse, plan.source)  # (1)
    dictionary = load_dictionary(warehouse, plan.source)
    if (record.file_sha256, record.dictionary_sha256) != (plan.source_sha256, plan.dictionary_sha256):  # (2)
        raise Conflict(
            "source_changed",
            "The source has changed since the extract was planned.",
            "La source a changé depuis que l’extrait a été prévu.",
            field="extract.source",
        )
    for position, column in enumerate(plan.columns):  # (3)
        asked = ColumnRequest(variable=column.name, level=column.level, justification=column.justification)
        if plan_column(asked, dictionary, schemes, field=f"extract.columns[{position}]") != column:
            raise Conflict(
                "scheme_changed",
                f"The class scheme of {column.name} has changed since the extract was planned.",
                f"La nomenclature de {column.name} a changé depuis que l’extrait a été prévu.",
                field=f"extract.columns[{position}]",
            )
    if not set(plan.units) <= set(dictionary.unit_types):  # (4)
        raise Refused(
            "unknown_unit",
            "The plan has a unit type that the source has not.",
            "Le plan a une unité que la source n’a pas.",
            field="extract.household",
        )
    if plan.filter is not None:
        check_filter(plan.filter, dictionary, path="extract.filter")
    if plan.sample is not None:
        check_sample(plan.sample, dictionary)
    return dictionary


def _rows(plan: ExtractPlan, dictionary: Dictionary, data: Path, master_key: bytes) -> pl.LazyFrame:
    """The rows that the filter and the sample leave, with the units' pseudonyms beside their keys."""
    source = pl.scan_parquet(data, glob=False)
    table = source if plan.filter is None else source.filter(expression(plan.filter, dictionary))
    if plan.sample is not None:
        table = draw(
            plan.sample,
            dictionary,
            population=table,
            source=source,
            project=plan.project,
            master_key=master_key,
        )
    for unit in plan.units:
        unit_type = dictionary.unit_types[unit]
        key = pseudonym_key(master_key, project=plan.project, unit_type=unit, version=plan.key_version)
        # Of all units of the source, not of the chosen rows only: where two draw the same digits,
        # another filter must not change who keeps them.
        units = source.select(unit_type.key).unique().collect(engine="streaming")
        pseudonyms = assign(canonical(units), key, tag=plan.tag)
        mapping = units.with_columns(pseudonyms.alias(unit_type.pseudonym))
        table = table.join(mapping.lazy(), on=unit_type.key, how="inner", validate="m:1")
    return table


def _delivered(
    plan: ExtractPlan, dictionary: Dictionary, rows: pl.LazyFrame, schemes: ClassSchemes
) -> pl.LazyFrame:
    """Pseudonyms instead of keys and classes instead of values, in the pseudonyms' order."""
    pseudonyms = [dictionary.unit_types[unit].pseudonym for unit in plan.units]
    # The remaining columns order the rows of one unit, by what is delivered: neither the order of the
    # source nor that of the values behind a class may tell anything.
    return rows.select(*pseudonyms, *(delivered(column, schemes) for column in plan.columns)).sort(
        [*pseudonyms, *plan.names], nulls_last=True
    )


def _write_data(
    plan: ExtractPlan, dictionary: Dictionary, table: pl.LazyFrame, staging: Path
) -> ManifestFile:
    path = staging / f"{dictionary.name}.parquet"
    write_parquet(table, path)
    rows = int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
    if rows == 0:
        raise Refused(
            "empty_extract",
            "No row of the source fits the filter.",
            "Aucune ligne de la source ne répond au filtre.",
            field="extract.filter",
        )
    return ManifestFile(
        name=path.name,
        sha256=sha256_of(path),
        size=path.stat().st_size,
        rows=rows,
        columns=(*(dictionary.unit_types[unit].pseudonym for unit in plan.units), *plan.names),
    )


def _seal(
    plan: ExtractPlan,
    dictionary: Dictionary,
    schemes: ClassSchemes,
    data: ManifestFile,
    staging: Path,
    now: datetime,
) -> Manifest:
    """Write the codebook and, last of all, the manifest."""
    files = [data]
    for name, content in (
        (CODEBOOK_NAME, codebook_json(plan, dictionary, schemes)),
        ("codebook.html", codebook_html(plan, dictionary, schemes)),
    ):
        path = staging / name
        path.write_bytes(content)
        files.append(ManifestFile(name=name, sha256=sha256_of(path), size=len(content)))
    manifest = Manifest(
        project=plan.project,
        source=plan.source,
        source_sha256=plan.source_sha256,
        dictionary_sha256=plan.dictionary_sha256,
        plan_sha256=plan.digest,
        policy_fingerprint=plan.policy_fingerprint,
        software=software(),
        created=now.astimezone(UTC),
        pseudonyms=PseudonymColumns(
            tag=plan.tag,
            columns={unit: dictionary.unit_types[unit].pseudonym for unit in plan.units},
        ),
        files=tuple(files),
        levels={
            column.name: DeliveredLevel(
                level=column.level, scheme=column.scheme, scheme_sha256=column.scheme_sha256
            )
            for column in plan.columns
        },
        sample=plan.sample,
    )
    (staging / MANIFEST_NAME).write_bytes(manifest.to_json())
    return manifest


def verify_extract(directory: Path, *, manifest_sha256: str | None = None) -> Manifest:
    """The manifest of the sealed extract in `directory`; IntegrityError unless every byte is as sealed.

    1. The manifest is readable, and the one that was recorded (`manifest_sha256`) where that is given.
       Without it a forger who rewrites the manifest too is not noticed.
    2. Exactly the listed files are there, as plain files, with the listed hashes.
    """
    try:
        content = (directory / MANIFEST_NAME).read_bytes()
        manifest = Manifest.model_validate_json(content)
        listed = {file.name: file for file in manifest.files}
        intact = manifest.to_json() == content and manifest_sha256 in (None, manifest.sha256)  # (1)
        found = {path.name: path for path in directory.iterdir()}
        intact = intact and set(found) == {*listed, MANIFEST_NAME}  # (2)
        intact = intact and all(
            stat.S_ISREG(found[name].lstat().st_mode) and sha256_of(found[name]) == file.sha256
            for name, file in listed.items()
        )
    except (OSError, ValidationError):
        intact, manifest = False, None
    if not intact or manifest is None:
        raise IntegrityError(
            "extract_damaged",
            "The extract is not what was sealed.",
            "L’extrait n’est plus ce qui a été scellé.",
        )
    return manifest
