"""The codebook that lies beside an extract: what its columns mean, for programs and for people."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from hub.documents.classes import ClassSchemes, DateScheme
from hub.documents.dictionaries import Dictionary, Variable
from hub.extraction.levels import PlannedColumn
from hub.extraction.plans import ExtractPlan

_WORDS = {
    "fr": {
        "variable": "Variable",
        "label": "Libellé",
        "type": "Type",
        "domain": "Domaine de valeurs",
        "from": "de",
        "to": "à",
        "any": "toutes les valeurs",
        "missing": "peut manquer",
        "sensitive": "sensible",
        "pseudonym": "Pseudonyme propre au projet",
        "licence": "Licence",
        "period": "Période de référence",
        "level": "Niveau",
        "month": "premier jour du mois",
        "quarter": "premier jour du trimestre",
        "year": "premier jour de l’année",
        "sample": "Échantillon",
        "share": "part des unités",
        "count": "nombre d’unités",
        "per": "par valeur de",
        "household": "ménages tirés",
    },
    "en": {
        "variable": "Variable",
        "label": "Label",
        "type": "Type",
        "domain": "Value domain",
        "from": "from",
        "to": "to",
        "any": "any value",
        "missing": "may be missing",
        "sensitive": "sensitive",
        "pseudonym": "Pseudonym of this project",
        "licence": "Licence",
        "period": "Reference period",
        "level": "Level",
        "month": "first day of the month",
        "quarter": "first day of the quarter",
        "year": "first day of the year",
        "sample": "Sample",
        "share": "share of the units",
        "count": "number of units",
        "per": "per value of",
        "household": "households drawn",
    },
}
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.4rem .6rem;border-bottom:1px solid #ccc}code{font-size:.95em}small{color:#555}"
)


def codebook_json(plan: ExtractPlan, dictionary: Dictionary, schemes: ClassSchemes) -> bytes:
    """The columns of the extract in order, with labels, domains and the units behind pseudonyms."""
    columns: list[dict[str, Any]] = [
        {
            "name": dictionary.unit_types[unit].pseudonym,
            "role": "pseudonym",
            "unit_type": unit,
            "type": "integer",
            "label": dictionary.unit_types[unit].title.model_dump(),
        }
        for unit in plan.units
    ]
    columns += [
        {
            "name": column.name,
            "role": "variable",
            **_described(column, dictionary.variables[column.name], schemes),
        }
        for column in plan.columns
    ]
    content = {
        "version": 1,
        "source": dictionary.name,
        "title": dictionary.title.model_dump(),
        "description": dictionary.description.model_dump(),
        "licence": dictionary.licence,
        "origin": dictionary.origin,
        "reference_period": dictionary.reference_period.model_dump(mode="json"),
        "record_unit": dictionary.record.unit,
        "sample": None if plan.sample is None else plan.sample.model_dump(mode="json", exclude_none=True),
        "columns": columns,
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _described(column: PlannedColumn, variable: Variable, schemes: ClassSchemes) -> dict[str, Any]:
    """What a program needs to know about the column as it was delivered, not as it was collected."""
    content = variable.model_dump(mode="json", exclude={"identifying", "levels"}, exclude_none=True)
    content["level"] = column.level.value
    if column.scheme is None:
        return content
    for name in ("codes", "minimum", "maximum", "unit"):
        content.pop(name, None)
    scheme = schemes[column.scheme]
    content["scheme"] = {"name": scheme.name, "sha256": scheme.digest, "title": scheme.title.model_dump()}
    if isinstance(scheme, DateScheme):
        content["cut"] = scheme.cut
        return content
    content["type"] = "integer"
    content["codes"] = [{"value": one.code, "label": one.label.model_dump()} for one in scheme.classes]
    content["classes"] = [
        one.model_dump(mode="json", exclude={"label"}, exclude_none=True) for one in scheme.classes
    ]
    return content


def codebook_html(plan: ExtractPlan, dictionary: Dictionary, schemes: ClassSchemes) -> bytes:
    """The same as a page in French and English, without scripts or anything from elsewhere."""
    sections = "\n".join(_section(plan, dictionary, schemes, language) for language in ("fr", "en"))
    page = (
        f'<!doctype html>\n<html lang="fr"><head><meta charset="utf-8">'
        f"<title>{escape(dictionary.title.fr)}</title><style>{_STYLE}</style></head><body>\n"
        '<p><a href="#fr">Français</a> · <a href="#en">English</a></p>\n'
        f"{sections}\n</body></html>\n"
    )
    return page.encode()


def _section(plan: ExtractPlan, dictionary: Dictionary, schemes: ClassSchemes, language: str) -> str:
    words = _WORDS[language]
    period = dictionary.reference_period
    rows = [
        f"<tr><td><code>{escape(dictionary.unit_types[unit].pseudonym)}</code></td>"
        f"<td>{escape(dictionary.unit_types[unit].title[language])}</td><td>integer</td><td></td>"
        f"<td>{words['pseudonym']}</td></tr>"
        for unit in plan.units
    ]
    rows += [_row(column, dictionary.variables[column.name], schemes, language) for column in plan.columns]
    return (
        f'<section id="{language}" lang="{language}"><h1>{escape(dictionary.title[language])}</h1>'
        f"<p>{escape(dictionary.description[language])}</p>"
        f"<p>{words['period']}: {period.first} – {period.last}. "
        f"{words['licence']}: {escape(dictionary.licence)}.{_sample(plan, language)}</p>\n"
        f"<table><thead><tr><th>{words['variable']}</th><th>{words['label']}</th><th>{words['type']}</th>"
        f"<th>{words['level']}</th><th>{words['domain']}</th></tr></thead><tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table></section>"
    )


def _sample(plan: ExtractPlan, language: str) -> str:
    words, sample = _WORDS[language], plan.sample
    if sample is None:
        return ""
    kind, size = ("share", sample.share) if sample.share is not None else ("count", sample.count)
    parts = [f"{words[kind]} {size}"]
    if sample.per is not None:
        parts.append(f"{words['per']} {escape(sample.per)}")
    if sample.units == "household":
        parts.append(words["household"])
    return f" {words['sample']}: {', '.join(parts)}."


def _row(column: PlannedColumn, variable: Variable, schemes: ClassSchemes, language: str) -> str:
    words = _WORDS[language]
    label = escape(variable.label[language])
    if variable.sensitivity == "sensitive":
        label += f" <small>({words['sensitive']})</small>"
    if column.scheme is None:
        kind, level, domain = variable.type.value, escape(column.level), _domain(variable, language)
        if variable.unit is not None:
            label += f" <small>[{escape(variable.unit)}]</small>"
    else:
        scheme = schemes[column.scheme]
        kind = "date" if isinstance(scheme, DateScheme) else "integer"
        level = (
            f"{escape(column.level)}: {escape(scheme.title[language])} "
            f"<small><code>{escape(scheme.name)}</code> {scheme.digest[:12]}</small>"
        )
        domain = (
            words[scheme.cut]
            if isinstance(scheme, DateScheme)
            else "<br>".join(f"{one.code} = {escape(one.label[language])}" for one in scheme.classes)
        ) + (f" ({words['missing']})" if variable.missing_allowed else "")
    return (
        f"<tr><td><code>{escape(column.name)}</code></td><td>{label}</td>"
        f"<td>{kind}</td><td>{level}</td><td>{domain}</td></tr>"
    )


def _domain(variable: Variable, language: str) -> str:
    words = _WORDS[language]
    if variable.codes is not None:
        text = "<br>".join(
            f"{escape(str(code.value))} = {escape(code.label[language])}" for code in variable.codes
        )
    else:
        limits = [
            f"{words[word]} {limit}"
            for word, limit in (("from", variable.minimum), ("to", variable.maximum))
            if limit is not None
        ]
        text = " ".join(limits) or words["any"]
    return text + (f" ({words['missing']})" if variable.missing_allowed else "")
