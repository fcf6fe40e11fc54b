"""The YAML reader: what it refuses, with line and key, and what it takes as it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.documents import yaml
from hub.domain.errors import DocumentError


@pytest.mark.parametrize(
    ("text", "code", "line", "key"),
    [
        ("a: 1\nb: 2\na: 3\n", "duplicate_key", 3, "a"),
        ("a:\n  - b: 1\n    b: 2\n", "duplicate_key", 3, "a[0].b"),
        ("a: &x 1\nb: 2\n", "reference", 1, None),
        ("b: 2\na: *x\n", "reference", 2, None),
        ("a: 1\n---\nb: 2\n", "several_documents", 2, None),
        ("a: 1\n1: 2\n", "key_not_text", 2, None),
        ("a:\n  true: 2\n", "key_not_text", 2, "a"),
        ("a:\n  [1, 2]: 2\n", "key_not_text", 2, "a"),
        ("a: !!python/object/apply:os.system [id]\n", "tag", 1, None),
        ("a: !!str 1\n", "tag", 1, None),
        ("- a\n- b\n", "not_a_mapping", 1, None),
        ("text", "not_a_mapping", 1, None),
        ("", "not_a_mapping", 1, None),
        ("a: [1\nb: 2\n", "syntax", 2, None),
        ("a:\n\t- 1\n", "syntax", 2, None),
        ("a: 1\n\0: 2\n", "syntax", None, None),
        ("a: " + "[" * 41 + "]" * 41, "too_deep", 1, None),
        ("a: " + "9" * 500, "bad_value", 1, "a"),
        ("a: 1.0e999", "bad_value", 1, "a"),
        ("a: " + "x" * yaml.MAX_CHARACTERS, "too_long", None, None),
    ],
)
def test_refuses(text: str, code: str, line: int | None, key: str | None) -> None:
    with pytest.raises(DocumentError) as refused:
        yaml.load(text, name="rules.yaml")
    assert (refused.value.code, refused.value.line, refused.value.key) == (code, line, key)
    assert str(refused.value).startswith("rules.yaml" if line is None else f"rules.yaml:{line}: ")


def test_a_bomb_of_aliases_is_refused_before_it_unfolds() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(DocumentError, match="references"):
        yaml.load("\n".join(lines), name="bomb.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),  # Norway stays a country
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        (".nan", ".nan"),
        (".inf", ".inf"),
        ("=", "="),
        ("<<", "<<"),
        ("'1'", "1"),
        ("-7", -7),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("null", None),
        ("", None),
    ],
)
def test_takes_words_as_words(text: str, value: object) -> None:
    read = yaml.load(f"a: {text}\n", name="x").value["a"]
    assert (type(read), read) == (type(value), value)


def test_every_key_and_element_has_its_line() -> None:
    loaded = yaml.load("a: 1\nb:\n  - x\n  - c: 2\n", name="x")
    assert loaded.lines == {(): 1, ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4}


@given(st.text(alphabet=":-[]{}&*!|>'\"#%@` \n\tabc019.,?~\0\x85\ufeff", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        loaded = yaml.load(text, name="x")
    except DocumentError:
        return
    assert isinstance(loaded.value, dict)
    assert () in loaded.lines


@pytest.mark.parametrize("text", ["\x85", "a\x85b", "\xa0", "a\u2028b", " a ", "true", "1", "a: b", "é\n\nè"])
def test_what_is_written_reads_back_equal(text: str) -> None:
    assert yaml.load(yaml.dump({text: [text]}), name="x").value == {text: [text]}
