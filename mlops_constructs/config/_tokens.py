"""How a value looks that only Terraform will know: CDKTF's tokens, and Terraform's own ``${...}``.

The configuration imports no CDKTF, so it knows a token by its form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# A string, the only entry of a list, and the only key of a mapping; last, a number token that was put into a string.
_IN_STRING = re.compile(r"[$#&]\{(?:Tf)?Token\[|-\d(?:\.\d+)?e\+29\d")
_STRING = re.compile(r"\$\{(?:Tf)?Token\[")
# A number token is just above the most negative double.
_NUMBERS = (-1e300, -1e290)
# `$${` and `%%{` are Terraform's way to write a literal `${` and `%{`.
_INTERPOLATION = re.compile(r"(?<!\$)(?:\$\$)*\$\{|(?<!%)(?:%%)*%\{")
# What can only be meant for Terraform: a reference has a root that Terraform knows.
_EXPRESSION = re.compile(
    r"(?<!\$)(?:\$\$)*\$\{[^}]*(?<![\w.-])(?:var|local|data|module|each|self|path|terraform|aws_\w+)\.[a-zA-Z_]"
)
_QUOTED = re.compile(r"""\$\{[^}]*["\\]""")


def is_token(value: object) -> bool:
    """Tell whether ``value`` is, or holds, a CDKTF token: a value that only Terraform will know."""
    if isinstance(value, Mapping):
        return any(is_token(item) for pair in value.items() for item in pair)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return any(is_token(item) for item in value)
    return is_single_token(value)


def is_single_token(value: object) -> bool:
    """Tell whether ``value`` itself is a token, without looking into a list or a mapping."""
    if isinstance(value, str):
        return _IN_STRING.search(value) is not None
    if isinstance(value, (int, float)):
        return _NUMBERS[0] < value < _NUMBERS[1]
    # CDKTF gives a boolean, and a value of any type, as an object of jsii without a class.
    return type(value).__module__.startswith("jsii.") or hasattr(type(value), "compute_fqn")


def is_list_token(values: Sequence[object]) -> bool:
    """Tell whether the whole list is one reference, so that only Terraform knows its entries."""
    return len(values) == 1 and isinstance(values[0], str) and values[0].startswith("#{")


def is_reference(value: object) -> bool:
    """Tell whether Terraform will put something into ``value``: a token, or an expression written by hand."""
    return is_token(value) or (isinstance(value, str) and _INTERPOLATION.search(value) is not None)


def names_terraform(text: str) -> bool:
    """Tell whether a text has an expression of Terraform, and not only a dollar and a brace."""
    return _EXPRESSION.search(text) is not None


def reference_fault(value: str) -> tuple[str, str] | None:
    """Return rule and remedy for a reference that no string can contain, or None."""
    if _IN_STRING.search(_STRING.sub("", value)) is not None:
        rule = "must not contain a reference to a list, a mapping or a number"
        return rule, "take an entry with Fn.element or Fn.lookup, or make it a string with Token.as_string"
    if not is_token(value) and _QUOTED.search(value) is not None:
        rule = "must have no quote and no backslash within ${...}, because it is inserted into JSON"
        return rule, "give it as a reference of CDKTF, such as TerraformLocal(...).as_string"
    return None
