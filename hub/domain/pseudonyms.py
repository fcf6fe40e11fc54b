"""The form of a pseudonym: 15 decimal digits that can be recognised wherever they turn up.

    TT BBBBBBBBBBBB C      two digits for the project (10…99), twelve for the unit, one check digit

The number is below 2^53, so R's and Stata's doubles hold it exactly. The check digit is Damm's
(H. M. Damm, *Total anti-symmetrische Quasigruppen*, Marburg 2004): every wrong digit and every swap
of neighbours is noticed. A random 15-digit number has the tag and a right check digit once in 900
times, so a leaked pseudonym is recognised without the list of pseudonyms.

How the twelve digits come about is `hub.extraction`'s business; it needs a secret key.
"""

from __future__ import annotations

import hashlib

DIGITS = 15
BODY_DIGITS = 12
FIRST_TAG, LAST_TAG = 10, 99

# The quasigroup of order 10 from Damm's thesis (p. 111): totally anti-symmetric, zeros on the diagonal.
DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def check_digit(digits: str) -> int:
    """Damm's check digit of `digits` (ASCII digits only). ValueError for anything else."""
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("not a row of digits")
    state = 0
    for digit in digits:
        state = DAMM[state][ord(digit) - 48]
    return state


def compose(tag: int, body: int) -> int:
    """The pseudonym with this project tag and these twelve digits."""
    if not FIRST_TAG <= tag <= LAST_TAG:
        raise ValueError("a project tag is between 10 and 99")
    if not 0 <= body < 10**BODY_DIGITS:
        raise ValueError("a body has twelve digits")
    digits = f"{tag}{body:0{BODY_DIGITS}d}"
    return int(digits) * 10 + check_digit(digits)


def has_valid_check_digit(token: str) -> bool:
    """Whether `token` is 15 digits, the first not 0, of which the last checks the others."""
    return (
        len(token) == DIGITS
        and token.isascii()
        and token.isdigit()
        and token[0] != "0"
        and check_digit(token) == 0  # the check digit brings the state back to 0
    )


def looks_like_pseudonym(token: str, tag: int) -> bool:
    """Whether `token` could be a pseudonym of the project with this tag (never wrong for a real one)."""
    return token.startswith(str(tag)) and has_valid_check_digit(token)


def project_tag(project: str) -> int:
    """The tag of a project by its slug. Not secret and not unique: it says where to look first."""
    digest = hashlib.sha256(b"vitrine project tag\x00" + project.encode()).digest()
    return FIRST_TAG + int.from_bytes(digest, "big") % (LAST_TAG - FIRST_TAG + 1)
