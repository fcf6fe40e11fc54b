"""A dictionary in the words of others: Table Schema, DDI-Codebook, DCAT-AP. Pure: no file, no clock.

All three describe the dictionary they are given and nothing else; give `Dictionary.public` where
anyone may read the result.
"""

from __future__ import annotations

from hub.documents.exports.dcat import dcat
from hub.documents.exports.ddi import ddi_codebook
from hub.documents.exports.table_schemas import table_schema

__all__ = ["dcat", "ddi_codebook", "table_schema"]
