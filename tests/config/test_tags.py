"""Tags as all services take them: what AWS refuses only at apply is refused at synth."""

from __future__ import annotations

import pytest
from configuration import problems

from mlops_constructs.config.place import default_tag_problems

CASE = "in more than case, because IAM ignores case"


@pytest.mark.parametrize(
    ("tags", "rule"),
    [
        ({"Team": "a", "team": "b"}, f"tags['team']: the key must differ from 'Team' {CASE}, got 'team'"),
        ({"aws:team": "a"}, "tags['aws:team']: the key must have 1 to 128"),
        ({"AWS:team": "a"}, "tags['AWS:team']: the key must have 1 to 128"),
        ({"team": "aws:a"}, "tags['team']: the value must have at most 256"),
        ({"team": "risk\n"}, "tags['team']: the value must have at most 256"),
        ({"te\tam": "risk"}, "tags['te\\tam']: the key must have 1 to 128"),
        ({"team": "${var.team}"}, "tags['team']: must be known at synth, got '${var.team}'"),
    ],
)
def test_what_iam_refuses_is_told_by_the_key(tags: dict[str, str], rule: str) -> None:
    (line,) = problems(tags=tags)
    assert line.startswith(rule)


def test_letters_of_every_language_and_spaces_are_taken() -> None:
    assert problems(tags={"Équipe du risque": "北京 1", "empty": "", "unit": "a b", "x=y": "aws"}) == []


def told(defaults: dict[str, str], tags: object) -> list[str]:
    """Give field and rule of each problem."""
    return [f"{problem.field}: {problem.rule}" for problem in default_tag_problems(defaults, tags)]


def test_the_provider_s_default_tags_count_too() -> None:
    assert told({"Team": "a"}, {"team": "b"}) == [
        f"tags['team']: the key must differ from 'Team' of the provider's default_tags {CASE}"
    ]
    assert told({"Team": "a", "team": "b"}, {}) == [
        f"provider.default_tags['team']: the key must differ from 'Team' {CASE}"
    ]
    many = {f"d{number}": "" for number in range(30)}
    assert told(many, {f"t{number}": "" for number in range(21)}) == [
        "tags: with the provider's default_tags there must be at most 50"
    ]


@pytest.mark.parametrize(
    ("defaults", "tags"),
    [
        ({"team": "a"}, {"team": "b"}),
        ({f"d{number}": "" for number in range(30)}, {f"t{number}": "" for number in range(20)}),
        ({"&{TfToken[TOKEN.3]}": "String Map Token Value"}, {"team": "b"}),
        ({"team": "a"}, None),
        ({"team": "a"}, {1: "b"}),
    ],
)
def test_default_tags_that_fit_or_that_only_terraform_knows_are_taken(defaults: dict[str, str], tags: object) -> None:
    assert told(defaults, tags) == []
