"""The arguments of the construct are declared by its signature; what repeats them is equal to it."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from typing import Any, Literal, get_type_hints

import cdktf
import pytest
from configuration import CONTAINER, GOOD
from constructs import Construct

from mlops_constructs import Algorithm, ConfigError, Dataset, MLOpsPipeline, Network, Profile, config
from mlops_constructs.config import profile

PARAMETERS = {
    name: one
    for name, one in inspect.signature(MLOpsPipeline.__init__).parameters.items()
    if name not in ("self", "scope", "id_")
}
# What the modules import for a type checker alone.
NAMES = {**vars(config), "Construct": Construct, "Literal": Literal, "Mapping": Mapping}
# What breaks a rule of an argument that is no part; a part is broken by anything else.
BROKEN: dict[str, Any] = {
    "name_prefix": "Upper",
    "tags": {"aws:team": "a"},
    "permissions_boundary_arn": "boundary",
    "role_path": "ml",
    "log_retention_in_days": 2,
    "removal": "keep",
}
NETWORK = Network(subnet_ids=["subnet-1"], security_group_ids=["sg-1"])
WAYS: list[Any] = [Profile.sandbox, Profile.team, lambda **own: Profile.regulated(network=NETWORK, **own)]


def types(of: Any) -> dict[str, Any]:
    """Give name to type of the arguments."""
    hints = get_type_hints(of, localns=NAMES)
    return {name: hint for name, hint in hints.items() if name not in ("scope", "id_", "return")}


def test_the_checked_configuration_has_the_same_names_types_and_order() -> None:
    fields = [field.name for field in dataclasses.fields(config.PipelineConfig)]
    assert fields == list(PARAMETERS)
    assert types(config.PipelineConfig) == types(MLOpsPipeline.__init__)


def test_profiles_take_and_give_every_argument_that_has_a_default() -> None:
    optional = {name for name, one in PARAMETERS.items() if one.default is not inspect.Parameter.empty}
    assert set(types(profile.Options)) == optional
    assert set(types(profile.OptionsWithoutNetwork)) == optional - {"network"}
    declared = types(MLOpsPipeline.__init__)
    assert types(profile.Options) == {name: declared[name] for name in optional}


@pytest.mark.parametrize("way", WAYS, ids=["sandbox", "team", "regulated"])
def test_what_is_given_to_a_profile_wins(way: Any) -> None:
    own = {name: object() for name in types(profile.OptionsWithoutNetwork)}
    assert {**way(**own), "network": None} == {**own, "network": None}


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_argument_is_passed_on_and_judged(name: str) -> None:
    options = {"algorithm": Algorithm.from_directory(CONTAINER), "dataset": Dataset(), name: BROKEN.get(name, object())}
    stack = cdktf.TerraformStack(cdktf.Testing.app(), "stack")
    with pytest.raises(ConfigError) as caught:
        MLOpsPipeline(stack, "iris", **options)
    assert {re.split(r"\W", problem.field)[0] for problem in caught.value.problems} == {name}
    assert stack.node.children == []


def test_every_argument_is_explained_in_its_order() -> None:
    lines = inspect.cleandoc(MLOpsPipeline.__init__.__doc__ or "").partition("Args:\n")[2].splitlines()
    explained = [line.partition(":")[0].strip() for line in lines if line.startswith("    ") and line[4] != " "]
    assert explained[: len(PARAMETERS) + 2] == ["scope", "id_", *PARAMETERS]


def test_the_tests_of_the_rules_break_a_configuration_of_the_defaults() -> None:
    defaults = {name: one.default for name, one in PARAMETERS.items() if one.default is not inspect.Parameter.empty}
    assert {name: value for name, value in GOOD.items() if name in defaults} == {**defaults, "tags": {}}


@pytest.mark.parametrize("options", [{"trainning": 1}, Profile.sandbox(trainning=1)], ids=["itself", "profile"])  # type: ignore[call-arg]
def test_a_misspelt_argument_is_refused_under_the_name_of_the_construct_before_anything_is_made(options: Any) -> None:
    stack = cdktf.TerraformStack(cdktf.Testing.app(), "stack")
    with pytest.raises(TypeError, match=r"^MLOpsPipeline\.__init__\(\) got an unexpected keyword argument 'trainning'"):
        MLOpsPipeline(stack, "iris", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset(), **options)
    assert stack.node.children == []


def test_a_missing_argument_is_named_under_the_name_of_the_construct() -> None:
    stack = cdktf.TerraformStack(cdktf.Testing.app(), "stack")
    with pytest.raises(TypeError, match=r"^MLOpsPipeline\.__init__\(\) missing 1 required keyword-only .* 'dataset'"):
        MLOpsPipeline(stack, "iris", algorithm=Algorithm.from_directory(CONTAINER))  # type: ignore[call-arg]
    assert stack.node.children == []
