"""What the reader of YAML takes, what it refuses, and where it says so."""

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from triggers.yaml_source import LARGEST, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("10:30", "10:30"),
        ("2026-11-22", "2026-11-22"),
        ("+919876543210", "+919876543210"),
        ("007", "007"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("=", "="),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        ('"12"', "12"),
        ("'true'", "true"),
        ("Annual plan", "Annual plan"),
        ("नमस्ते", "नमस्ते"),
    ],
)
def test_a_value(written: str, value: Any) -> None:
    source = parse_yaml(f"key: {written}\n", "f.yaml")
    assert source.problems == []
    assert source.data == {"key": value}
    assert type(source.data["key"]) is type(value)


def test_keys_are_text() -> None:
    assert parse_yaml("on: 1\n5: 2\ntrue: 3\n<<: 4\n", "f.yaml").data == {
        "on": 1,
        "5": 2,
        "true": 3,
        "<<": 4,
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1: the key `a` is there twice; keep one of the two"),
        ("a:\n  - {b: 1, b: 2}\n", "2:12: the key `b` is there twice"),
        ("a: &x 1\nb: *x\n", "1:4: aliases such as `&x` are not read; write the value out"),
        ("a: *x\n", "1:4: aliases such as `*x`"),
        ("a: !!python/object:os.system {}\n", "1:4: tags such as `!!python/object:os.system`"),
        ("a: !mine 1\n", "1:4: tags such as `!mine` are not read"),
        ("a: 1\n---\nb: 2\n", "2:1: there is more than one document"),
        ("%YAML 1.1\n---\na: 1\n", "1:1: YAML directives are not used here"),
        ("", "1:1: the file is empty"),
        ("# nothing\n", "1:1: the file is empty"),
        ("a:\n\tb: 1\n", "2:1: a tab stands where spaces belong; indent with spaces"),
        ("a: b: c\n", "1:5: a colon is not expected here; put a text that holds `: ` in quotes"),
        ("a:\tb: c\n", "1:5: a colon is not expected here"),
        ("a: 1\r%TAG x\r", "2:1: YAML directives are not used here"),
        ("a: @x\n", "1:4: a value cannot begin with `@`; put the value in quotes"),
        ("a: {{ name }}\n", "1:5: a key has to be a word"),
        ("a: 'x\nb: 1\n", "1:4: a quotation mark is missing"),
        ('a: "b" in c\n', "1:4: the value goes on behind its quotation mark; put all of it in"),
        ("- {a: 1, b: 'c' in d}\n", "1:13: the value goes on behind its quotation mark"),
        ('a: "b"\n c: d\n', "2:2: this line does not fit the lines above it"),
        ("a: [1, 2\nb: 3\n", "2:2: a [ is not closed"),
        ("a:\n  b: 1\n c: 2\n", "3:2: this line does not fit the lines above it"),
        ("? [a]\n: b\n", "1:3: a key has to be a word"),
        ("a: 99999999999999999999\n", "1:4: the number is too large; if it is a code"),
        ("a: 1e999\n", "1:4: the number is too large"),
        ("a: b\x07\n", "1:5: the character U+0007 cannot be seen"),
    ],
)
def test_a_refusal(text: str, line: str) -> None:
    problems = parse_yaml(text, "f.yaml").problems
    assert len(problems) == 1
    assert str(problems[0]).startswith(f"f.yaml:{line}")


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"a: caf\xe9\n", "1:7: the file is not UTF-8; save it as UTF-8"),
        ("a: тест\n".encode("cp1251"), "1:4: the file is not UTF-8"),
        ("a: 1\n".encode("utf-16"), "1:1: the file is not UTF-8"),
        (b"a: " + b"x" * LARGEST, "1:1: the file is larger than 256 KB"),
    ],
)
def test_a_refused_file(raw: bytes, line: str, tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(raw)
    problems = read_yaml(path, "f.yaml").problems
    assert str(problems[0]).startswith(f"f.yaml:{line}")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    problems = read_yaml(tmp_path / "gone.yaml", "gone.yaml").problems
    assert str(problems[0]).startswith("gone.yaml:1:1: the file cannot be read: No such file")


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: x\r\n")
    source = read_yaml(path)
    assert source.data == {"a": 1, "b": {"c": "x"}}
    assert source.position(("b", "c")) == (3, 6)


@pytest.mark.parametrize(
    ("loc", "key", "position"),
    [
        (("name",), True, (1, 1)),
        (("name",), False, (1, 7)),
        (("steps", 1, "at"), False, (5, 17)),
        (("steps", 1, "at"), True, (5, 13)),
        (("steps", 0), False, (3, 5)),
        (("steps", 1, "email"), True, (5, 5)),  # not there: its mapping
        (("steps", 7), False, (3, 3)),  # not there: the list
        (("gone",), False, (1, 1)),
    ],
)
def test_a_position(loc: tuple[str | int, ...], key: bool, position: tuple[int, int]) -> None:
    source = parse_yaml("name: 😀 Asha\nsteps:\n  - id: a\n    at: 0d\n  - {id: b, at: 1d}\n", "f")
    assert source.position(loc, key=key) == position


@pytest.mark.parametrize(
    "text",
    [
        "if: a and WRONG\n",
        "if: 'a and WRONG'\n",
        "if: 'it''s in \"x\" and WRONG'\n",
        'if: "a == \\"b\\" and WRONG"\n',
        "if: a\n  and b\n  and WRONG\n",
        "if: >-\n  a and\n  b and WRONG\n",
        "if: |\n  a and\n    b and WRONG\n",
        "if: 'हिन्दी' \n",
    ],
)
def test_a_character_within_a_text(text: str) -> None:
    source = parse_yaml(text, "f")
    wanted = "WRONG" if "WRONG" in text else "हिन्दी"
    line, column = source.position_within(("if",), source.data["if"].index(wanted))
    assert text.splitlines()[line - 1][column - 1 :].startswith(wanted)


BOMBS = {
    "brackets": "[" * 250_000,
    "braces": "{a: " * 60_000,
    "dashes": "- " * 120_000,
    "question marks": "? " * 120_000,
    "laughs": "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 9_000)),
    "commas": "[" + "a," * 120_000 + "]",
    "one key": "a: 1\n" * 50_000,
    "keys": "".join(f"k{i}: 1\n" for i in range(20_000)),
    "open quote": '"' + "a" * 250_000,
    "colons": ":" * 250_000,
    "tags": "!a " * 80_000,
    "anchors": "&a " * 80_000,
    "directives": "%TAG !e! tag:e,2000:\n" * 12_000,
    "comments": "#\n" * 120_000,
    "documents": "---\n" * 60_000,
    "digits": "a: " + "9" * 250_000,
    "stairs": "".join(" " * i + "a:\n" for i in range(700)),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_hostile_file_is_refused_quickly(bomb: str) -> None:
    begin = time.perf_counter()
    source = parse_yaml(bomb, "bomb.yaml")
    assert time.perf_counter() - begin < 1
    assert 1 <= len(source.problems) <= 21


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text("abcनж :#-'\"\n", max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abcनж", min_size=1, max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(data=st.dictionaries(st.sampled_from("abc"), PLAIN, min_size=1))
def test_what_a_yaml_1_2_writer_writes_is_read_back(data: dict[str, Any]) -> None:
    written = yaml.safe_dump(data, allow_unicode=True, default_flow_style=None)
    # The writer makes aliases of equal objects only when they are the same object.
    source = parse_yaml(written, "f")
    if "&id" not in written:
        assert source.problems == []
        assert source.data == data


@given(text=st.text("ab:-[]{}&*!|>'\"#%@`\n \t,?0", max_size=40))
def test_whatever_the_text_nothing_is_raised(text: str) -> None:
    source = parse_yaml(text, "f")
    lines = text.count("\n") + 2
    for problem in source.problems:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert "\n" not in str(problem)
