"""Definitions of pipelines that CodePipeline refuses, beside one that it takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from local_aws.definition_cases import REFUSED, Definition, definition

from mlops_constructs.local_aws.codepipeline.definition import definition_problems

if TYPE_CHECKING:
    from collections.abc import Callable


def test_sound_definition_has_no_problem() -> None:
    assert definition_problems(definition()) == []


@pytest.mark.parametrize(("spoil", "code", "message"), REFUSED, ids=[spoil.__name__ for spoil, _, _ in REFUSED])
def test_definition_is_refused_with_code_and_reason(
    spoil: Callable[[Definition], None], code: str, message: str
) -> None:
    pipeline = definition()
    spoil(pipeline)
    found = definition_problems(pipeline)
    assert {problem.code for problem in found} == {code}
    assert any(re.search(message, problem.message) for problem in found), found
