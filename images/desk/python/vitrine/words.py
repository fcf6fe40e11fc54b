"""What `vitrine` says to a researcher, in French and English."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple


class Sentence(NamedTuple):
    """The same sentence in both languages, with `{names}` to fill."""

    fr: str
    en: str


SENTENCES: Mapping[str, Sentence] = {
    "no_extract": Sentence(
        "Aucun extrait n’est monté ici (/data est vide).",
        "No extract is mounted here (/data is empty).",
    ),
    "unknown_table": Sentence(
        "L’extrait n’a pas de table « {name} » ; il a : {tables}.",
        "The extract has no table “{name}”; it has: {tables}.",
    ),
    "which_table": Sentence(
        "L’extrait a plusieurs tables : donnez-en le nom (table=…) parmi {tables}.",
        "The extract has several tables: give its name (table=…), one of {tables}.",
    ),
    "derived": Sentence(
        "« {columns} » ne figure pas dans la table « {table} » de l’extrait : une variable dérivée ne"
        " se déclare pas, car la plateforme ne peut pas la refaire. Employez breaks=… (classes) ou "
        "where=… (sous-population), ou écrivez le fichier vous-même : il sera examiné par des "
        "personnes.",
        "“{columns}” is not in the extract’s table “{table}”: a derived variable cannot be declared, "
        "since the platform cannot make it again. Use breaks=… (bands) or where=… (subpopulation), or"
        " write the file yourself: people will examine it.",
    ),
    "changed_rows": Sentence(
        "Vos données n’ont pas les lignes de la table « {table} » (ni celles que where=… laisse) : ce"
        " tableau ne peut pas être déclaré. Donnez la sous-population par where=… au lieu de filtrer "
        "avant.",
        "Your data do not have the rows of the table “{table}” (nor those that where=… leaves): this "
        "table cannot be declared. Give the subpopulation by where=… instead of filtering before.",
    ),
    "changed_values": Sentence(
        "La colonne « {columns} » n’a plus les valeurs de l’extrait : ce résultat ne peut pas être "
        "déclaré. Repartez de read_extract(), avec breaks=… pour des classes.",
        "The column “{columns}” no longer has the extract’s values: this result cannot be declared. "
        "Start again from read_extract(), with breaks=… for bands.",
    ),
    "no_column": Sentence(
        "Le fichier n’a pas de colonne « {name} ».",
        "The file has no column “{name}”.",
    ),
    "no_file": Sentence(
        "« {name} » ne peut pas être lu.",
        "“{name}” cannot be read.",
    ),
    "bad_argument": Sentence(
        "{name} : {problem}.",
        "{name}: {problem}.",
    ),
    "small_cells": Sentence(
        "{cells} lignes comptent moins de {below} unités : vitrine.suppress(t), ou des classes plus larges.",
        "{cells} lines have fewer than {below} units: vitrine.suppress(t), or wider bands.",
    ),
    "model_differs": Sentence(
        "Le modèle, refait depuis l’extrait, ne donne pas les mêmes coefficients : il ne peut pas "
        "être déclaré. Estimez-le sur read_extract() sans modifier les variables, la plus petite "
        "modalité servant de référence, et donnez la sous-population par where=….",
        "Made again from the extract, the model does not give the same coefficients: it cannot be "
        "declared. Fit it on read_extract() without changing variables, the smallest category being "
        "the reference, and give the subpopulation by where=….",
    ),
    "term": Sentence(
        "« {term} » ne se déclare pas : variables de l’extrait, C(x), log(x), x**2 et leurs produits "
        "(trois au plus) seulement.",
        "“{term}” cannot be declared: only variables of the extract, C(x), log(x), x**2 and their "
        "products (at most three).",
    ),
    "robust": Sentence(
        "Erreurs-types qui se déclarent : usuelles, HC0 à HC3, et groupées par un type d’unité donné par "
        'cluster=… (cov_type="cluster") ; sans pondération.',
        "Standard errors that can be declared: the usual ones, HC0 to HC3, and those clustered by a type of "
        'unit given by cluster=… (cov_type="cluster"); without weights.',
    ),
    "cluster": Sentence(
        "cluster= nomme un type d’unité de l’extrait : {units}.",
        "cluster= names a type of unit of the extract: {units}.",
    ),
    "model_kind": Sentence(
        "Ce modèle ne se déclare pas : OLS (et WLS), logit, probit et Poisson seulement.",
        "This model cannot be declared: only OLS (and WLS), logit, probit and Poisson.",
    ),
}


def language() -> str:
    """`fr` or `en`, as the desk is set."""
    return "en" if os.environ.get("VITRINE_LOCALE", "fr").lower().startswith("en") else "fr"


def say(code: str, **values: object) -> str:
    """The sentence of `code`."""
    return SENTENCES[code][1 if language() == "en" else 0].format(**values)


class NotDeclarable(ValueError):
    """This result cannot be declared; the text says why and what to do. Nothing was written."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(say(code, **values))
        self.code = code


class BadArgument(ValueError):
    """An argument that asks for nothing we can do. `name` is the argument."""

    def __init__(self, name: str, *, fr: str, en: str) -> None:
        super().__init__(say("bad_argument", name=name, problem=en if language() == "en" else fr))
        self.name = name
