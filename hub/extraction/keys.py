"""Keyed pseudonyms: one per distinct unit, another in every project, without a stored list.

The key of a project and unit type is HKDF-SHA256 (RFC 5869) of the office's master key; a unit's
twelve digits are the HMAC-SHA256 of its key values under it, modulo 10^12.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import polars as pl

from hub.domain.errors import Refused
from hub.domain.pseudonyms import BODY_DIGITS, DAMM, FIRST_TAG, LAST_TAG

MASTER_KEY_BYTES = 32
_SALT = b"vitrine pseudonyms"
_SAMPLE_SALT = b"vitrine samples"
_MAP_SALT = b"vitrine maps"
_SPACE = 10**BODY_DIGITS
_BLOCK = 64  # of SHA-256, in bytes
# Texts become bytes objects and digests in pieces of this size: memory stays flat however many units.
_PIECE = 1 << 18
_DAMM = pl.Series([state for row in DAMM for state in row], dtype=pl.UInt8)


def hkdf_sha256(secret: bytes, *, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """RFC 5869: `length` (at most 255 × 32) bytes of key from `secret`."""
    key = hmac.digest(salt or bytes(32), secret, "sha256")
    block, result = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        result += block
    return result[:length]


def pseudonym_key(master_key: bytes, *, project: str, unit_type: str, version: int) -> bytes:
    """The key for one unit type of one project; lengths keep the parts of `info` apart."""
    return _derived(master_key, _SALT, project, unit_type, str(version))


def sample_key(master_key: bytes, project: str, unit_type: str) -> bytes:
    """The key for the order in which units of one type are drawn in one project.

    Pseudonyms that are made anew (`version`) do not change who is in a sample.
    """
    return _derived(master_key, _SAMPLE_SALT, project, unit_type)


def map_key(master_key: bytes, project: str) -> bytes:
    """The key under which the map of a project is encrypted."""
    return _derived(master_key, _MAP_SALT, project)


def _derived(master_key: bytes, salt: bytes, *parts: str) -> bytes:
    if len(master_key) < MASTER_KEY_BYTES:
        raise Refused(
            "weak_master_key",
            f"The master key must have at least {MASTER_KEY_BYTES} bytes.",
            f"La clé maîtresse doit avoir au moins {MASTER_KEY_BYTES} octets.",
        )
    encoded = [part.encode() for part in parts]
    info = b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
    return hkdf_sha256(master_key, salt=salt, info=info)


def canonical(units: pl.DataFrame) -> pl.Series:
    """One text per unit. Each key value is written with its length before it, so that no two rows of
    values give the same text."""
    texts = [pl.col(name).cast(pl.String) for name in units.columns]
    return units.select(
        pl.concat_str([pl.format("{}:{}", text.str.len_bytes(), text) for text in texts])
    ).to_series()


def assign(
    units: pl.Series | pl.DataFrame,
    key: bytes,
    *,
    tag: int,
    taken: pl.Series | None = None,
    space: int = _SPACE,
) -> pl.Series:
    """The pseudonyms (Int64) of distinct units (key columns, or `canonical` texts), in their order; none is
    among `taken`, which other units have already.

    Distinct units get distinct pseudonyms. Where two draw the same digits, the one with the smaller
    HMAC keeps them and the other draws again with a counter, so that the outcome depends on the set
    of units only. `space` (at most 10^12, and more than the number of units) is smaller in tests.
    """
    held = pl.Series([], dtype=pl.Int64) if taken is None else taken // 10 % 10**BODY_DIGITS
    if len(units) + len(held) >= space:
        raise Refused(
            "too_many_units", "There are more units than pseudonyms.", "Plus d’unités que de pseudonymes."
        )
    bodies = pl.concat(
        [pl.Series([], dtype=pl.Int64)]
        + [
            pl.Series([_body(digest, space) for digest in keyed_digests(piece, key)], dtype=pl.Int64)
            for piece in _pieces(units)
        ]
    )
    in_order = bodies.sort()  # takes less than a table of all that are there
    repeated = in_order.filter(in_order == in_order.shift(1)).unique()
    shared = (bodies.is_in(repeated.implode()) | bodies.is_in(held.implode())).arg_true()
    if not shared.is_empty():
        bodies = _drawn_again(_texts(units[shared]), key, bodies, shared, held, space)
    return _composed(bodies, tag)


def keyed_order(units: pl.Series, key: bytes) -> pl.Series:
    """The first 64 bits (UInt64) of every text's HMAC; who sorts by them breaks a tie by the unit."""
    drawn = [
        pl.Series(
            [int.from_bytes(digest[:8], "big") for digest in keyed_digests(piece, key)], dtype=pl.UInt64
        )
        for piece in _pieces(units)
    ]
    return pl.concat([pl.Series([], dtype=pl.UInt64), *drawn])


