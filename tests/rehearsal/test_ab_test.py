"""Champion and challengers on the deployed pipeline, operated by its commands and by its guard. One deployment."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from patience import PATIENCE_SECONDS
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized

from mlops_constructs.deployed.sticky import StickyAssignment
from mlops_constructs.local_aws.roles import role_credentials
from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.deployed import Execution

GOLDEN = b"small,1\nlarge,19\n"
GOOD = b"small,1\nsmall,8\nlarge,11\nlarge,18\n"
# The same data, so that the models differ in nothing but their names.
ANOTHER = b"small,1\nsmall,8\nlarge,11\nlarge,18\nsmall,2\n"
# Everything is called its opposite.
WRONG = b"large,1\nlarge,8\nsmall,11\nsmall,18\n"
SLOTS = ("primary", "secondary")
pytestmark = pytest.mark.terraform


class ABSite(Site):
    """The deployed pipeline, what it has on record, and its users."""

    @property
    def endpoint(self) -> str:
        return f"{self.pipeline}-production"

    def record(self) -> dict[str, Any]:
        body = self.client("s3").get_object(Bucket=self.artifacts, Key=f"ab/{self.pipeline}/record.json")["Body"]
        found: dict[str, Any] = json.loads(body.read())
        return found

    def weights(self) -> dict[str, float]:
        found = self.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)
        assert found["EndpointStatus"] == "InService"
        return {one["VariantName"]: round(one["CurrentWeight"], 6) for one in found["ProductionVariants"]}

    def targets(self) -> list[str]:
        found = self.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
        return sorted(one["ResourceId"].rsplit("/", 1)[-1] for one in found["ScalableTargets"])

    def stack(self) -> tuple[str, str]:
        """Give the status of production's stack, and which slots are occupied."""
        found = self.client("cloudformation").describe_stacks(StackName=self.endpoint)["Stacks"][0]
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in found["Parameters"]}
        return found["StackStatus"], parameters["Slots"]

    def ask(self, value: int, variant: str | None = None) -> tuple[str, str, str]:
        """Invoke production; give the prediction, the variant that answered and the id of the request."""
        target = {} if variant is None else {"TargetVariant": variant}
        inference_id = f"user-{random.getrandbits(64):016x}"
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.endpoint,
            ContentType="text/csv",
            Body=f"{value}\n".encode(),
            InferenceId=inference_id,
            **target,
        )
        return answer["Body"].read().decode().strip(), answer["InvokedProductionVariant"], inference_id

    def release(self, train: bytes) -> Execution:
        return self.run({"train": train}, golden=GOLDEN)

    def ab(self, *arguments: str) -> dict[str, Any]:
        """Run ``mlops ab`` with a good end."""
        verb, *others = arguments
        done = self.mlops_as("product-managers", "ab", verb, self.pipeline, *others, "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def credentials_of(self, name: str) -> dict[str, Any]:
        """Give credentials of one of the roles that the pipeline grants something."""
        role = self.client("iam").get_role(RoleName=name)["Role"]["Arn"]
        return role_credentials(self.aws.account, role, "a-person")

    def client_of_role(self, name: str, service: str) -> Any:
        return self.aws.account.client(service, self.credentials_of(name))

    def mlops_as(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command with one of these roles."""
        found = self.credentials_of(name)
        credentials = {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }
        command = [sys.executable, "-m", "mlops_constructs", *arguments]
        environment = {**os.environ, **self.environment, **credentials}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def ab_execution(self, *arguments: str) -> Execution:
        """The same for a verb that starts an execution, which is approved and followed to its end."""
        self.approver.answer = True
        return self.follower().follow(self.ab(*arguments)["execution_id"])

    def look(self) -> dict[str, Any]:
        """Look at the test, as the schedule does."""
        function = f"{self.pipeline}-judge-ab-test"
        answer = self.client("lambda").invoke(FunctionName=function, Payload=b"{}")
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, found
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ABSite]:
    container = ROOT / "examples" / "evaluated" / "container"
    program = ROOT / "tests" / "rehearsal" / "ab_app.py"
    stack = synthesized(program, tmp_path_factory.mktemp("synth"), str(container))
    with deployed_site(stack, RehearsalData("ab", {"train": GOOD}, [])) as site:
        site.rehearsal.build_image()
        yield ABSite(site.rehearsal, site.deployed, site.approver)


def succeeded(outcome: Execution) -> Execution:
    assert outcome.status == "Succeeded", outcome.reason
    return outcome


@pytest.fixture(scope="module")
def first(site: ABSite) -> dict[str, Any]:
    """The record after the first release."""
    succeeded(site.release(GOOD))
    return site.record()


@pytest.fixture(scope="module")
def failed(site: ABSite, first: dict[str, Any]) -> Execution:
    """A challenger for which the account has no instances."""
    quota = "ml.m5.large for endpoint usage"
    site.aws.service_quotas.set(quota, 5)
    try:
        return site.release(ANOTHER)
    finally:
        site.aws.service_quotas.set(quota, 20)


@pytest.fixture(scope="module")
def second(site: ABSite, failed: Execution) -> dict[str, Any]:
    """The record after the second release."""
    succeeded(site.release(ANOTHER))
    return site.record()


@pytest.fixture(scope="module")
def shifted(site: ABSite, second: dict[str, Any]) -> dict[str, Any]:
    """What ``mlops ab shift`` says."""
    return site.ab("shift", "--to", "25%")


@pytest.fixture(scope="module")
def third(site: ABSite, shifted: dict[str, Any]) -> dict[str, Any]:
    """The record after the third release, of a model that is wrong."""
    succeeded(site.release(WRONG))
    return site.record()


@pytest.fixture(scope="module")
def guarded(site: ABSite, third: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The newest report, after users have asked and reported until the guard has ended the test."""
    outcomes = tmp_path_factory.mktemp("outcomes") / "outcomes.csv"
    deadline = time.monotonic() + 2 * PATIENCE_SECONDS
    while True:
        report_outcomes(site, outcomes)
        report = site.look()
        if site.record()["test"]["state"] == "aborted":
            return report
        assert time.monotonic() < deadline, json.dumps(report, indent=2)
        time.sleep(1)


def report_outcomes(site: ABSite, path: Path) -> None:
    """Send requests as users do, and report what has become of them with ``mlops outcomes``."""
    lines = ["inference_id,outcome"]
    for _ in range(40):
        value = random.randrange(20)
        _, _, inference_id = site.ask(value)
        lines.append(f"{inference_id},{'small' if value < 10 else 'large'}")
    path.write_text("\n".join(lines) + "\n")
    done = site.mlops_as("accounting", "outcomes", site.pipeline, str(path))
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def cleared(site: ABSite, guarded: dict[str, Any]) -> Execution:
    """The execution that removes the challenger."""
    return succeeded(site.ab_execution("abort", "--reason", "the guard was right"))


@pytest.fixture(scope="module")
def fourth(site: ABSite, cleared: Execution) -> dict[str, Any]:
    """The record after the fourth release."""
    succeeded(site.release(ANOTHER))
    return site.record()


@pytest.fixture(scope="module")
def status(site: ABSite, fourth: dict[str, Any]) -> dict[str, Any]:
    """What ``mlops ab status`` says while a test runs."""
    return site.ab("status")


@pytest.fixture(scope="module")
def promoted(site: ABSite, status: dict[str, Any]) -> Execution:
    """The execution that promotes the fourth release."""
    return succeeded(site.ab_execution("promote", "--override", "the product manager wants it"))


def test_the_first_release_is_the_champion(site: ABSite, first: dict[str, Any]) -> None:
    assert (first["champion"]["slot"], first["challenger"], first["test"]) == ("primary", None, None)
    assert first["intent"] is None


def test_a_challenger_that_cannot_be_deployed_says_why(failed: Execution) -> None:
    assert failed.status == "Failed"
    assert "DeployProduction / ExecuteChangeSet" in str(failed.reason)
    assert "account-level service limit" in str(failed.reason)


def test_the_champion_answers_after_a_failed_deployment(
    site: ABSite, failed: Execution, second: dict[str, Any]
) -> None:
    assert second["champion"]["model_package_arn"].endswith("/1")
    assert site.package(failed)["ModelApprovalStatus"] == "Rejected"


def test_the_second_release_is_the_challenger_with_a_test(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert second["champion"] == first["champion"]
    assert second["challenger"]["slot"] == "secondary"
    assert (second["share"], second["test"]["state"]) == (0.5, "running")
    assert second["test"]["plan"]["statistics"]["prior"]["effects"] == 36


def test_a_shift_is_live_and_on_record(site: ABSite, shifted: dict[str, Any]) -> None:
    assert (shifted["before"], shifted["share"], shifted["weights_changed"]) == (0.5, 0.25, True)


def test_users_stay_at_the_variant_that_they_are_assigned_to(site: ABSite, shifted: dict[str, Any]) -> None:
    runtime, share = site.client_of_role("web-shop", "sagemaker-runtime"), 0.25
    assignments = StickyAssignment(site.pipeline, site.artifacts, s3=site.client_of_role("web-shop", "s3"))
    users = [f"user {number}" for number in range(400)]
    variants = [assignments.variant(user).target_variant for user in users]
    # Fewer or more have a probability below 1e-9.
    assert 50 < variants.count("secondary") < 160
    assert variants == [assignments.variant(user).target_variant for user in users]
    for user, variant in list(zip(users, variants, strict=True))[:20]:
        answer = assignments.invoke(runtime, user, EndpointName=site.endpoint, ContentType="text/csv", Body=b"3\n")
        assert answer["InvokedProductionVariant"] == variant
    assert share == site.record()["share"]


def test_the_third_release_replaces_the_challenger_and_not_the_champion(
    first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]
) -> None:
    assert third["champion"] == first["champion"]
    assert third["challenger"]["slot"] == "secondary"
    assert third["challenger"]["model_package_arn"] != second["challenger"]["model_package_arn"]
    assert third["history"][0]["state"] == "replaced"
    assert third["test"]["salt"] != second["test"]["salt"]


def test_the_segments_of_a_test_are_its_weights(site: ABSite, third: dict[str, Any], guarded: dict[str, Any]) -> None:
    (segment,) = third["test"]["segments"]
    assert (segment["share"], segment["until"]) == (0.5, None)


def test_a_worse_challenger_loses_its_requests_to_the_guard(site: ABSite, guarded: dict[str, Any]) -> None:
    record = site.record()
    assert (guarded["verdict"], guarded["action"]) == ("worse", "abort")
    assert "worse" in guarded["sentence"]
    assert record["test"]["why"].startswith("the guard")
    assert record["champion"]["model_package_arn"].endswith("/1")


def test_the_report_counts_what_users_did(guarded: dict[str, Any]) -> None:
    for role in ("champion", "challenger"):
        requests = guarded["requests"][role]
        assert requests["captured"] >= requests["joined"] > 0
    assert guarded["metric"]["champion"] > 0.9
    assert guarded["metric"]["challenger"] < 0.1
    assert guarded["outcomes"]["unknown"] == guarded["outcomes"]["malformed"] == 0


def test_36_an_abort_leaves_one_clean_variant(site: ABSite, cleared: Execution, fourth: dict[str, Any]) -> None:
    assert cleared.variable("PlaceVariants", "Role") == "champion"
    assert fourth["history"][0]["state"] == "aborted"


def test_after_an_abort_the_next_release_is_a_challenger_again(first: dict[str, Any], fourth: dict[str, Any]) -> None:
    assert fourth["champion"] == first["champion"]
    assert fourth["challenger"]["slot"] == "secondary"
    assert fourth["test"]["state"] == "running"


def test_the_status_says_who_is_who_and_that_all_agree(fourth: dict[str, Any], status: dict[str, Any]) -> None:
    assert status["champion"]["package"] == fourth["champion"]["model_package_arn"]
    assert status["challenger"]["package"] == fourth["challenger"]["model_package_arn"]
    assert status["weights"]["observed"] == {"primary": 0.5, "secondary": 0.5}
    assert (status["disagreements"], status["unknown"], status["report_why_not_fresh"]) == ([], [], "")


def test_a_promotion_leaves_the_challenger_as_the_only_variant(
    site: ABSite, fourth: dict[str, Any], promoted: Execution
) -> None:
    record = site.record()
    assert record["champion"]["model_package_arn"] == fourth["challenger"]["model_package_arn"]
    assert (record["champion"]["slot"], record["challenger"], record["intent"]) == ("secondary", None, None)
    assert site.weights() == {"secondary": 1.0}
    assert site.targets() == ["secondary"]
    assert site.stack() == ("UPDATE_COMPLETE", "secondary")
    assert site.ask(3)[:2] == ("small", "secondary")


def test_the_models_of_a_test_keep_the_tags_of_their_own_release(
    site: ABSite, fourth: dict[str, Any], promoted: Execution
) -> None:
    sagemaker = site.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=site.endpoint)["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    arn = sagemaker.describe_model(ModelName=variant["ModelName"])["ModelArn"]
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    assert tags["mlops:execution"] == fourth["challenger"]["execution_id"]
    assert tags["mlops:model-package"] == fourth["challenger"]["model_package_arn"]


def test_each_release_is_on_record_with_its_role(site: ABSite, promoted: Execution) -> None:
    done = site.mlops("releases", site.pipeline, "--json")
    found = json.loads(done.stdout)
    roles = [one.get("role") for one in found]
    assert roles == ["champion", "challenger", "champion", "challenger", "challenger", "champion"]
    assert found[0]["promotion_of"] == found[1]["release"]
    assert found[2]["end_of_test"] is True
    assert [one["rollback_to"] for one in found] == [None] * 6


def test_without_a_test_there_is_nothing_to_shift(site: ABSite, promoted: Execution) -> None:
    before = site.record()
    done = site.mlops("ab", "shift", site.pipeline, "--to", "10%")
    assert done.returncode == 1
    assert done.stderr == f"mlops ab shift: no A/B test of {site.pipeline} runs; the next release begins one\n"
    assert site.record() == before


# What the role of the guard must not be able to do, though each call is well formed.
def guards_calls(site: ABSite) -> dict[str, tuple[str, str, dict[str, Any]]]:
    weights = [{"VariantName": "secondary", "DesiredWeight": 1.0}]
    record = {"Bucket": site.artifacts, "Key": f"ab/{site.pipeline}/record.json"}
    return {
        "weights": (
            "sagemaker",
            "update_endpoint_weights_and_capacities",
            {"EndpointName": site.endpoint, "DesiredWeightsAndCapacities": weights},
        ),
        "endpoint": ("sagemaker", "update_endpoint", {"EndpointName": site.endpoint, "EndpointConfigName": "any"}),
        "deletion": ("sagemaker", "delete_endpoint", {"EndpointName": site.endpoint}),
        "record": ("s3", "put_object", {**record, "Body": b"{}"}),
        "outcomes": (
            "s3",
            "put_object",
            {"Bucket": site.artifacts, "Key": f"ground-truth/{site.pipeline}/2030/01/01/00/x.jsonl", "Body": b"{}"},
        ),
        "start": ("codepipeline", "start_pipeline_execution", {"name": site.pipeline}),
        "approval": (
            "codepipeline",
            "put_approval_result",
            {
                "pipelineName": site.pipeline,
                "stageName": "Approve",
                "actionName": "Approve",
                "result": {"summary": "yes", "status": "Approved"},
                "token": "00000000-0000-0000-0000-000000000000",
            },
        ),
        "placing": ("lambda", "invoke", {"FunctionName": f"{site.pipeline}-place-variants"}),
        "change set": ("cloudformation", "delete_stack", {"StackName": site.endpoint}),
    }


def role_client(site: ABSite, purpose: str, service: str) -> Any:
    name = f"{site.pipeline}-{purpose}"
    role = site.client("lambda").get_function_configuration(FunctionName=name)["Role"]
    return site.aws.account.client(service, role_credentials(site.aws.account, role, "a-test"))


@pytest.mark.parametrize(
    "call",
    ["weights", "endpoint", "deletion", "record", "outcomes", "start", "approval", "placing", "change set"],
)
def test_the_guards_credentials_can_do_nothing_but_call_its_function(
    site: ABSite, promoted: Execution, call: str
) -> None:
    service, operation, request = guards_calls(site)[call]
    with pytest.raises(ClientError, match=r"not authorized|AccessDenied"):
        getattr(role_client(site, "judge-ab-test", service), operation)(**request)


def test_the_guards_function_has_no_free_input(site: ABSite, promoted: Execution) -> None:
    before = site.record()
    payload = json.dumps({"share": 1.0, "weights": {"secondary": 0.0}, "endpoint": "another"}).encode()
    client = role_client(site, "judge-ab-test", "lambda")
    client.invoke(FunctionName=f"{site.pipeline}-abort-ab-test", Payload=payload)
    assert site.record() == before
    assert site.weights() == {"secondary": 1.0}


def test_the_guards_function_may_change_no_other_endpoint(site: ABSite, promoted: Execution) -> None:
    client = role_client(site, "abort-ab-test", "sagemaker")
    weights = [{"VariantName": "primary", "DesiredWeight": 1.0}]
    with pytest.raises(ClientError, match="not authorized"):
        client.update_endpoint_weights_and_capacities(
            EndpointName=f"{site.pipeline}-dev", DesiredWeightsAndCapacities=weights
        )
