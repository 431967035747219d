"""A serverless and an asynchronous endpoint, from the data set to production, and back to an older release."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_container import wait_until
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized

from mlops_constructs.deployed.endpoints import predict
from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.deployed import Execution

pytestmark = pytest.mark.terraform
DATA = RehearsalData.iris()


class Serving(Site):
    """One of the two pipelines of the example."""

    @property
    def endpoint(self) -> str:
        return f"{self.pipeline}-production"

    def release(self) -> Execution:
        outcome = self.run(dict(DATA.channels), golden=DATA.golden)
        assert outcome.status == "Succeeded", outcome.reason
        return outcome

    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)
        return found

    def served_model(self) -> str:
        sagemaker = self.client("sagemaker")
        config = sagemaker.describe_endpoint_config(EndpointConfigName=self.described()["EndpointConfigName"])
        model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        return str(model["PrimaryContainer"]["ModelDataUrl"])

    def accuracy(self) -> float:
        rows = DATA.holdout
        found = predict(self.client, self.endpoint, [row[1:] for row in rows])
        return sum(row[0] == one for row, one in zip(rows, found, strict=True)) / len(rows)

    def back_to(self, number: int) -> Execution:
        done = self.mlops("rollback", self.pipeline, str(number), "--json")
        assert done.returncode == 0, done.stderr
        return self.follower().follow(json.loads(done.stdout)["execution_id"])


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """The pipeline with serverless endpoints, with its first release."""
    stack = synthesized(ROOT / "examples" / "serving" / "main.py", tmp_path_factory.mktemp("synth"))
    with deployed_site(stack, DATA, pipeline="quiet") as site:
        site.rehearsal.build_image()
        yield Serving(site.rehearsal, site.deployed, site.approver)


@pytest.fixture(scope="module")
def bulk(quiet: Serving) -> Serving:
    """The pipeline with asynchronous endpoints, of the same stack, when its image is built."""
    site = Serving(quiet.rehearsal, quiet.another("bulk"), quiet.approver)
    built = site.follower(site.image_pipeline)
    wait_until(lambda: any(one["status"] == "Succeeded" for one in built.executions.newest()))
    return site


def test_a_serverless_release_reaches_production_and_responds(quiet: Serving) -> None:
    quiet.release()
    assert quiet.accuracy() > 0.8
    (variant,) = quiet.described()["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 20}
    evidence = quiet.approver.evidence[-1]
    assert "serverless, 2048 MB, up to 20 at a time" in evidence
    assert "golden records right" in evidence


def test_a_serverless_endpoint_goes_back_to_an_older_release(quiet: Serving) -> None:
    before = quiet.served_model()
    quiet.release()
    assert quiet.served_model() != before
    outcome = quiet.back_to(1)
    assert outcome.status == "Succeeded", outcome.reason
    assert quiet.served_model() == before
    assert quiet.accuracy() > 0.8


def test_an_asynchronous_release_reaches_production_and_responds(bulk: Serving) -> None:
    bulk.release()
    assert bulk.accuracy() > 0.8
    evidence = bulk.approver.evidence[-1]
    assert "0 to 4 x ml.m5.large" in evidence
    assert "golden records right" in evidence


def test_an_idle_asynchronous_endpoint_has_no_instance_until_a_request_comes(bulk: Serving) -> None:
    wait_until(lambda: bulk.described()["ProductionVariants"][0]["CurrentInstanceCount"] == 0)
    assert bulk.accuracy() > 0.8


def test_mlops_invoke_waits_for_the_response_of_a_queue(bulk: Serving) -> None:
    row = ",".join(DATA.holdout[0][1:])
    done = bulk.mlops("invoke", bulk.pipeline, row)
    assert (done.returncode, done.stdout.strip()) == (0, DATA.holdout[0][0]), done.stderr


def test_an_asynchronous_endpoint_goes_back_to_an_older_release(bulk: Serving) -> None:
    before = bulk.served_model()
    bulk.release()
    assert bulk.served_model() != before
    outcome = bulk.back_to(1)
    assert outcome.status == "Succeeded", outcome.reason
    assert bulk.served_model() == before
    assert bulk.accuracy() > 0.8


def test_nothing_is_left_of_both(quiet: Serving, bulk: Serving) -> None:
    quiet.rehearsal.destroy()
