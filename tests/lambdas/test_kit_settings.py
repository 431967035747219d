"""Settings and parameters: read once, every mistake named."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, dataclass

import pytest

from handler_kit.errors import ConfigurationError
from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Example(SettingsBase):
    name: str
    key: str | None
    count: int
    most: int | None
    limit: float | None
    words: dict[str, str]
    nested: dict[str, dict[str, str]]


@dataclass(frozen=True)
class ExampleParams(ParamsBase):
    first: str
    second: str | None = None


GOOD = {
    "NAME": "iris",
    "KEY": "",
    "COUNT": "2",
    "MOST": "",
    "LIMIT": "0.9",
    "WORDS": '{"a": "1"}',
    "NESTED": '{"dev": {"a": "1"}}',
}


def test_settings_are_read_by_the_type_of_their_field() -> None:
    assert Example.from_env(GOOD) == Example("iris", None, 2, None, 0.9, {"a": "1"}, {"dev": {"a": "1"}})


def test_settings_come_from_the_environment_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    assert Example.from_env().name == "iris"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Example.from_env(GOOD).name = "other"  # type: ignore[misc]


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Example.from_env({})
    assert all(f"environment variable {name}: missing" in str(caught.value) for name in GOOD)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("NAME", "", "must not be empty"),
        ("COUNT", "two", "must be a whole number, got 'two'"),
        ("COUNT", "0", "must be at least 1, got 0"),
        ("LIMIT", "high", "must be a number, got 'high'"),
        ("LIMIT", "nan", "must be a finite number, got 'nan'"),
        ("WORDS", "{", "must be JSON"),
        ("WORDS", "[]", "must be a JSON object, got an array"),
        ("WORDS", '{"a": 1}', "a must be a string, got a number"),
        ("NESTED", '{"dev": {"a": true}}', "dev: a must be a string, got a boolean"),
    ],
)
def test_a_malformed_variable_is_named_with_its_rule(name: str, value: str, rule: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Example.from_env(GOOD | {name: value})
    assert str(caught.value).startswith(f"environment variable {name}: {rule}")


def test_a_malformed_private_value_is_not_quoted() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Example.from_env(GOOD | {"WORDS": '{"password": hunter2}'})
    assert "hunter2" not in str(caught.value)


def test_parameters_are_read_from_json() -> None:
    assert ExampleParams.from_json('{"first": "a", "second": "b"}') == ExampleParams("a", "b")


def test_an_optional_parameter_may_be_left_out() -> None:
    assert ExampleParams.from_json('{"first": "a"}') == ExampleParams("a", None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", "UserParameters key first: missing"),
        ('{"first": "a", "third": "c"}', "UserParameters key third: unknown"),
        ('{"first": 1}', "UserParameters key first: must be a string, got a number"),
        ('{"first": ""}', "UserParameters key first: must not be empty"),
        ("first=a", "UserParameters: must be JSON"),
        ("[]", "UserParameters: must be a JSON object, got an array"),
    ],
)
def test_wrong_parameters_are_named(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        ExampleParams.from_json(text)


def test_missing_and_unknown_parameters_are_named_together() -> None:
    with pytest.raises(ConfigurationError) as caught:
        ExampleParams.from_json(json.dumps({"third": "c"}))
    assert str(caught.value) == "UserParameters key third: unknown; UserParameters key first: missing"


def test_parameters_of_an_event_are_named_as_such() -> None:
    with pytest.raises(ConfigurationError, match="event key first: missing"):
        ExampleParams.from_mapping({})


@dataclass(frozen=True)
class PastedParams(ParamsBase):
    execution_id: str
    key: str


EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"


def pasted(key: str, execution: str = EXECUTION) -> str:
    """The text of UserParameters as CodePipeline makes it: the key is pasted as it is."""
    return '{"execution_id":"' + execution + '","key":"' + key + '"}'


@pytest.mark.parametrize("key", ["iris.csv", "a b/ä (1).csv", "it's.csv", "a,b:{c}.csv"])
def test_a_key_that_can_be_carried_comes_as_it_is(key: str) -> None:
    assert PastedParams.from_json(pasted(key)) == PastedParams(EXECUTION, key)


@pytest.mark.parametrize("key", ["a\\b.csv", "a\\u0022b.csv", "a\\u0062.csv", "a\\/b.csv", "a\nb.csv", "a\x7fb.csv"])
def test_a_key_that_cannot_be_carried_is_refused_by_name(key: str) -> None:
    with pytest.raises(ConfigurationError, match="UserParameters key key: has a character that is not allowed"):
        PastedParams.from_json(pasted(key))


@pytest.mark.parametrize("key", ['a"b.csv', 'x","other":"y', 'x","execution_id":"o'])
def test_a_quote_in_a_key_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="UserParameters"):
        PastedParams.from_json(pasted(key))


def test_a_parameter_that_is_there_twice_is_named() -> None:
    with pytest.raises(ConfigurationError, match="UserParameters key key: given twice"):
        PastedParams.from_json(pasted('x","key":"y'))


@pytest.mark.parametrize("execution", ["", "x", "../other", EXECUTION.upper(), f"{EXECUTION}0"])
def test_an_execution_is_a_uuid(execution: str) -> None:
    with pytest.raises(ConfigurationError, match="UserParameters key execution_id: must"):
        PastedParams.from_json(pasted("iris.csv", execution))
