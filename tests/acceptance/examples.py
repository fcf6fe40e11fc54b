"""An example of `examples/` made real: its data generated, its sources registered, its request extracted."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from hub import extraction
from hub.documents import read
from hub.documents.classes import ClassSchemes, load_schemes
from hub.documents.dictionaries import Dictionary
from hub.documents.manifests import Manifest
from hub.documents.policies import AreaLimits
from hub.documents.requests import ExtractSpecification, RequestDocument
from hub.extraction import ExtractPlan
from hub.extraction.maps import read_map

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MASTER_KEY = bytes(range(32))


@dataclass(frozen=True)
class Example:
    """`directory` of examples/, its generated `data`, and where sources and extracts go."""

    directory: Path
    data: Path
    work: Path
    areas: AreaLimits

    @classmethod
    def generated(cls, name: str, work: Path, *options: str, areas: AreaLimits) -> Example:
        """The example with data from its generator, all its sources registered."""
        directory, data = ROOT / "examples" / name, work / "data"
        command = [sys.executable, str(directory / "generate.py"), str(data), *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        example = cls(directory, data, work, areas)
        example.warehouse.mkdir()
        for path in sorted((directory / "dictionaries").glob("*.yaml")):
            file = data / f"{path.stem}.parquet"
            extraction.register(
                file if file.exists() else data / path.stem,
                path,
                warehouse=example.warehouse,
                now=NOW,
                schemes=example.schemes,
            )
        return example

    @property
    def warehouse(self) -> Path:
        return self.work / "warehouse"

    @cached_property
    def schemes(self) -> ClassSchemes:
        return load_schemes(ROOT / "policies")

    @cached_property
    def request(self) -> RequestDocument:
        return read(RequestDocument, self.directory / "request.yaml")

    @cached_property
    def dictionaries(self) -> dict[str, Dictionary]:
        paths = (self.directory / "dictionaries").glob("*.yaml")
        return {path.stem: read(Dictionary, path) for path in paths}

    def source(self, name: str) -> pl.DataFrame:
        """A generated source, whole."""
        file = self.data / f"{name}.parquet"
        return pl.read_parquet(file if file.exists() else self.data / name / "*.parquet")

    def plan(
        self,
        specification: ExtractSpecification | None = None,
        *,
        project: str | None = None,
        areas: AreaLimits | None = None,
    ) -> ExtractPlan:
        """The plan of the request, or of another specification or project."""
        return extraction.plan_extract(
            self.request.specification if specification is None else specification,
            project=self.request.slug if project is None else project,
            policy_fingerprint="0" * 64,
            warehouse=self.warehouse,
            schemes=self.schemes,
            areas=self.areas if areas is None else areas,
            request_sha256=self.request.digest,
        )

    def extract(self, plan: ExtractPlan) -> Extract:
        """The sealed extract of `plan`, with the trustee's map."""
        into, maps = self.work / f"extract-{plan.project}", self.work / "maps" / plan.project / "v1.map"
        manifest = extraction.extract(
            plan,
            warehouse=self.warehouse,
            master_key=MASTER_KEY,
            into=into,
            now=NOW,
            schemes=self.schemes,
            areas=self.areas,
            maps=maps,
        )
        return Extract(plan, manifest, into, maps)


@dataclass(frozen=True)
class Extract:
    """What was delivered, and the map that only the trustee has."""

    plan: ExtractPlan
    manifest: Manifest
    directory: Path
    maps: Path

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.directory / f"{name}.parquet")

    def tables(self) -> dict[str, pl.DataFrame]:
        return {path.stem: pl.read_parquet(path) for path in sorted(self.directory.glob("*.parquet"))}

    def numbers(self, register: str, pseudonym: str, key: str) -> pl.DataFrame:
        """The trustee's table: `pseudonym` and the register's `key`."""
        _, tables = read_map(self.maps, project=self.plan.project, master_key=MASTER_KEY)
        table = tables[f"register {register}"]
        return table.rename(dict(zip(table.columns, (key, pseudonym), strict=True)))
