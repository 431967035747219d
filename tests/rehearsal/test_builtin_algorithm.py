"""SageMaker's XGBoost, with a program of this machine in its place. One deployment serves all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rehearsal.centroid_container import write_container
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized

from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def outcome(site: Site) -> Execution:
    site.rehearsal.build_image()
    return site.rehearsal.run()


def test_the_deployed_image_is_the_one_of_the_region(site: Site) -> None:
    ssm = site.client("ssm")
    (parameter,) = ssm.describe_parameters()["Parameters"]
    assert ssm.get_parameter(Name=parameter["Name"])["Parameter"]["Value"] == IMAGE


def test_a_model_reaches_production_and_answers(site: Site, outcome: Execution) -> None:
    site.rehearsal.ask_production()
    assert site.rehearsal.result.accuracy is not None
    assert site.rehearsal.result.accuracy > 0.8


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


def test_everything_goes_again(site: Site, outcome: Execution) -> None:
    site.rehearsal.destroy()
