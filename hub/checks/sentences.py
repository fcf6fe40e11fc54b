"""What each rule says to people, in French and English: what was seen and what to do about it."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from hub.checks.findings import Finding, Place, Severity
from hub.checks.problem_words import SAID_BY_PARSERS, in_french
from hub.checks.rule_sentences import RULE_SENTENCES, Sentence
from hub.checks.sentences_intake import INTAKE_SENTENCES

# A rule without a sentence cannot be reported: `finding` raises KeyError, which the tests would see.
SENTENCES: Mapping[str, Sentence] = {
    **RULE_SENTENCES,
    **INTAKE_SENTENCES,
    "type_unlisted": Sentence(
        "Ce type de fichier ({extension}) ne peut pas sortir. Déposez un tableau (csv, xlsx), un texte, une "
        "image (png, jpg, svg), un pdf ou un notebook.",
        "This type of file ({extension}) cannot leave. Submit a table (csv, xlsx), a text, an image (png, "
        "jpg, svg), a pdf or a notebook.",
    ),
    "type_mismatch": Sentence(
        "Le contenu ({found}) n’est pas ce qu’annonce l’extension {extension}. Enregistrez le fichier dans "
        "son vrai format.",
        "The content ({found}) is not what the extension {extension} says. Save the file in its real format.",
    ),
    "empty": Sentence(
        "Le fichier est vide. Déposez le fichier complet.",
        "The file is empty. Submit the complete file.",
    ),
    "too_large": Sentence(
        "Le fichier fait {size} octets, la limite est {limit}. Réduisez-le ou partagez-le.",
        "The file has {size} bytes, the limit is {limit}. Make it smaller or split it.",
    ),
    "too_wide": Sentence(
        "Le tableau a plus de {limit} colonnes. Partagez-le en tableaux qu’une personne peut lire.",
        "The table has more than {limit} columns. Split it into tables a person can read.",
    ),
    "too_many_cells": Sentence(
        "Le tableau a trop de cellules pour être vérifié (limite {limit}). Partagez-le.",
        "The table has too many cells to be checked (limit {limit}). Split it.",
    ),
    "many_rows": Sentence(
        "Le tableau a {rows} lignes (usage : au plus {limit}). Vérifiez qu’il s’agit bien de résultats "
        "agrégés.",
        "The table has {rows} rows (customary: at most {limit}). Check that these are aggregated results.",
    ),
    "long_cell": Sentence(
        "Une cellule a {characters} caractères (limite {limit}) : elle ne peut pas être montrée en entier. "
        "Raccourcissez-la.",
        "A cell has {characters} characters (limit {limit}): it cannot be shown in full. Shorten it.",
    ),
    "ragged": Sentence(
        "Des lignes n’ont pas le même nombre de cellules que l’en-tête ({rows} {rows:ligne|lignes}). "
        "Vérifiez le séparateur.",
        "Some rows have another number of cells than the header ({rows} {rows:row|rows}). Check the "
        "delimiter.",
    ),
    "unreadable_table": Sentence(
        "Le tableau n’a pas pu être lu. Enregistrez-le en CSV simple, en UTF-8.",
        "The table could not be read. Save it as plain CSV in UTF-8.",
    ),
    "not_a_number": Sentence(
        "{cells} {cells:cellule contient|cellules contiennent} NaN ou infini. "
        "{cells:Remplacez-la|Remplacez-les} par une mention (par exemple « n.d. »).",
        "{cells} {cells:cell holds|cells hold} NaN or infinity. Replace {cells:it|them} by a word (for "
        "example “n/a”).",
    ),
    "unrounded": Sentence(
        "{cells} {cells:nombre a|nombres ont} plus de chiffres qu’on n’en lit. "
        "{cells:Arrondissez-le|Arrondissez-les} (six chiffres suffisent) : les derniers aident à retrouver "
        "des personnes par différence.",
        "{cells} {cells:number has|numbers have} more digits than anybody reads. Round {cells:it|them} (six "
        "digits are enough): the last ones help to find persons by subtraction.",
    ),
    "encoding": Sentence(
        "Le texte n’est pas en UTF-8 ({problem}). Il a été converti ; ce qui sort peut différer du fichier. "
        "Enregistrez-le en UTF-8.",
        "The text is not UTF-8 ({problem}). It was converted; what leaves may differ from the file. Save it "
        "as UTF-8.",
    ),
    "hidden_characters": Sentence(
        "Le texte contient des caractères invisibles. Ils ne sortent pas ; supprimez-les.",
        "The text holds invisible characters. They do not leave; remove them.",
    ),
    "formula": Sentence(
        "{cells} {cells:cellule serait exécutée|cellules seraient exécutées} par un tableur : une "
        "apostrophe a été mise devant. Enlevez le signe initial (= + - @).",
        "{cells} {cells:cell|cells} would be run by a spreadsheet: an apostrophe was put before "
        "{cells:it|them}. Remove the leading sign (= + - @).",
    ),
    "encoded_blob": Sentence(
        "Un bloc de {characters} caractères ressemble à des données codées. Retirez-le.",
        "A block of {characters} characters looks like encoded data. Remove it.",
    ),
    "image_too_large": Sentence(
        "L’image fait {width} × {height} points (limite {limit} points en tout). Réduisez-la.",
        "The image has {width} × {height} pixels (limit {limit} pixels in all). Make it smaller.",
    ),
    "image_malformed": Sentence(
        "L’image est abîmée ({problem}). Enregistrez-la de nouveau.",
        "The image is damaged ({problem}). Save it again.",
    ),
    "trailing_bytes": Sentence(
        "{count} {count:octet suit la fin de l’image ; il ne sort|octets suivent la fin de l’image ; ils ne "
        "sortent} pas. Enregistrez-la de nouveau, sans rien y ajouter.",
        "{count} {count:byte follows the end of the image; it does|bytes follow the end of the image; they "
        "do} not leave. Save it again, with nothing added.",
    ),
    "image_metadata": Sentence(
        "L’image porte un texte caché ou des métadonnées ({name}) ; ils ne sortent pas. Enregistrez l’image "
        "sans eux.",
        "The image carries hidden text or metadata ({name}); they do not leave. Save the image without them.",
    ),
    "hidden_content": Sentence(
        "Le fichier contient des données que personne ne peut voir ({name}). Enregistrez-le sans elles.",
        "The file holds data nobody can see ({name}). Save it without them.",
    ),
    "output_withheld": Sentence(
        "Cette sortie a été retenue par le contrôle : une phrase la remplace dans le fichier libéré.",
        "This output was withheld by output checking: a sentence stands in its place in the released file.",
    ),
    "notebook_malformed": Sentence(
        "Le notebook n’est pas lisible ({problem}). Ouvrez-le dans JupyterLab et enregistrez-le de nouveau.",
        "The notebook cannot be read ({problem}). Open it in JupyterLab and save it again.",
    ),
    "notebook_extra": Sentence(
        "Le notebook contient {name}, qui ne sort pas avec lui. Si c’est un résultat, déposez-le à part "
        "(csv, png).",
        "The notebook holds {name}, which does not leave with it. If it is a result, submit it apart (csv, "
        "png).",
    ),
    "json_malformed": Sentence(
        "Le JSON n’est pas lisible ({problem}). Corrigez-le.",
        "The JSON cannot be read ({problem}). Mend it.",
    ),
    "small_count": Sentence(
        "Un effectif est inférieur à {limit}. Regroupez des catégories ou supprimez la cellule (et une "
        "seconde pour que les totaux ne la révèlent pas).",
        "A count is below {limit}. Merge categories or suppress the cell (and a second one, so that totals "
        "do not reveal it).",
    ),
    "small_integer": Sentence(
        "{cells} {cells:nombre entier de cette colonne est inférieur|nombres entiers de cette colonne sont "
        "inférieurs} à {limit}. {cells:Si c’est un effectif|Si ce sont des effectifs}, regroupez ou "
        "supprimez.",
        "{cells} {cells:whole number in this column is|whole numbers in this column are} below {limit}. "
        "{cells:If it is a count|If they are counts}, merge or suppress.",
    ),
    "pseudonym": Sentence(
        "Le fichier contient un identifiant de l’extrait (une personne, un ménage…). Retirez tous les "
        "identifiants.",
        "The file holds an identifier of the extract (a person, a household…). Remove all identifiers.",
    ),
    "pseudonym_like": Sentence(
        "Un nombre de 15 chiffres a la forme d’un identifiant. Retirez-le si ce n’est pas un résultat.",
        "A 15-digit number has the form of an identifier. Remove it unless it is a result.",
    ),
    "row_level": Sentence(
        "{rows} lignes du tableau reproduisent des lignes de l’extrait ({columns}). Les données "
        "individuelles ne sortent pas : déposez un tableau agrégé.",
        "{rows} rows of the table reproduce rows of the extract ({columns}). Individual data do not leave: "
        "submit an aggregated table.",
    ),
    "column_copy": Sentence(
        "{rows} valeurs de cette colonne sont celles d’une variable de l’extrait ({columns}). Les données "
        "individuelles ne sortent pas : déposez un tableau agrégé.",
        "{rows} values of this column are those of a variable of the extract ({columns}). Individual data "
        "do not leave: submit an aggregated table.",
    ),
    "order_statistic": Sentence(
        "{rows} valeurs de cette colonne sont chacune celle d’une seule unité de l’extrait ({columns}) : "
        "médiane, minimum, maximum ou donnée individuelle ? Les extrêmes ne sortent pas ; une médiane "
        "demande {median} unités.",
        "{rows} values of this column are each that of a single unit of the extract ({columns}): median, "
        "minimum, maximum or individual data? Extremes do not leave; a median needs {median} units.",
    ),
    "unit_like": Sentence(
        "{rows} valeurs décimales presque toutes différentes : vérifiez que ce ne sont ni des données "
        "individuelles ni des résidus.",
        "{rows} decimal values, nearly all different: make sure they are neither individual data nor "
        "residuals.",
    ),
    "acro_claim": Sentence(
        "ACRO signale une cellule de « {output} » ({check}). Supprimez-la ou dites pourquoi elle peut "
        "sortir.",
        "ACRO reports a cell of “{output}” ({check}). Suppress it, or say why it may leave.",
    ),
    "extract_unread": Sentence(
        "L’extrait du projet n’a pas pu être lu : le fichier n’a pas été comparé aux données.",
        "The extract of the project could not be read: the file was not compared with the data.",
    ),
    "missing_context": Sentence(
        "Il manque une indication au formulaire : {field}. Sans elle, la sortie ne peut pas être jugée.",
        "The form lacks: {field}. Without it the output cannot be judged.",
    ),
    "more_of_the_same": Sentence(
        "{count} {count:autre constat|autres constats} de la règle « {of} » {count:n’est pas détaillé|ne "
        "sont pas détaillés}.",
        "{count} more {count:finding|findings} of the rule “{of}” {count:is|are} not listed.",
    ),
    # Ledger and suppression (hub.checks.ledger, hub.checks.suppression)
    "differencing": Sentence(
        "Ce nombre et la libération n° {release} portent sur presque les mêmes populations : la différence "
        "{tells} sur moins de {limit} {units}. Reprenez exactement la même population, ou une nettement "
        "différente.",
        "This number and release no. {release} are about nearly the same populations: the difference "
        "{tells} about fewer than {limit} {units}. Use exactly the same population, or a clearly different "
        "one.",
    ),
    "differencing_beside": Sentence(
        "Ce nombre et un autre du fichier « {beside} » de la même soumission portent sur presque les mêmes "
        "populations : la différence {tells} sur moins de {limit} {units}. Reprenez exactement la même "
        "population dans les deux fichiers, ou une nettement différente.",
        "This number and one in the file “{beside}” of the same submission are about nearly the same "
        "populations: the difference {tells} about fewer than {limit} {units}. Use exactly the same "
        "population in both files, or a clearly different one.",
    ),
    "released_unknown": Sentence(
        "Un tableau déjà libéré (libération n° {release}) a les mêmes intitulés, et des nombres dont les "
        "unités ne sont pas connues : la comparaison n’a pu être faite. Comparez-les à l’œil.",
        "A released table (release no. {release}) has the same headings, and numbers whose units are not "
        "known: nothing could be compared. Compare them by eye.",
    ),
    "released_unknown_changed": Sentence(
        "Un tableau déjà libéré (libération n° {release}) a les mêmes intitulés et d’autres valeurs dans "
        "{changed} cellules communes sur {cells} ; on ne sait pas sur qui il porte. La différence peut "
        "informer sur peu d’unités : demandez ce qui a changé.",
        "A released table (release no. {release}) has the same heads and other numbers in {changed} of "
        "{cells} cells in common; whom it is about is not known. The difference may tell about a few units: "
        "ask what has changed.",
    ),
    "released_unknown_near": Sentence(
        "Un tableau déjà libéré (libération n° {release}) a presque les mêmes nombres sous d’autres "
        "intitulés ({cells} dans une ligne ou colonne) ; on ne sait pas sur qui il porte. La différence peut "
        "informer sur peu d’unités : demandez ce qui a changé.",
        "A released table (release no. {release}) has nearly the same numbers under other heads ({cells} of "
        "one row or column); whom it is about is not known. The difference may tell about a few units: ask "
        "what has changed.",
    ),
    "beside_unknown_changed": Sentence(
        "Le fichier « {beside} » de la même soumission a les mêmes intitulés et d’autres valeurs dans "
        "{changed} cellules communes sur {cells} ; l’un des deux n’a pu être recalculé. Demandez ce qui les "
        "distingue.",
        "The file “{beside}” of the same submission has the same heads and other numbers in {changed} of "
        "{cells} cells in common; one of the two could not be made again. Ask what sets them apart.",
    ),
    "beside_unknown_near": Sentence(
        "Le fichier « {beside} » de la même soumission a presque les mêmes nombres sous d’autres intitulés "
        "({cells} dans une ligne ou colonne) ; l’un des deux n’a pu être recalculé. Demandez ce qui les "
        "distingue.",
        "The file “{beside}” of the same submission has nearly the same numbers under other heads ({cells} "
        "of one row or column); one of the two could not be made again. Ask what sets them apart.",
    ),
    "ledger_unread": Sentence(
        "Le fichier n’a pas pu être comparé à ce qui a déjà été libéré. Comparez-le vous-même.",
        "The file could not be compared with what was released before. Compare it yourself.",
    ),
    "suppression_solvable": Sentence(
        "Une cellule supprimée se calcule à partir des totaux publiés, exactement ou presque. Supprimez "
        "aussi une seconde cellule de sa ligne et de sa colonne, ou regroupez des catégories.",
        "A suppressed cell can be calculated from the published totals, exactly or nearly. Suppress a "
        "second cell of its row and of its column too, or merge categories.",
    ),
    "parser_died": Sentence(
        "La vérification automatique n’a pas abouti. Le fichier doit être examiné avec une attention "
        "particulière.",
        "The automatic check did not finish. The file needs particular care.",
    ),
}


class _Said(string.Formatter):
    """`str.format` that also knows "{cells:number|numbers}": the first word for one, the second for more;
    from 10,000 on, digits are grouped by `thousands`."""

    def __init__(self, thousands: str) -> None:
        self._thousands = thousands

    def format_field(self, value: Any, format_spec: str) -> str:
        """The value, or the word that goes with it."""
        if "|" in format_spec:
            one, more = format_spec.split("|")
            return one if value == 1 else more
        if type(value) is int and abs(value) >= 10_000 and not format_spec:
            return f"{value:,}".replace(",", self._thousands)
        return str(super().format_field(value, format_spec))


def finding(
    rule: str,
    severity: Severity,
    place: Place | None = None,
    *,
    evidence: Mapping[str, Any] | None = None,
    words: Mapping[str, str] | None = None,
    **values: Any,
) -> Finding:
    """The finding of `rule`; `values` fill its sentence and are part of its evidence.

    `words` holds a French wording of a value where the language matters (`values` has the English one); what
    parsers say has its French from `hub.checks.problem_words`.
    """
    french, english = SENTENCES[rule]
    spot = place if place is not None else Place()
    shown = {**values, **(evidence or {})}
    worded = {key: in_french(values[key]) for key in SAID_BY_PARSERS if isinstance(values.get(key), str)}
    message = {
        "fr": _Said("\u202f").vformat(french, (), {**values, **worded, **(words or {})}),
        "en": _Said(",").vformat(english, (), values),
    }
    return Finding(rule, severity, place_in_words(spot, shown.get("column"), "en"), message, shown, spot)


_WORDS = {
    "fr": ("cellule de notebook", "sortie", "tableau", "ligne", "colonne", "ligne", "fichier"),
    "en": ("notebook cell", "output", "table", "row", "column", "line", "file"),
}


def place_in_words(place: Place, column: Any, language: str) -> str:
    """ "notebook cell 2, output 1, row 3, column n"; counts from 1. Empty place: "file"."""
    cell, output, table, row, col, line, whole = _WORDS["fr" if language.startswith("fr") else "en"]
    parts = []
    if place.cell is not None:
        parts.append(f"{cell} {place.cell + 1}")
    if place.output is not None:
        parts.append(f"{output} {place.output + 1}")
    if place.table:  # the first table needs no number
        parts.append(f"{table} {place.table + 1}")
    if place.row is not None:
        parts.append(f"{row} {place.row + 1}")
    if place.column is not None:
        parts.append(f"{col} {column if column else place.column + 1}")
    if place.line is not None:
        parts.append(f"{line} {place.line + 1}")
    return ", ".join(parts) or whole
