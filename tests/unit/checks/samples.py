"""Extract rows, forms, and PNG, JPEG and notebook bytes for the tests, well-formed and not."""

from __future__ import annotations

import base64
import io
import json
import random
import struct
import zlib
from typing import Any

import polars as pl
from PIL import Image

from hub.checks import Thresholds
from hub.domain.pseudonyms import compose

TAG = 42
FULL_FORM = {
    "what": "Table 1",
    "population": "tax units 2014",
    "variables": "wages, state",
    "counts": "unweighted, in column n",
    "purpose": "paper",
}
THRESHOLDS = Thresholds(min_units=10, row_level_min_rows=20)


def make_frame(rows: int = 3_000, seed: int = 7) -> pl.DataFrame:
    """Units in households, with wages to the unit as surveys print them."""
    rng = random.Random(seed)  # noqa: S311  (test data)
    bodies = rng.sample(range(10**12), rows)
    return pl.DataFrame(
        {
            "unit_id": [compose(TAG, body) for body in bodies],
            "household_id": [compose(TAG, bodies[at - at % 2]) for at in range(rows)],
            "state": [rng.randrange(1, 52) for _ in range(rows)],
            "age": [rng.randrange(18, 86) for _ in range(rows)],
            "sex": [rng.choice(["F", "M"]) for _ in range(rows)],
            "wage": [rng.choice([0, rng.randrange(1, 200_000)]) for _ in range(rows)],
            "benefit": [round(rng.lognormvariate(7, 1), 2) for _ in range(rows)],
        }
    )


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(
    *, width: int = 4, height: int = 3, extra: bytes = b"", after: bytes = b"", more_pixels: bytes = b""
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\x00" + b"\x10\x20\x30" * width) * min(height, 100)
    pixels = chunk(b"IDAT", zlib.compress(rows + more_pixels))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + pixels + chunk(b"IEND", b"") + after


def jpeg(**options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(out, format="JPEG", **options)
    return out.getvalue()


def pdf(*pages: str, extra: bytes = b"") -> bytes:
    """A PDF with one line of text on each page."""
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(len(pages)))
    parts = [
        f"1 0 obj<</Type/Catalog/Pages 2 0 R {extra.decode()}>>endobj",
        f"2 0 obj<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>endobj",
    ]
    for number, text in enumerate(pages):
        stream = f"BT /F1 24 Tf 20 40 Td ({text}) Tj ET"
        parts.append(
            f"{3 + 2 * number} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 100]"
            f"/Contents {4 + 2 * number} 0 R"
            "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj"
        )
        parts.append(f"{4 + 2 * number} 0 obj<</Length {len(stream)}>>stream\n{stream}\nendstream endobj")
    return ("%PDF-1.4\n" + "\n".join(parts) + "\ntrailer<</Root 1 0 R>>\n%%EOF\n").encode()


def notebook(*outputs: dict[str, Any], source: str = "table", **more: Any) -> str:
    cell = {
        "cell_type": "code",
        "id": "a1",
        "metadata": {},
        "execution_count": 1,
        "source": source,
        "outputs": list(outputs),
    }
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": [cell], **more})


def shown(**data: Any) -> dict[str, Any]:
    """An `execute_result` whose data has `text_html=…` as text/html."""
    named = {name.replace("_", "/", 1): value for name, value in data.items()}
    return {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": named}


def printed(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
