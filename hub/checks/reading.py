"""One page of a PDF as a picture: how a manuscript is read without anything of it running anywhere."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.checks.confinement import ChildFailed, Limits, run_child
from hub.checks.thresholds import Thresholds

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class PdfPage:
    """Page `page` of `pages`, from 0. `active`: names in the PDF that speak of scripts, or of actions that
    open, send or run something."""

    page: int
    pages: int
    png: bytes
    active: int


def draw(data: bytes, page: int, max_pixels: int) -> dict[str, Any]:
    """The page, or the last one there is, as JSON values. Raises ValueError for what is no PDF."""
    import pypdfium2

    from hub.checks.canonical_images import active_parts, draw_page
    from hub.checks.rewriting import Rewriting

    try:
        with pypdfium2.PdfDocument(data) as document:
            pages = len(document)
            number = min(max(page, 0), pages - 1)
            png = draw_page(document, number, Rewriting(), max_pixels)
    except (pypdfium2.PdfiumError, OSError, IndexError) as error:
        raise ValueError("not a PDF that can be drawn") from error
    return {
        "page": number,
        "pages": pages,
        "png": base64.b64encode(png).decode("ascii"),
        "active": sum(active_parts(data)),
    }


def read_page_in_subprocess(
    file: Path, *, page: int, thresholds: Thresholds, limits: Limits | None = None
) -> PdfPage | None:
    """`draw` in a confined child; None for whatever does not end with a picture. Blocks up to
    `limits.wall_seconds`."""
    request = {
        "action": "page",
        "file": str(file.absolute()),
        "page": page,
        "thresholds": thresholds.to_json(),
    }
    try:
        raw = json.loads(run_child(request, limits or Limits()))
        made = PdfPage(raw["page"], raw["pages"], base64.b64decode(raw["png"], validate=True), raw["active"])
    except (ChildFailed, ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        return None
    numbers = (made.page, made.pages, made.active)
    if any(type(number) is not int or number < 0 for number in numbers) or not made.png.startswith(_PNG):
        return None
    return made if made.page < made.pages else None
