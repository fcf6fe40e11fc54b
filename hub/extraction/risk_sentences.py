"""What a measure means and what can be done about it, in French and English."""

from __future__ import annotations

from hub.documents.base import Text
from hub.extraction.risk_reports import MeasureId

_THIN = "\u202f"  # before % and between thousands in French
_GAP = "\u00a0"  # between a number and what it counts in French


def percent(share: float) -> Text:
    """A share as both languages write it; what is not nothing is not rounded to nothing."""
    if 0 < share < 0.001:
        return Text(fr=f"moins de 0,1{_THIN}%", en="less than 0.1%")
    if 0.999 < share < 1:
        return Text(fr=f"plus de 99,9{_THIN}%", en="more than 99.9%")
    number = f"{100 * share:.1f}".removesuffix(".0")
    return Text(fr=f"{number.replace('.', ',')}{_THIN}%", en=f"{number}%")


def number(value: float) -> Text:
    """A whole number as both languages write it."""
    text = f"{round(value):,}"
    return Text(fr=text.replace(",", _THIN), en=text)


def counted(value: int, fr: tuple[str, str], en: tuple[str, str]) -> Text:
    """So many of something: each pair is the singular and the plural. French has the singular for 0, too."""
    shown = number(value)
    return Text(fr=f"{shown.fr}{_GAP}{fr[value > 1]}", en=f"{shown.en} {en[value != 1]}")


def people(k: int, below: float, alone: float, month: float | None) -> Text:
    """Of `sample_k`."""
    few, one = percent(below), percent(alone)
    fr = (
        f"{few.fr} des personnes livrées sont moins de {k} à partager leurs caractéristiques ; "
        f"{one.fr} sont seules."
    )
    en = (
        f"{few.en} of the delivered people are fewer than {k} with their characteristics; {one.en} are alone."
    )
    if month is not None:
        worst = percent(month)
        fr += f" Chacune compte avec son dernier mois ; au pire des mois examinés : {worst.fr}."
        en += f" Each counts with the latest month; in the worst of the months looked at: {worst.en}."
    return Text(fr=fr, en=en)


def population(smallest: int, notice: int, below: float) -> Text:
    """Of `population_k`."""
    few, least = percent(below), number(smallest)
    return Text(
        fr=f"Dans la population, le plus petit groupe qui partage les caractéristiques d’une personne livrée "
        f"en compte {least.fr} ; {few.fr} des personnes livrées sont dans des groupes de moins de {notice}.",
        en=f"In the population the smallest group with the characteristics of a delivered person has "
        f"{least.en}; {few.en} of the delivered people are in groups of fewer than {notice}.",
    )


def population_unknown() -> Text:
    """Of `population_k` without a population."""
    return Text(
        fr="La population n’est pas connue : on ne sait pas combien d’autres partagent ces caractéristiques.",
        en="The population is not known: nobody can say how many others share these characteristics.",
    )


def minimal_uniques(depth: int, found: float, leader: str | None) -> Text:
    """Of `minimal_uniques`."""
    some = percent(found)
    known = counted(depth, ("caractéristique", "caractéristiques"), ("characteristic", "characteristics"))
    fr = f"{some.fr} des personnes livrées se reconnaissent à {known.fr} au plus."
    en = f"{some.en} of the delivered people can be told apart by at most {known.en}."
    if leader is not None:
        fr += f" La variable qui y contribue le plus est {leader}."
        en += f" The variable that contributes most is {leader}."
    return Text(fr=fr, en=en)


def diversity(variable: str, smallest: int, alike: float) -> Text:
    """Of `l_diversity`."""
    some, least = percent(alike), counted(smallest, ("valeur", "valeurs"), ("value", "values"))
    return Text(
        fr=f"Dans les groupes de personnes semblables, {variable} prend au moins {least.fr} ; "
        f"pour {some.fr} des personnes, connaître le groupe suffit à connaître la valeur.",
        en=f"In groups of people who are alike, {variable} has at least {least.en}; "
        f"for {some.en} of the people, to know the group is to know the value.",
    )


def population_diversity(variable: str, smallest: int, alike: float) -> Text:
    """Of `population_l`."""
    some, least = percent(alike), counted(smallest, ("valeur", "valeurs"), ("value", "values"))
    return Text(
        fr=f"Dans la population, parmi les semblables d’une personne livrée, {variable} prend au moins "
        f"{least.fr} ; pour {some.fr} des personnes livrées, il n’y en a qu’une.",
        en=f"In the population, among the people who are like a delivered person, {variable} has at least "
        f"{least.en}; for {some.en} of the delivered people there is only one.",
    )


def households(alone: float, below: float, k: int) -> Text:
    """Of `households`."""
    one, few = percent(alone), percent(below)
    return Text(
        fr=f"{one.fr} des ménages sont seuls à être composés comme ils le sont (taille comprise) ; "
        f"{few.fr} sont moins de {k}.",
        en=f"{one.en} of the households are alone in their composition (size included); "
        f"{few.en} are fewer than {k}.",
    )


def employers(smallest: int, notice: int, below: float, *, known: bool) -> Text:
    """Of `employers`; not `known` where only the delivered persons could be counted."""
    few, least = percent(below), counted(smallest, ("personne", "personnes"), ("person", "persons"))
    fr = f"Le plus petit employeur livré compte {least.fr} ; {few.fr} en ont moins de {notice}."
    en = f"The smallest delivered employer has {least.en}; {few.en} have fewer than {notice}."
    if not known:
        fr += " Seules les personnes livrées sont comptées : la taille réelle n’est pas connue."
        en += " Only delivered persons are counted: the real size is not known."
    return Text(fr=fr, en=en)


