"""What runs on SageMaker instances is read from what is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from preflight.synthesized_stacks import archive, real, written

from mlops_constructs.preflight.demands import Demand, demands
from mlops_constructs.preflight.templates import Fleet, fleets, is_endpoint_template, scales

if TYPE_CHECKING:
    from pathlib import Path


def test_the_iris_pipeline_counts_the_second_fleet_of_an_update() -> None:
    assert demands(real()) == [
        Demand("training job", "ml.m5.xlarge", "training job", 1, 1),
        Demand("endpoint dev", "ml.m5.large", "endpoint", 1, 2),
        Demand("endpoint production", "ml.m5.large", "endpoint", 2, 8),
        Demand("notebook", "ml.t3.medium", "notebook instance", 1, 1),
    ]


def test_a_search_wants_as_many_instances_as_it_has_parallel_jobs() -> None:
    found = demands(real("examples/training/main.py"))
    assert Demand("hyperparameter search", "ml.m5.large", "training job", 2, 2) in found


def test_an_instance_type_that_stands_in_is_wanted_only_then() -> None:
    found = demands(real("examples/training/main.py"))
    others = [one for one in found if "has no capacity" in one.part]
    assert [(one.instance_type, one.first, one.peak) for one in others] == [("ml.g5.4xlarge", 0, 1)]


def test_an_evaluation_job_is_a_processing_job() -> None:
    found = [one for one in demands(real("examples/evaluated/main.py")) if one.usage == "processing job"]
    assert [(one.part, one.first, one.peak) for one in found] == [("evaluation job", 1, 1)]


def test_batches_and_the_test_of_a_candidate_are_transform_jobs() -> None:
    found = [one for one in demands(real("examples/batch/main.py")) if one.usage == "transform job"]
    assert [(one.part, one.first, one.peak) for one in found] == [("batch transform", 1, 1)] * 2


@pytest.mark.parametrize(
    ("changed", "resources", "expected"),
    [
        ({}, {}, [("training job", 2)]),
        ({"EnableManagedSpotTraining": True}, {}, [("spot training job", 2)]),
        ({}, {"KeepAlivePeriodInSeconds": 600}, [("training job", 2), ("training warm pool", 2)]),
    ],
)
def test_spot_training_and_kept_instances_count_by_themselves(
    tmp_path: Path, changed: dict[str, Any], resources: dict[str, Any], expected: list[tuple[str, int]]
) -> None:
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 2, **resources}
    document = {"training_job": {"ResourceConfig": cluster, **changed}, "tuning_job": None}
    upload = archive(tmp_path, "train.zip", {"document.json": document})
    found = demands(written(tmp_path, {"aws_s3_object": {"o": upload}}))
    assert [(one.usage, one.peak) for one in found] == expected


def template(**changed: Any) -> dict[str, Any]:
    parameters = {"Type": {"Default": "ml.c5.large"}, "Count": {"Default": 3}, "Scales": {"Default": "true"}}
    variant = {"InstanceType": {"Ref": "Type"}, "InitialInstanceCount": {"Ref": "Count"}}
    config = {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [variant]}}
    target = {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Condition": "Scales",
        "Properties": {"MaxCapacity": 9},
    }
    made = {
        "Parameters": parameters,
        "Conditions": {"Scales": {"Fn::Equals": [{"Ref": "Scales"}, "true"]}},
        "Resources": {"Config": config, "Target": target},
    }
    return made | changed


def test_the_defaults_of_a_template_are_what_is_configured() -> None:
    assert (list(fleets(template())), scales(template())) == ([Fleet("ml.c5.large", 3, 9)], True)


def test_a_scalable_target_counts_only_under_its_condition() -> None:
    never = template(Conditions={"Scales": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Scales"}, "true"]}]}})
    assert (list(fleets(never)), scales(never)) == ([Fleet("ml.c5.large", 3, 3)], False)


@pytest.mark.parametrize("document", [[], {}, {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}, {"Resources": 1}])
def test_other_documents_are_no_templates_of_endpoints(tmp_path: Path, document: object) -> None:
    assert not is_endpoint_template(document)
    upload = archive(tmp_path, "a.zip", {"a.json": document})
    assert demands(written(tmp_path, {"aws_s3_object": {"o": upload}})) == []
