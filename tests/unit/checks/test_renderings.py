"""What a checker sees: all of it, as data, with nothing hidden and nothing that could run."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hub.checks.renderings import render
from tests.unit.checks.samples import THRESHOLDS, chunk, encoded, jpeg, notebook, png, printed, shown


def view(tmp_path: Path, name: str, content: str | bytes, **options: int) -> dict[str, Any]:
    file = tmp_path / "frozen"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    rendering = render(file, name=name, thresholds=THRESHOLDS, **options)
    made: dict[str, Any] = json.loads(json.dumps(rendering.to_json(), allow_nan=False))
    return made


def outputs(tmp_path: Path, *given: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = view(tmp_path, "n.ipynb", notebook(*given))["view"]["cells"][0]["outputs"]
    return found


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.pkl", b"\x80\x04K\x01."),
        ("x.svg", b"<svg onload='alert(1)'/>"),
        ("x.csv", b"\x80\x04K\x01."),
        ("x.csv", b"<html><script>alert(1)</script>"),
        ("x.png", b"a,b\n"),
        ("noextension", b"abc"),
    ],
)
def test_what_is_not_as_named_is_only_bytes(tmp_path: Path, name: str, content: bytes) -> None:
    shown_as = view(tmp_path, name, content)["view"]
    assert shown_as["kind"] == "raw"
    assert bytes.fromhex("".join(shown_as["hex"])) == content


@pytest.mark.parametrize(
    ("name", "content"),
    [("p.png", png(width=50_000, height=50_000)), ("p.png", png()[:50]), ("p.jpg", jpeg()[:80])],
)
def test_an_image_that_cannot_be_decoded_says_so(tmp_path: Path, name: str, content: bytes) -> None:
    assert view(tmp_path, name, content)["view"] == {"kind": "failed", "reason": "malformed"}


def test_every_row_is_on_some_page(tmp_path: Path) -> None:
    content = "a,b\n" + "".join(f"{at},x\n" for at in range(1, 1_002))
    seen: list[str] = []
    pages = view(tmp_path, "t.csv", content)["pages"]
    for page in range(pages):
        table = view(tmp_path, "t.csv", content, page=page)["view"]
        assert table["first_row"] == len(seen)
        assert table["total_rows"] == 1_001
        seen += [row[0] for row in table["rows"]]
    assert seen == [str(at) for at in range(1, 1_002)]


@pytest.mark.parametrize(("asked", "given"), [(-5, 0), (0, 0), (99, 2)])
def test_a_page_that_does_not_exist_is_the_nearest(tmp_path: Path, asked: int, given: int) -> None:
    assert view(tmp_path, "t.csv", "a\n" + "20\n" * 500, page=asked)["page"] == given


def test_every_line_of_a_text_is_on_some_page(tmp_path: Path) -> None:
    content = "\n".join(f"line {at}" for at in range(450)) + "\n" + "y" * 2_500
    lines: list[str] = []
    for page in range(view(tmp_path, "t.txt", content)["pages"]):
        lines += view(tmp_path, "t.txt", content, page=page)["view"]["lines"]
    assert lines[:450] == [f"line {at}" for at in range(450)]
    assert "".join(line.rstrip("…") for line in lines[450:]) == "y" * 2_500


def test_every_cell_of_a_notebook_is_on_some_page(tmp_path: Path) -> None:
    cell = json.loads(notebook(printed("line\n" * 90)))["cells"][0]
    content = notebook(cells=[{**cell, "source": f"cell {at}"} for at in range(7)])
    numbers = []
    for page in range(view(tmp_path, "n.ipynb", content)["pages"]):
        numbers += [one["number"] for one in view(tmp_path, "n.ipynb", content, page=page)["view"]["cells"]]
    assert numbers == list(range(7))


@pytest.mark.parametrize("name", ["t.csv", "t.txt", "t.md"])
@pytest.mark.parametrize(
    ("hidden", "visible"),
    [
        ("\u200b", "⟨U+200B⟩"),
        ("\u202e", "⟨U+202E⟩"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("\x1b", "⟨U+001B⟩"),
        ("\u3164", "⟨U+3164⟩"),
        ("\ufe0f", "⟨U+FE0F⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\x85", "⟨U+0085⟩"),
    ],
)
def test_hidden_characters_are_seen(tmp_path: Path, name: str, hidden: str, visible: str) -> None:
    made = json.dumps(view(tmp_path, name, f"a,b\nx{hidden}y,20\n"), ensure_ascii=False)
    assert f"x{visible}y" in made
    assert hidden not in made


def test_formulas_are_shown_and_marked(tmp_path: Path) -> None:
    table = view(tmp_path, "t.csv", 'a,b\n"=1+1",-20\n-3.5,@x\n')["view"]
    assert table["rows"] == [["=1+1", "-20"], ["-3.5", "@x"]]
    assert table["formula_cells"] == [[0, 0], [1, 1]]


def test_long_cells_are_named(tmp_path: Path) -> None:
    table = view(tmp_path, "t.csv", "a,b\n1," + "x" * 10_005)["view"]
    assert table["truncated_cells"] == [[0, 1, 10_005]]


def test_what_is_not_utf8_is_read_as_windows_1252_or_shown_with_replacements(tmp_path: Path) -> None:
    assert view(tmp_path, "t.csv", "a,b\né,20".encode("latin-1"))["view"]["rows"] == [["é", "20"]]
    mixed = "a,b\né,20\n".encode() + "é,30".encode("latin-1")
    assert view(tmp_path, "t.csv", mixed)["view"]["rows"] == [["é", "20"], ["\ufffd", "30"]]


def test_an_image_is_made_anew(tmp_path: Path) -> None:
    made = view(tmp_path, "p.png", png(extra=chunk(b"tEXt", b"Comment\0secret"), after=b"secret"))["view"]
    data = base64.b64decode(made["png_base64"])
    assert b"secret" not in data
    with Image.open(io.BytesIO(data)) as image:
        assert (image.size, image.getpixel((0, 0))) == ((4, 3), (16, 32, 48))
    assert (made["width"], made["height"]) == (4, 3)


def test_html_becomes_a_table(tmp_path: Path) -> None:
    head = "<thead><tr><th></th><th>n</th></tr></thead>"
    html = f"<div><table>{head}<tr><th>F&amp;M</th><td>30</td></tr></table></div>"
    (table,) = outputs(tmp_path, shown(text_html=html))
    assert (table["columns"], table["rows"]) == (["", "n"], [["F&M", "30"]])


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<table><tr><td onclick='alert(1)'>30</td></tr></table>",
        "<table><tr><td>30<!-- 12345 --></td></tr></table>",
        "<p style='display:none'>12345</p>",
        "<img src='data:image/png;base64,AAAA'>",
        "<iframe srcdoc='12345'></iframe>",
        "<![if 12345]>",
        "<table>" + "<td>" * 2_000,
    ],
)
def test_html_with_more_in_it_is_shown_as_source(tmp_path: Path, html: str) -> None:
    made = outputs(tmp_path, shown(text_html=html))
    assert {one["kind"] for one in made} <= {"table", "text"}
    source = next(one for one in made if one["kind"] == "text" and one["label"] == "text/html")
    assert "".join(line.removesuffix("…") for line in source["lines"]) == html


def test_every_representation_of_an_output_is_shown(tmp_path: Path) -> None:
    made = outputs(
        tmp_path,
        shown(text_html="<table><tr><th>n</th></tr><tr><td>30</td></tr></table>", text_plain="other 45"),
        {"output_type": "display_data", "data": {"image/png": encoded(png())}, "metadata": {"x": 1}},
        {"output_type": "display_data", "data": {"application/vnd.custom+json": {"rows": [77]}}},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t1", "t2"]},
    )
    assert [one["kind"] for one in made] == ["table", "text", "image", "text", "text", "text"]
    assert made[1]["lines"] == ["other 45"]
    assert "77" in "".join(made[4]["lines"])


def test_what_a_notebook_carries_besides_is_shown(tmp_path: Path) -> None:
    content = json.loads(notebook(metadata={"widgets": {"state": 12345}}))
    content["cells"][0]["attachments"] = {"a.png": {"image/png": "67890"}}
    made = json.dumps(view(tmp_path, "n.ipynb", json.dumps(content)))
    assert "12345" in made
    assert "67890" in made


def test_a_malformed_notebook_is_shown_as_text(tmp_path: Path) -> None:
    assert view(tmp_path, "n.ipynb", '{"nbformat": 9}')["view"]["lines"] == ['{"nbformat": 9}']
