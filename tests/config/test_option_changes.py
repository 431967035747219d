"""What a change of each option loses: every option has a row, and the documents say neither more nor less."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from option_changes import rows
from option_changes.bases import BASES, GIVEN
from option_changes.declared import LOSSES
from option_changes.effects import DATA, REPRODUCIBLE, Effect, effect_of
from option_changes.options import Change, changes, options
from option_changes.planning import chosen
from option_changes.search import effects
from synthesis import synth

from mlops_constructs.stages.deployment.template import endpoint_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

DOCS = Path(__file__).resolve().parents[2] / "docs"
# Production cannot be compared with itself: there is no other value than None.
NO_OTHER_VALUE = {"production.smoke_test.confidence_level"}


@pytest.fixture(scope="module")
def recorded() -> list[rows.Row]:
    return rows.read()


@pytest.fixture(scope="module")
def today() -> dict[str, list[Change]]:
    """The changes of each base."""
    return chosen()


@pytest.fixture(scope="module")
def some_changes() -> list[Change]:
    """Changes that can be made together."""
    return list(changes(GIVEN, lambda option, _: option.startswith(("alarms.", "approval.", "cost."))))


def test_every_option_has_a_row(recorded: list[rows.Row]) -> None:
    missing = options().keys() - {row.option for row in recorded} - NO_OTHER_VALUE
    assert missing == set(), "give it another value in option_changes/values.py, and run `make soak-changes`"


def test_the_rows_are_those_of_todays_options(recorded: list[rows.Row], today: dict[str, list[Change]]) -> None:
    changed = [(base, change.option, change.value) for base, some in today.items() for change in some]
    assert [(row.base, row.option, row.value) for row in recorded] == changed, "run `make soak-changes`"


def test_what_is_lost_is_what_the_documents_say(recorded: list[rows.Row]) -> None:
    assert rows.losses(recorded) == LOSSES


@pytest.mark.parametrize("name", ["generate_changes", "generate_configuration"])
def test_the_page_is_what_the_rows_say(name: str) -> None:
    page = generator(name)
    assert page.PAGE.read_text() == page.page(), "run `make docs`"


def generator(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"{name}_again", DOCS / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_every_type_of_resource_is_said_to_hold_data_or_not(base: Mapping[str, Any]) -> None:
    assert synth("p", **base).document["resource"].keys() <= DATA.keys() | REPRODUCIBLE.keys()


def test_no_option_replaces_an_endpoint(today: dict[str, list[Change]]) -> None:
    """CloudFormation replaces one whose name, type or logical id changes, and nothing else."""
    found = {
        json.dumps([endpoint["Type"], endpoint["Properties"]["EndpointName"], endpoint["Condition"]])
        for name, some in today.items()
        for arguments in (BASES[name], *(change.applied(BASES[name]) for change in some))
        for endpoint in _endpoints(arguments)
    }
    assert found == {json.dumps(["AWS::SageMaker::Endpoint", {"Ref": "EndpointName"}, "Runs"])}


def _endpoints(arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    in_vpc, ab_test = arguments["network"] is not None, arguments["ab_test"] is not None
    for name in ("dev", "production"):
        template = endpoint_template(arguments[name], in_vpc=in_vpc, ab_test=ab_test and name == "production")
        yield template["Resources"]["Endpoint"]


def test_no_type_is_both() -> None:
    assert DATA.keys() & REPRODUCIBLE.keys() == set()


def test_an_effect_is_what_goes_away() -> None:
    actions = [
        "delete aws_s3_bucket.p_storage_data_bucket_1A2B3C4D",
        "replace aws_iam_role.p_training_role_1A2B3C4D",
        "replace aws_iam_role.p_delivery_role_1A2B3C4D",
        "update aws_kms_key.p_storage_key_1A2B3C4D",
        "create aws_ecr_repository.p_image_registry_1A2B3C4D",
        "read data.aws_region.p_region",
    ]
    assert effect_of(actions) == Effect(("deletes data bucket",), ("replaces role (2)",))
    assert not effect_of(actions[3:])


def test_a_type_that_nobody_has_judged_is_no_effect_but_an_error() -> None:
    with pytest.raises(KeyError, match="aws_dynamodb_table"):
        effect_of(["delete aws_dynamodb_table.p_table_1A2B3C4D"])


@given(data=st.data())
@settings(max_examples=30)
def test_the_search_finds_each_change_that_destroys_and_no_other(
    data: st.DataObject, some_changes: list[Change]
) -> None:
    destructive = data.draw(st.sets(st.sampled_from([change.option for change in some_changes]), max_size=5))
    alone = data.draw(st.sets(st.sampled_from([change.option for change in some_changes]), max_size=3))
    values = {
        change.option: [one.edits for one in some_changes if one.option == change.option] for change in some_changes
    }

    def effect(arguments: Mapping[str, Any], _: str) -> Effect:
        done = {option for option in destructive if any(_is_made(arguments, edits) for edits in values[option])}
        return Effect(tuple(sorted(done)), ())

    found = list(effects(GIVEN, some_changes, alone, effect))
    assert sorted(change.option for change, _ in found) == sorted(change.option for change in some_changes)
    assert all(found_.data == ((change.option,) if change.option in destructive else ()) for change, found_ in found)


def _is_made(arguments: Mapping[str, Any], edits: Mapping[tuple[str | int, ...], Any]) -> bool:
    for path, value in edits.items():
        inner: Any = arguments
        for step in path:
            inner = getattr(inner, str(step)) if not isinstance(inner, (dict, list, tuple)) else inner[step]  # type: ignore[index]
        if inner != value:
            return False
    return True
