"""What only Terraform will know is refused by name in each field that is judged at synth, and taken in the others."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

import cdktf
import pytest
from configuration import CONTAINER, GOOD, NUMBER_TOKEN, STRING_TOKEN, found

from mlops_constructs import (
    ABMetric,
    ABTest,
    Alarms,
    Algorithm,
    Approval,
    AsyncInferenceConfig,
    Autoscaling,
    BatchTransform,
    CategoricalParameter,
    Checkpoints,
    Column,
    ContinuousParameter,
    Cost,
    DataCapture,
    DataContract,
    Dataset,
    Endpoint,
    EndpointLimits,
    Evaluation,
    EvaluationJob,
    Existing,
    Hyperband,
    IntegerParameter,
    MLOpsPipeline,
    Monitoring,
    Network,
    Notebook,
    OfficeHours,
    Quality,
    Requests,
    Retraining,
    Retry,
    Rollout,
    ServerlessConfig,
    SmokeTest,
    Spot,
    StickyUsers,
    Threshold,
    Training,
    TrainingLimits,
    Tuning,
    config,
)
from mlops_constructs.config.builtin import BuiltinAlgorithm
from mlops_constructs.config.git import GitRepository

PLAIN = r"\b(str|int|float|bool|Path|Mapping|Sequence|Literal)\b"
RULE = "must be known at synth"
# One of each, without a problem.
PARTS: list[Any] = [
    *(ABMetric(), ABTest(), Alarms(), StickyUsers(), Monitoring(), Quality(min_accuracy=0.8), Retraining()),
    Algorithm.from_directory(CONTAINER),
    BuiltinAlgorithm(name="xgboost", version="1.7-1"),
    GitRepository(name="team/algorithm", provider_type="GitHub"),
    *(
        Approval(),
        Autoscaling(),
        BatchTransform(),
        AsyncInferenceConfig(),
        ServerlessConfig(),
        CategoricalParameter(["a", "b"]),
        Checkpoints(),
        Column(name="x", type="number"),
    ),
    *(
        ContinuousParameter(0.0, 1.0),
        Cost(),
        DataCapture(),
        DataContract(columns=[Column(name="y")], label="y"),
        Dataset(),
    ),
    *(EndpointLimits(), Requests(), TrainingLimits()),
    *(Endpoint(), Evaluation(), Existing(), Hyperband(min_resource=1, max_resource=9), IntegerParameter(1, 9)),
    *(Network(subnet_ids=["subnet-1"], security_group_ids=["sg-1"]), Notebook(), EvaluationJob(), OfficeHours()),
    *(Retry(), Rollout()),
    *(SmokeTest(), Spot(max_wait_time_in_seconds=7200), Threshold(metric="loss", max_value=1.0), Training()),
    Tuning(hyperparameter_ranges={"depth": IntegerParameter(1, 9)}, objective_metric_name="loss"),
]
# Lists of parts, which are judged field by field.
NESTED = ("ABTest.guardrails", "Evaluation.rules", "DataContract.columns")


def entries_of(documentation: str, section: str) -> dict[str, str]:
    """Give name to text of a docstring's section."""
    body = documentation.partition(f"\n{section}:\n")[2].partition("\n\n")[0]
    found_ = re.split(r"^    (?=\w+: )", body, flags=re.MULTILINE)[1:]
    return {name: " ".join(text.split()) for name, _, text in (one.partition(": ") for one in found_)}


def kinds_of(one: type) -> dict[str, str]:
    """Give field to ``Literal``, ``Reference``, or nothing, as the docstring says of it or of the whole class."""
    documentation = inspect.getdoc(one) or ""
    whole = "Literal" if re.search(r"\bLiteral\.", documentation.partition("\nAttributes:")[0]) else ""
    kinds = {}
    for name, text in entries_of(documentation, "Attributes").items():
        said = re.search(r"\b(Literal|Reference|ARNs are reference)s?\.", text)
        kinds[name] = whole if said is None else {"Literal": "Literal"}.get(said[1], "Reference")
    return kinds


