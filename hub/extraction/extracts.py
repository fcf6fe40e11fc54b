"""From a plan to a sealed extract, and the proof that a sealed one is intact."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError
from pydantic import ValidationError

from hub.documents.classes import NO_SCHEMES, ClassSchemes
from hub.documents.manifests import (
    CODEBOOK_NAME,
    MANIFEST_NAME,
    DeliveredLevel,
    Manifest,
    ManifestFile,
    ManifestSource,
    PseudonymColumns,
)
from hub.documents.policies import AreaLimits
from hub.domain.errors import Conflict, IntegrityError, Refused
from hub.extraction.codebook_ddi import codebook_ddi
from hub.extraction.codebook_pages import codebook_html
from hub.extraction.codebooks import codebook, codebook_json
from hub.extraction.deliveries import Delivery, prepare
from hub.extraction.levels import check_delivered
from hub.extraction.maps import earlier_map, write_map
from hub.extraction.planning import judge_again
from hub.extraction.plans import ExtractPlan, PlannedDataset
from hub.extraction.sources import Sources, require_unchanged, software
from hub.extraction.staging import sha256_of, staged
from hub.extraction.tables import translated, write_parquet

Progress = Callable[[str, float], None]


def extract(  # noqa: PLR0913  # the door: everything that decides an extract goes through it
    plan: ExtractPlan,
    *,
    warehouse: Path,
    master_key: bytes,
    into: Path,
    now: datetime,
    schemes: ClassSchemes = NO_SCHEMES,
    areas: AreaLimits | None = None,
    maps: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Write the extract of `plan` as the directory `into`, which must not exist; its manifest.

    `into` holds `<dataset>.parquet` (the units' pseudonyms first, rows in their order), the same as CSV
    and Stata where asked for, `codebook.json`, `.html` and `.xml` (DDI), and `manifest.json`, all 0444 in
    a directory 0555. The same plan, sources, key and software give the same bytes, except for `created`
    and for the date inside Stata files. `master_key` (at least 32 bytes) is used and not stored;
    `schemes` and `areas` are those of the policies, and must still give this plan. `maps` (`…/v<n>.map`)
    is the file for the encrypted map of pseudonyms (hub.extraction.maps): with one, the units of the
    newest map before it keep theirs. `progress` is called with a stage (verify, pseudonyms, write, seal,
    done) and the share done, 0 to 1.
    """
    report: Progress = progress if progress is not None else lambda _stage, _share: None
    if os.path.lexists(into):
        raise Conflict("extract_exists", "This extract exists already.", "Cet extrait existe déjà.")
    report("verify", 0.0)
    sources: Sources = {}
    try:
        sources = judge_again(plan, warehouse=warehouse, schemes=schemes, areas=areas)
        with staged(into) as staging:
            report("pseudonyms", 0.1)
            delivery = _prepared(plan, sources, schemes, master_key, maps)
            files = []
            for position, dataset in enumerate(plan.datasets):
                report("write", 0.5 + 0.4 * position / len(plan.datasets))
                files += _write_data(delivery, dataset, staging)
            require_unchanged(sources)
            report("seal", 0.9)
            manifest = _seal(plan, sources, schemes, files, staging, now)
            if maps is not None:
                # Before the extract appears: a refresh must find the map of whatever was delivered.
                write_map(
                    maps,
                    delivery.pseudonyms,
                    project=plan.project,
                    key_version=plan.key_version,
                    master_key=master_key,
                )
    except (OSError, PolarsError, Refused) as error:
        require_unchanged(sources)  # whatever it looked like, that then is why
        if isinstance(error, Refused):
            raise
        raise translated(error) from None
    report("done", 1.0)
    return manifest


def _prepared(
    plan: ExtractPlan, sources: Sources, schemes: ClassSchemes, master_key: bytes, maps: Path | None
) -> Delivery:
    known = None
    if maps is not None:
        known = earlier_map(maps, project=plan.project, key_version=plan.key_version, master_key=master_key)
    return prepare(plan, sources, schemes, master_key=master_key, known=known)


