"""Pictures of a risk report, as SVG to stand in a page, and the same numbers as tables of text."""

from __future__ import annotations

from dataclasses import dataclass

from hub.documents.base import Text
from hub.extraction import risk_drawing as draw
from hub.extraction.risk_reports import Light, Measure, MeasureId, RiskReport, SizeClass
from hub.extraction.risk_sentences import number, percent

LIGHTS = "lights"  # the name of the picture of the whole report
_COLUMNS_SHOWN = 8
_GAP = "\u202f"

TITLES = {
    MeasureId.SAMPLE_K: Text(fr="Personnes semblables dans l’extrait", en="People alike in the extract"),
    MeasureId.POPULATION_K: Text(
        fr="Personnes semblables dans la population", en="People alike in the population"
    ),
    MeasureId.MINIMAL_UNIQUES: Text(
        fr="Reconnaissables à peu de caractéristiques", en="Told apart by few characteristics"
    ),
    MeasureId.L_DIVERSITY: Text(
        fr="Valeurs sensibles parmi les semblables", en="Sensitive values among people alike"
    ),
    MeasureId.POPULATION_L: Text(
        fr="Valeurs sensibles parmi les semblables dans la population",
        en="Sensitive values among people alike in the population",
    ),
    MeasureId.HOUSEHOLDS: Text(fr="Ménages semblables", en="Households alike"),
    MeasureId.EMPLOYERS: Text(fr="Taille des employeurs", en="Size of the employers"),
    MeasureId.TRAJECTORIES: Text(
        fr="Reconnaissables à quelques mois connus", en="Singled out by a few known months"
    ),
    MeasureId.CHARACTERISTICS: Text(
        fr="Reconnaissables à leurs caractéristiques de quelques mois",
        en="Singled out by their characteristics in a few months",
    ),
    MeasureId.UNMEASURED: Text(fr="Non mesuré", en="Not measured"),
}
_UNITS = {
    "person": Text(fr="personnes", en="people"),
    "household": Text(fr="ménages", en="households"),
    "employer": Text(fr="employeurs", en="employers"),
}
_SIZES = {
    MeasureId.SAMPLE_K: Text(fr="taille du groupe de semblables", en="size of the group of people alike"),
    MeasureId.POPULATION_K: Text(
        fr="taille du groupe dans la population", en="size of the group in the population"
    ),
    MeasureId.L_DIVERSITY: Text(fr="nombre de valeurs dans le groupe", en="number of values in the group"),
    MeasureId.POPULATION_L: Text(
        fr="nombre de valeurs dans le groupe de la population",
        en="number of values in the group of the population",
    ),
    MeasureId.HOUSEHOLDS: Text(fr="ménages de même composition", en="households of the same composition"),
    MeasureId.EMPLOYERS: Text(fr="personnes chez l’employeur", en="persons of the employer"),
}
LIGHT_NAMES = {
    Light.GREEN: Text(fr="vert", en="green"),
    Light.AMBER: Text(fr="orange", en="amber"),
    Light.RED: Text(fr="rouge", en="red"),
}
_WORDS = {
    "share": Text(fr="part", en="share"),
    "part": Text(fr="part des", en="share of the"),
    "known": Text(fr="valeurs mensuelles connues", en="known month-values"),
    "interval": Text(fr="intervalle à 95\u202f%", en="95% interval"),
    "tried": Text(fr="personnes tirées", en="people tried"),
    "column": Text(fr="variable", en="variable"),
    "limit": Text(fr="limite", en="limit"),
    "notice": Text(fr="attention", en="notice"),
    "decide": Text(fr="décision", en="decision"),
    "more": Text(fr="et plus", en="or more"),
    "takes_part": Text(
        fr="part des personnes reconnaissables à qui la variable contribue",
        en="share of the recognisable people for whom the variable takes part",
    ),
    "unknown": Text(fr="inconnu", en="not known"),
    "measure": Text(fr="mesure", en="measure"),
    "value": Text(fr="valeur", en="value"),
    "light": Text(fr="feu", en="light"),
    "all": Text(fr="Risques avant livraison", en="Risks before delivery"),
    "safer": Text(fr="plus sûr", en="safer"),
    "riskier": Text(fr="plus risqué", en="riskier"),
}


