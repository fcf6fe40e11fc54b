"""Pictures as fresh PNGs: of PNG and JPEG the pixels alone, of SVG drawings and PDF pages what they show."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.checks.findings import Finding, Place, Severity
from hub.checks.identifiers import Text
from hub.checks.images import MalformedImage, inspect, reencode
from hub.checks.rewriting import Rewriting
from hub.checks.sentences import finding

MAX_PAGES = 20
_LONG_SIDE = 1_600  # pixels of a drawing or page
_MAX_METADATA = 500
_MARKERS = 20
_SHAPES = frozenset(
    {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "use", "text", "image"}
)
_REMOVED = frozenset({
    "script", "foreignObject", "metadata", "animate", "animateMotion", "animateTransform", "set", "handler",
    "listener", "iframe", "audio", "video",
})  # fmt: skip
_FONTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))


def find_in_image(data: bytes, place: Place, max_pixels: int) -> tuple[list[Finding], list[Text]]:
    """What a PNG or JPEG holds that is not shown, as findings, and its readable texts."""
    try:
        facts = inspect(data, max_pixels)
    except MalformedImage as error:
        return [finding("image_malformed", Severity.BLOCK, place, problem=str(error))], []
    if facts.width * facts.height > max_pixels:
        wide, high = facts.width, facts.height
        found = finding("image_too_large", Severity.BLOCK, place, width=wide, height=high, limit=max_pixels)
        return [found], []
    findings, texts = [], []
    if facts.trailing:
        findings.append(finding("trailing_bytes", Severity.BLOCK, place, count=facts.trailing))
    for name, text in facts.texts:
        texts.append(Text(place, text))
        # A text too long to be shown beside the image cannot be judged.
        severity = Severity.REVIEW if len(text) <= _MAX_METADATA else Severity.BLOCK
        evidence = {"text": text[:_MAX_METADATA], "characters": len(text)}
        findings.append(finding("image_metadata", severity, place, name=name, evidence=evidence))
    findings += [finding("hidden_content", Severity.BLOCK, place, name=name) for name in facts.hidden]
    return findings, texts


def rewrite_image(data: bytes, rewriting: Rewriting, place: Place, max_pixels: int) -> bytes:
    """The pixels of a PNG or JPEG on white as a fresh PNG. Raises `CannotRewrite`."""
    findings, texts = find_in_image(data, place, max_pixels)
    rewriting.changes += findings
    rewriting.seen += [*texts, Text(place, data.decode("latin-1"))]
    try:
        made = reencode(data, max_pixels)[0]
    except MalformedImage as error:
        known = next((one for one in findings if one.rule in ("image_malformed", "image_too_large")), None)
        if known is not None:
            rewriting.changes.remove(known)
            raise rewriting.refusal(known.rule, place, **known.evidence) from error
        raise rewriting.refusal("image_malformed", place, problem=str(error)) from error
    if made != data:
        rewriting.note("image_rewritten", place)
    return made


def rewrite_drawing(source: str, rewriting: Rewriting, place: Place, max_pixels: int) -> bytes:
    """An SVG drawing as PNG. Raises `CannotRewrite`.

    1. Parsed without entities, network and document type. 2. Scripts, foreign content, animations and links
    to anything outside are taken out. 3. Drawn at a fixed size, so its own size costs nothing. 4. The pixels
    are written again, as those of any image.
    """
    import resvg_py

    rewriting.seen.append(Text(place, source))
    root = _parse(source, rewriting, place)  # (1)
    shapes, markers, words = _strip(root, rewriting, place)  # (2)
    from lxml import etree

    try:
        drawn = resvg_py.svg_to_bytes(  # (3)
            svg_string=etree.tostring(root, encoding="unicode"),
            background="#ffffff",
            width=None if _upright(root) else _LONG_SIDE,
            height=_LONG_SIDE if _upright(root) else None,
        )
        made = reencode(bytes(drawn), max_pixels)[0]  # (4)
    except (ValueError, OSError, RuntimeError) as error:
        raise rewriting.refusal("drawing_malformed", place, problem="not drawable") from error
    if words and not any(folder.is_dir() and any(folder.rglob("*.ttf")) for folder in _FONTS):
        rewriting.doubt("drawing_without_fonts", place)
    if markers >= _MARKERS:
        rewriting.doubt("drawing_points", place, count=markers)
    rewriting.note("drawing_rasterised", place, shapes=shapes)
    return made


def _parse(source: str, rewriting: Rewriting, place: Place) -> Any:
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(source.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise rewriting.refusal("drawing_malformed", place, problem="not XML") from error
    if etree.QName(root).localname != "svg":
        raise rewriting.refusal("drawing_malformed", place, problem="not SVG")
    if root.getroottree().docinfo.internalDTD is not None and b"<!ENTITY" in source.encode():
        raise rewriting.refusal("drawing_malformed", place, problem="entities")
    return root


def _strip(root: Any, rewriting: Rewriting, place: Place) -> tuple[int, int, bool]:
    """Take out what a drawing does not need; how many shapes and markers it has, and whether it has text."""
    from lxml import etree

    removed: set[str] = set()
    shapes = markers = 0
    words = False
    for element in list(root.iter()):
        if not isinstance(element.tag, str):
            removed.add("entities")
            _remove(element)
            continue
        name = etree.QName(element).localname
        if name in _REMOVED:
            removed.add(name if name != "metadata" else "metadata of the drawing")
            _remove(element)
            continue
        removed |= _strip_attributes(element)
        shapes += name in _SHAPES
        markers += name in ("circle", "ellipse", "use")
        words = words or name == "text"
    for name in sorted(removed - {"metadata of the drawing"}):
        rewriting.doubt("drawing_part", place, name=name[:40])
    return shapes, markers, words


def _remove(element: Any) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _strip_attributes(element: Any) -> set[str]:
    removed = set()
    for key in list(element.attrib):
        local = key.rsplit("}", 1)[-1].lower()
        value = element.attrib[key].strip()
        inside = value.startswith("#") or re.match(r"data:image/(?:png|jpeg);base64,", value)
        if local.startswith("on") or (local in ("href", "src") and not inside):
            removed.add("script" if local.startswith("on") else "link to the outside")
            del element.attrib[key]
    return removed


def _upright(root: Any) -> bool:
    """Whether the drawing is higher than wide: its longer side is fixed, so that neither can be large."""
    box = re.findall(r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?", root.get("viewBox", ""))
    width, height = _length(root.get("width")), _length(root.get("height"))
    if width is None or height is None:
        width, height = (float(box[2]), float(box[3])) if len(box) == 4 else (1.0, 1.0)
    return height > width


def _length(value: str | None) -> float | None:
    match = re.match(r"\s*([0-9]*\.?[0-9]+)\s*(?:px|pt|in|cm|mm|pc|em)?\s*$", value or "")
    return float(match[1]) if match else None


def rewrite_pdf(data: bytes, rewriting: Rewriting, max_pixels: int) -> Iterator[bytes]:
    """Each page of a PDF as PNG, forms and annotations as printed. Raises `CannotRewrite`.

    Scripts, attachments, layers and hidden text do not pass; the text of each page is searched.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        pages = len(document)
    except pypdfium2.PdfiumError as error:
        raise rewriting.refusal("pdf_malformed") from error
    with document:
        if not 0 < pages <= MAX_PAGES:
            raise rewriting.refusal("pdf_pages", pages=pages, limit=MAX_PAGES)
        scripts, actions = active_parts(data)
        scripts = max(scripts, pypdfium2.raw.FPDFDoc_GetJavaScriptActionCount(document))
        attachments = document.count_attachments()
        for name, count in (("scripts", scripts), ("actions", actions), ("attachments", attachments)):
            if count:
                rewriting.doubt("pdf_active", name=name, count=max(count, 1))
        rewriting.seen.append(Text(Place(), data.decode("latin-1")))
        for number in range(pages):
            try:
                yield draw_page(document, number, rewriting, max_pixels)
            except (pypdfium2.PdfiumError, ValueError, OSError) as error:
                raise rewriting.refusal("pdf_malformed") from error
    rewriting.note("pdf_rasterised", pages=pages)