def _write_data(delivery: Delivery, dataset: PlannedDataset, staging: Path) -> list[ManifestFile]:
    path = staging / f"{dataset.name}.parquet"
    table = delivery.table(dataset, staging=staging)
    write_parquet(table, path)
    written = pl.scan_parquet(path, glob=False)
    check_delivered(written, dataset.all_columns, delivery.schemes)
    rows = int(written.select(pl.len()).collect().item())
    if rows == 0:
        position = [one.name for one in delivery.plan.datasets].index(dataset.name)
        raise Refused(
            "empty_extract",
            f"The table {dataset.name} would have no row.",
            f"La table {dataset.name} n’aurait aucune ligne.",
            field=f"datasets[{position}].filter",
        )
    return [_listed(path, dataset=dataset.name, rows=rows, columns=dataset.names)]


def _listed(
    path: Path, *, dataset: str | None = None, rows: int | None = None, columns: tuple[str, ...] | None = None
) -> ManifestFile:
    return ManifestFile(
        name=path.name,
        sha256=sha256_of(path),
        size=path.stat().st_size,
        dataset=dataset,
        rows=rows,
        columns=columns,
    )


def _seal(
    plan: ExtractPlan,
    sources: Sources,
    schemes: ClassSchemes,
    files: list[ManifestFile],
    staging: Path,
    now: datetime,
) -> Manifest:
    """Describe what lies in `staging`; the manifest comes last."""
    described = codebook(plan, sources, schemes)
    for dataset, table in zip(plan.datasets, described["tables"], strict=True):
        files += _other_formats(plan, staging / f"{dataset.name}.parquet", dataset, table, files)
    for name, content in (
        (CODEBOOK_NAME, codebook_json(described)),
        ("codebook.html", codebook_html(plan, sources, schemes)),
        ("codebook.xml", codebook_ddi(described)),
    ):
        path = staging / name
        path.write_bytes(content)
        files.append(_listed(path))
    manifest = Manifest(
        project=plan.project,
        request_sha256=plan.request_sha256,
        sources=tuple(
            ManifestSource(
                name=source.name,
                file_sha256=source.file_sha256,
                dictionary_sha256=source.dictionary_sha256,
                dictionary_version=source.dictionary_version,
            )
            for source in plan.sources
        ),
        plan_sha256=plan.digest,
        policy_fingerprint=plan.policy_fingerprint,
        software=software(),
        created=now.astimezone(UTC),
        pseudonyms=PseudonymColumns(
            tag=plan.tag, key_version=plan.key_version, units=_pseudonym_columns(plan)
        ),
        files=tuple(files),
        levels={
            dataset.name: {
                column.name: DeliveredLevel(
                    level=column.level,
                    scheme=column.scheme,
                    scheme_sha256=column.scheme_sha256,
                    asked=column.asked,
                )
                for column in dataset.all_columns
            }
            for dataset in plan.datasets
        },
        samples={
            population.name: population.sample
            for population in plan.specification.populations
            if population.sample is not None
        },
    )
    (staging / MANIFEST_NAME).write_bytes(manifest.to_json())
    return manifest


def _other_formats(
    plan: ExtractPlan,
    data: Path,
    dataset: PlannedDataset,
    table: dict[str, Any],
    files: list[ManifestFile],
) -> list[ManifestFile]:
    """The table `data` in the other formats asked for."""
    if plan.specification.formats == ("parquet",):
        return []
    from hub.extraction.formats import write_csv, write_stata

    (written,) = (file for file in files if file.name == data.name)
    made = []
    if "csv" in plan.specification.formats:
        made.append(data.with_suffix(".csv"))
        write_csv(data, made[-1])
    if "stata" in plan.specification.formats:
        made.append(data.with_suffix(".dta"))
        write_stata(data, made[-1], table)
    return [_listed(path, dataset=dataset.name, rows=written.rows, columns=dataset.names) for path in made]


def _pseudonym_columns(plan: ExtractPlan) -> dict[str, tuple[str, ...]]:
    columns: dict[str, set[str]] = {}
    for dataset in plan.datasets:
        for unit, name in zip(dataset.units, dataset.pseudonyms, strict=True):
            columns.setdefault(unit, set()).add(name)
    return {unit: tuple(sorted(names)) for unit, names in columns.items()}


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
