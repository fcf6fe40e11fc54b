"""Strict documents written by people: policies, dictionaries, projects.

`parse` and `read` return a frozen, typed document or raise `hub.domain.errors.DocumentError`, whose
sentence names file, line and key. An unknown or duplicate key, a wrong type or a missing key stops
the reader: a rule that nobody reads must not look as if it were in force.
"""

from __future__ import annotations

from hub.documents.base import Document, Text, parse, read

__all__ = ["Document", "Text", "parse", "read"]
