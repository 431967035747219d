"""Every program of this repository can be looked at, whole."""

from __future__ import annotations

import pytest
from preflight.synthesized_stacks import real
from synthesized_programs import PROGRAMS

from mlops_constructs.preflight.demands import demands
from mlops_constructs.preflight.permissions import terraform_actions


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_resource_type_that_is_made_has_a_row(program: str) -> None:
    assert {one.type for one in real(program).resources} <= set(terraform_actions())


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_example_trains_and_serves(program: str) -> None:
    usages = {one.usage for one in demands(real(program))}
    assert "endpoint" in usages
    assert usages & {"training job", "spot training job"}
