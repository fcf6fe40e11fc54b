"""The few shapes that the pictures are made of, as SVG for a page that allows no style and no script.

Text and lines have the colour of the page's text (`currentColor`), so the pictures fit a light and a dark
page; the other colours have a contrast of at least 3 : 1 with both. Nothing is said by colour alone.
"""

from __future__ import annotations

from html import escape
from typing import Literal

from hub.extraction.risk_reports import Light

WIDTH = 640
ACCENT = "#2f86a6"
LIGHTS = {Light.GREEN: "#2e9457", Light.AMBER: "#b37a00", Light.RED: "#d2483e"}
_FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', 'DejaVu Sans', sans-serif"
)
Anchor = Literal["start", "middle", "end"]


def picture(name: str, title: str, description: str, height: float, parts: list[str]) -> str:
    """A whole picture; `name` is unique in the page."""
    label = f"risk-{name}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
        f'height="{height:g}" role="img" class="risk-picture" aria-labelledby="{label}-title {label}-desc" '
        f'font-family="{_FONT}" font-size="13" fill="currentColor">'
        f'<title id="{label}-title">{escape(title)}</title>'
        f'<desc id="{label}-desc">{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def words(
    x: float,
    y: float,
    text: str,
    *,
    anchor: Anchor = "start",
    size: int = 13,
    bold: bool = False,
    quiet: bool = False,
) -> str:
    """A line of text; `y` is its baseline."""
    weight = ' font-weight="600"' if bold else ""
    opacity = ' fill-opacity="0.78"' if quiet else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}"{weight}{opacity}>'
        f"{escape(text)}</text>"
    )


def box(x: float, y: float, width: float, height: float, colour: str, *, opacity: float = 1) -> str:
    """A filled rectangle."""
    faint = "" if opacity == 1 else f' fill-opacity="{opacity:g}"'
    return (
        f'<rect x="{x:g}" y="{y:.5g}" width="{max(0, width):.5g}" height="{max(0, height):.5g}" '
        f'fill="{colour}"{faint}/>'
    )


def line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    *,
    colour: str = "currentColor",
    opacity: float = 1,
    width: float = 1,
    dashed: bool = False,
) -> str:
    """A straight line."""
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    faint = "" if opacity == 1 else f' stroke-opacity="{opacity:g}"'
    return (
        f'<line x1="{x1:.5g}" y1="{y1:.5g}" x2="{x2:.5g}" y2="{y2:.5g}" stroke="{colour}" '
        f'stroke-width="{width:g}"{faint}{dashes}/>'
    )


def path(points: list[tuple[float, float]], *, colour: str, fill: bool = False, opacity: float = 1) -> str:
    """A line through points, or the area that they enclose."""
    steps = " ".join(f"{'L' if position else 'M'}{x:.5g} {y:.5g}" for position, (x, y) in enumerate(points))
    if fill:
        return f'<path d="{steps} Z" fill="{colour}" fill-opacity="{opacity:g}"/>'
    return f'<path d="{steps}" fill="none" stroke="{colour}" stroke-width="2.5" stroke-linejoin="round"/>'


def dot(x: float, y: float, colour: str) -> str:
    """A point of a curve."""
    return f'<circle cx="{x:.5g}" cy="{y:.5g}" r="4.5" fill="{colour}"/>'


def sign(x: float, y: float, light: Light) -> str:
    """The light as a shape of its own at (x, y): a disc with a tick, a triangle, an octagon with a bar."""
    colour = LIGHTS[light]
    if light is Light.GREEN:
        return (
            f'<circle cx="{x:g}" cy="{y:g}" r="9" fill="{colour}"/>'
            f'<path d="M{x - 4:g} {y:g} L{x - 1:g} {y + 3.5:g} L{x + 4.5:g} {y - 3.5:g}" fill="none" '
            'stroke="#ffffff" stroke-width="2"/>'
        )
    if light is Light.AMBER:
        return (
            f'<path d="M{x:g} {y - 10:g} L{x + 10.5:g} {y + 8.5:g} L{x - 10.5:g} {y + 8.5:g} Z" '
            f'fill="{colour}"/>'
            f'<path d="M{x:g} {y - 4:g} L{x:g} {y + 2.5:g} M{x:g} {y + 4.5:g} L{x:g} {y + 6.5:g}" '
            'stroke="#ffffff" stroke-width="2"/>'
        )
    a, b = 9.5, 4
    corners = [(-b, -a), (b, -a), (a, -b), (a, b), (b, a), (-b, a), (-a, b), (-a, -b)]
    outline = " ".join(f"{'L' if i else 'M'}{x + dx:g} {y + dy:g}" for i, (dx, dy) in enumerate(corners))
    return (
        f'<path d="{outline} Z" fill="{colour}"/>'
        f'<path d="M{x - 5:g} {y:g} L{x + 5:g} {y:g}" stroke="#ffffff" stroke-width="2.5"/>'
    )


def arrow(x: float, y: float) -> str:
    """A mark that points down at (x, y)."""
    return f'<path d="M{x:.5g} {y:g} L{x - 5:.5g} {y - 8:g} L{x + 5:.5g} {y - 8:g} Z" fill="currentColor"/>'
