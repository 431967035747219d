"""Continuation tokens: written by us or refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler_kit import tokens
from handler_kit.errors import StepError
from handler_kit.tokens import Token

LATEST = 1_800_000_000


def decode(text: str) -> Token:
    return tokens.decode(text, is_ours=lambda name: name == "ours", latest_deadline=LATEST)


@given(deadline=st.integers(0, LATEST))
def test_a_token_comes_back_as_it_was_written(deadline: int) -> None:
    for token in (Token("ours", deadline), Token("ours", deadline, asked_by="11111111-2222")):
        assert decode(token.encode()) == token


def test_a_token_of_the_longest_name_fits_codepipeline() -> None:
    assert len(Token("x" * 63, LATEST).encode()) <= tokens.MAX_CHARACTERS


_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "v": st.one_of(st.integers(), st.booleans(), st.just(1), st.none()),
        "awaits": st.one_of(st.text(), st.just("ours"), st.integers()),
        "deadline": st.one_of(st.integers(), st.floats(), st.text(), st.booleans()),
        "more": st.none(),
    },
)


@given(text=st.one_of(st.text(), st.from_type(bool).map(json.dumps), _FIELDS.map(json.dumps)))
def test_11_any_text_gives_a_valid_token_or_the_clear_failure(text: str) -> None:
    token, failure = Token("ours", 0), None
    try:
        token = decode(text)
    except StepError as caught:
        failure = caught
    assert failure is None or str(failure).startswith("This action did not write the continuation token")
    assert token.awaits == "ours"
    assert 0 <= token.deadline <= LATEST + tokens.CLOCK_SLACK_SECONDS


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"v": 2, "awaits": "ours", "deadline": 1}, "version must be 1"),
        ({"v": True, "awaits": "ours", "deadline": 1}, "version must be 1"),
        ({"v": 1, "awaits": "theirs", "deadline": 1}, "did not start"),
        ({"v": 1, "awaits": "ours", "deadline": LATEST + 86_401}, "not one that this action sets"),
        ({"v": 1, "awaits": "ours", "deadline": -1}, "not one that this action sets"),
        ({"v": 1, "awaits": "ours"}, "fields must be"),
        ({"v": 1, "awaits": "ours", "deadline": 1, "more": 1}, "fields must be"),
    ],
)
def test_11_a_forged_token_is_refused_with_the_reason(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(StepError, match=reason):
        decode(json.dumps(fields))


def test_60_the_token_of_a_function_whose_clock_is_a_day_ahead_is_taken() -> None:
    assert decode(Token("ours", LATEST + 86_400).encode()).deadline == LATEST + 86_400


def test_a_deeply_nested_token_is_refused() -> None:
    with pytest.raises(StepError, match="did not write the continuation token"):
        decode("[" * 2000)


def test_an_endless_token_is_refused_before_it_is_read() -> None:
    with pytest.raises(StepError, match="longer than 2048"):
        decode(" " * 3000)
