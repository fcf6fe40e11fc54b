"""What the rules of policies/outputs.yaml say of one file: what was seen and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Sentence(NamedTuple):
    """The same sentence in both languages, with `{names}` to fill."""

    fr: str
    en: str


RULE_SENTENCES: Mapping[str, Sentence] = {
    "small_units": Sentence(
        "Moins de {limit} unités distinctes ({kinds}) sont derrière ce nombre. Regroupez des catégories ou "
        "supprimez la cellule, et une seconde pour que les totaux ne la révèlent pas.",
        "Fewer than {limit} different units ({kinds}) are behind this number. Merge categories or suppress "
        "the cell, and a second one so that totals do not reveal it.",
    ),
    "empty_cell": Sentence(
        "Cette cellule vaut zéro : personne du groupe n’a cette caractéristique. Vérifiez que cela va de "
        "soi.",
        "This cell is zero: nobody of the group has this characteristic. Make sure that is self-evident.",
    ),
    "group_share": Sentence(
        "Cette cellule contient plus de {percent} % de sa ligne ou de sa colonne : elle renseigne sur tout "
        "le groupe. Regroupez des catégories.",
        "This cell holds more than {percent} % of its row or column: it tells about the whole group. Merge "
        "categories.",
    ),
    "population_share": Sentence(
        "Ce groupe réunit plus de {percent} % de la population du tableau. Vérifiez ce que cela révèle.",
        "This group holds more than {percent} % of the table’s population. Check what that reveals.",
    ),
    "small_share": Sentence(
        "Le numérateur ou la base de cette part compte moins de {limit} unités. Supprimez-la ou regroupez.",
        "The numerator or the base of this share counts fewer than {limit} units. Suppress it or merge.",
    ),
    "binary_mean": Sentence(
        "Cette moyenne d’une variable 0/1 est une part dont le numérateur ou le reste compte moins de "
        "{limit} unités.",
        "This mean of a 0/1 variable is a share whose numerator or rest counts fewer than {limit} units.",
    ),
    "dominance_one": Sentence(
        "Une seule unité représente plus de {percent} % de ce nombre. Supprimez-le ou regroupez.",
        "A single unit makes up more than {percent} % of this number. Suppress it or merge.",
    ),
    "dominance_two": Sentence(
        "Deux unités représentent plus de {percent} % de ce nombre. Supprimez-le ou regroupez.",
        "Two units make up more than {percent} % of this number. Suppress it or merge.",
    ),
    "dominance_rest": Sentence(
        "Sans les deux plus grandes unités, le reste vaut moins de {percent} % de la plus grande. Supprimez "
        "ce nombre ou regroupez.",
        "Without the two largest units the rest is below {percent} % of the largest. Suppress this number "
        "or merge.",
    ),
    "extreme": Sentence(
        "Ce nombre est un minimum ou un maximum ({statistic}) : la valeur d’une unité. Retirez-le, ou "
        "donnez un percentile d’un groupe assez grand.",
        "This number is a minimum or maximum ({statistic}): the value of a unit. Remove it, or give a "
        "percentile of a group that is large enough.",
    ),
    "percentile_units": Sentence(
        "Ce percentile demande au moins {limit} unités. Prenez un percentile moins extrême ou regroupez.",
        "This percentile needs at least {limit} units. Take a less extreme percentile or merge.",
    ),
    "dispersion": Sentence(
        "Cette dispersion ou corrélation a moins de {limit} degrés de liberté, ou est nulle ou parfaite.",
        "This dispersion or correlation has fewer than {limit} degrees of freedom, or is zero or perfect.",
    ),
    "suppression_undone": Sentence(
        "Le total et les cellules publiées donnent, par différence, moins de {limit} unités. Supprimez une "
        "seconde cellule ou le total.",
        "The total and the printed cells give, by difference, fewer than {limit} units. Suppress a second "
        "cell or the total.",
    ),
    "suppressed_margins": Sentence(
        "Le tableau a des cellules supprimées et des totaux. Vérifiez que celles-ci ne peuvent être "
        "recalculées.",
        "The table has suppressed cells and totals. Check that the cells cannot be computed again.",
    ),
    "differing_populations": Sentence(
        "Deux tableaux ou deux colonnes du fichier portent sur des populations qui diffèrent de moins de "
        "{limit} unités : leur différence les révèle. Gardez-en un seul, ou prenez partout les mêmes "
        "personnes.",
        "Two tables or columns of the file have populations that differ by fewer than {limit} units: the "
        "difference reveals them. Keep one of the two, or take the same persons throughout.",
    ),
    "degrees_of_freedom": Sentence(
        "Le modèle garde moins de {limit} degrés de liberté. Retirez des variables ou élargissez la "
        "population.",
        "The model keeps fewer than {limit} degrees of freedom. Drop variables or widen the population.",
    ),
    "dummy_units": Sentence(
        "Une modalité du modèle compte moins de {limit} unités. Regroupez des modalités.",
        "A level of the model counts fewer than {limit} units. Merge levels.",
    ),
    "saturated_model": Sentence(
        "Le modèle est saturé : ses coefficients sont les moyennes de groupes qui comptent trop peu "
        "d’unités. Déposez un modèle plus simple.",
        "The model is saturated: its coefficients are the means of groups with too few units. Submit a "
        "simpler model.",
    ),
    "unit_series": Sentence(
        "Le modèle décrit une seule unité, ou donne un effet par unité. Retirez ces coefficients.",
        "The model describes a single unit, or gives an effect per unit. Remove those coefficients.",
    ),
    "residuals": Sentence(
        "{rows} valeurs par observation (résidus, valeurs prédites, scores). Elles ne sortent pas : donnez "
        "leurs moyennes par groupe.",
        "{rows} values per observation (residuals, fitted values, scores). They do not leave: give their "
        "means by group.",
    ),
    "residual_ends": Sentence(
        "Le résumé imprimé par R montre le plus petit et le plus grand résidu, valeurs d’unités. Écrivez le "
        'modèle sans résidus : vitrine_regression(model, file = "….csv") en R, '
        'vitrine.regression(model, file="….csv") en Python ; ou imprimez coef(summary(model)).',
        "The summary that R prints shows the smallest and the largest residual, values of units. Write the "
        'model without residuals: vitrine_regression(model, file = "….csv") in R, '
        'vitrine.regression(model, file="….csv") in Python; or print coef(summary(model)).',
    ),
    "trajectory": Sentence(
        "{rows} lignes sont celles de moins de {limit} mêmes unités de l’extrait ({columns}). Les données "
        "individuelles ne sortent pas.",
        "{rows} rows are those of the same fewer than {limit} units of the extract ({columns}). Individual "
        "data do not leave.",
    ),
    "instance_model": Sentence(
        "Ce modèle semble garder des observations (plus proches voisins, SVM…). Le fichier en contient-il ? "
        "Gardez le modèle sur la plateforme et déposez ses mesures.",
        "This model seems to keep observations (nearest neighbours, SVM…). Does the file hold any? Keep the "
        "model on the platform and submit its metrics.",
    ),
    "unit_plot": Sentence(
        "Un graphique : chaque point, bâton, boîte ou extrémité d’axe compte-t-il au moins {limit} unités ? "
        "Joignez le tableau dont il est tiré ; un nuage de points ou des valeurs isolées ne sortent pas.",
        "A plot: does every point, bar, box and end of an axis count at least {limit} units? Add the table "
        "it is drawn from; a scatter plot or single values do not leave.",
    ),
    "transition": Sentence(
        "Transitions ou séquences : chaque case doit compter {limit} personnes, et aucun parcours réel "
        "n’être montré.",
        "Transitions or sequences: every cell must count {limit} persons, and no real trajectory be shown.",
    ),
    "map": Sentence(
        "Carte ou zones : chaque zone doit compter {limit} personnes et trois employeurs, sans points ni "
        "coordonnées. Joignez ces effectifs.",
        "Map or areas: every area must count {limit} persons and three employers, without points or "
        "coordinates. Add these counts.",
    ),
    "share_without_base": Sentence(
        "Des parts sont données sans l’effectif non pondéré de leur base. Ajoutez-le.",
        "Shares are given without the unweighted count of their base. Add it.",
    ),
    "rounded_small": Sentence(
        "Des effectifs sont arrondis, et certains comptent moins de {limit} unités. Supprimez-les.",
        "Counts are rounded, and some count fewer than {limit} units. Suppress them.",
    ),
    "same_value": Sentence(
        "Toutes les unités de ce groupe ont la même valeur : ce nombre la révèle pour chacune. Dites "
        "pourquoi elle va de soi, ou regroupez.",
        "All units of this group have the same value: this number reveals it for each of them. Say why it "
        "is self-evident, or merge.",
    ),
    "unknown_units": Sentence(
        "L’extrait n’a pas de colonne d’unités connue : personne ne peut compter les unités d’un nombre.",
        "The extract has no known unit column: nobody can count the units behind a number.",
    ),
    "unreproduced": Sentence(
        "{cells} {cells:nombre n’a pas été retrouvé|nombres n’ont pas été retrouvés} dans l’extrait : un "
        "vérificateur doit {cells:le|les} juger. Une déclaration (vitrine.table) permettrait de "
        "{cells:le|les} recalculer.",
        "{cells} {cells:number was|numbers were} not made again from the extract: a checker must judge "
        "{cells:it|them}. A declaration (vitrine.table) would allow {cells:it|them} to be recomputed.",
    ),
    "model_numbers": Sentence(
        "Le modèle imprimé a été réestimé, mais {cells} de ses nombres {cells:n’a pas été retrouvé|n’ont "
        "pas été retrouvés} ({labels}). {cells:Retirez-le|Retirez-les}, ou un vérificateur doit "
        "{cells:le|les} juger.",
        "The printed model was fitted again, but {cells} of its numbers {cells:was|were} not found "
        "({labels}). Remove {cells:it|them}, or a checker must judge {cells:it|them}.",
    ),
    "false_claim": Sentence(
        "Le fichier ne contient pas ce que dit sa déclaration ({cells} {cells:nombre diffère|nombres "
        "diffèrent}). Déposez le fichier avec la déclaration qui l’a produit.",
        "The file does not hold what its declaration says ({cells} {cells:number differs|numbers differ}). "
        "Submit the file with the declaration that made it.",
    ),
    "unread_claim": Sentence(
        "La déclaration n’a pas pu être appliquée ({problem}). Le fichier a été examiné sans elle.",
        "The declaration could not be applied ({problem}). The file was examined without it.",
    ),
    "numbers_in_text": Sentence(
        "{count} {count:nombre du texte n’est|nombres du texte ne sont} dans aucun tableau retrouvé. Un "
        "vérificateur doit {count:le|les} lire.",
        "{count} {count:number of the text is|numbers of the text are} in no table that was found. A "
        "checker must read {count:it|them}.",
    ),
    "words_in_text": Sentence(
        "Le texte dit plus que des titres et des légendes : une phrase, un nombre en lettres ou un groupe "
        "qui n’est dans aucun tableau. Un vérificateur doit le lire.",
        "The text says more than titles and captions: a sentence, a number in words, or a group that is in "
        "no table. A checker must read it.",
    ),
    "outside_tables": Sentence(
        "Des clés ou des valeurs du fichier ne sont dans aucun tableau ({count}). Retirez-les, ou un "
        "vérificateur doit les lire.",
        "Keys or values of the file are in no table ({count}). Remove them, or a checker must read them.",
    ),
    "numbers_in_name": Sentence(
        "Le nom du fichier, ou d’une feuille, contient un nombre qui n’est ni une date ni une version. Il "
        "sort avec le fichier : changez-le.",
        "The name of the file, or of a sheet, holds a number that is neither a date nor a version. It "
        "leaves with the file: change it.",
    ),
    "empty_column": Sentence(
        "Une colonne du tableau ne contient aucun nombre. Retirez-la : sa tête sort avec le fichier.",
        "A column of the table holds no number. Remove it: its head leaves with the file.",
    ),
    "telling_marks": Sentence(
        "Des étoiles ou plusieurs marques de suppression ({count}) distinguent des cellules : elles peuvent "
        "dire ce qu’elles cachent. N’en gardez qu’une.",
        "Stars or several marks of suppression ({count}) tell cells apart: they may say what they hide. "
        "Keep only one.",
    ),
    "cells_cut": Sentence(
        "Le fichier a plus de {limit} nombres retrouvés : seuls les premiers sont montrés avec leurs "
        "unités. Partagez-le.",
        "More than {limit} numbers of the file were made again: only the first are shown with their units. "
        "Split it.",
    ),
    "nothing_made_again": Sentence(
        "Le fichier ne contient aucun nombre à retrouver dans l’extrait : rien n’a pu être recalculé. Un "
        "vérificateur doit le lire.",
        "The file holds no number to make again from the extract: nothing could be recomputed. A checker "
        "must read it.",
    ),
}
