"""What is wrong with a file or a claim, in French. The parsers say it in English, as evidence has it; what
stands in a sentence is read by people, in their language."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Which values of a sentence may be such words.
SAID_BY_PARSERS = ("problem", "name", "found")

_WHOLE: Mapping[str, str] = {
    # archives
    "not a zip": "ce n’est pas un zip",
    "two files of one name": "deux fichiers du même nom",
    "packed in an unusual way": "compression inhabituelle",
    "protected by a password": "protection par mot de passe",
    "packed too densely": "compression excessive",
    "links": "liens",
    "damaged": "données endommagées",
    # notebooks and JSON
    "not JSON": "ce n’est pas du JSON",
    "not format 4": "ce n’est pas le format 4",
    "no cells": "aucune cellule",
    "nested too deep": "imbrication trop profonde",
    "text expected": "un texte était attendu",
    "unknown cell": "cellule inconnue",
    "bad cell": "cellule mal formée",
    "bad output": "sortie mal formée",
    "unknown output": "sortie inconnue",
    "bad traceback": "message d’erreur mal formé",
    "bad image": "image mal formée",
    # images
    "neither PNG nor JPEG": "ni PNG ni JPEG",
    "cut short": "fichier tronqué",
    "bad chunk": "bloc mal formé",
    "bad checksum": "somme de contrôle fausse",
    "no header": "sans en-tête",
    "no size": "sans dimensions",
    "bad compression": "compression mal formée",
    "unknown colours": "couleurs inconnues",
    "pixels missing": "il manque des points",
    "bad segment": "segment mal formé",
    "too many pixels": "trop de points",
    "not decodable": "illisible",
    # drawings and PDF
    "not drawable": "il ne peut être dessiné",
    "not XML": "ce n’est pas du XML",
    "not SVG": "ce n’est pas du SVG",
    "entities": "entités",
    "link to the outside": "un lien vers l’extérieur",
    "scripts": "des scripts",
    "attachments": "des pièces jointes",
    "actions": "des actions automatiques",
    # workbooks
    "not an xlsx workbook": "ce n’est pas un classeur xlsx",
    "macros or binary parts": "des macros ou des parties binaires",
    "links to other workbooks": "des liens vers d’autres classeurs",
    "a pivot table and its data": "un tableau croisé dynamique et ses données",
    "embedded objects": "des objets incorporés",
    "connections to data": "des connexions à des données",
    "comments": "des commentaires",
    "pictures and charts": "des images et des graphiques",
    "custom data": "des données personnalisées",
    "unknown parts": "des parties inconnues",
    "properties": "des propriétés (auteur, mots-clés)",
    "names of ranges": "des noms de plages",
    # content
    "binary": "binaire",
    "text": "texte",
    "markup": "balisage",
    "program": "programme",
    # claims
    "it is of another file": "elle est celle d’un autre fichier",
    "columns: term, estimate": "colonnes : term, estimate",
    "terms are missing": "il manque des termes",
    "terms": "termes",
    "outcome": "variable expliquée",
    "observations": "nombre d’observations",
    "weight": "pondération",
    "model": "modèle",
    "coefficients": "coefficients",
    "covariance": "covariance",
    "cluster": "grappes",
    "clusters": "grappes",
    "within": "within",
    "collinear terms": "termes colinéaires",
    "outcome is not 0 or 1": "la variable expliquée n’est pas 0 ou 1",
    "the model does not converge": "le modèle ne converge pas",
}  # fmt: skip
_PARTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), french)
    for pattern, french in (
        (r"more than (\d+) files", r"plus de \1 fichiers"),
        (r"more than (\d+) sheets", r"plus de \1 feuilles"),
        (r"more than (\d+) MB unpacked", r"plus de \1 Mo à décompresser"),
        (r"(\d+) sheets", r"\1 feuilles masquées"),
        (r"(\d+) cells in hidden rows or columns", r"\1 cellules de lignes ou colonnes masquées"),
        (r"not UTF-8 at byte (\d+)", r"à partir de l’octet \1"),
        (r"where: (.*)", r"where : \1"),
        (r"time: (.*)", r"time : \1"),
        (r"table: (.*)", r"tableau : \1"),
        (r"variable: (.*)", r"variable : \1"),
        (r"column: (.*)", r"colonne : \1"),
        (r"row (\d+)", r"ligne \1"),
        (r"(by|of|within): (.*)", r"\1 : \2"),
        (r"label of (.*)", r"libellé de \1"),
        (r"groups of (.*)", r"groupes de \1"),
        (r"level of (.*)", r"modalité de \1"),
        (r"measure: (.*)", r"statistique : \1"),
        (r"weight: (.*)", r"pondération : \1"),
        (r"term: (.*)", r"terme : \1"),
        (r"model: (.*)", r"modèle : \1"),
        (r"categorical: (.*)", r"catégories : \1"),
        (r"no number: (.*)", r"pas un nombre : \1"),
        (r"(\w+) of (.*)", r"\1 de \2"),
    )
)


def in_french(said: str) -> str:
    """What a parser said, in French; anything else (a name, say) as it is."""
    if said in _WHOLE:
        return _WHOLE[said]
    for pattern, french in _PARTS:
        match = pattern.fullmatch(said)
        if match is not None:
            return match.expand(french)
    return said
