"""Pipelines executed by the local AWS, seen through the CodePipeline API."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_container import forbidden
from local_aws.tiny_pipeline import (
    ARTIFACTS,
    DATA,
    STEP_SOURCE,
    Bench,
    action,
    make_function,
    make_role,
    s3_source,
    step,
    wait_for,
)

from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws() as aws:
        bench = Bench(aws)
        bench.upload()
        make_function(aws, "step", STEP_SOURCE)
        yield bench


def approval(**configuration: str) -> dict[str, object]:
    return action("Approve", "Manual", configuration)


def test_creating_a_pipeline_starts_its_first_execution(bench: Bench) -> None:
    execution = bench.make_pipeline("first", [s3_source()], [step("One", {"value": "x"})])
    assert bench.finished("first", execution) == "Succeeded"
    assert bench.executions("first")[0]["trigger"]["triggerType"] == "CreatePipeline"


def test_variables_reach_later_actions(bench: Bench) -> None:
    version = bench.upload()
    execution = bench.make_pipeline(
        "variables",
        [s3_source()],
        [
            step("One", {"value": "#{Dataset.VersionId}"}, runOrder=1),
            step("Two", {"value": "#{One.Value} of #{codepipeline.PipelineExecutionId}"}, runOrder=2),
        ],
    )
    assert bench.finished("variables", execution) == "Succeeded"
    assert bench.variables("variables", execution, "Two")["Value"] == f"{version} of {execution}"


def test_unresolvable_variable_fails_its_action(bench: Bench) -> None:
    stage = [step("One", {}), step("Two", {"value": "#{One.Nope}"}, runOrder=2)]
    execution = bench.make_pipeline("unresolved", [s3_source()], stage)
    assert bench.finished("unresolved", execution) == "Failed"
    error = bench.error("unresolved", execution, "Two")
    assert error["code"] == "ConfigurationError"
    assert "#{One.Nope} cannot be resolved: One has Turns" in error["message"]


@pytest.mark.parametrize(("length", "status"), [(900, "Succeeded"), (1000, "Failed")])
def test_value_that_is_too_long_with_its_variables_fails_its_action(bench: Bench, length: int, status: str) -> None:
    name = f"filled-in-{length}"
    variables = [{"name": "text", "defaultValue": "x" * length}]
    stage = [step("One", {"value": "#{variables.text}"})]
    execution = bench.make_pipeline(name, [s3_source()], stage, variables=variables)
    assert bench.finished(name, execution) == status
    if status == "Failed":
        assert "UserParameters has 1013 characters" in bench.error(name, execution, "One")["message"]


def test_same_run_order_runs_together_and_the_next_waits(bench: Bench) -> None:
    stage = [step("Slow", {"turns": 2}), step("Quick", {}), step("Last", {}, runOrder=2)]
    execution = bench.make_pipeline("order", [s3_source()], stage)
    assert bench.finished("order", execution) == "Succeeded"
    runs = bench.actions("order", execution)
    assert runs["Quick"]["startTime"] < runs["Slow"]["lastUpdateTime"]
    assert runs["Last"]["startTime"] >= runs["Slow"]["lastUpdateTime"]


def test_continuation_token_brings_a_new_job(bench: Bench) -> None:
    execution = bench.make_pipeline("continued", [s3_source()], [step("One", {"turns": 2})])
    assert bench.finished("continued", execution) == "Succeeded"
    assert bench.variables("continued", execution, "One")["Turns"] == "2"


def test_lambda_writes_its_output_artifact_with_the_credentials_of_the_job(bench: Bench) -> None:
    outputs = [{"name": "Release"}]
    execution = bench.make_pipeline("artifact", [s3_source()], [step("One", {}, outputArtifacts=outputs)])
    assert bench.finished("artifact", execution) == "Succeeded"
    place = bench.actions("artifact", execution)["One"]["output"]["outputArtifacts"][0]["s3location"]
    assert place["bucket"] == ARTIFACTS
    assert place["key"].startswith("artifact/Release/")
    assert bench.s3.get_object(Bucket=ARTIFACTS, Key=place["key"])["Body"].read() == b"made"


def test_reported_failure_carries_its_reason(bench: Bench) -> None:
    execution = bench.make_pipeline("failing", [s3_source()], [step("One", {"fail": "too few rows"})])
    assert bench.finished("failing", execution) == "Failed"
    run = bench.actions("failing", execution)["One"]["output"]["executionResult"]
    assert run["errorDetails"] == {"code": "JobFailed", "message": "too few rows"}
    assert run["externalExecutionId"] == "log-1"
    assert bench.executions("failing")[0]["statusSummary"] == "Stage2/One: too few rows"


def test_crashing_handler_fails_its_action_after_lambdas_retries(bench: Bench) -> None:
    execution = bench.make_pipeline("crashing", [s3_source()], [step("One", {"crash": "boom"})])
    assert bench.finished("crashing", execution) == "Failed"
    message = bench.error("crashing", execution, "One")["message"]
    assert message == "the Lambda function step failed: RuntimeError: boom"


def test_missing_source_object_is_named(bench: Bench) -> None:
    execution = bench.make_pipeline("missing", [s3_source(S3ObjectKey="none.csv")], [approval()])
    assert bench.finished("missing", execution) == "Failed"
    message = bench.error("missing", execution, "Dataset")["message"]
    assert message == f"there is no object s3://{DATA}/none.csv"


def test_21_an_object_larger_than_a_source_artifact_fails_the_source_by_name(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_constructs.local_aws.codepipeline.actions.s3.MAX_BYTES", 3)
    bench.upload()
    execution = bench.make_pipeline("large", [s3_source()], [approval()])
    assert bench.finished("large", execution) == "Failed"
    message = bench.error("large", execution, "Dataset")["message"]
    assert message == f"s3://{DATA}/data.csv has 4 bytes, and a source artifact at most 3"


def test_a_pipeline_that_queues_takes_no_more_than_50_executions(bench: Bench) -> None:
    bench.upload()
    first = bench.make_pipeline("full", [s3_source()], [approval()])
    started = [first, *(bench.start("full") for _ in range(49))]
    with pytest.raises(ClientError, match="has reached the limit of 50 concurrent pipeline executions") as refused:
        bench.start("full")
    assert refused.value.response["Error"]["Code"] == "ConcurrentPipelineExecutionsLimitExceededException"
    stop = bench.codepipeline.stop_pipeline_execution
    stop(pipelineName="full", pipelineExecutionId=started[-1], abandon=True)
    assert bench.finished("full", started[-1]) == "Stopped"
    for execution in (*started[:-1], bench.start("full")):
        stop(pipelineName="full", pipelineExecutionId=execution, abandon=True)


def test_role_needs_what_aws_lists_for_artifacts(bench: Bench) -> None:
    with forbidden(bench.aws, "pipeline-role", "s3:PutObjectAcl"):
        execution = bench.make_pipeline("no-acl", [s3_source()], [step("One", {})])
        assert bench.finished("no-acl", execution) == "Failed"
    message = bench.error("no-acl", execution, "Dataset")["message"]
    assert "is not authorized to perform: s3:PutObjectAcl" in message
    assert f"arn:aws:s3:::{ARTIFACTS}/no-acl/" in message


def test_role_needs_what_aws_lists_for_the_key_of_artifacts(bench: Bench) -> None:
    key = bench.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    store = {"type": "S3", "location": ARTIFACTS, "encryptionKey": {"id": key, "type": "KMS"}}
    stages = [s3_source()], [step("One", {})]
    with forbidden(bench.aws, "pipeline-role", "kms:ReEncryptTo"):
        execution = bench.make_pipeline("no-key", *stages, artifactStore=store)
        assert bench.finished("no-key", execution) == "Failed"
    message = bench.error("no-key", execution, "Dataset")["message"]
    assert f"is not authorized to perform: kms:ReEncryptTo on resource: {key}" in message
    execution = bench.make_pipeline("keyed", *stages, artifactStore=store)
    assert bench.finished("keyed", execution) == "Succeeded"


def test_source_revision_override_takes_that_version(bench: Bench) -> None:
    old = bench.upload(b"old", key="other.csv")
    bench.upload(b"new", key="other.csv")
    bench.make_pipeline("override", [s3_source()], [step("One", {})])
    overrides = [
        {"actionName": "Dataset", "revisionType": "S3_OBJECT_KEY", "revisionValue": "other.csv"},
        {"actionName": "Dataset", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": old},
    ]
    execution = bench.start("override", sourceRevisions=overrides)
    assert bench.finished("override", execution) == "Succeeded"
    place = bench.actions("override", execution)["Dataset"]["output"]["outputArtifacts"][0]["s3location"]
    assert bench.s3.get_object(Bucket=ARTIFACTS, Key=place["key"])["Body"].read() == b"old"


def test_key_override_must_be_allowed(bench: Bench) -> None:
    bench.make_pipeline("fixed-key", [s3_source(AllowOverrideForS3ObjectKey="false")], [step("One", {})])
    override = {"actionName": "Dataset", "revisionType": "S3_OBJECT_KEY", "revisionValue": "other.csv"}
    execution = bench.start("fixed-key", sourceRevisions=[override])
    assert bench.finished("fixed-key", execution) == "Failed"
    assert "may not be overridden" in bench.error("fixed-key", execution, "Dataset")["message"]


def test_codecommit_source_gives_the_commit_as_a_zip(bench: Bench) -> None:
    codecommit = bench.aws.client("codecommit")
    codecommit.create_repository(repositoryName="code")
    train = {"filePath": "train", "fileContent": b"#!/bin/sh\n", "fileMode": "EXECUTABLE"}
    commit = codecommit.create_commit(
        repositoryName="code", branchName="main", commitMessage="begin", putFiles=[train]
    )["commitId"]
    source = action(
        "Code",
        "CodeCommit",
        {"RepositoryName": "code", "BranchName": "main", "PollForSourceChanges": "false"},
        namespace="Code",
        outputArtifacts=[{"name": "SourceCode"}],
    )
    execution = bench.make_pipeline("code", [source], [step("One", {"value": "#{Code.CommitMessage}"})])
    assert bench.finished("code", execution) == "Succeeded"
    assert bench.variables("code", execution, "Code")["CommitId"] == commit
    assert bench.variables("code", execution, "One")["Value"] == "begin"
    place = bench.actions("code", execution)["Code"]["output"]["outputArtifacts"][0]["s3location"]
    body = bench.s3.get_object(Bucket=ARTIFACTS, Key=place["key"])["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.getinfo("train").external_attr >> 16 == 0o100755


def test_unknown_provider_is_refused_by_name(bench: Bench) -> None:
    with pytest.raises(
        ClientError, match=r"'Build', Provider: 'Jenkins'.* is not available in the local AWS"
    ) as caught:
        bench.make_pipeline("jenkins", [s3_source()], [action("Build", "Jenkins", {})])
    assert caught.value.response["Error"]["Code"] == "InvalidActionDeclarationException"


def test_update_is_judged_as_a_new_definition_is(bench: Bench) -> None:
    bench.make_pipeline("updated", [s3_source()], [step("One", {})])
    pipeline = bench.codepipeline.get_pipeline(name="updated")["pipeline"]
    assert bench.codepipeline.update_pipeline(pipeline=pipeline)["pipeline"]["version"] == 2
    pipeline["stages"][1]["actions"][0]["namespace"] = "DatasetObject"
    with pytest.raises(ClientError, match=r"InvalidActionDeclarationException.*conflict with any artifact names"):
        bench.codepipeline.update_pipeline(pipeline=pipeline)


def test_role_that_does_not_trust_codepipeline_is_refused(bench: Bench) -> None:
    bench.make_pipeline("trusted", [s3_source()], [step("One", {})])
    distrusting = make_role(bench.aws, "of-another-service", "lambda")
    pipeline = {**bench.codepipeline.get_pipeline(name="trusted")["pipeline"], "roleArn": distrusting}
    with pytest.raises(ClientError, match="InvalidStructureException"):
        bench.codepipeline.update_pipeline(pipeline=pipeline)
    with pytest.raises(ClientError, match="InvalidStructureException"):
        bench.codepipeline.create_pipeline(pipeline={**pipeline, "name": "distrusted"})


def test_pipeline_variables_must_be_declared(bench: Bench) -> None:
    declared = [{"name": "who", "defaultValue": "nobody"}]
    first = bench.make_pipeline(
        "declared", [s3_source()], [step("One", {"value": "#{variables.who}"})], variables=declared
    )
    assert bench.finished("declared", first) == "Succeeded"
    assert bench.variables("declared", first, "One")["Value"] == "nobody"
    second = bench.start("declared", variables=[{"name": "who", "value": "me"}])
    assert bench.finished("declared", second) == "Succeeded"
    assert bench.variables("declared", second, "One")["Value"] == "me"
    with pytest.raises(ClientError, match="has no variable where"):
        bench.start("declared", variables=[{"name": "where", "value": "here"}])


def test_second_report_on_a_job_is_refused(bench: Bench) -> None:
    bench.make_pipeline("twice", [s3_source()], [step("One", {})])
    with pytest.raises(ClientError, match="JobNotFoundException"):
        bench.codepipeline.put_job_success_result(jobId="00000000-0000-0000-0000-000000000000")
    executor = bench.aws.codepipeline.executor
    job = wait_for(lambda: next((job for job in executor.jobs.values() if job.is_done()), None))
    with pytest.raises(ClientError, match="InvalidJobStateException"):
        bench.codepipeline.put_job_success_result(jobId=job.id)


def test_configuration_value_over_the_limit_is_refused(bench: Bench) -> None:
    with pytest.raises(ClientError, match="must have length less than or equal to 1000"):
        bench.make_pipeline("long", [s3_source()], [step("One", {"value": "x" * 1000})])


def test_stage_conditions_are_refused_by_name(bench: Bench) -> None:
    stages = [
        {"name": "Stage1", "actions": [s3_source()]},
        {
            "name": "Stage2",
            "actions": [step("One", {})],
            "beforeEntry": {"conditions": [{"result": "FAIL"}]},
        },
    ]
    execution = bench.make_pipeline("conditional", stages=stages)
    assert bench.finished("conditional", execution) == "Failed"
    summary = bench.executions("conditional")[0]["statusSummary"]
    assert summary == "the local AWS does not support beforeEntry of the stage Stage2"
