"""The schema of DDI-Codebook 2.5, which is not in this repository: it is LGPL, and no package brings it.

`VITRINE_DDI_SCHEMAS` names a folder with `codebook.xsd` and what it imports, as the DDI Alliance publishes
them. Without it these tests are skipped; `tests/unit/documents/test_exports.py` and
`tests/unit/extraction/test_formats.py` look at the content in any case.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lxml import etree

FOLDER = os.environ.get("VITRINE_DDI_SCHEMAS", "")
needs_schema = pytest.mark.skipif(not FOLDER, reason="VITRINE_DDI_SCHEMAS names no folder with codebook.xsd")


def schema_errors(content: bytes) -> list[str]:
    """Where the XML is not what the schema of DDI-Codebook 2.5 says; nothing is fetched."""
    parser = etree.XMLParser(no_network=True)
    schema = etree.XMLSchema(etree.parse(str(Path(FOLDER) / "codebook.xsd"), parser))
    schema.validate(etree.fromstring(content, parser))
    return [f"{error.line}: {error.message}" for error in schema.error_log]
