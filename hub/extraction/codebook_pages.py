"""The codebook of an extract as a page for people: French, English and, where it was translated, German."""

from __future__ import annotations

from html import escape

from hub.documents.base import Text
from hub.documents.classes import ClassSchemes, DateScheme
from hub.documents.dictionaries import Dictionary, Variable, VariableType
from hub.documents.requests import Dataset, Population
from hub.extraction.codebooks import mark_label
from hub.extraction.levels import PlannedColumn
from hub.extraction.plans import ExtractPlan, PlannedDataset
from hub.extraction.sources import Sources
from hub.extraction.wordings import LEVEL_NAMES, TYPE_NAMES

_WORDS = {
    "fr": {
        "title": "Extrait du projet",
        "table": "Table",
        "source": "Source",
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
        "population": "Population",
        "sample": "échantillon",
        "share": "part des unités",
        "count": "nombre d’unités",
        "per": "par valeur de",
        "household": "tous les membres de leurs ménages",
        "others": "les autres membres de leurs ménages",
        "through": "jointe par une unité non livrée",
        "asked": "demandé au niveau",
        "withheld": "Non livrées, car aucune forme n’est assez grossière",
    },
    "en": {
        "title": "Extract of the project",
        "table": "Table",
        "source": "Source",
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
        "population": "Population",
        "sample": "sample",
        "share": "share of the units",
        "count": "number of units",
        "per": "per value of",
        "household": "all members of their households",
        "others": "the other members of their households",
        "through": "joined through a unit that is not delivered",
        "asked": "asked for at the level",
        "withheld": "Not delivered, as no form is coarse enough",
    },
    "de": {
        "title": "Auszug des Projekts",
        "table": "Tabelle",
        "source": "Quelle",
        "variable": "Variable",
        "label": "Bezeichnung",
        "type": "Typ",
        "domain": "Wertebereich",
        "from": "von",
        "to": "bis",
        "any": "alle Werte",
        "missing": "kann fehlen",
        "sensitive": "sensibel",
        "pseudonym": "Pseudonym dieses Projekts",
        "licence": "Lizenz",
        "period": "Bezugszeitraum",
        "level": "Stufe",
        "month": "erster Tag des Monats",
        "quarter": "erster Tag des Quartals",
        "year": "erster Tag des Jahres",
        "population": "Grundgesamtheit",
        "sample": "Stichprobe",
        "share": "Anteil der Einheiten",
        "count": "Anzahl der Einheiten",
        "per": "je Wert von",
        "household": "alle Mitglieder ihrer Haushalte",
        "others": "die übrigen Mitglieder ihrer Haushalte",
        "through": "über eine nicht gelieferte Einheit verknüpft",
        "asked": "beantragt auf der Stufe",
        "withheld": "Nicht geliefert, da keine Form grob genug ist",
    },
}
_GAP = "\u202f"
_NAMES = {"fr": "Français", "en": "English", "de": "Deutsch"}
_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.4rem .6rem;border-bottom:1px solid #8888}code{font-size:.95em}small{opacity:.75}"
)


def codebook_html(plan: ExtractPlan, sources: Sources, schemes: ClassSchemes) -> bytes:
    """Every table of the extract, without scripts or anything from elsewhere."""
    translated = any(source.dictionary.title.de is not None for source in sources.values())
    languages = [language for language in _NAMES if language != "de" or translated]
    links = " · ".join(
        f'<a href="#{language}" lang="{language}">{_NAMES[language]}</a>' for language in languages
    )
    sections = "\n".join(_section(plan, sources, schemes, language) for language in languages)
    page = (
        f'<!doctype html>\n<html lang="fr"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{escape(plan.project)}</title><style>{_STYLE}</style></head><body>\n"
        f"<p>{links}</p>\n{sections}\n</body></html>\n"
    )
    return page.encode()


def _section(plan: ExtractPlan, sources: Sources, schemes: ClassSchemes, language: str) -> str:
    words = _WORDS[language]
    asked = {dataset.name: dataset for dataset in plan.specification.datasets}
    populations = {population.name: population for population in plan.specification.populations}
    tables = "\n".join(
        _table(dataset, asked[dataset.name], populations, sources, schemes, language)
        for dataset in plan.datasets
    )
    return (
        f'<section id="{language}" lang="{language}"><h1>{words["title"]} {escape(plan.project)}</h1>\n'
        f"{tables}\n</section>"
    )


