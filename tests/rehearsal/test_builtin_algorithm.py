"""SageMaker's XGBoost, with a program of this machine in its place, and all that its production goes through.

Its first deployment fails, then an update; then its instance type changes. One deployment serves all tests.
"""

from __future__ import annotations

import contextlib
import functools
import re
from typing import TYPE_CHECKING, Any

import pytest
from rehearsal.centroid_container import write_container
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized

from mlops_constructs.errors import RehearsalError
from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_constructs.deployed import Execution

pytestmark = pytest.mark.terraform
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NUMBERS = {"setosa": "0", "versicolor": "1", "virginica": "2"}


def numbered() -> RehearsalData:
    """Iris as XGBoost reads it: every column a number."""
    iris = RehearsalData.iris()
    channels = dict(iris.channels)
    for name, number in NUMBERS.items():
        channels = {channel: body.replace(name.encode(), number.encode()) for channel, body in channels.items()}
    return RehearsalData("iris", channels, [[NUMBERS[row[0]], *row[1:]] for row in iris.holdout])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("builtin")
    container = write_container(folder / "xgboost", "xgboost")
    stack = synthesized(ROOT / "examples" / "builtin" / "main.py", folder / "synth")
    with deployed_site(stack, numbered(), images={IMAGE: container}) as site:
        yield site


def production(site: Site, stack: str | None = None) -> dict[str, Any]:
    """Describe the production stack, or the one with this id."""
    name = f"{site.pipeline}-production" if stack is None else stack
    described: dict[str, Any] = site.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return described


def served(site: Site) -> dict[str, Any]:
    """Describe the configuration that the production endpoint runs."""
    sagemaker = site.client("sagemaker")
    name = sagemaker.describe_endpoint(EndpointName=f"{site.pipeline}-production")["EndpointConfigName"]
    described = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    return {member: value for member, value in described.items() if member != "ResponseMetadata"}


def scalable(site: Site) -> list[tuple[str, int, int]]:
    """List what Application Auto Scaling scales, with minimum and maximum."""
    scaling = site.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert [one["ResourceId"] for one in policies] == [one["ResourceId"] for one in targets]
    return [(one["ResourceId"], one["MinCapacity"], one["MaxCapacity"]) for one in targets]


@contextlib.contextmanager
def quota(site: Site, instances: int) -> Iterator[None]:
    """Allow the account so many instances for its endpoints."""
    name = "ml.m5.large for endpoint usage"
    site.aws.service_quotas.set(name, instances)
    try:
        yield
    finally:
        site.aws.service_quotas.set(name, 20)


@pytest.fixture(scope="module")
def stillborn(site: Site) -> Execution:
    """A first release that DEV has an instance for, and production, which needs two, not enough."""
    site.rehearsal.build_image()
    site.settle()
    with quota(site, 1):
        return site.run(numbered().channels)


@pytest.fixture(scope="module")
def rolled_back(site: Site, stillborn: Execution) -> dict[str, Any]:
    """The production stack whose creation failed."""
    return production(site)


@pytest.fixture(scope="module")
def outcome(site: Site, rolled_back: dict[str, Any]) -> Execution:
    """The release after it."""
    return site.rehearsal.run()


def test_the_deployed_image_is_the_one_of_the_region(site: Site) -> None:
    ssm = site.client("ssm")
    (parameter,) = ssm.describe_parameters()["Parameters"]
    assert ssm.get_parameter(Name=parameter["Name"])["Parameter"]["Value"] == IMAGE


def test_a_first_production_that_cannot_be_created_tells_the_real_reason(site: Site, stillborn: Execution) -> None:
    assert stillborn.status == "Failed"
    stack = f"{site.pipeline}-production"
    assert stillborn.reason.startswith(f"DeployProduction / ExecuteChangeSet: the stack {stack} is ROLLBACK_COMPLETE: ")
    # DEV may be deleted already, or still be there: it is deleted while production is being deployed.
    reason = (
        r'Endpoint \(AWS::SageMaker::Endpoint\): Resource handler returned message: "The account-level service limit'
        r" 'ml\.m5\.large for endpoint usage' is 1 Instances, with current utilization of [01] Instances and a request"
        r" delta of 2 Instances\."
    )
    told = re.search(reason, site.failed_action("DeployProduction", "ExecuteChangeSet"))
    assert told is not None
    assert told[0] in site.wait_for_rejection(stillborn)


def test_of_a_production_that_was_not_created_only_the_stack_is_left(
    site: Site, stillborn: Execution, rolled_back: dict[str, Any]
) -> None:
    assert rolled_back["StackStatus"] == "ROLLBACK_COMPLETE"
    alarms = site.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{site.pipeline}-production")["MetricAlarms"]
    assert alarms == []
    assert stillborn.variable("SmokeTest", "Accuracy"), "DEV was deployed and tested before"


