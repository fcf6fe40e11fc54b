"""The types and levels of variables as people read them."""

from __future__ import annotations

from hub.documents.base import Text
from hub.documents.dictionaries import VariableType
from hub.domain.levels import Level

TYPE_NAMES = {
    VariableType.INTEGER: Text(fr="entier", en="integer", de="ganze Zahl"),
    VariableType.FLOAT: Text(fr="décimal", en="float", de="Dezimalzahl"),
    VariableType.STRING: Text(fr="texte", en="string", de="Text"),
    VariableType.BOOLEAN: Text(fr="oui ou non", en="boolean", de="ja oder nein"),
    VariableType.DATE: Text(fr="date", en="date", de="Datum"),
}
LEVEL_NAMES = {
    Level.RAW: Text(fr="valeur brute", en="raw", de="Rohwert"),
    Level.BAND: Text(fr="tranches", en="band", de="Spannen"),
    Level.CLASS: Text(fr="classes", en="class", de="Klassen"),
    Level.GROUP: Text(fr="groupes", en="group", de="Gruppen"),
    Level.NONE: Text(fr="non remise", en="none", de="nicht geliefert"),
}
