"""From registered sources and an approved request to a sealed, read-only extract.

    register      check a file against its dictionary; it becomes a source of the warehouse, or nothing does
    check_file    where a file differs from its dictionary, without registering it
    load_source   a registered source, and `load_dictionary` what its variables mean
    plan_extract  check what a project asks for against the dictionaries, and freeze it
    assess        count what a plan would deliver, without delivering it
    extract       write the extract of a plan and seal it: all of it appears at once, or nothing does
    verify_extract  re-hash a sealed extract

`read_specification` and `specification_of` give the long form of what a project asks for.

All refusals are `hub.domain.errors.Refused` with stable codes, and name fields, columns and row
positions, never values. Killing any of these at any moment leaves nothing that looks finished, and
calling it again succeeds. Times (`now`) are aware; hashes are SHA-256 in hexadecimal.
"""

from __future__ import annotations

from pathlib import Path

from hub.documents.dictionaries import Dictionary
from hub.extraction.assessments import Assessment, PopulationSize, assess
from hub.extraction.conformity import Difference
from hub.extraction.extracts import extract, verify_extract
from hub.extraction.planning import plan_extract, read_specification, specification_of
from hub.extraction.plans import ExtractPlan
from hub.extraction.registrations import SourceDiffers, register
from hub.extraction.risks import RiskReport
from hub.extraction.sources import SourceRecord, load_dictionary, load_source

__all__ = [
    "Assessment",
    "Difference",
    "ExtractPlan",
    "PopulationSize",
    "RiskReport",
    "SourceDiffers",
    "SourceRecord",
    "assess",
    "check_file",
    "extract",
    "load_dictionary",
    "load_source",
    "plan_extract",
    "read_specification",
    "register",
    "specification_of",
    "verify_extract",
]


def check_file(path: Path, dictionary: Dictionary) -> tuple[int, list[Difference]]:
    """`schemas.check_file`, which is loaded when it is asked for: pandera takes half a second."""
    from hub.extraction import schemas

    return schemas.check_file(path, dictionary)
