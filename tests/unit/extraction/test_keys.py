"""Pseudonyms: another key or project gives others, none twice, all recognisable, exact as doubles."""

from __future__ import annotations

import hmac

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import pseudonyms
from hub.domain.errors import Refused
from hub.extraction.keys import assign as assign_column
from hub.extraction.keys import hkdf_sha256, keyed_digests, pseudonym_key, sample_key

MASTER = bytes(range(32))
TAGS = st.integers(pseudonyms.FIRST_TAG, pseudonyms.LAST_TAG)
BODIES = st.integers(0, 10**12 - 1)


def assign(units: list[str], key: bytes, *, tag: int, **more: int) -> list[int]:
    return assign_column(pl.Series(units, dtype=pl.String), key, tag=tag, **more).to_list()


@pytest.mark.parametrize("key", [b"", b"short", bytes(31)])
def test_a_weak_master_key_is_refused(key: bytes) -> None:
    with pytest.raises(Refused) as refused:
        pseudonym_key(key, project="p", unit_type="person", version=1)
    assert refused.value.code == "weak_master_key"


def test_more_units_than_pseudonyms_are_refused() -> None:
    with pytest.raises(Refused) as refused:
        assign([str(n) for n in range(10)], MASTER, tag=42, space=10)
    assert refused.value.code == "too_many_units"


@pytest.mark.parametrize(("tag", "body"), [(9, 0), (100, 0), (10, -1), (10, 10**12)])
def test_only_fitting_parts_are_composed(tag: int, body: int) -> None:
    with pytest.raises(ValueError, match=r"tag|digits"):
        pseudonyms.compose(tag, body)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "12345678901234",
        "1234567890123456",
        "12345678901234x",
        " " * 15,
        "１２３４５６７８９０１２３４５",
        "0" * 15,
        "-12345678901234",
    ],
)
def test_other_words_are_no_pseudonyms(token: str) -> None:
    assert not pseudonyms.has_valid_check_digit(token)
    assert not any(pseudonyms.looks_like_pseudonym(token, tag) for tag in range(10, 100))


def test_the_check_digit_is_damms() -> None:
    assert pseudonyms.check_digit("572") == 4  # the example of Damm's thesis


@given(TAGS, BODIES)
def test_a_pseudonym_is_recognised_and_exact_as_a_double(tag: int, body: int) -> None:
    number = pseudonyms.compose(tag, body)
    assert len(str(number)) == pseudonyms.DIGITS
    assert int(float(number)) == number < 2**53
    assert pseudonyms.looks_like_pseudonym(str(number), tag)
    assert not pseudonyms.looks_like_pseudonym(str(number), 10 + (tag - 9) % 90)


@given(TAGS, BODIES, st.integers(0, 14), st.integers(1, 9))
def test_every_wrong_digit_is_noticed(tag: int, body: int, place: int, shift: int) -> None:
    token = str(pseudonyms.compose(tag, body))
    wrong = token[:place] + str((int(token[place]) + shift) % 10) + token[place + 1 :]
    assert not pseudonyms.has_valid_check_digit(wrong)


@given(TAGS, BODIES, st.integers(0, 13))
def test_every_swap_of_neighbours_is_noticed(tag: int, body: int, place: int) -> None:
    token = str(pseudonyms.compose(tag, body))
    swapped = token[:place] + token[place + 1] + token[place] + token[place + 2 :]
    assert swapped == token or not pseudonyms.has_valid_check_digit(swapped)


def test_a_random_number_is_rarely_taken_for_one() -> None:
    found = sum(
        pseudonyms.looks_like_pseudonym(str(n), 42) for n in range(420_000_000_000_000, 420_000_000_010_000)
    )
    assert found == 1000  # with the right tag one in ten; a random tag is right once in ninety


def test_hkdf_is_rfc_5869() -> None:
    secret = bytes([0x0B]) * 22  # test case 1
    salt, info = bytes(range(13)), bytes(range(0xF0, 0xFA))
    assert hkdf_sha256(secret, salt=salt, info=info, length=42).hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
    assert hkdf_sha256(secret, salt=b"", info=b"", length=42).hex() == (  # test case 3
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


@pytest.mark.parametrize(
    "other",
    [
        pseudonym_key(bytes(32), project="p", unit_type="person", version=1),
        pseudonym_key(MASTER, project="q", unit_type="person", version=1),
        pseudonym_key(MASTER, project="p", unit_type="household", version=1),
        pseudonym_key(MASTER, project="p", unit_type="person", version=2),
        pseudonym_key(MASTER, project="pperson", unit_type="", version=1),
    ],
    ids=["master key", "project", "unit type", "version", "border of the parts"],
)
def test_another_key_gives_other_pseudonyms(other: bytes) -> None:
    units = [str(n) for n in range(1000)]
    key = pseudonym_key(MASTER, project="p", unit_type="person", version=1)
    assert not set(assign(units, key, tag=42)) & set(assign(units, other, tag=42))


def test_pseudonyms_stay_what_they_were() -> None:
    """Deliveries are compared over years: these two numbers may change only with `key_version`."""
    key = pseudonym_key(MASTER, project="cps-wages", unit_type="tax_unit", version=1)
    assert assign(["1:1", "1:2"], key, tag=98) == [982464370791866, 988348047320062]


@given(st.sets(st.text(max_size=6), max_size=60), st.randoms(use_true_random=False))
def test_distinct_units_get_distinct_pseudonyms_in_any_order(units: set[str], random: object) -> None:
    ordered = sorted(units)
    shuffled = ordered.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    # So few numbers that most draws collide.
    first = dict(zip(ordered, assign(ordered, MASTER, tag=42, space=64), strict=True))
    second = dict(zip(shuffled, assign(shuffled, MASTER, tag=42, space=64), strict=True))
    assert first == second
    assert len(set(first.values())) == len(units)


@given(st.sets(st.integers(0, 10**6), min_size=1, max_size=50))
def test_who_does_not_collide_keeps_the_pseudonym_of_being_alone(numbers: set[int]) -> None:
    units = [str(number) for number in numbers]
    together = assign(units, MASTER, tag=42)
    assert together == [assign([unit], MASTER, tag=42)[0] for unit in units]


@given(st.lists(st.text(max_size=200)), st.binary(min_size=1, max_size=64))
def test_the_digests_are_hmac_sha256(texts: list[str], key: bytes) -> None:
    expected = [hmac.digest(key, text.encode(), "sha256") for text in texts]
    assert keyed_digests(pl.Series(texts, dtype=pl.String), key) == expected


@given(TAGS, st.sets(st.text(max_size=5), max_size=30))
def test_a_column_of_pseudonyms_is_composed_like_each_alone(tag: int, units: set[str]) -> None:
    texts = sorted(units)
    bodies = [
        int.from_bytes(hmac.digest(MASTER, text.encode(), "sha256")[:16], "big") % 10**12 for text in texts
    ]
    assert assign(texts, MASTER, tag=tag) == [pseudonyms.compose(tag, body) for body in bodies]


def test_samples_and_pseudonyms_have_keys_of_their_own() -> None:
    keys = {
        sample_key(MASTER, "p", "person"),
        sample_key(MASTER, "p", "household"),
        sample_key(MASTER, "q", "person"),
        pseudonym_key(MASTER, project="p", unit_type="person", version=1),
        pseudonym_key(MASTER, project="p", unit_type="", version=1),
    }
    assert len(keys) == 5
    with pytest.raises(Refused):
        sample_key(b"short", "p", "person")
