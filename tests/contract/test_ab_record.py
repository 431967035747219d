"""The library and the functions read and write the same record of champion and challenger."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler_kit import ab_record as functions
from mlops_constructs.deployed import ab_record as library

_TEXTS = st.text(max_size=8)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
_SHARES = st.floats(0.0, 1.0)
_OPEN = _NUMBERS | st.none()


def objects(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(members)


_DEPLOYED = objects(
    slot=st.sampled_from(functions.SLOTS),
    model_package_arn=_TEXTS,
    image=_TEXTS,
    model_data_url=_TEXTS,
    execution_id=_TEXTS,
    since=_NUMBERS,
    why=_TEXTS,
    parameters=st.dictionaries(_TEXTS, _TEXTS, max_size=2),
)
_TESTS = objects(
    id=_TEXTS,
    champion=_TEXTS,
    challenger=_TEXTS,
    salt=_TEXTS,
    plan=st.dictionaries(_TEXTS, _NUMBERS | _TEXTS, max_size=2),
    plan_sha256=_TEXTS,
    started=_NUMBERS,
    state=st.sampled_from(["starting", "running", "aborted", "replaced", "promoted"]),
    segments=st.lists(objects(since=_NUMBERS, share=_SHARES, until=_OPEN), max_size=3),
    ended=_OPEN,
    why=_TEXTS,
)
_INTENTS = objects(
    kind=st.sampled_from(["release", "rollback", "promote", "abort", "shift"]),
    by=_TEXTS,
    since=_NUMBERS,
    expires=_OPEN,
    share=_SHARES | st.none(),
    model=_DEPLOYED | st.none(),
    bake_until=_OPEN,
    returns=_SHARES | st.none(),
)
RECORDS = objects(
    format=st.just(1),
    champion=_DEPLOYED | st.none(),
    challenger=_DEPLOYED | st.none(),
    share=_SHARES,
    test=_TESTS | st.none(),
    intent=_INTENTS | st.none(),
    history=st.lists(st.dictionaries(_TEXTS, _TEXTS, max_size=2), max_size=2),
    version=st.integers(0, 9),
    updated=_NUMBERS,
    by=_TEXTS,
    why=_TEXTS,
)


def plain(record: Any) -> Any:
    """What S3 would return."""
    return json.loads(json.dumps(record.to_json()))


@given(RECORDS)
def test_both_read_and_write_a_record_without_a_difference(written: dict[str, Any]) -> None:
    assert plain(library.Record.from_json(written)) == written
    assert plain(functions.Record.from_json(written)) == written


@given(RECORDS)
def test_both_end_a_test_in_the_same_way(written: dict[str, Any]) -> None:
    aborted = library.Record.from_json(written).aborted(7.0, "why")
    expected = functions.Record.from_json(written).ended("aborted", 7.0, "why")
    assert {**plain(aborted), "intent": None, "share": 0.0} == {**plain(expected), "intent": None, "share": 0.0}


@given(RECORDS, st.floats(0.01, 0.99))
def test_both_begin_a_segment_in_the_same_way(written: dict[str, Any], share: float) -> None:
    settled = library.Record.from_json(written).settled(share, 7.0)
    before = functions.Record.from_json(written)
    if before.test is None or not before.test.runs:
        assert plain(settled)["test"] == plain(before)["test"]
    else:
        test = before.test.with_segment(7.0, share)
        assert plain(settled)["test"] == plain(functions.Record(test=test))["test"]
    assert settled.weights == functions.Record.from_json(plain(settled)).weights


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_with_nothing_to_compare_begins_no_segment(share: float) -> None:
    segment = library.Segment(since=1.0, share=0.1, until=2.0)
    test = library.Test(
        id="t",
        champion="a",
        challenger="b",
        salt="s",
        plan={},
        plan_sha256="",
        started=1.0,
        state="running",
        segments=(segment,),
    )
    settled = library.Record(test=test).settled(share, 7.0)
    assert settled.test is not None
    assert settled.test.segments == (segment,)


@pytest.mark.parametrize("name", ["Deployed", "Segment", "Test", "Intent", "Record"])
def test_both_have_the_same_members(name: str) -> None:
    mine, theirs = getattr(library, name), getattr(functions, name)
    assert [field.name for field in fields(mine)] == [field.name for field in fields(theirs)]


@pytest.mark.parametrize("change", [{"format": 2}, {"more": 1}, {"champion": {"slot": "tertiary"}}, {"test": 3}])
def test_both_refuse_what_is_no_record(change: dict[str, Any]) -> None:
    written = {**plain(library.Record()), **change}
    for kind in (library.Record, functions.Record):
        with pytest.raises((ValueError, TypeError, KeyError)):
            kind.from_json(written)