def test_the_next_release_deletes_the_stack_that_never_served_and_creates_it_anew(
    site: Site, rolled_back: dict[str, Any], outcome: Execution
) -> None:
    assert production(site, rolled_back["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert production(site)["StackStatus"] == "CREATE_COMPLETE"
    assert production(site)["StackId"] != rolled_back["StackId"]
    assert site.package(outcome)["ModelApprovalStatus"] == "Approved"


def test_a_model_reaches_production_and_answers(site: Site, outcome: Execution) -> None:
    site.rehearsal.ask_production()
    assert site.rehearsal.result.metrics["accuracy"] > 0.8


def test_the_gate_judged_a_metric_that_nobody_defined(site: Site, outcome: Execution) -> None:
    job = site.client("sagemaker").describe_training_job(TrainingJobName=outcome.variable("Train", "JobName"))
    assert "MetricDefinitions" not in job["AlgorithmSpecification"]
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert set(metrics) == {"train:accuracy", "validation:accuracy"}
    assert float(outcome.variable("Gate", "Value")) == pytest.approx(metrics["validation:accuracy"], rel=1e-4)


def test_the_tag_was_resolved_and_the_same_digest_is_served(site: Site, outcome: Execution) -> None:
    image = outcome.variable("Train", "Image")
    assert image.startswith(IMAGE.rpartition(":")[0] + "@sha256:")
    sagemaker = site.client("sagemaker")
    package = sagemaker.describe_model_package(ModelPackageName=outcome.variable("Register", "ModelPackageArn"))
    assert package["CustomerMetadataProperties"]["image"] == image
    served = {
        sagemaker.describe_model(ModelName=model["ModelName"])["PrimaryContainer"]["Image"]
        for model in sagemaker.list_models()["Models"]
    }
    assert served == {image}


@pytest.fixture(scope="module")
def first(site: Site, outcome: Execution) -> dict[str, Any]:
    """The production stack of the first release that succeeded, with the configuration that serves."""
    return {**production(site), "config": served(site)}


@pytest.fixture(scope="module")
def refused_update(site: Site, first: dict[str, Any]) -> Execution:
    """A release that DEV has an instance for beside production, and production's second fleet not enough."""
    with quota(site, 3):
        return site.run(numbered().channels)


def test_an_update_that_fails_leaves_production_and_its_stack(
    site: Site, first: dict[str, Any], refused_update: Execution
) -> None:
    stack = f"{site.pipeline}-production"
    assert f"the stack {stack} is UPDATE_ROLLBACK_COMPLETE: Endpoint" in refused_update.reason
    told = re.search("is 3 Instances, with current utilization of [23] Instances", refused_update.reason)
    assert told is not None
    assert told[0] in site.wait_for_rejection(refused_update)
    assert (production(site)["StackId"], served(site)) == (first["StackId"], first["config"])
    site.rehearsal.ask_production()
    assert site.rehearsal.result.metrics["accuracy"] > 0.8


@pytest.fixture(scope="module")
def author(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], None]:
    """Changes the example's production endpoint, and deploys it."""
    program = (ROOT / "examples" / "builtin" / "main.py").read_text()
    program = program.replace("import Algorithm,", "import Algorithm, Endpoint,")

    @functools.cache
    def stack(endpoint: str) -> Path:
        folder = tmp_path_factory.mktemp("changed")
        path = folder / "main.py"
        path.write_text(
            f"from dataclasses import replace\n{program}".replace(
                "dataset=Dataset(),", f"dataset=Dataset(), production=replace(Endpoint.for_production(), {endpoint}),"
            )
        )
        return synthesized(path, folder / "synth")

    return lambda endpoint: site.redeploy(stack(endpoint))


def test_another_instance_type_is_refused_before_training_with_the_way_to_it(
    site: Site, first: dict[str, Any], refused_update: Execution, author: Callable[[str], None]
) -> None:
    author("instance_type='ml.c5.large'")
    trainings, approvals = site.trainings(), len(site.approver.evidence)
    refused = site.run(numbered().channels)
    assert refused.reason == (
        "Prepare / CheckDataset: Production runs on ml.m5.large and scales automatically. While autoscaling is on,"
        " SageMaker refuses another instance type, here ml.c5.large. Release twice: first on ml.m5.large without"
        ' autoscaling (Endpoint(autoscaling=None), or "AutoScaling": null in deployment.json), then on ml.c5.large with'
        " it."
    )
    assert (site.trainings(), len(site.approver.evidence)) == (trainings, approvals)
    assert served(site) == first["config"]
    assert scalable(site) == [(f"endpoint/{site.pipeline}-production/variant/primary", 2, 4)]


@pytest.fixture(scope="module")
def unscaled(site: Site, refused_update: Execution, author: Callable[[str], None]) -> Execution:
    """The first of the two releases."""
    author("autoscaling=None")
    return site.run(numbered().channels)


def test_the_first_of_two_releases_ends_autoscaling_on_the_same_stack(
    site: Site, first: dict[str, Any], unscaled: Execution
) -> None:
    assert unscaled.status == "Succeeded", unscaled.reason
    assert scalable(site) == []
    assert served(site)["ProductionVariants"][0]["InstanceType"] == "ml.m5.large"
    # The update before it had failed: a stack that has served is updated, never deleted.
    assert (production(site)["StackId"], production(site)["StackStatus"]) == (first["StackId"], "UPDATE_COMPLETE")


def test_the_second_runs_on_the_new_type_and_scales_automatically_again(
    site: Site, unscaled: Execution, author: Callable[[str], None]
) -> None:
    author("instance_type='ml.c5.large'")
    released = site.run(numbered().channels)
    assert released.status == "Succeeded", released.reason
    assert served(site)["ProductionVariants"][0]["InstanceType"] == "ml.c5.large"
    assert scalable(site) == [(f"endpoint/{site.pipeline}-production/variant/primary", 2, 4)]
    site.rehearsal.ask_production()
    assert site.rehearsal.result.metrics["accuracy"] > 0.8
    assert site.terraform.drift() == []


def test_a_plain_destroy_is_refused_before_anything_is_lost(site: Site, outcome: Execution) -> None:
    before = site.terraform.resources()
    with pytest.raises(RehearsalError, match=f"Run: mlops teardown {site.pipeline} --yes") as caught:
        site.terraform.destroy()
    assert f"stack {site.pipeline}-production" in str(caught.value)
    assert site.terraform.resources() == before
    site.rehearsal.ask_production()
    assert site.rehearsal.result.metrics["accuracy"] > 0.8
    assert site.terraform.drift() == []


def test_everything_goes_again(site: Site, outcome: Execution) -> None:
    site.rehearsal.destroy()