_NAMED = re.compile(rb"#([0-9A-Fa-f]{2})")
_PACKED = re.compile(rb"/ObjStm[^>]{0,500}>>\s*stream\r?\n")
_SCRIPTS = re.compile(rb"/(?:JavaScript|JS)(?![A-Za-z])")
_ACTIONS = re.compile(
    rb"/S\s*/(?:Launch|SubmitForm|ImportData|Rendition|RichMediaExecute)(?![A-Za-z])|/XFA(?![A-Za-z])"
)
_MOST_PACKED, _MOST_UNPACKED = 200, 1 << 20


def active_parts(data: bytes) -> tuple[int, int]:
    """How many names in a PDF speak of scripts, and of actions that open, send or run something, wherever
    they hang: at the document, a page or a field. Encrypted ones are not seen (nor do they leave)."""
    texts = [data]
    for packed in itertools.islice(_PACKED.finditer(data), _MOST_PACKED):
        with contextlib.suppress(zlib.error):
            texts.append(zlib.decompressobj().decompress(data[packed.end() :], _MOST_UNPACKED))
    plain = [_NAMED.sub(lambda code: bytes([int(code[1], 16)]), text) for text in texts]
    scripts, actions = (sum(len(each.findall(text)) for text in plain) for each in (_SCRIPTS, _ACTIONS))
    return scripts, actions


def draw_page(document: Any, number: int, rewriting: Rewriting, max_pixels: int) -> bytes:
    """A page as PNG, its text noted as seen. Raises PdfiumError, ValueError or OSError for a bad one."""
    page = document[number]
    width, height = page.get_size()
    if not (0 < width < 1e6 and 0 < height < 1e6):
        raise ValueError("no size")
    scale = min(_LONG_SIDE / max(width, height), 4.0)
    if round(width * scale) * round(height * scale) > max_pixels:
        raise ValueError("too large")
    text = page.get_textpage().get_text_bounded()
    rewriting.seen.append(Text(Place(), text))
    image = page.render(scale=scale).to_pil().convert("RGB")
    out = io.BytesIO()
    image.save(out, format="PNG")
    return reencode(out.getvalue(), max_pixels)[0]
