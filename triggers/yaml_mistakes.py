"""The YAML parser's complaints, in words for people who don't know what a token is."""

import re

import yaml

_COLON = "put a text that holds `: ` in quotes, or check the indentation"
_INDENT = "line it up with its neighbours; a text with special characters needs quotes"
_WORDS: tuple[tuple[str, str, str], ...] = (
    ("mapping values are not allowed", "a colon is not expected here", _COLON),
    ("did not find expected key", "this line does not fit the lines above it", _INDENT),
    ("did not find expected '-' indicator", "this line does not fit the list above it", _INDENT),
    ("could not find expected ':'", "a key has no colon after it", "write `key: value`"),
    ("did not find expected ',' or ']'", "a [ is not closed", "end the list with ]"),
    ("did not find expected ',' or '}'", "a { is not closed", "end it with }"),
    ("found unexpected end of stream", "a quotation mark is missing", "end the text with it"),
    ("found unknown escape character", "a \\ in double quotes has a meaning", "use single quotes"),
    ("did not find expected node content", "a value is missing here", "write one"),
    ("found unexpected document indicator", "a quotation mark is missing before", "end the text"),
    ("block sequence entries are not allowed", "a list cannot begin here", "begin a new line"),
    ("did not find expected <document start>", "this does not belong to the file", _INDENT),
)
_BEHIND_QUOTES = re.compile(r"""(?<=[:-])\s+(("[^"]*"|'[^']*')[ \t]+[^\s#,}\]])""")
"""A value that begins with a quoted text and goes on: to YAML it ends with the quotation mark."""


def in_our_words(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str, str]:
    """Line, column, message and fix for an error of the YAML parser."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = error.problem or "it cannot be read as YAML"
    rows = text.split("\n")
    row = rows[line - 1] if line <= len(rows) else ""
    if "\t" in row[: len(row) - len(row.lstrip())]:
        return line, row.index("\t") + 1, "a tab stands where spaces belong", "indent with spaces"
    if "cannot start any token" in problem:
        sign = row[column - 1 : column]
        return line, column, f"a value cannot begin with `{sign}`", "put the value in quotes"
    if "quoted scalar" in (error.context or "") and error.context_mark is not None:
        # The quote that was opened, not the end of the file, is what one looks for.
        line, column = error.context_mark.line + 1, error.context_mark.column + 1
    if "did not find expected" in problem and (found := _BEHIND_QUOTES.search(row)):
        fix = """put all of it in quotes, as in '"vip" in customer.tags'"""
        return line, found.start(1) + 1, "the value goes on behind its quotation mark", fix
    for said, message, fix in _WORDS:
        if said in problem:
            return line, column, message, fix
    return line, column, f"this is not valid YAML: {problem}", "check quotes and indentation"
