"""The collector sees every way in which this library makes a message."""

from __future__ import annotations

import textwrap

import pytest

from messages.collector import Collector
from messages.listing import differences, lines
from messages.source import Program

ERRORS = "class MlopsError(Exception):\n    pass\n"


def found(text: str, module: str = "lambdas/one.py", **others: str) -> list[str]:
    program = {f"lambdas/{name}.py": other for name, other in others.items()}
    collected = Collector(Program({**program, module: textwrap.dedent(text)})).collect()
    return [line for at, texts in lines(collected).items() if at == module for line in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("raise ValueError('no file there')", ["no file there"], id="literal"),
        pytest.param("raise ValueError(f'no file {path!r}')", ["no file {path!r}"], id="placeholder"),
        pytest.param("raise ValueError('no ' + name + ' there')", ["no {name} there"], id="sum"),
        pytest.param("raise ValueError('no {} there'.format(name))", ["no {} there"], id="format"),
        pytest.param(
            'raise ValueError(f\'a file{"s here" if n > 1 else ""}\')', ["a file(s here|)", "… s here"], id="choice"
        ),
        pytest.param("raise ValueError('one file' if n == 1 else 'many files')", ["many files", "one file"], id="two"),
        pytest.param("why = 'no file there'\nraise ValueError(why)", ["no file there"], id="name"),
        pytest.param(
            "WHY = {1: 'no file there'}\ndef f():\n    raise ValueError(WHY[1])", ["… no file there"], id="table"
        ),
        pytest.param(
            "WHY = 'no {} there'\ndef f():\n    raise ValueError(WHY.format(1))", ["… no {} there"], id="formatted name"
        ),
        pytest.param(
            "try:\n    pass\nexcept OSError:\n    raise ValueError('bad file') from None", ["bad file"], id="from"
        ),
        pytest.param("error = ValueError('kept for later')", ["kept for later"], id="made, not raised"),
        pytest.param("parser.error('give a name')", ["give a name"], id="argparse"),
        pytest.param("print('it failed', file=sys.stderr)", ["it failed"], id="stderr"),
        pytest.param("alarm = dict(alarm_description='it is slow')", ["it is slow"], id="alarm"),
        pytest.param("sns.publish(Subject='a subject', Message='a text')", ["a subject", "a text"], id="notification"),
        pytest.param("answer = {'reason': 'nothing to do'}", ["… nothing to do"], id="reason"),
    ],
)
def test_a_text_is_found_where_it_comes_out(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "def f(error):\n    raise error",
        "'''A docstring that nobody raises.'''",
        "print('all is well')",
        "logs.info('all is well')",
        "raise ValueError(re.search('a pattern', text))",
    ],
)
def test_what_is_no_message_is_not_on_the_list(text: str) -> None:
    assert found(text) == []


def test_what_callers_hand_to_a_function_that_raises_it_is_found() -> None:
    text = """
        class Reader:
            def _refuse(self, problem):
                raise ValueError(f"{self.place}: {problem}")

            def read(self):
                self._refuse("the file is empty")
                self._refuse(problem="the file is long")
    """
    assert found(text) == ["… the file is empty", "… the file is long", "{place}: {problem}"]


def test_what_a_function_returns_for_a_message_is_found_in_its_module() -> None:
    other = "def problems(rows):\n    if not rows:\n        yield 'there are no rows'\n"
    text = """
        from two import problems

        def check(rows):
            for problem in problems(rows):
                raise ValueError(problem)
    """
    assert found(text, two=other) == []
    collected = Collector(Program({"lambdas/two.py": other, "lambdas/one.py": textwrap.dedent(text)})).collect()
    assert [(one.module, one.text) for one in collected] == [("lambdas/two.py", "there are no rows")]


def test_a_property_an_attribute_and_a_list_are_followed() -> None:
    text = """
        class Job:
            def __init__(self):
                self.hint = "try again"

            @property
            def what(self):
                return "the training job"

            def fail(self):
                texts = ["it has failed"]
                texts.append("it has no log")
                raise ValueError("; ".join([*texts, self.hint, self.what]))
    """
    assert found(text) == ["… it has failed", "… it has no log", "… the training job", "… try again"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class AwsError(Exception): pass\nraise AwsError('Requested resource not found.')", []),
        (
            "class AwsError(Exception): pass\nraise AwsError('the local AWS has no such call')",
            ["the local AWS has no such call"],
        ),
        (f"{ERRORS}raise MlopsError('the port is in use')", ["the port is in use"]),
    ],
)
def test_of_the_local_aws_only_its_own_messages_are_ours(text: str, expected: list[str]) -> None:
    assert found(text, module="mlops_constructs/local_aws/one.py") == expected


def test_a_message_that_is_new_changed_or_gone_is_told() -> None:
    before, after = (
        {"a.py": ["one is left", "two are left"]},
        {"a.py": ["one is left", "2 are left"], "b.py": ["new here"]},
    )
    assert differences(before, after) == ["a.py", "  - two are left", "  + 2 are left", "b.py", "  + new here"]
    assert differences(after, after) == []