def places(kind: str) -> list[Any]:
    """Give each field of that kind, of each part, with a token for it."""
    return [
        pytest.param(part, field.name, token_for(str(field.type)), id=f"{type(part).__name__}.{field.name}")
        for part in PARTS
        for field in dataclasses.fields(part)
        if kinds_of(type(part))[field.name] == kind and f"{type(part).__name__}.{field.name}" not in NESTED
    ]


def token_for(annotation: str) -> Any:
    """Give what CDKTF hands over for a value of this type."""
    if "Mapping[" in annotation:
        return {"A": STRING_TOKEN}
    if "Sequence[" in annotation:
        return [STRING_TOKEN]
    return NUMBER_TOKEN if re.search(r"\b(int|float)\b", annotation) else STRING_TOKEN


def problems_of(part: Any, name: str, value: object) -> list[tuple[str, bool]]:
    """Give the fields that are refused, without their index, and whether the rule is that they must be known."""
    changed = dataclasses.replace(part, **{name: value})
    return [(problem.field.partition("[")[0], RULE in problem.rule) for problem in changed.problems()]


def test_one_of_each_class_is_tried() -> None:
    public = {one for one in map(config.__dict__.get, config.__all__) if dataclasses.is_dataclass(one)}
    assert public - {config.PipelineConfig} <= {type(part) for part in PARTS}
    assert [list(part.problems()) for part in PARTS] == [[] for _ in PARTS]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: type(part).__name__)
def test_every_plain_field_says_whether_it_is_a_literal_or_a_reference(part: Any) -> None:
    fields = {field.name: str(field.type) for field in dataclasses.fields(part)}
    plain = {name for name, type_ in fields.items() if re.search(PLAIN, type_)}
    kinds = kinds_of(type(part))
    assert {name for name in plain if not kinds[name]} == set()


@pytest.mark.parametrize(("part", "name", "token"), places("Literal"))
def test_a_token_in_a_literal_is_refused_by_name_and_nothing_else_is_said(part: Any, name: str, token: Any) -> None:
    assert set(problems_of(part, name, token)) == {(name, True)}


@pytest.mark.parametrize(("part", "name", "token"), places("Reference"))
def test_a_token_in_a_reference_is_not_looked_into(part: Any, name: str, token: Any) -> None:
    assert not [field for field, must_be_known in problems_of(part, name, token) if must_be_known]


def test_the_arguments_of_the_construct_are_judged_likewise() -> None:
    entries = entries_of(inspect.getdoc(MLOpsPipeline.__init__) or "", "Args")
    plain = {name: text for name, text in entries.items() if name in GOOD and not hasattr(GOOD[name], "problems")}
    literals = {name for name, text in plain.items() if "Literal" in text}
    assert literals == {"name_prefix", "tags", "role_path", "log_retention_in_days", "removal"}
    for name in literals:
        token = {"log_retention_in_days": NUMBER_TOKEN, "tags": {"A": STRING_TOKEN}}.get(name, STRING_TOKEN)
        told = [(problem.field.partition("[")[0], problem.rule) for problem in found(**{name: token})]
        assert told == [(name, RULE)]
    assert found(permissions_boundary_arn=STRING_TOKEN) == []


@pytest.mark.parametrize(
    "part", [Training(environment={STRING_TOKEN: "x"}), Training(metric_definitions={STRING_TOKEN: "(.*)"})]
)
def test_a_token_as_a_key_is_refused_too(part: Training) -> None:
    assert RULE in [problem.rule for problem in part.problems()]


def test_the_tokens_are_those_that_cdktf_hands_over() -> None:
    stack = cdktf.TerraformStack(cdktf.Testing.app(), "s")
    variable = cdktf.TerraformVariable(stack, "v", type="any")
    training = Training(
        instance_type=variable.string_value,
        volume_size_in_gb=variable.number_value,
        encrypt_inter_container_traffic=variable.boolean_value,
        retry=Retry(fallback_instance_types=variable.list_value),
    )
    assert [(problem.field, RULE in problem.rule) for problem in training.problems()] == [
        ("instance_type", True),
        ("volume_size_in_gb", True),
        ("encrypt_inter_container_traffic", True),
        ("retry.fallback_instance_types[0]", True),
    ]
