"""Answers the gate gives itself: pages for people (fr, en by Accept-Language), JSON for programs."""

from __future__ import annotations

import html
import json

from hub.gate.refusals import GateRefused

PORTAL = "/services/portal/"
# After these the page asks again by itself: the desk is starting, or the Hub is.
_RETRY = frozenset({"desk_unreachable", "hub_unreachable"})
_TITLES = {"fr": "Bureau indisponible", "en": "Desk not available"}
_WAITING = {"fr": "Votre bureau s’ouvre…", "en": "Your desk is opening…"}
_LINKS = {"fr": "Retour à mes projets", "en": "Back to my projects"}

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{refresh}<title>{title} – Vitrine</title>
<style>
body {{ font-family: system-ui, sans-serif; background: #f4f5f7; color: #1d2733; margin: 0;
  display: grid; place-items: center; min-height: 100vh; }}
main {{ background: #fff; border: 1px solid #d5dae1; border-radius: 8px; padding: 2rem 2.5rem;
  max-width: 34rem; margin: 1rem; }}
h1 {{ font-size: 1.3rem; margin: 0 0 1rem; }}
p {{ line-height: 1.5; margin: 0 0 1.25rem; }}
a {{ color: #0b5cad; }}
small {{ color: #5b6774; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{sentence}</p>
<p><a href="{portal}">{link}</a></p>
<small>{code}</small>
</main>
</body>
</html>
"""


def choose_language(accept_language: str) -> str:
    """`fr` or `en`, whichever the reader prefers; English if neither is named."""
    best, best_weight = "en", 0.0
    for part in accept_language[:512].split(","):
        tag, _, parameters = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language not in _TITLES:
            continue
        try:
            weight = float(parameters.partition("q=")[2] or 1.0)
        except ValueError:
            continue
        if weight > best_weight:
            best, best_weight = language, weight
    return best


def render_page(refusal: GateRefused, language: str) -> str:
    """The page that says why nothing is shown, with the way back to the portal."""
    waiting = refusal.code in _RETRY
    return _PAGE.format(
        language=language,
        refresh='<meta http-equiv="refresh" content="2">\n' if waiting else "",
        title=html.escape((_WAITING if waiting else _TITLES)[language]),
        sentence=html.escape(refusal.message(language)),
        portal=PORTAL,
        link=html.escape(_LINKS[language]),
        code=html.escape(refusal.code),
    )


def render_json(refusal: GateRefused, language: str) -> str:
    """The error as programs get it: `error` as in Vitrine's API, `message` as JupyterLab reads it."""
    message = refusal.message(language)
    body = {"error": {"code": refusal.code, "message": message}, "message": message, "reason": refusal.code}
    return json.dumps(body, ensure_ascii=False)
