"""Refusals of the gate: a stable code, an HTTP status, and the sentences people read (fr, en)."""

from __future__ import annotations

from hub.domain.errors import Refused

# code: (status, English, French)
SENTENCES: dict[str, tuple[int, str, str]] = {
    # The desk is closed: reasons of the session file (docs/architecture.md §4) and the gate's own.
    "project_ended": (
        403,
        "The project has ended, so this desk is closed.",
        "Le projet est terminé : ce bureau est fermé.",
    ),
    "project_suspended": (
        403,
        "The project is suspended, so this desk is closed.",
        "Le projet est suspendu : ce bureau est fermé.",
    ),
    "person_suspended": (
        403,
        "Your access is suspended, so this desk is closed. Please contact the data administrator.",
        "Votre accès est suspendu : ce bureau est fermé. Adressez-vous à l’administrateur des données.",
    ),
    "stopped": (
        403,
        "This desk was stopped. Your files are kept; you may open it again.",
        "Ce bureau a été arrêté. Vos fichiers sont conservés ; vous pouvez le rouvrir.",
    ),
    "membership_ended": (
        403,
        "You are no longer a member of this project, so this desk is closed.",
        "Vous n’êtes plus membre de ce projet : ce bureau est fermé.",
    ),
    "time_over": (
        403,
        "The time granted to this desk is over.",
        "Le temps accordé à ce bureau est écoulé.",
    ),
    "closed": (403, "This desk is closed.", "Ce bureau est fermé."),
    "bytes_limit": (
        403,
        (
            "This session has used up the amount of data that may be shown outside the desk. "
            "Please contact the data administrator."
        ),
        (
            "Cette session a épuisé le volume de données qui peut être affiché hors du bureau. "
            "Adressez-vous à l’administrateur des données."
        ),
    ),
    "meter_failed": (
        403,
        (
            "The meter of this session cannot be read or written, so the desk stays closed. "
            "Please contact the data administrator."
        ),
        (
            "Le compteur de cette session est illisible : le bureau reste fermé. "
            "Adressez-vous à l’administrateur des données."
        ),
    ),
    "tier_not_served": (
        403,
        "This desk cannot be shown in this way.",
        "Ce bureau ne peut pas être affiché de cette manière.",
    ),
    # Who asks.
    "sign_in_needed": (
        403,
        "Please sign in again: reload the page.",
        "Veuillez vous reconnecter : rechargez la page.",
    ),
    "sign_in_failed": (
        403,
        "The sign-in could not be completed. Open your desk again from your projects.",
        "La connexion n’a pas abouti. Rouvrez votre bureau depuis vos projets.",
    ),
    "not_yours": (403, "This is another person’s desk.", "Ce bureau est celui d’une autre personne."),
    "origin_refused": (
        403,
        "This connection does not come from Vitrine’s own page.",
        "Cette connexion ne vient pas de la page de Vitrine.",
    ),
    "hub_unreachable": (
        503,
        "Your identity cannot be checked at the moment. Please try again shortly.",
        "Votre identité ne peut pas être vérifiée pour le moment. Réessayez dans un instant.",
    ),
    # What is asked.
    "path_refused": (403, "This address is not allowed.", "Cette adresse n’est pas autorisée."),
    "route_refused": (
        403,
        "This is not available in a Vitrine desk. To take a result out, submit it for output check.",
        (
            "Ceci n’est pas disponible dans un bureau Vitrine. Pour sortir un résultat, "
            "soumettez-le au contrôle de sortie."
        ),
    ),
    "body_refused": (403, "This request may not carry a body.", "Cette requête ne peut pas avoir de corps."),
    "too_large": (413, "This is too large to be sent.", "L’envoi est trop volumineux."),
    "busy": (
        429,
        "Too many connections to this desk at once.",
        "Trop de connexions simultanées à ce bureau.",
    ),
    # What the desk answers.
    "attachment_refused": (
        403,
        "Files cannot be downloaded from a desk. To take a result out, submit it for output check.",
        (
            "On ne télécharge pas de fichier depuis un bureau. Pour sortir un résultat, "
            "soumettez-le au contrôle de sortie."
        ),
    ),
    "type_refused": (
        403,
        "The desk answered with a kind of content that is not shown.",
        "Le bureau a répondu par un type de contenu qui n’est pas affiché.",
    ),
    "reply_refused": (
        403,
        "The desk answered in a way that is not relayed.",
        "Le bureau a donné une réponse qui n’est pas relayée.",
    ),
    "desk_error": (502, "The desk answered with an error.", "Le bureau a répondu par une erreur."),
    "desk_unreachable": (
        503,
        "The desk does not answer yet. Please try again shortly.",
        "Le bureau ne répond pas encore. Réessayez dans un instant.",
    ),
    # The desk's submit.sock.
    "unknown_call": (404, "There is no such call.", "Cet appel n’existe pas."),
    "portal_unreachable": (
        503,
        "The portal cannot be reached. Nothing was submitted; please try again shortly.",
        "Le portail est injoignable. Rien n’a été soumis ; réessayez dans un instant.",
    ),
    "upload_stalled": (
        408,
        "The upload stalled and was dropped.",
        "L’envoi s’est interrompu et a été abandonné.",
    ),
    "internal": (500, "Something went wrong in the gate.", "Une erreur s’est produite dans la passerelle."),
}


class GateRefused(Refused):
    """The gate does not pass this. `status` is the HTTP status of the answer."""

    def __init__(self, code: str, *, status: int | None = None) -> None:
        listed, en, fr = SENTENCES[code]
        super().__init__(code, en, fr)
        self.status = listed if status is None else status