def trajectories(
    known: int, share: float, able: float, months: tuple[int, int], *, characteristics: bool
) -> Text:
    """Of `trajectories` and of `characteristics`: `months` are those used and all."""
    some, of = percent(share), percent(able)
    values = counted(known, ("valeur mensuelle", "valeurs mensuelles"), ("month-value", "month-values"))
    fr, en = f"Connaître {values.fr}", f"To know {values.en}"
    if characteristics:
        months_known = counted(known, ("mois", "mois"), ("month", "months"))
        fr = f"Connaître les caractéristiques d’une personne pour {months_known.fr}"
        en = f"To know somebody’s characteristics in {months_known.en}"
    fr += f" suffit à isoler {some.fr} des personnes"
    en += f" is enough to single out {some.en} of the people"
    if able < 1:
        fr += f" ; {of.fr} en ont autant"
        en += f"; {of.en} have so many"
    fr, en = fr + ".", en + "."
    if months[0] < months[1]:
        fr += f" Mesuré sur {months[0]} des {months[1]} mois, tirés au sort."
        en += f" Measured on {months[0]} of the {months[1]} months, drawn at random."
    return Text(fr=fr, en=en)


def trajectories_unknown() -> Text:
    """Of `trajectories` where there is nothing to measure them with."""
    return Text(
        fr="Les trajectoires n’ont pas été mesurées : il manque le mois, la personne ou assez de valeurs.",
        en="Trajectories could not be measured: the month, the person or enough values are missing.",
    )


def nobody() -> Text:
    """Of any measure of a table without units."""
    return Text(fr="La table ne contient aucune unité.", en="The table has no units.")


def unmeasured() -> Text:
    """Of `unmeasured`."""
    return Text(
        fr="Aucun quasi-identifiant dans cette table, ni ménage, ni employeur, ni trajectoire : il n’y a "
        "rien à mesurer.",
        en="No quasi-identifier in this table, and no household, employer or trajectory: there is nothing "
        "to measure.",
    )


ADVICE = {
    MeasureId.SAMPLE_K: Text(
        fr="trop de personnes ont une combinaison rare de caractéristiques. Des classes plus larges ou moins "
        "de variables aident.",
        en="too many people have a rare combination of characteristics. Wider classes or fewer variables "
        "help.",
    ),
    MeasureId.POPULATION_K: Text(
        fr="certaines combinaisons de caractéristiques sont rares ou de rareté inconnue dans la population. "
        "Des classes plus larges aident.",
        en="some combinations of characteristics are rare in the population, or it is not known how rare. "
        "Wider classes help.",
    ),
    MeasureId.MINIMAL_UNIQUES: Text(
        fr="peu de caractéristiques suffisent à reconnaître quelqu’un. Regroupez la variable qui y contribue "
        "le plus, ou renoncez-y.",
        en="a few characteristics are enough to recognise someone. Band the variable that contributes most, "
        "or do without it.",
    ),
    MeasureId.L_DIVERSITY: Text(
        fr="connaître le groupe d’une personne peut révéler cette valeur sensible. Des classes plus larges "
        "des autres variables aident.",
        en="knowing a person’s group can reveal this sensitive value. Wider classes of the other variables "
        "help.",
    ),
    MeasureId.POPULATION_L: Text(
        fr="dans la population aussi, le groupe d’une personne peut révéler cette valeur sensible, ou l’on "
        "ne sait pas si c’est le cas. Des classes plus larges des autres variables aident.",
        en="in the population, too, a person’s group can reveal this sensitive value, or it is not known "
        "whether it does. Wider classes of the other variables help.",
    ),
    MeasureId.HOUSEHOLDS: Text(
        fr="la composition des ménages les rend reconnaissables. Des âges en classes ou moins de membres "
        "aident.",
        en="households can be recognised by their composition. Ages in bands or fewer members help.",
    ),
    MeasureId.EMPLOYERS: Text(
        fr="de petits employeurs sont livrés. Une classe de taille au lieu de l’employeur, ou une taille "
        "minimale, aide.",
        en="small employers are delivered. A size class instead of the employer, or a minimum size, helps.",
    ),
    MeasureId.TRAJECTORIES: Text(
        fr="quelques valeurs mensuelles connues suffisent à reconnaître beaucoup de personnes, ou la mesure "
        "n’a pas été possible. Des classes plus larges, moins de mois ou des trimestres aident.",
        en="a few known month-values are enough to recognise many people, or it could not be measured. "
        "Wider classes, fewer months or quarters help.",
    ),
    MeasureId.CHARACTERISTICS: Text(
        fr="les caractéristiques connues pour quelques mois (commune, enfants, âge…) suffisent à reconnaître "
        "beaucoup de personnes, ou la mesure n’a pas été possible. Des classes plus larges ou une seule date "
        "aident.",
        en="characteristics known for a few months (commune, children, age…) are enough to recognise many "
        "people, or it could not be measured. Wider classes or a single date help.",
    ),
    MeasureId.UNMEASURED: Text(
        fr="aucun quasi-identifiant dans cette table. Vérifiez que le dictionnaire dit quelles variables "
        "permettent de reconnaître les unités (identifying: indirect).",
        en="no quasi-identifier in this table. Check that the dictionary says which variables units can be "
        "recognised by (identifying: indirect).",
    ),
}