@dataclass(frozen=True)
class PictureTable:
    """What a picture shows, for those who do not see it."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def measure_name(position: int) -> str:
    """The name of the picture of the measure at a position of the report."""
    return f"measure-{position}"


def pictures(report: RiskReport, language: str) -> dict[str, str]:
    """Name → SVG: `lights` for the whole, and `measure_name(position)` for each measure with more to show.

    They are to be put into the page as they are (not as image files): they take its text colour.
    """
    found = {LIGHTS: _lights(report, language)}
    for position, measure in enumerate(report.measures):
        svg = _picture(measure, report.k, language, name := measure_name(position))
        if svg is not None:
            found[name] = svg
    return found


def picture_tables(report: RiskReport, language: str) -> dict[str, PictureTable]:
    """Name → table, for the same names as `pictures`."""
    rows = tuple(
        (_title(one, language), figure(one, language), LIGHT_NAMES[one.light][language])
        for one in report.measures
    )
    header = tuple(_WORDS[name][language] for name in ("measure", "value", "light"))
    found = {LIGHTS: PictureTable(_WORDS["all"][language], header, rows)}
    for position, measure in enumerate(report.measures):
        table = _table(measure, language)
        if table is not None:
            found[measure_name(position)] = table
    return found


def figure(measure: Measure, language: str) -> str:
    """What is judged, as text."""
    if measure.figure is None:
        return _WORDS["unknown"][language]
    if measure.kind == "size":
        return number(measure.figure)[language]
    shown = percent(measure.figure)[language]
    for limit in (measure.notice, measure.decide):
        # Not to be read as being just at the limit when it is over it.
        if limit is not None and shown == percent(limit)[language] and measure.figure != limit:
            return f"{'>' if measure.figure > limit else '<'}{_GAP}{shown}"
    return shown


def _title(measure: Measure, language: str) -> str:
    return f"{TITLES[measure.id][language]} – {measure.subject}"


def _cut(text: str, length: int) -> str:
    """The text as far as there is room for it; the table beside the picture has it all."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _short(share: float, language: str) -> str:
    """A share in the room above a bar."""
    if 0 < share < 0.001:
        return "<\u202f0,1\u202f%" if language.startswith("fr") else "<0.1%"
    if 0.995 < share < 1:
        return f">\u202f{'99,5' if language.startswith('fr') else '99.5'}" + percent(1)[language][3:]
    if share >= 0.0995:
        return f"{100 * share:.0f}" + ("\u202f%" if language.startswith("fr") else "%")
    return percent(share)[language]


def _table(measure: Measure, language: str) -> PictureTable | None:
    caption, say = _title(measure, language), {name: text[language] for name, text in _WORDS.items()}
    if measure.points:
        rows = [
            (
                str(one.known),
                percent(one.share)[language],
                f"{percent(one.low)[language]} – {percent(one.high)[language]}",
                number(one.people)[language],
            )
            for one in measure.points
        ]
        return PictureTable(caption, (say["known"], say["share"], say["interval"], say["tried"]), tuple(rows))
    if measure.columns:
        parts = [(one.column, percent(one.share)[language]) for one in measure.columns]
        return PictureTable(caption, (say["column"], say["takes_part"]), tuple(parts))
    if measure.classes:
        unit = _UNITS[measure.unit][language]
        sizes = [
            (_range(one, language), number(one.units)[language], percent(one.share)[language])
            for one in _shown(measure)
        ]
        return PictureTable(caption, (_SIZES[measure.id][language], unit, say["share"]), tuple(sizes))
    return None


def _picture(measure: Measure, k: int, language: str, name: str) -> str | None:
    if measure.points:
        return _curve(measure, language, name)
    if measure.columns:
        return _columns(measure, language, name)
    if measure.classes and measure.units:
        return _histogram(measure, k, language, name)
    return None


def _shown(measure: Measure) -> list[SizeClass]:
    """The classes up to the last with a unit, and up to the limits."""
    last = max(position for position, one in enumerate(measure.classes) if one.units)
    limit = measure.notice if measure.kind == "size" and measure.notice is not None else 10
    return [one for position, one in enumerate(measure.classes) if position <= last or one.lower <= limit]


def _range(one: SizeClass, language: str) -> str:
    lower = number(one.lower)[language]
    if one.upper is None:
        return f"{lower} {_WORDS['more'][language]}"
    return lower if one.upper == one.lower else f"{lower}–{number(one.upper)[language]}"


