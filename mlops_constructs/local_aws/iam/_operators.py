"""The condition operators of the policy language.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_network

from ._texts import Pieces, is_arn_equal, is_like, plain

Test = Callable[[str, Pieces], bool]
"""Whether a value of the request matches one value of the policy."""


class Over(Enum):
    """For which values of a key an operator must be true."""

    SINGLE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator with its qualifiers.

    Attributes:
        name: As written in the policy, such as ``ForAllValues:StringLikeIfExists``.
        test: Compares one value with one value, without the negation.
        takes: Whether a value in a policy is valid for this operator.
        negated: Whether none of the policy's values may match.
        over: For which values of the key it must be true.
        if_exists: Whether it is true when the request does not have the key.
        variables: Whether policy variables are replaced in its values: with String and Arn operators only.
        null: Whether it tests only if the key is absent.
    """

    name: str
    test: Test
    takes: Callable[[str], bool]
    negated: bool = False
    over: Over = Over.SINGLE
    if_exists: bool = False
    variables: bool = False
    null: bool = False


def find_operator(name: str) -> Operator | None:
    """Return the operator by name, with ``ForAllValues:``, ``ForAnyValue:`` and ``IfExists``; None if there is none."""
    prefix, colon, rest = name.rpartition(":")
    overs = {over.value: over for over in Over}
    if prefix not in overs or (colon and not prefix):
        return None
    base = rest.removesuffix("IfExists")
    if_exists = base != rest
    if base == "Null":
        return None if prefix or if_exists else Operator(name, _never, _is_bool, null=True)
    family = _FAMILIES.get(base)
    if family is None:
        return None
    test, takes, negated, variables = family
    return Operator(name, test, takes, negated, overs[prefix], if_exists, variables)


def _never(value: str, pieces: Pieces) -> bool:
    return False


def _equal(value: str, pieces: Pieces) -> bool:
    return value == plain(pieces)


def _equal_ignoring_case(value: str, pieces: Pieces) -> bool:
    return value.lower() == plain(pieces).lower()


def _like(value: str, pieces: Pieces) -> bool:
    return is_like(pieces, value)


def _arn(value: str, pieces: Pieces) -> bool:
    return is_arn_equal(pieces, value)


def _same_bool(value: str, pieces: Pieces) -> bool:
    return _is_bool(value) and value.lower() == plain(pieces).lower()


def _same_bytes(value: str, pieces: Pieces) -> bool:
    try:
        return base64.b64decode(value, validate=True) == base64.b64decode(plain(pieces), validate=True)
    except binascii.Error:
        return False


def _in_network(value: str, pieces: Pieces) -> bool:
    expected, actual = _network(plain(pieces)), _network(value)
    if expected is None or actual is None:
        return False
    if isinstance(expected, IPv4Network):
        return isinstance(actual, IPv4Network) and actual.subnet_of(expected)
    return isinstance(actual, IPv6Network) and actual.subnet_of(expected)


def _compare_numbers(compare: Callable[[Decimal, Decimal], bool]) -> Test:
    def test(value: str, pieces: Pieces) -> bool:
        actual, expected = _number(value), _number(plain(pieces))
        return actual is not None and expected is not None and compare(actual, expected)

    return test


def _compare_dates(compare: Callable[[datetime, datetime], bool]) -> Test:
    def test(value: str, pieces: Pieces) -> bool:
        actual, expected = _date(value), _date(plain(pieces))
        return actual is not None and expected is not None and compare(actual, expected)

    return test


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _date(text: str) -> datetime | None:
    """Parse ISO 8601 or seconds since 1970."""
    try:
        if text.removeprefix("-").isdigit():
            return datetime.fromtimestamp(int(text), timezone.utc)
        read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=timezone.utc)


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _any_text(text: str) -> bool:
    return True


def _is_bool(text: str) -> bool:
    return text.lower() in ("true", "false")


def _is_number(text: str) -> bool:
    return _number(text) is not None


def _is_date(text: str) -> bool:
    return _date(text) is not None


def _is_network(text: str) -> bool:
    return _network(text) is not None


Family = tuple[Test, Callable[[str], bool], bool, bool]


def _number_family(compare: Callable[[Decimal, Decimal], bool], negated: bool = False) -> Family:
    return _compare_numbers(compare), _is_number, negated, False


def _date_family(compare: Callable[[datetime, datetime], bool], negated: bool = False) -> Family:
    return _compare_dates(compare), _is_date, negated, False


# Name: test, test of valid values, negated, variables.
_FAMILIES: dict[str, Family] = {
    "StringEquals": (_equal, _any_text, False, True),
    "StringNotEquals": (_equal, _any_text, True, True),
    "StringEqualsIgnoreCase": (_equal_ignoring_case, _any_text, False, True),
    "StringNotEqualsIgnoreCase": (_equal_ignoring_case, _any_text, True, True),
    "StringLike": (_like, _any_text, False, True),
    "StringNotLike": (_like, _any_text, True, True),
    "ArnEquals": (_arn, _any_text, False, True),
    "ArnLike": (_arn, _any_text, False, True),
    "ArnNotEquals": (_arn, _any_text, True, True),
    "ArnNotLike": (_arn, _any_text, True, True),
    "Bool": (_same_bool, _is_bool, False, False),
    "BinaryEquals": (_same_bytes, _any_text, False, False),
    "IpAddress": (_in_network, _is_network, False, False),
    "NotIpAddress": (_in_network, _is_network, True, False),
    "NumericEquals": _number_family(lambda actual, expected: actual == expected),
    "NumericNotEquals": _number_family(lambda actual, expected: actual == expected, negated=True),
    "NumericLessThan": _number_family(lambda actual, expected: actual < expected),
    "NumericLessThanEquals": _number_family(lambda actual, expected: actual <= expected),
    "NumericGreaterThan": _number_family(lambda actual, expected: actual > expected),
    "NumericGreaterThanEquals": _number_family(lambda actual, expected: actual >= expected),
    "DateEquals": _date_family(lambda actual, expected: actual == expected),
    "DateNotEquals": _date_family(lambda actual, expected: actual == expected, negated=True),
    "DateLessThan": _date_family(lambda actual, expected: actual < expected),
    "DateLessThanEquals": _date_family(lambda actual, expected: actual <= expected),
    "DateGreaterThan": _date_family(lambda actual, expected: actual > expected),
    "DateGreaterThanEquals": _date_family(lambda actual, expected: actual >= expected),
}
