"""Variables, quotes and escapes in a Dockerfile."""

from __future__ import annotations

import pytest

from mlops_constructs.local_aws.containers.dockerfile import (
    WordError,
    announced,
    arg_pairs,
    env_pairs,
    expand,
    plain_words,
    split_words,
)

VARIABLES = {"HOME": "/home", "EMPTY": "", "VERSION": "3.12.1", "FILE": "a/b/c.tar.gz", "ÉTÉ": "summer", "STAR": "*.py"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$HOME/a", "/home/a"),
        ("${HOME}a", "/homea"),
        ("$HOMEa", ""),
        ("a${NONE}b$NONE.c", "ab.c"),
        ("$EMPTY", ""),
        ("$ÉTÉ", "summer"),
        ("$", "$"),
        ("a$.b", "a$.b"),
        ("$1a$@b", "ab"),
        ("${NONE:-a $HOME}", "a /home"),
        ("${EMPTY:-a}${EMPTY-b}${NONE-c}", "ac"),
        ("${HOME:-a}", "/home"),
        ("${HOME:+a}${EMPTY:+b}${EMPTY+c}${NONE+d}", "ac"),
        ("${NONE:-${EMPTY:-${HOME}}}", "/home"),
        ("${HOME:?gone}${EMPTY?gone}", "/home"),
        ("${VERSION%.*}", "3.12"),
        ("${VERSION%%.*}", "3"),
        ("${FILE#*/}", "b/c.tar.gz"),
        ("${FILE##*/}", "c.tar.gz"),
        ("${FILE#x}${NONE#x}", "a/b/c.tar.gz"),
        ("${FILE%?gz}", "a/b/c.tar"),
        ("${FILE/\\//-}", "a-b/c.tar.gz"),
        ("${FILE//\\//-}", "a-b-c.tar.gz"),
        ("${FILE/.*/}", "a/b/c"),
        ("${STAR#\\*}", ".py"),
        ("'$HOME'", "$HOME"),
        ("\"$HOME '$HOME'\"", "/home '/home'"),
        ("'\"'\"'\"", "\"'"),
        ("\\$HOME \\a \\\\", "$HOME a \\"),
        ('"\\$HOME \\a \\\\ \\""', '$HOME \\a \\ "'),
        ("'\\a'", "\\a"),
        ("a\\", "a"),
        ("${NONE:-\\}}", "}"),
        ('${NONE:-"}"}', "}"),
        (" a  b ", " a  b "),
        ("a << b < c", "a << b < c"),
    ],
)
def test_a_word_and_its_value(text: str, value: str) -> None:
    assert expand(text, VARIABLES) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("it's", "unexpected end of statement while looking for the matching '"),
        ('"a', 'unexpected end of statement while looking for the matching "'),
        ('"a\\"', 'unexpected end of statement while looking for the matching "'),
        ("${", "syntax error: bad substitution"),
        ("${}", "syntax error: bad substitution"),
        ("${{HOME}}", "syntax error: bad substitution"),
        ("${:-a}", "syntax error: bad substitution"),
        ("${HOME", "syntax error: missing '}'"),
        ("${HOME:-a", "syntax error: missing '}'"),
        ("${HOME/a}", "syntax error: missing '/'"),
        ("${HOME=a}", "unsupported modifier (=) in substitution"),
        ("${HOME:=a}", "unsupported modifier (:=) in substitution"),
        ("${HOME:#a}", "unsupported modifier (:#) in substitution"),
        ("${HOME#\\a}", "invalid escape '\\a' in the pattern '\\\\a' of a substitution"),
        ("${NONE:?}", "NONE: is not allowed to be unset"),
        ("${EMPTY:?}", "EMPTY: is not allowed to be empty"),
        ("${NONE?give $HOME}", "NONE: give /home"),
    ],
)
def test_a_word_that_buildkit_refuses(text: str, reason: str) -> None:
    with pytest.raises(WordError) as raised:
        expand(text, VARIABLES)
    assert str(raised.value) == reason


def test_another_escape_character() -> None:
    assert expand("C:\\a `$HOME $HOME", VARIABLES, "`") == "C:\\a $HOME /home"
    assert expand("C:\\a `$HOME $HOME", VARIABLES) == "C:a `/home /home"


def test_quotes_are_ordinary_in_a_heredoc() -> None:
    assert expand('it\'s "$HOME" \\$HOME\n', VARIABLES, quotes=False) == 'it\'s "/home" $HOME\n'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        ("'a b' \"c d\"e f", ["'a b'", '"c d"e', "f"]),
        ("a\\ b c", ["a\\ b", "c"]),
        ("'a\\' b", ["'a\\'", "b"]),
        ('"a\\" b" c', ['"a\\" b"', "c"]),
        ("a 'b c", ["a", "'b c"]),
        ('""', ['""']),
        ("a \\", ["a"]),
        ('"a \\', ['"a ']),
        ("a\u2003b\x1cc", ["a", "b\x1cc"]),
        ("", []),
    ],
)
def test_words_keep_their_quotes(value: str, words: list[str]) -> None:
    assert split_words(value) == words


def test_plain_words_know_no_quotes() -> None:
    assert plain_words("'a b'\t c\\ d ") == ("'a", "b'", "c\\", "d")


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ("a=b", [("a", "b")]),
        ('a=b c="d e" f=', [("a", "b"), ("c", '"d e"'), ("f", "")]),
        ("a=b=c", [("a", "b=c")]),
        ("a=b\\ c d=e", [("a", "b\\ c"), ("d", "e")]),
        ("a b c", [("a", "b c")]),
        ("a\t b=c  'd'", [("a", "b=c  'd'")]),
        ("PATH $PATH:/a", [("PATH", "$PATH:/a")]),
    ],
)
def test_both_forms_of_env(value: str, pairs: list[tuple[str, str]]) -> None:
    assert env_pairs(value) == pairs


def test_pairs_with_another_escape_character() -> None:
    assert env_pairs("a=b` c d=C:\\", "`") == [("a", "b` c"), ("d", "C:\\")]
    assert arg_pairs("a=b` c", "`") == [("a", "b` c")]


@pytest.mark.parametrize("value", ["a", "a=b c", "=a", "a=b =c"])
def test_env_needs_names_and_values(value: str) -> None:
    with pytest.raises(WordError, match="requires"):
        env_pairs(value)


def test_an_argument_may_have_a_default() -> None:
    assert arg_pairs('a b= c="d e"') == [("a", None), ("b", ""), ("c", '"d e"')]
    with pytest.raises(WordError, match="requires names that are not blank"):
        arg_pairs("a =b")


@pytest.mark.parametrize("word", ["EOF", "<", "<<", "<<-", "a<<EOF", "<<<EOF", "<<a b", "<<'EOF", "<<''"])
def test_words_that_announce_no_heredoc(word: str) -> None:
    assert announced(word) is None
