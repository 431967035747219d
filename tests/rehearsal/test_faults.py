"""One deployed pipeline, many faults: what each release does, and that the next one succeeds."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest
from local_aws.tiny_pipeline import wait_for
from patience import PATIENCE_SECONDS
from rehearsal.centroids import write_centroids
from rehearsal.deployed_site import synthesized
from rehearsal.release_invariants import State, answers, check, package_in_production

from mlops_constructs.cli.main import main
from mlops_constructs.deployed.executions import Executions
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from mlops_constructs.local_aws.faults.faults import Faults
from mlops_constructs.local_aws.sagemaker import model_limits
from mlops_constructs.rehearsal.data import RehearsalData
from mlops_constructs.rehearsal.rehearsed import RehearsedPipeline, rehearsed_pipeline
from mlops_constructs.rehearsal.sweep import MODES, record, sample, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.deployed.executions import Execution
    from mlops_constructs.local_aws.faults.fault import Fault

# `make soak-faults` sets another number or seed, or the first of two parts, so that processes can share the cases.
CASES = int(os.environ.get("MLOPS_SWEEP_CASES", "3"))
SEED = int(os.environ.get("MLOPS_SWEEP_SEED", "15"))
CASE_TRIES = 3
PART, PARTS = (int(one) for one in os.environ.get("MLOPS_SWEEP_PART", "1/1").split("/"))
pytestmark = pytest.mark.terraform


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RehearsedPipeline]:
    output = tmp_path_factory.mktemp("synth")
    container = write_centroids(output / "container")
    stack = synthesized(Path(__file__).with_name("plain_app.py"), output / "out", str(container))
    with rehearsed_pipeline(stack, RehearsalData.iris(), docker=False) as pipeline:
        yield pipeline


@pytest.fixture
def faults(pipeline: RehearsedPipeline) -> Iterator[Faults]:
    """Faults that must all happen."""
    with Faults(pipeline.aws, SEED) as faults:
        yield faults
        assert [f"{fault.text}: {fault.problem}" for fault in faults.never_fired] == []


@pytest.fixture(scope="module")
def first(pipeline: RehearsedPipeline) -> Execution:
    """The first try and the first release: the account has an instance for DEV, and not two for production."""
    before = State.of(pipeline)
    with Faults(pipeline.aws) as faults:
        fault = faults.inject("quota:ml.m5.large for endpoint usage:1")
        refused = pipeline.release()
        assert fault.fired, refused.reason
    pipeline.aws.service_quotas.set("ml.m5.large for endpoint usage", 100)
    check(pipeline, before, refused)
    return refused


@pytest.fixture(scope="module")
def champion(pipeline: RehearsedPipeline, first: Execution) -> Execution:
    """A model in production."""
    return succeeds(pipeline)


def succeeds(pipeline: RehearsedPipeline) -> Execution:
    """Release without a fault."""
    before = State.of(pipeline)
    outcome = pipeline.release()
    assert outcome.status == "Succeeded", outcome.reason
    check(pipeline, before, outcome)
    return outcome


def release(pipeline: RehearsedPipeline) -> Execution:
    """Release, whatever comes of it."""
    before = State.of(pipeline)
    outcome = pipeline.release()
    check(pipeline, before, outcome)
    return outcome


def stack_state(pipeline: RehearsedPipeline) -> str:
    found = pipeline.client("cloudformation").describe_stacks(StackName=pipeline.deployed.stacks[-1])
    return str(found["Stacks"][0]["StackStatus"])


def rollback_alarms(pipeline: RehearsedPipeline) -> list[str]:
    """Give the alarms that roll production back."""
    endpoint = pipeline.client("sagemaker").describe_endpoint(EndpointName=pipeline.production_endpoint())
    return [one["AlarmName"] for one in endpoint["LastDeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]]


def test_26_a_production_that_was_never_created_is_created_by_the_next_release(
    pipeline: RehearsedPipeline, first: Execution, champion: Execution
) -> None:
    assert first.status == "Failed"
    assert "DeployProduction" in first.reason or "PrepareChangeSet" in first.reason or "Production" in first.reason
    assert "ml.m5.large for endpoint usage" in first.reason
    assert champion.status == "Succeeded"


def test_01_an_upload_whose_event_comes_twice_trains_and_releases_once(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults
) -> None:
    executions = pipeline.client("codepipeline").list_pipeline_executions
    known = {one["pipelineExecutionId"] for one in executions(pipelineName=pipeline.name)["pipelineExecutionSummaries"]}
    before = State.of(pipeline)
    faults.inject("twice-event:Object Created:times=99")
    pipeline.release()
    pipeline.settle()
    after = State.of(pipeline)
    listed = executions(pipelineName=pipeline.name)["pipelineExecutionSummaries"]
    ended = sorted(one["status"] for one in listed if one["pipelineExecutionId"] not in known)
    assert ended == ["Stopped", "Succeeded"]
    assert len(after.jobs) == len(before.jobs) + 1
    wait_for(lambda: len(State.of(pipeline).releases) == len(before.releases) + 1)


@pytest.mark.parametrize(
    "fault",
    [
        "kill:train_model:after=CreateTrainingJob",
        "kill:train_model:before=CreateTrainingJob",
        "kill:train_model:after=codepipeline.PutJobSuccessResult",
        "kill:record_release:after=s3.PutObject",
        "twice-function:*:times=99",
    ],
)
def test_08_09_a_function_that_is_killed_or_invoked_twice_does_its_work_once(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults, fault: str
) -> None:
    faults.inject(fault)
    succeeds(pipeline)


@pytest.mark.parametrize(
    "fault",
    [
        "refuse:sagemaker.CreateTrainingJob:ThrottlingException:times=8",
        "refuse:sagemaker.DescribeTrainingJob:ThrottlingException:times=7",
        "refuse:codepipeline.PutJobSuccessResult:ThrottlingException:times=3",
        "lose:sagemaker.CreateModelPackage:how=cut",
    ],
)
def test_05_10_throttling_and_lost_answers_are_waited_out(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults, fault: str
) -> None:
    faults.inject(fault)
    succeeds(pipeline)


def test_12_a_training_that_is_killed_says_so_and_changes_nothing(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults
) -> None:
    before = package_in_production(pipeline)
    faults.inject("crash:training:how=kill")
    outcome = release(pipeline)
    assert outcome.status == "Failed"
    assert "exit code: 137" in outcome.reason
    assert package_in_production(pipeline) == before
    succeeds(pipeline)


def test_24_a_model_too_large_for_the_volume_fails_before_anybody_is_asked(
    pipeline: RehearsedPipeline, champion: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, served, asked = package_in_production(pipeline), answers(pipeline), len(pipeline.evidence)
    monkeypatch.setattr(model_limits, "GIGABYTE", 1)
    outcome = release(pipeline)
    assert outcome.status == "Failed"
    assert "The model data archive is too large" in outcome.reason
    assert len(pipeline.evidence) == asked
    assert (package_in_production(pipeline), answers(pipeline)) == (before, served)
    monkeypatch.undo()
    succeeds(pipeline)


def test_25_a_container_that_is_never_healthy_in_production_keeps_the_old_model(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults
) -> None:
    before, served = package_in_production(pipeline), answers(pipeline)
    faults.inject("crash:serving:name=production:times=99")
    outcome = release(pipeline)
    assert outcome.status == "Failed"
    assert "did not pass the ping health check" in outcome.reason
    faults.clear()
    assert (package_in_production(pipeline), answers(pipeline)) == (before, served)
    assert stack_state(pipeline) == "UPDATE_ROLLBACK_COMPLETE"
    succeeds(pipeline)


@pytest.mark.parametrize(
    ("state", "command"),
    [
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback"),
        ("UPDATE_FAILED", "aws cloudformation rollback-stack"),
    ],
)
def test_27_a_stack_that_cannot_be_updated_is_told_before_training_and_nobody_is_asked(
    pipeline: RehearsedPipeline,
    champion: Execution,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    command: str,
) -> None:
    asked, trained = len(pipeline.evidence), State.of(pipeline).jobs
    fault = set_state(pipeline, faults, state)
    outcome = pipeline.release()
    assert outcome.status == "Failed"
    assert command in outcome.reason
    assert len(pipeline.evidence) == asked
    assert State.of(pipeline).jobs == trained
    assert fault.fired
    run_command(pipeline, monkeypatch, outcome.reason)
    wait_for(lambda: stack_state(pipeline) == "UPDATE_ROLLBACK_COMPLETE")
    succeeds(pipeline)


def test_27_an_endpoint_deleted_while_a_person_thinks_comes_back_command_after_command(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, served = package_in_production(pipeline), answers(pipeline)
    faults.inject("delete", "stack-resource", f"{pipeline.deployed.stacks[-1]}/Endpoint", at="RecordApproval")
    assert release(pipeline).status == "Failed"
    assert stack_state(pipeline) == "UPDATE_ROLLBACK_FAILED"
    assert "continue-update-rollback" in refused(pipeline)
    cloudformation, stack = pipeline.client("cloudformation"), pipeline.deployed.stacks[-1]
    cloudformation.continue_update_rollback(StackName=stack, ResourcesToSkip=["Endpoint"])
    wait_for(lambda: stack_state(pipeline) == "UPDATE_ROLLBACK_COMPLETE")
    run_command(pipeline, monkeypatch, refused(pipeline))
    assert (package_in_production(pipeline), answers(pipeline)) == (before, served)
    succeeds(pipeline)


def set_state(pipeline: RehearsedPipeline, faults: Faults, state: str, moment: str = "now") -> Fault:
    return faults.inject("stack", pipeline.deployed.stacks[-1], state, at=moment)


def test_28_a_stack_in_progress_fails_the_action_clearly_and_a_retry_succeeds(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults
) -> None:
    set_state(pipeline, faults, "UPDATE_IN_PROGRESS", "Approve")
    outcome = release(pipeline)
    assert outcome.status == "Failed"
    assert "is in UPDATE_IN_PROGRESS state and can not be updated" in outcome.reason
    set_state(pipeline, faults, "UPDATE_COMPLETE")
    failed = next(action for action in outcome.actions if action.status == "Failed")
    pipeline.client("codepipeline").retry_stage_execution(
        pipelineName=pipeline.name,
        pipelineExecutionId=outcome.execution_id,
        stageName=failed.stage,
        retryMode="FAILED_ACTIONS",
    )
    pipeline.settle()
    assert pipeline.releases()[0]["execution_id"] == outcome.execution_id
    assert package_in_production(pipeline) == outcome.variable("Register", "ModelPackageArn")


def test_31_an_alarm_while_the_new_fleet_is_watched_keeps_the_old_model(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults
) -> None:
    before = package_in_production(pipeline)
    alarm = rollback_alarms(pipeline)[0]
    fault = faults.inject("alarm", alarm)
    outcome = release(pipeline)
    assert outcome.status == "Failed"
    assert "alarms are in ALARM state" in outcome.reason, outcome.reason
    assert alarm in outcome.reason
    assert fault.fired == 1
    assert package_in_production(pipeline) == before
    faults.clear()
    succeeds(pipeline)


@pytest.mark.parametrize("rings", [True, False])
def test_31_an_alarm_in_the_minutes_of_a_canary_keeps_the_old_model(
    pipeline: RehearsedPipeline, champion: Execution, monkeypatch: pytest.MonkeyPatch, rings: bool
) -> None:
    before, served = package_in_production(pipeline), answers(pipeline)
    endpoints, alarm = pipeline.aws.sagemaker.endpoints, rollback_alarms(pipeline)[0]
    monkeypatch.setattr(endpoints, "bake_seconds", 3_600.0)
    clock, endpoint = pipeline.aws.account.clock, endpoints.find(pipeline.production_endpoint())
    with ThreadPoolExecutor(1) as pool:
        released = pool.submit(release, pipeline)
        try:
            wait_for(lambda: endpoint.shift is not None and endpoint.shift[1] == 0.5)
            clock.advance(minutes=4)
            assert endpoint.status == "Updating"
            if rings:
                cloudwatch = pipeline.client("cloudwatch")
                cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test")
            else:
                clock.advance(minutes=2)
                wait_for(lambda: endpoint.shift is not None and endpoint.shift[1] == 1.0)
                assert endpoint.status == "Updating"
                clock.advance(minutes=6)
            outcome = released.result(PATIENCE_SECONDS)
        finally:
            # Whatever the test has found, the release ends.
            clock.advance(hours=2)
    assert outcome.status == ("Failed" if rings else "Succeeded"), outcome.reason
    assert ("alarms are in ALARM state" in outcome.reason and alarm in outcome.reason) is rings
    assert (package_in_production(pipeline) == before) is rings
    assert answers(pipeline) == served or not rings
    monkeypatch.undo()
    if rings:
        pipeline.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="a test")
        succeeds(pipeline)


def test_32_an_alarm_without_data_stops_no_release(pipeline: RehearsedPipeline, champion: Execution) -> None:
    for alarm in rollback_alarms(pipeline):
        pipeline.client("cloudwatch").set_alarm_state(
            AlarmName=alarm, StateValue="INSUFFICIENT_DATA", StateReason="a test"
        )
    succeeds(pipeline)


@pytest.mark.parametrize("state", ["disabled", "pending-deletion"])
def test_48_a_key_that_cannot_be_used_is_named_and_nothing_is_deployed(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults, state: str
) -> None:
    before, served = package_in_production(pipeline), answers(pipeline)
    kms = pipeline.client("kms")
    key = kms.describe_key(KeyId=f"alias/{pipeline.name}")["KeyMetadata"]["KeyId"]
    faults.inject("key", pipeline.name, state=state, at="Train")
    outcome = release_without_records(pipeline)
    if state == "pending-deletion":
        kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    assert outcome.status == "Failed"
    assert key in outcome.reason, outcome.reason
    assert ("is disabled" if state == "disabled" else "is pending deletion") in outcome.reason, outcome.reason
    assert (package_in_production(pipeline), answers(pipeline)) == (before, served)
    succeeds(pipeline)


def release_without_records(pipeline: RehearsedPipeline) -> Execution:
    """Release; nothing can be read from the bucket before the key is enabled again."""
    return pipeline.release()


def test_49_an_image_with_critical_findings_is_not_deployed_without_a_reason(
    pipeline: RehearsedPipeline, champion: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, served, answer = package_in_production(pipeline), answers(pipeline), Executions.answer

    def without_reason(self: Executions, *given: Any, summary: str, **named: Any) -> None:
        answer(self, *given, summary="", **named)

    monkeypatch.setitem(pipeline.aws.ecr.findings, pipeline.name, {"CRITICAL": 2, "HIGH": 5})
    with monkeypatch.context() as silent:
        silent.setattr(Executions, "answer", without_reason)
        outcome = release(pipeline)
    assert "Give a reason if you approve: 2 critical findings in the image" in pipeline.evidence[-1]
    assert outcome.status == "Failed"
    assert "2 critical findings in the image, more than max_critical_findings (0)" in outcome.reason
    assert (package_in_production(pipeline), answers(pipeline)) == (before, served)
    # With a reason it is deployed: the approver of a rehearsal gives one.
    succeeds(pipeline)


def test_59_counts_that_somebody_changed_by_hand_are_kept(pipeline: RehearsedPipeline, champion: Execution) -> None:
    sagemaker, name = pipeline.client("sagemaker"), pipeline.production_endpoint()
    (variant,) = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    wanted = {"VariantName": variant["VariantName"], "DesiredInstanceCount": 3}
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=[wanted])
    wait_for(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    succeeds(pipeline)
    (variant,) = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 3


def resource_of(pipeline: RehearsedPipeline, kind: str) -> dict[str, Any]:
    """Give a resource of the production stack."""
    resources = pipeline.client("cloudformation").describe_stack_resources(StackName=pipeline.deployed.stacks[-1])
    found: dict[str, Any] = next(one for one in resources["StackResources"] if one["ResourceType"] == kind)
    return found


def test_59_an_alarm_that_somebody_deleted_by_hand_is_made_anew(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults
) -> None:
    alarm = resource_of(pipeline, "AWS::CloudWatch::Alarm")
    faults.inject("delete", "stack-resource", f"{pipeline.deployed.stacks[-1]}/{alarm['LogicalResourceId']}", at="now")
    succeeds(pipeline)
    assert rollback_alarms(pipeline)
    names = [resource_of(pipeline, "AWS::CloudWatch::Alarm")["PhysicalResourceId"]]
    assert pipeline.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]


def delete_autoscaling(pipeline: RehearsedPipeline) -> None:
    scaling = pipeline.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    members = ("ServiceNamespace", "ResourceId", "ScalableDimension")
    scaling.deregister_scalable_target(**{member: target[member] for member in members})


def delete_role(pipeline: RehearsedPipeline, purpose: str) -> None:
    iam = pipeline.client("iam")
    (name,) = [one["RoleName"] for one in iam.list_roles()["Roles"] if purpose in one["RoleName"]]
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def delete_part(pipeline: RehearsedPipeline, faults: Faults, what: str) -> None:
    """Somebody deletes a part of production by hand."""
    if what == "autoscaling":
        delete_autoscaling(pipeline)
    elif what in ("model-production", "deploy-production"):
        delete_role(pipeline, what)
    elif what == "topic":
        faults.inject("delete", "topic", "approvals", at="now")
    else:
        resource = resource_of(pipeline, f"AWS::SageMaker::{what}")["LogicalResourceId"]
        faults.inject("delete", "stack-resource", f"{pipeline.deployed.stacks[-1]}/{resource}", at="now")


def refused(pipeline: RehearsedPipeline) -> str:
    """Release; it must fail before it trains and before anybody is asked. Give the reason."""
    before, asked = State.of(pipeline), len(pipeline.evidence)
    outcome = release(pipeline)
    assert outcome.status == "Failed"
    assert State.of(pipeline).jobs == before.jobs
    assert len(pipeline.evidence) == asked
    return outcome.reason


@pytest.mark.parametrize("what", ["Endpoint", "EndpointConfig", "autoscaling"])
def test_59_what_somebody_deleted_of_production_is_told_before_training_and_the_command_brings_it_back(
    pipeline: RehearsedPipeline,
    champion: Execution,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    before, served = package_in_production(pipeline), answers(pipeline)
    delete_part(pipeline, faults, what)
    reason = refused(pipeline)
    assert "somebody deleted it by hand" in reason
    run_command(pipeline, monkeypatch, reason)
    assert (package_in_production(pipeline), answers(pipeline)) == (before, served)
    succeeds(pipeline)
    configs = pipeline.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    assert len([one for one in configs if "production" in one["EndpointConfigName"].lower()]) == 1


def run_command(pipeline: RehearsedPipeline, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    """Run the command that a message names, as a person does."""
    command = re.search(r"Run: (.*?)(;| \()", reason)
    assert command is not None, reason
    environment = {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_ENDPOINT_URL": pipeline.aws.url,
        "AWS_DEFAULT_REGION": pipeline.aws.region,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    program, *arguments = shlex.split(command.group(1))
    if program == "mlops":
        assert main(arguments) == 0
    else:
        aws = Path(sys.executable).with_name(program)
        subprocess.run([aws, *arguments], check=True, capture_output=True, timeout=PATIENCE_SECONDS)


def test_59_what_terraform_makes_is_missed_before_training_and_deployed_again(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults
) -> None:
    delete_part(pipeline, faults, "topic")
    assert "the approval is published, does not exist: somebody deleted it by hand" in refused(pipeline)
    for role in ("model-production", "deploy-production"):
        delete_part(pipeline, faults, role)
    reason = refused(pipeline)
    assert "production" in reason
    assert "which creates it: cdktf deploy" in reason
    pipeline.deploy_again()
    succeeds(pipeline)


def test_59_a_model_that_somebody_deleted_is_not_missed_by_the_next_release(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults
) -> None:
    delete_part(pipeline, faults, "Model")
    succeeds(pipeline)


def test_60_a_clock_that_is_wrong_by_a_day_gives_up_no_job(
    pipeline: RehearsedPipeline, champion: Execution, faults: Faults
) -> None:
    faults.inject("clock", 86_400)
    outcome = release(pipeline)
    assert outcome.status == "Succeeded", outcome.reason


def test_05_08_a_sample_of_the_sweep_loses_nothing_and_does_nothing_twice(
    pipeline: RehearsedPipeline, champion: Execution
) -> None:
    with Faults(pipeline.aws, SEED) as faults:
        calls = record(faults, lambda: succeeds(pipeline))
        cases = list(sweep(calls, pipeline.name))
    assert {case.id.split()[0] for case in cases} == set(MODES)
    assert len({case.id for case in cases}) == len(cases) > 60
    chosen = sample([case for case in cases if crc32(case.id.encode()) % PARTS == PART - 1], CASES, SEED)
    print(f"\nseed {SEED}: {len(chosen)} of {len(cases)} cases, {len(calls)} calls", flush=True)
    problems = {}
    for case in chosen:
        problem = run_case(pipeline, case.fault)
        print(f"{case.id}: {problem or 'ok'}", flush=True)
        if problem:
            problems[case.id] = problem
    assert problems == {}
    succeeds(pipeline)


def run_case(pipeline: RehearsedPipeline, text: str) -> str:
    """Release with one fault; give what is wrong with what came of it.

    How often a function reports that it waits differs: the third report of a release may not be made by the next one.
    A call that each release makes must be hit at once.
    """
    for _ in range(CASE_TRIES if ":nth=" in text else 1):
        try:
            with Faults(pipeline.aws, SEED) as faults:
                fault = faults.inject(text)
                outcome: Any = release(pipeline)
            if outcome.status != "Succeeded":
                succeeds(pipeline)
                return f"the release failed, the next one succeeded: {outcome.reason}"
        except AssertionError as error:
            return str(error) or repr(error)
        if fault.fired:
            return ""
    return "the fault has not happened"


def test_04_an_event_that_the_dead_letter_queue_refuses_too_is_told_by_the_deployed_alarm(
    pipeline: RehearsedPipeline, faults: Faults
) -> None:
    sns, sqs, cloudwatch = (pipeline.client(one) for one in ("sns", "sqs", "cloudwatch"))
    alarm = f"{pipeline.name}-lost-events-1"
    mailbox = sqs.create_queue(QueueName="mail-of-lost-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=mailbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (topic,) = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["AlarmActions"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    said: list[str] = []
    pipeline.aws.add_listener(said.append)
    queue = sqs.get_queue_url(QueueName=f"{pipeline.name}-dead-letters")["QueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]
    faults.inject("queue:dead-letters:at=now")

    # An event that the function cannot read.
    pipeline.client("lambda").invoke(
        FunctionName=f"{pipeline.name}-record-decision", InvocationType="Event", Payload=b"{}"
    )
    wait_for(lambda: [line for line in said if "the failed event could not be sent to" in line])
    pipeline.aws.clock.advance(minutes=1)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)

    def mail() -> list[str]:
        received = sqs.receive_message(QueueUrl=mailbox, MaxNumberOfMessages=10).get("Messages", [])
        return [one["Body"] for one in received]

    # An execution may have failed in the same minutes.
    wait_for(lambda: [one for one in mail() if f"An event of the pipeline {pipeline.name} is lost" in one])
    (found,) = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    assert found["StateValue"] == "ALARM"
