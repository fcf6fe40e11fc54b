"""What leaves is rewritten: the same bytes each time, and nothing that was not understood."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from hub.checks import Severity
from hub.checks.canonical import take_in
from hub.checks.images import inspect
from hub.checks.rewriting import Canonical
from tests.unit.checks.samples import THRESHOLDS, chunk, encoded, jpeg, notebook, pdf, png, printed, shown

FEW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def rewrite(name: str, content: str | bytes) -> Canonical:
    return take_in(content.encode() if isinstance(content, str) else content, name, THRESHOLDS)


def only(made: Canonical) -> bytes:
    (part,) = made.parts
    return part.data


def told(made: Canonical) -> dict[str, Severity]:
    return {one.rule: one.severity for one in made.changes}


UNCHANGED = [
    ("t.csv", "age_group,n,mean_wage\n18-34,1204,31200.5\n35-49,1530,41877.1\n"),
    ("t.csv", "état;part\nA;0,125\nB;0,250\n"),
    ("t.csv", 'label,n\n"one, two",30\n'),
    ("t.csv", "code,mean\n007,1.50\n010,2.25\n"),
    ("t.csv", "x,coefficient\nage,-0.51***\nsex,(0.20)\n"),
    ("t.tsv", "a\tn\nx\t20\n"),
    ("t.txt", "Wages rose by 2.5 %.\n\n  indented\n"),
    ("t.md", "# Results\n\n| a | n |\n|---|---|\n| x | 20 |\n"),
    ("t.tex", "\\begin{tabular}{lr}\na & 20 \\\\\n\\end{tabular}\n"),
    ("t.py", "x = 3.14159265358979\n"),
    ("t.json", '[\n {\n  "a": 1.5,\n  "n": 20\n }\n]\n'),
]


@pytest.mark.parametrize(("name", "content"), UNCHANGED)
def test_what_is_plain_already_is_not_touched(name: str, content: str) -> None:
    made = rewrite(name, content)
    assert only(made) == content.encode()
    assert made.changes == ()
    assert [part.name for part in made.parts] == [name]


NUMBERS = "numbers_normalised"
CHANGED = [
    ("line ends", "t.csv", "a,n\r\nx,20\r\n", "a,n\nx,20\n", "quoting_normalised"),
    ("no last line end", "t.csv", "a,n\nx,20", "a,n\nx,20\n", "quoting_normalised"),
    ("quotes", "t.csv", '"a","n"\n"x","20"\n', "a,n\nx,20\n", "quoting_normalised"),
    ("bars", "t.csv", "a|n\nx|20\n", "a,n\nx,20\n", "quoting_normalised"),
    ("empty rows", "t.csv", "a,n\n,\n\nx,20\n", "a,n\nx,20\n", "quoting_normalised"),
    ("blanks in cells", "t.csv", "a,n\n x  y ,20 \n", "a,n\nx y,20\n", "blanks_normalised"),
    ("a formula", "t.csv", "a,n\n=1+1,20\n", "a,n\n'=1+1,20\n", "formula"),
    ("a formula in a TSV", "t.tsv", "a\tn\n@SUM(1)\t20\n", "a\tn\n'@SUM(1)\t20\n", "formula"),
    ("digits beyond precision", "t.csv", "a,m\nx,31200.512345678901\n", "a,m\nx,31200.51235\n", NUMBERS),
    ("a message in last digits", "t.csv", "a,m\nx,1.500000000072\ny,2.5\n", "a,m\nx,1.5\ny,2.5\n", NUMBERS),
    ("a message in last zeros", "t.csv", "a,m\nx,1.50\ny,2.5\n", "a,m\nx,1.5\ny,2.5\n", NUMBERS),
    ("powers of ten", "t.csv", "a,m\nx,1.5E-05\ny,2.5e-9\n", "a,m\nx,0.000015\ny,2.5e-09\n", NUMBERS),
    ("decimal commas", "t.csv", "a;m\nx;1,50\ny;2,123456789012\n", "a;m\nx;1,5\ny;2,123456789\n", NUMBERS),
    ("zero width", "t.csv", "a,n\nx\u200b,20\n", "a,n\nx,20\n", "hidden_characters"),
    ("bidi", "t.md", "safe \u202etxet\n", "safe txet\n", "hidden_characters"),
    ("colours", "t.txt", "\x1b[31mred\x1b[0m\n", "red\n", "blanks_normalised"),
    ("other blanks", "t.txt", "1\u202f204 a\u00a0b\u2003c\n", "1 204 a b c\n", "blanks_normalised"),
    ("trailing blanks", "t.txt", "a \nb\n", "a\nb\n", "blanks_normalised"),
    ("spelling blanks", "t.txt", "a \nb  \n" * 8, "a\nb\n" * 8, "trailing_blanks"),
    ("other digits", "t.txt", "\u0663\u0664\n", "34\n", "blanks_normalised"),
    ("combined letters", "t.txt", "e\u0301\n", "é\n", None),
    ("Latin-1", "t.csv", "région,n\nÉtat,120\n".encode("latin-1"), "région,n\nÉtat,120\n", "encoding"),
    ("UTF-16", "t.csv", "a,n\nx,20\n".encode("utf-16"), "a,n\nx,20\n", "encoding"),
    ("a mark of order", "t.csv", "a,n\nx,20\n".encode("utf-8-sig"), "a,n\nx,20\n", None),
    ("JSON on one line", "t.json", '{"a":1.50000000000072,"n":20}', '{\n "a": 1.5,\n "n": 20\n}\n', NUMBERS),
    ("JSON twice", "t.json", '{"a": 1, "a": 2}', '{\n "a": 2\n}\n', "json_duplicate"),
    ("JSON NaN", "t.json", "[NaN]", '[\n "NaN"\n]\n', "json_rewritten"),
    ("JSON hidden", "t.json", '["a\\u200b"]', '[\n "a"\n]\n', "hidden_characters"),
    ("no JSON", "t.json", "{ ", "{\n", "blanks_normalised"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "expected", "rule"), [row[1:] for row in CHANGED], ids=[row[0] for row in CHANGED]
)
def test_what_says_nothing_to_a_reader_is_made_uniform(
    name: str, content: str | bytes, expected: str, rule: str | None
) -> None:
    made = rewrite(name, content)
    assert only(made).decode() == expected
    assert rule is None or rule in told(made)
    assert only(rewrite(name, only(made))) == only(made)


def test_whole_digits_are_never_cut() -> None:
    content = "a,sum\nx,12345678901234.75\ny,99999999999\n"
    assert only(rewrite("t.csv", content)) == b"a,sum\nx,12345678901235\ny,99999999999\n"


TEXTS = st.text(
    alphabet=st.sampled_from(list("0123456789abn,;|\t\n\r\" '.=+-eE&\\%*()\u200b\u202e\u00a0\u0301é٣\x1b[m")),
    max_size=200,
)


@FEW
@given(name=st.sampled_from(["t.csv", "t.tsv", "t.txt", "t.md", "t.tex", "t.py", "t.json"]), content=TEXTS)
def test_twice_is_once(name: str, content: str) -> None:
    made = rewrite(name, content)
    for part in made.parts:
        again = take_in(part.data, part.name, THRESHOLDS)
        assert [(one.name, one.data) for one in again.parts] == [(part.name, part.data)]
        assert again.doubts == ()
        assert only(rewrite(name, content)) == part.data
    assert made.parts or any(one.severity is Severity.BLOCK for one in made.changes)


@FEW
@given(
    rows=st.lists(
        st.lists(
            st.text(max_size=8) | st.floats().map(repr) | st.integers().map(str), min_size=2, max_size=4
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_table_twice_is_once(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    made = rewrite("t.csv", out.getvalue())
    for part in made.parts:
        assert only(take_in(part.data, "t.csv", THRESHOLDS)) == part.data


@FEW
@given(value=st.floats(-1e12, 1e12, allow_nan=False))
def test_numbers_keep_their_value(value: float) -> None:
    made = only(rewrite("t.csv", f"a,m\nx,{value!r}\n")).decode()
    cell = made.splitlines()[1].split(",")[1]
    assert float(cell) == pytest.approx(value, rel=1e-9)


def test_images_are_pixels_only() -> None:
    text = chunk(b"tEXt", b"Comment\0wage 12345")
    for name, data in (("p.png", png(extra=text, after=b"1,2,3")), ("p.jpg", jpeg(comment=b"wage 12345"))):
        made = rewrite(name, data)
        (part,) = made.parts
        assert part.name == "p.png"
        facts = inspect(part.data, 10**6)
        assert (facts.texts, facts.hidden, facts.trailing) == ([], [], 0)
        assert only(rewrite("p.png", part.data)) == part.data
        with Image.open(io.BytesIO(part.data)) as before, Image.open(io.BytesIO(data)) as after:
            assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()


SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' "
    "width='40' height='20'>"
    "<rect width='40' height='20' fill='red'/>{}</svg>"
)


@pytest.mark.parametrize(
    ("inside", "rule"),
    [
        ("", "drawing_rasterised"),
        ("<script>alert(1)</script>", "drawing_part"),
        ("<rect onload='x()' width='1' height='1'/>", "drawing_part"),
        ("<image xlink:href='file:///etc/passwd' width='5' height='5'/>", "drawing_part"),
        ("<image xlink:href='http://example.org/a.png' width='5' height='5'/>", "drawing_part"),
        ("<circle r='1'/>" * 40, "drawing_points"),
    ],
)
def test_a_drawing_becomes_pixels(inside: str, rule: str) -> None:
    made = rewrite("plot.svg", SVG.format(inside))
    (part,) = made.parts
    assert part.name == "plot.png"
    assert rule in told(made)
    with Image.open(io.BytesIO(part.data)) as image:
        assert max(image.size) == 1600
        assert image.convert("RGB").getpixel((1500, 700)) == (255, 0, 0)


@pytest.mark.parametrize(
    "source",
    [
        "<svg",
        "<html/>",
        "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg xmlns='http://www.w3.org/2000/svg'><text>&a;</text></svg>",
        "<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg xmlns='http://www.w3.org/2000/svg'>&a;</svg>",
    ],
)
def test_a_drawing_that_is_none_does_not_leave(source: str) -> None:
    made = rewrite("plot.svg", source)
    assert made.parts == ()
    assert set(told(made)) <= {"drawing_malformed", "type_mismatch"}


def test_a_huge_drawing_costs_nothing() -> None:
    source = SVG.format("").replace("width='40' height='20'>", "width='400000' height='200000'>", 1)
    with Image.open(io.BytesIO(only(rewrite("plot.svg", source)))) as image:
        assert max(image.size) == 1600


def test_a_pdf_becomes_its_pages() -> None:
    made = rewrite("paper.pdf", pdf("Table 1", "Table 2"))
    assert [part.name for part in made.parts] == ["paper - p1.png", "paper - p2.png"]
    assert told(made) == {"pdf_rasterised": Severity.NOTE}
    assert made.parts[0].data != made.parts[1].data
    again = rewrite("paper.pdf", pdf("Table 1", "Table 2"))
    assert [part.data for part in again.parts] == [part.data for part in made.parts]


def test_scripts_of_a_pdf_are_told_and_stay_behind() -> None:
    script = b"/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(app.alert(1))>>]>>>>"
    made = rewrite("paper.pdf", pdf("Table 1", extra=script))
    assert told(made)["pdf_active"] is Severity.REVIEW
    assert [part.name for part in made.parts] == ["paper.png"]


def test_a_pdf_of_many_pages_does_not_leave() -> None:
    made = rewrite("paper.pdf", pdf(*["x"] * 21))
    assert (made.parts, told(made)) == ((), {"pdf_pages": Severity.BLOCK})


def zipped(*members: tuple[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def test_an_archive_is_unpacked_into_files_of_their_own() -> None:
    table = "a,n\nx,20\n"
    made = rewrite(
        "all.zip", zipped(("tables/t.csv", table), ("t.csv", table), ("T.CSV", table), ("p.png", png()))
    )
    assert [part.name for part in made.parts] == ["tables_t.csv", "t.csv", "T (2).CSV", "p.png"]
    assert told(made)["archive_unpacked"] is Severity.NOTE


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ([("a.csv", "a,n\nx,20\n"), ("m.pkl", b"\x80\x04")], "archive_member"),
        ([("inner.zip", zipped(("a.csv", "a,n\n")))], "archive_member"),
        ([("t.csv", b"PAR1")], "archive_member"),
        ([(f"t{n}.txt", "x\n") for n in range(21)], "archive_limit"),
        ([(f"t{n}.txt", "x\n") for n in range(201)], "archive_limit"),
        ([("t.txt", "0" * 50_000_000)], "archive_limit"),
        ([], "empty"),
    ],
)
def test_an_archive_that_does_not_leave(members: list[tuple[str, str | bytes]], rule: str) -> None:
    made = rewrite("all.zip", zipped(*members))
    assert made.parts == ()
    assert told(made)[rule] is Severity.BLOCK


def test_member_names_lead_nowhere() -> None:
    made = rewrite(
        "all.zip", zipped(("../../etc/cron.d/x.txt", "a\n"), ("C:\\a.txt", "a\n"), ("/.b\u202e.txt", "a\n"))
    )
    for part in made.parts:
        assert not part.name.startswith(".")
        assert not set(part.name) & set("/\\:\u202e")


def test_a_notebook_keeps_code_and_what_can_be_judged() -> None:
    outputs = [
        printed("\x1b[32m20\x1b[0m  \n"),
        shown(
            text_html="<table><thead><tr><th>a</th><th>n</th></tr></thead><tr><td>x</td><td>20</td></tr></table>"
        ),
        shown(image_png=encoded(png(after=b"1,2,3"))),
        shown(text_plain="<Figure>", application_javascript="alert(1)"),
        {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": SVG.format("")}},
    ]
    made = rewrite(
        "n.ipynb", notebook(*outputs, metadata={"widgets": {"state": 1}, "kernelspec": {"language": "R"}})
    )
    kept = json.loads(only(made))
    assert set(kept) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert kept["metadata"] == {"language_info": {"name": "R"}}
    data = [output["data"] for output in kept["cells"][0]["outputs"]]
    assert data[0] == {"text/plain": "20\n"}
    assert "<td>20</td>" in data[1]["text/html"]
    assert [set(one) for one in data[2:]] == [{"image/png"}, {"text/plain"}, {"image/png"}]
    assert {"notebook_extra", "trailing_bytes", "drawing_rasterised"} <= set(told(made))
    assert only(rewrite("n.ipynb", only(made))) == only(made)


CELLS = st.lists(
    st.sampled_from(
        [
            printed("a  n\nx 20\n"),
            shown(text_html="<table><tr><th rowspan=2>a<td>1.50000000000001<tr><td>2</table>after<b>x</b>"),
            shown(
                text_html="<p onclick=1>a\u200b</p><table><thead><tr><th>a<tr><th>b</thead><td>\u00a0</table>"
            ),
            shown(text_plain="1.123456789012345"),
            {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[0;31m---"]},
            shown(image_png=encoded(png())),
            shown(text_latex="$x$  \n"),
        ]
    ),
    max_size=6,
)


@settings(parent=FEW, max_examples=60)
@given(outputs=CELLS)
def test_any_notebook_twice_is_once(outputs: list[dict[str, object]]) -> None:
    made = rewrite("n.ipynb", notebook(*outputs, source="x = 1 \n\n\n\n\n\n"))
    assert only(rewrite("n.ipynb", only(made))) == only(made)