def unit_order(units: pl.DataFrame, key: bytes) -> pl.Series:
    """The `keyed_order` of units (key columns), whose texts are not held all at once."""
    return pl.concat([pl.Series([], dtype=pl.UInt64), *(keyed_order(part, key) for part in _pieces(units))])


def _pieces(units: pl.Series | pl.DataFrame) -> Iterable[pl.Series]:
    return (_texts(units[start : start + _PIECE]) for start in range(0, len(units), _PIECE))


def _texts(units: pl.Series | pl.DataFrame) -> pl.Series:
    return units if isinstance(units, pl.Series) else canonical(units)


def _body(digest: bytes, space: int) -> int:
    return int.from_bytes(digest[:16], "big") % space


def keyed_digests(units: pl.Series, key: bytes) -> list[bytes]:
    """HMAC-SHA256 (RFC 2104) of every text under `key`, which is at most one block long.

    Written out with two prepared SHA-256 states: `hmac` takes twice the time for such short texts.
    """
    padded = key.ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
    digests = []
    for unit in units.cast(pl.Binary).to_list():
        first, second = inner.copy(), outer.copy()
        first.update(unit)
        second.update(first.digest())
        digests.append(second.digest())
    return digests


def _drawn_again(
    units: pl.Series, key: bytes, bodies: pl.Series, shared: pl.Series, held: pl.Series, space: int
) -> pl.Series:
    """`bodies` with other digits for all but one of the `units` (texts), which stand at `shared`, that drew
    the same, and for all that drew what is `held`."""
    texts = units.to_list()
    digests = keyed_digests(units, key)
    kept = set(held.to_list())
    taken = kept | set(bodies.to_list())
    result = bodies.to_list()
    for _, position, text in sorted(zip(digests, shared.to_list(), texts, strict=True)):
        if result[position] not in kept:
            kept.add(result[position])
            continue
        counter, body = 0, result[position]
        while body in taken:
            counter += 1
            # \0 cannot follow a canonical text in another canonical text: each says its own length.
            (again,) = keyed_digests(pl.Series([f"{text}\0{counter}"]), key)
            body = _body(again, space)
        taken.add(body)
        result[position] = body
    return pl.Series(result, dtype=pl.Int64)


def _composed(bodies: pl.Series, tag: int) -> pl.Series:
    """hub.domain.pseudonyms.compose for a whole column."""
    if not FIRST_TAG <= tag <= LAST_TAG:
        raise ValueError("a project tag is between 10 and 99")
    numbers = bodies + tag * 10**BODY_DIGITS
    states = pl.zeros(len(numbers), dtype=pl.UInt8, eager=True)
    for place in reversed(range(BODY_DIGITS + 2)):
        digits = (numbers // 10**place % 10).cast(pl.UInt8)
        states = _DAMM.gather(states * 10 + digits)
    composed: pl.Series = numbers * 10 + states.cast(pl.Int64)
    return composed
