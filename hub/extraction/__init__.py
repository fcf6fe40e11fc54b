"""From a registered source and an approved plan to a sealed, read-only extract.

    register      check a file against its dictionary; it becomes a source of the warehouse, or nothing does
    load_source   a registered source, and `load_dictionary` what its variables mean
    plan_extract  check what a project asks for against the dictionary, and freeze it
    extract       write the extract of a plan and seal it: all of it appears at once, or nothing does
    verify_extract  re-hash a sealed extract

All refusals are `hub.domain.errors.Refused` with stable codes, and name fields, columns and row
positions, never values. Killing any of these at any moment leaves nothing that looks finished, and
calling it again succeeds. Times (`now`) are aware; hashes are SHA-256 in hexadecimal.
"""

from __future__ import annotations

from hub.extraction.conformity import Difference
from hub.extraction.extracts import extract, verify_extract
from hub.extraction.plans import ExtractPlan, plan_extract
from hub.extraction.sources import (
    SourceDiffers,
    SourceRecord,
    load_dictionary,
    load_source,
    register,
)

__all__ = [
    "Difference",
    "ExtractPlan",
    "SourceDiffers",
    "SourceRecord",
    "extract",
    "load_dictionary",
    "load_source",
    "plan_extract",
    "register",
    "verify_extract",
]