def _table(
    dataset: PlannedDataset,
    asked: Dataset,
    populations: dict[str, Population],
    sources: Sources,
    schemes: ClassSchemes,
    language: str,
) -> str:
    words, dictionary, colon = _WORDS[language], sources[dataset.source].dictionary, _colon(language)
    rows = [
        _plain_row(name, dictionary.unit_types[unit].title[language], words["pseudonym"], language)
        for unit, name in zip(dataset.units, dataset.pseudonyms, strict=True)
    ]
    if dataset.mark is not None:
        codes = "<br>".join(f"{code} = {escape(name)}" for code, name in enumerate(asked.of, start=1))
        rows.append(_plain_row(dataset.mark, mark_label()[language], codes, language))
    rows += [_row(column, dictionary.variables[column.name], schemes, language) for column in dataset.columns]
    for part in dataset.through:
        described = sources[part.source].dictionary.variables
        note = f"{words['through']}{colon}{escape(part.source)}"
        rows += [
            _row(column, described[column.name], schemes, language, note=note) for column in part.columns
        ]
    withheld = [name for part in dataset.through for name in part.withheld]
    after = f"<p>{words['withheld']}{colon}{escape(', '.join(withheld))}.</p>" if withheld else ""
    people = f"{_GAP if language == 'fr' else ''}; ".join(
        _population(populations[name], language) for name in asked.of
    )
    members = "" if asked.members == "chosen" else f" ({words[asked.members]})"
    return (
        f"<h2>{words['table']} <code>{escape(dataset.name)}</code>{colon}"
        f"{escape(dictionary.title[language])}</h2>"
        f"<p>{escape(dictionary.description[language])}</p>"
        f"<p>{words['population']}{colon}{people}{members}. {_about(dictionary, language)}</p>\n"
        f"<table><thead><tr><th>{words['variable']}</th><th>{words['label']}</th><th>{words['type']}</th>"
        f"<th>{words['level']}</th><th>{words['domain']}</th></tr></thead><tbody>\n"
        + "\n".join(rows)
        + f"\n</tbody></table>{after}"
    )


def _about(dictionary: Dictionary, language: str) -> str:
    words, period, colon = _WORDS[language], dictionary.reference_period, _colon(language)
    version = f" {escape(dictionary.version)}" if dictionary.version is not None else ""
    return (
        f"{words['source']}{colon}{escape(dictionary.name)}{version}. "
        f"{words['period']}{colon}{period.first} – {period.last}. "
        f"{words['licence']}{colon}{escape(dictionary.licence)}."
    )


def _population(population: Population, language: str) -> str:
    words, sample = _WORDS[language], population.sample
    name = escape(population.name)
    if sample is None:
        return name
    kind, size = ("share", sample.share) if sample.share is not None else ("count", sample.count)
    per = "" if sample.per is None else f", {words['per']} {escape(sample.per)}"
    return f"{name} ({words['sample']}{_colon(language)}{words[kind]} {size}{per})"


def _colon(language: str) -> str:
    """French has a narrow space before it that no line breaks at."""
    return f"{_GAP}: " if language == "fr" else ": "


def _plain_row(name: str, label: str, domain: str, language: str) -> str:
    """A whole number that the extract adds."""
    kind = TYPE_NAMES[VariableType.INTEGER][language]
    return (
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(label)}</td><td>{kind}</td><td></td>"
        f"<td>{domain}</td></tr>"
    )


def _row(
    column: PlannedColumn, variable: Variable, schemes: ClassSchemes, language: str, *, note: str = ""
) -> str:
    words = _WORDS[language]
    label = escape(variable.label[language])
    said, spoken = variable.described(language)
    if said:
        other = "" if spoken == language else f' lang="{spoken}"'
        label += f"<br><small{other}>{escape(said)}</small>"
    if variable.sensitivity == "sensitive":
        label += f" <small>({words['sensitive']})</small>"
    if note:
        label += f" <small>({note})</small>"
    if column.scheme is None:
        kind, level, domain = variable.type, LEVEL_NAMES[column.level][language], _domain(variable, language)
        if variable.unit is not None:
            label += f" <small>[{escape(variable.unit)}]</small>"
    else:
        scheme = schemes[column.scheme]
        kind = VariableType.DATE if isinstance(scheme, DateScheme) else VariableType.INTEGER
        level = (
            f"{LEVEL_NAMES[column.level][language]}{_colon(language)}{escape(scheme.title[language])} "
            f"<small><code>{escape(scheme.name)}</code> {scheme.digest[:12]}</small>"
        )
        domain = (
            words[scheme.cut]
            if isinstance(scheme, DateScheme)
            else "<br>".join(f"{one.code} = {escape(one.label[language])}" for one in scheme.classes)
        ) + (f" ({words['missing']})" if variable.missing_allowed else "")
    if column.asked is not None:
        level += f" <small>({words['asked']} {LEVEL_NAMES[column.asked][language]})</small>"
    return (
        f"<tr><td><code>{escape(column.name)}</code></td><td>{label}</td>"
        f"<td>{TYPE_NAMES[kind][language]}</td><td>{level}</td><td>{domain}</td></tr>"
    )


def _domain(variable: Variable, language: str) -> str:
    words = _WORDS[language]
    if variable.codes is not None:
        text = "<br>".join(
            f"{escape(str(code.value))} = {_text(code.label, language)}" for code in variable.codes
        )
    else:
        limits = [
            f"{words[word]} {limit}"
            for word, limit in (("from", variable.minimum), ("to", variable.maximum))
            if limit is not None
        ]
        text = " ".join(limits) or words["any"]
    return text + (f" ({words['missing']})" if variable.missing_allowed else "")


def _text(text: Text, language: str) -> str:
    return escape(text[language])