def _limits(measure: Measure, k: int, language: str) -> list[tuple[float, Light, str]]:
    """Sizes below which a light changes, with what to write at them."""
    if measure.kind != "size" or measure.notice is None or measure.decide is None:
        return [(k, Light.RED, f"k = {k}")]
    found = [(measure.decide, Light.RED, f"{_WORDS['decide'][language]} {measure.decide:g}")]
    if measure.notice != measure.decide:
        found.append((measure.notice, Light.AMBER, f"{_WORDS['notice'][language]} {measure.notice:g}"))
    return found


def _histogram(measure: Measure, k: int, language: str, name: str) -> str:
    """How many units are in groups of each size; the limits are dashed lines."""
    classes, limits = _shown(measure), _limits(measure, k, language)
    left, right, top, bottom = 0.0, float(draw.WIDTH), 92.0, 244.0
    highest = max(one.share for one in classes)
    step = (right - left) / len(classes)
    parts = [draw.words(0, 16, _cut(_title(measure, language), 64), size=14, bold=True)]
    parts.append(
        draw.words(
            0, 36, f"{_WORDS['part'][language]} {_UNITS[measure.unit][language]} (%)", size=12, quiet=True
        )
    )
    for position, one in enumerate(classes):
        x = left + position * step
        height = one.share / highest * (bottom - top) if highest else 0
        colour = next((draw.LIGHTS[light] for size, light, _ in limits if one.lower < size), draw.ACCENT)
        drawn = max(height, 1.5 if one.units else 0)
        parts.append(draw.box(x + 3, bottom - drawn, step - 6, drawn, colour))
        parts.append(
            draw.words(
                x + step / 2, bottom - height - 6, _short(one.share, language), anchor="middle", size=11
            )
        )
        label = _range(one, language) if one.upper is not None else f"≥ {number(one.lower)[language]}"
        parts.append(draw.words(x + step / 2, bottom + 17, label, anchor="middle", size=11))
    parts.append(draw.line(left, bottom, right, bottom, opacity=0.6))
    for row, (size, light, text) in enumerate(limits):
        before = sum(one.lower < size for one in classes)
        x = left + before * step
        parts.append(
            draw.line(x, 46 + 14 * row, x, bottom, colour=draw.LIGHTS[light], dashed=True, width=1.5)
        )
        parts.append(draw.words(x + 5, 55 + 14 * row, text, size=11))
    parts.append(
        draw.words(
            (left + right) / 2,
            bottom + 38,
            _SIZES[measure.id][language],
            anchor="middle",
            size=12,
            quiet=True,
        )
    )
    return draw.picture(name, _title(measure, language), measure.meaning[language], 292, parts)


def _curve(measure: Measure, language: str, name: str) -> str:
    """Trajectory unicity by the number of known month-values, with its interval and the two limits."""
    left, right, top, bottom = 48.0, 540.0, 46.0, 226.0
    points = [one for one in measure.points if one.people]

    def x(position: int) -> float:
        return left + (position + 0.5) * (right - left) / len(points)

    def y(share: float) -> float:
        return bottom - share * (bottom - top)

    parts = [draw.words(0, 16, _cut(_title(measure, language), 64), size=14, bold=True)]
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts.append(draw.line(left, y(tick), right, y(tick), opacity=0.6 if tick == 0 else 0.18))
        parts.append(draw.words(left - 8, y(tick) + 4, percent(tick)[language], anchor="end", size=11))
    free = bottom + 14
    limits = [limit for limit in (measure.notice, measure.decide) if limit is not None]
    for limit, light, word in zip(limits, (Light.AMBER, Light.RED), ("notice", "decide"), strict=False):
        parts.append(
            draw.line(left, y(limit), right, y(limit), colour=draw.LIGHTS[light], dashed=True, width=1.5)
        )
        text = f"{_WORDS[word][language]} {percent(limit)[language]}"
        free = min(free - 14, y(limit))  # labels of limits that are close stand above each other
        parts.append(draw.words(right + 6, free + 4, text, size=11))
    low = [(x(position), y(one.low)) for position, one in enumerate(points)]
    high = [(x(position), y(one.high)) for position, one in enumerate(points)]
    middle = [(x(position), y(one.share)) for position, one in enumerate(points)]
    parts.append(draw.path([*high, *reversed(low)], colour=draw.ACCENT, fill=True, opacity=0.25))
    parts.append(draw.path(middle, colour=draw.ACCENT))
    for position, one in enumerate(points):
        parts.append(draw.dot(*middle[position], draw.ACCENT))
        parts.append(
            draw.words(
                middle[position][0],
                _beside(middle[position][1], [y(limit) for limit in limits], top, bottom),
                _short(one.share, language),
                anchor="middle",
                size=12,
                bold=True,
            )
        )
        parts.append(draw.words(x(position), bottom + 18, str(one.known), anchor="middle", size=12))
    parts.append(
        draw.words(
            (left + right) / 2, bottom + 39, _WORDS["known"][language], anchor="middle", size=12, quiet=True
        )
    )
    return draw.picture(name, _title(measure, language), measure.meaning[language], 274, parts)


