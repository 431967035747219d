"""The floor below which no message may be: it names a thing, ends well, and has no word that CONTRIBUTING forbids.

What a message is worth a reader decides; these tests find only what no reader would approve.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from messages.collector import Message

# A reason names nothing by itself.
_REASONS = re.compile(r"\{(error|reason|why|problem|problems…|status|name__|error_message\(error\))\}")
# A value, a command, an option, an argument, a quoted text, a number, an abbreviation, a name.
_THING = re.compile(r"[{`'\"=\d_]|--\w|\(\.\.\.\)|[A-Z]{2,}|[a-z][A-Z]|\s[A-Z][a-z]")
_ENDS_BADLY = re.compile(r"[ ,;:(]$|[^.]\.\.$|\w [.,;:] |\w {2,}\w")
# Of the table in CONTRIBUTING, the words that are wrong wherever they are written.
_FORBIDDEN = re.compile(
    r"\b(mend\w*|mocks?|emulators?|dry run|vendors?|judgements?|undo|registered model|say yes|QA|proofs?|ask(s|ed|ing)?"
    r"|test questions|to be had|is taken|no chance|knows? no resource|(is|are) no (text|table|label|option|file))\b"
)
_LONGEST = 700
# A problem has its field beside it, a finding its thing; who catches a ValueError says of what.
_BESIDE = ("problem", "finding", "arguments", "raise", "ValueError", "TypeError", "NotANumberError", "StillRunning")
# The thing is in front of these: a line of a Dockerfile, a request that gets a response, a channel, an argument.
_BEGUN_ELSEWHERE = ("container/", "mlops_constructs/local_aws/containers/", "lambdas/watch_traffic/")
_NAMED_ELSEWHERE = {
    "action failed unexpectedly",  # A log line with its CodePipeline job.
    "the metrics of the release cannot be published",  # The same, with their names.
    "unknown at the moment",  # A status.
    "cannot start an instance: {error}",  # IAM's error names all that it is about.
    "mlops: interrupted",
    "the script",
    "must be a reason, got nothing",  # argparse names the argument.
    "rules: there must be at least one",
    "the model archive cannot be extracted: {error}",  # Its URI is before it.
    "there are no records",  # The response to a request.
    "the body cannot be read: {error}",
    "{problems…}; nothing was uploaded",  # Each has its file and line.
}


def names_a_thing(text: str) -> bool:
    return _THING.search(_REASONS.sub("", text)) is not None


def ends_badly(text: str) -> bool:
    return _ENDS_BADLY.search(_values_out(text)) is not None


def forbidden(text: str) -> str | None:
    found = _FORBIDDEN.search(_values_out(text))
    return None if found is None else found[0]


def says_what_was_refused(text: str) -> bool:
    """Whether a refusal of AWS has the operation, and the thing or what could not be done."""
    before, _, _ = text.partition(" was refused with ")
    return len(re.findall(r"\{[^{}]+\}|\b[A-Z][a-z]+[A-Z]\w+", before)) >= 2


def _values_out(text: str) -> str:
    return re.sub(r"\{[^{}]*\}", "X", text).replace("\\n", "\n")


def _whole(messages: set[Message]) -> list[Message]:
    """Those that stand alone: nothing is put before them where they are caught or shown."""
    return sorted(one for one in messages if one.whole and one.kind not in _BESIDE)


def test_every_message_names_a_thing(messages: set[Message]) -> None:
    nameless = [
        one
        for one in _whole(messages)
        if not names_a_thing(one.text)
        and one.text not in _NAMED_ELSEWHERE
        and not one.module.startswith(_BEGUN_ELSEWHERE)
    ]
    assert nameless == []


def test_every_message_ends_well(messages: set[Message]) -> None:
    assert [one for one in sorted(messages) if one.whole and ends_badly(one.text)] == []


def test_no_message_has_a_forbidden_word(messages: set[Message]) -> None:
    assert [(one, found) for one in sorted(messages) if (found := forbidden(one.text))] == []


def test_no_message_is_longer_than_a_person_reads(messages: set[Message]) -> None:
    assert [one for one in sorted(messages) if len(one.text) > _LONGEST] == []


def test_every_refusal_of_aws_says_of_what(messages: set[Message]) -> None:
    refusals = [one for one in _whole(messages) if " was refused with " in one.text]
    assert refusals
    assert [one for one in refusals if not says_what_was_refused(one.text)] == []


@pytest.mark.parametrize("text", ["it failed", "it failed: {error}", "the file is not there"])
def test_a_message_that_names_nothing_is_found(text: str) -> None:
    assert not names_a_thing(text)


@pytest.mark.parametrize("text", ["{path} is empty", "give --yes", "see `mlops status`", "set AWS_PROFILE"])
def test_a_message_that_names_something_is_not(text: str) -> None:
    assert names_a_thing(text)


@pytest.mark.parametrize(
    "text", ["{path} is empty,", "{path}: ", "{path} is empty..", "{path} is  empty", "no {path} ; or"]
)
def test_a_message_that_ends_badly_is_found(text: str) -> None:
    assert ends_badly(text)


@pytest.mark.parametrize("text", ["{path} is empty.", "give one of: a, b, ...", "{path} is empty (0 bytes)"])
def test_a_message_that_ends_well_is_not(text: str) -> None:
    assert not ends_badly(text)


@pytest.mark.parametrize(
    ("text", "word"), [("it mends {name}", "mends"), ("{asked} is not known", None), ("the mock", "mock")]
)
def test_a_forbidden_word_is_found_outside_of_values(text: str, word: str | None) -> None:
    assert forbidden(text) == word


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{operation} was refused with {code}: {message}", False),
        ("{operation}{about} was refused with {code}: {message}", True),
        ("the caller: GetCallerIdentity of {arn} was refused with {code}", True),
    ],
)
def test_a_refusal_without_its_thing_is_found(text: str, says: bool) -> None:
    assert says_what_was_refused(text) is says