def _beside(y: float, limits: list[float], top: float, bottom: float) -> float:
    """The baseline of a label above or below a point, where no line of a limit crosses it."""
    above, below = y - 12, y + 23
    clear = [
        baseline
        for baseline in (above, below)
        if top < baseline - 4 and baseline < bottom and all(abs(baseline - 4 - one) > 9 for one in limits)
    ]
    return clear[0] if clear else (above if above - 4 > top else below)


def _columns(measure: Measure, language: str, name: str) -> str:
    """The variables that take part in minimal uniques, the first ones."""
    shown = measure.columns[:_COLUMNS_SHOWN]
    left, right = 210.0, 580.0
    parts = [draw.words(0, 16, _cut(_title(measure, language), 64), size=14, bold=True)]
    parts.append(draw.words(0, 36, _WORDS["takes_part"][language], size=12, quiet=True))
    for position, one in enumerate(shown):
        y = 50 + 24 * position
        parts.append(draw.words(left - 10, y + 13, _cut(one.column, 28), anchor="end", size=12))
        parts.append(draw.box(left, y, right - left, 17, "currentColor", opacity=0.08))
        parts.append(draw.box(left, y, one.share * (right - left), 17, draw.ACCENT))
        parts.append(draw.words(right + 8, y + 13, _short(one.share, language), size=12))
    height = 58 + 24 * len(shown)
    return draw.picture(name, _title(measure, language), measure.meaning[language], height, parts)


def _lights(report: RiskReport, language: str) -> str:
    """Each measure with its light, and where its figure lies between safe and risky.

    The three zones are equally wide whatever the limits, so that they can be read at a glance.
    """
    left, right = 330.0, 560.0
    title = _WORDS["all"][language]
    parts = [draw.words(0, 16, title, size=14, bold=True)]
    parts.append(draw.words(left, 38, _WORDS["safer"][language], size=11, quiet=True))
    parts.append(draw.words(right, 38, _WORDS["riskier"][language], size=11, quiet=True, anchor="end"))
    for row, measure in enumerate(report.measures):
        y = 66 + 42 * row
        parts.append(draw.sign(12, y, measure.light))
        parts.append(draw.words(34, y - 2, TITLES[measure.id][language], size=13))
        parts.append(draw.words(34, y + 14, _cut(measure.subject, 44), size=11, quiet=True))
        parts += _gauge(measure, left, right, y)
        parts.append(draw.words(right + 10, y + 5, figure(measure, language), size=13, bold=True))
    said = ". ".join(
        f"{_title(one, language)}: {LIGHT_NAMES[one.light][language]}, {figure(one, language)}"
        for one in report.measures
    )
    return draw.picture(LIGHTS, title, said, 60 + 42 * len(report.measures), parts)


def _gauge(measure: Measure, left: float, right: float, y: float) -> list[str]:
    third = (right - left) / 3
    parts = [
        draw.box(
            left + position * third + 1,
            y - 4,
            third - 2,
            9,
            draw.LIGHTS[light],
            opacity=1 if light is measure.light else 0.3,
        )
        for position, light in enumerate((Light.GREEN, Light.AMBER, Light.RED))
    ]
    if measure.figure is not None:
        parts.append(draw.arrow(left + _place(measure) * (right - left), y - 5))
    return parts


def _place(measure: Measure) -> float:
    """Where the figure lies from 0 (safe) to 1 (risky), a third for each light."""
    value, notice, decide = measure.figure or 0.0, measure.notice or 0.0, measure.decide or 0.0
    if measure.kind == "size":
        if measure.light is Light.GREEN:
            return (notice / value) / 3 if value else 0.0
        if measure.light is Light.AMBER:
            return (1 + (notice - value) / max(1e-9, notice - decide)) / 3
        return (2 + (decide - value) / max(1e-9, decide)) / 3
    if measure.light is Light.GREEN:
        return value / max(1e-9, notice) / 3
    if measure.light is Light.AMBER:
        return (1 + (value - notice) / max(1e-9, decide - notice)) / 3
    return (2 + (value - decide) / max(1e-9, 1 - decide)) / 3
