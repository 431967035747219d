"""Tuning jobs of the local AWS, and what a training job of it does beside training."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_container import local_aws, make_role, push_container, wait_until, write_container
from local_aws.tiny_pipeline import open_to_events

from mlops_constructs.local_aws.sagemaker.search import choices

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.local_aws.local_aws import LocalAws

BUCKET = "tuning-data"
FINISHED = ("Completed", "Failed", "Stopped")
TRAIN = """#!/usr/bin/env python3
import json, os, signal, sys, time
from pathlib import Path

base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
wanted = json.loads((base / "input/config/hyperparameters.json").read_text())
kept = base / "checkpoints" / "step"
step = int(kept.read_text()) if kept.exists() else 0
print(f"started at step {step}", flush=True)


def stop(*_):
    kept.write_text(str(step))
    (base / "model/model.json").write_text(json.dumps({"step": step}))
    print(f"validation:accuracy={step / 100};", flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
for step in range(step, int(wanted.get("steps", "0"))):
    time.sleep(0.02)
    kept.write_text(str(step))
if "fail" in wanted:
    (base / "output/failure").write_text("one class only")
    sys.exit(1)
if "silent" not in wanted:
    print(f"validation:accuracy={int(wanted.get('depth', '1')) / 10};", flush=True)
(base / "model/model.json").write_text(json.dumps({"step": step, **wanted}))
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws() as local:
        s3 = local.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="set/train/train.csv", Body=b"a,1\nb,2\n")
        yield local


@pytest.fixture(scope="module")
def definition(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = write_container(tmp_path_factory.mktemp("container"))
    (folder / "train").write_text(TRAIN)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/set/train"}
    return {
        "AlgorithmSpecification": {
            "TrainingImage": push_container(aws, folder),
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "accuracy", "Regex": "validation:accuracy=([0-9.]+);"}],
        },
        "RoleArn": make_role(aws, "tuning", "sagemaker.amazonaws.com"),
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def search(
    definition: dict[str, Any], name: str, static: dict[str, str] | None = None, **config: Any
) -> dict[str, Any]:
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "accuracy"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "9"}]},
            **config,
        },
        "TrainingJobDefinition": {**definition, "StaticHyperParameters": static or {}},
        "Tags": [{"Key": "execution", "Value": "1"}],
    }


def tuned(aws: LocalAws, request: dict[str, Any]) -> dict[str, Any]:
    name = request["HyperParameterTuningJobName"]
    sagemaker = aws.client("sagemaker")
    sagemaker.create_hyper_parameter_tuning_job(**request)

    def described() -> dict[str, Any] | None:
        job: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return job if job["HyperParameterTuningJobStatus"] in FINISHED else None

    job: dict[str, Any] = wait_until(described)
    return job


def children(aws: LocalAws, name: str) -> list[dict[str, Any]]:
    answer = aws.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    found: list[dict[str, Any]] = answer["TrainingJobSummaries"]
    return found


def trained(aws: LocalAws, request: dict[str, Any], *, until: tuple[str, ...] = FINISHED) -> dict[str, Any]:
    name = request["TrainingJobName"]

    def described() -> dict[str, Any] | None:
        job: dict[str, Any] = aws.client("sagemaker").describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in until else None

    job: dict[str, Any] = wait_until(described)
    return job


def log_of(aws: LocalAws, name: str) -> list[str]:
    logs, group = aws.client("logs"), "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    return [event["message"] for event in events]


def test_a_search_ends_with_the_best_of_its_training_jobs(aws: LocalAws, definition: dict[str, Any]) -> None:
    job = tuned(aws, search(definition, "best"))

    tried = children(aws, "best")
    depths = [int(child["TunedHyperParameters"]["depth"]) for child in tried]
    best = job["BestTrainingJob"]
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == len(tried) == 3
    assert best["TunedHyperParameters"] == {"depth": str(max(depths))}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == pytest.approx(max(depths) / 10)


def test_a_smaller_objective_can_be_the_better(aws: LocalAws, definition: dict[str, Any]) -> None:
    objective = {"Type": "Minimize", "MetricName": "accuracy"}
    job = tuned(aws, search(definition, "least", HyperParameterTuningJobObjective=objective))
    depths = [int(child["TunedHyperParameters"]["depth"]) for child in children(aws, "least")]
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"depth": str(min(depths))}


def test_a_training_job_of_a_search_is_a_training_job(aws: LocalAws, definition: dict[str, Any]) -> None:
    job = tuned(aws, search(definition, "children", {"steps": "1"}))
    name = job["BestTrainingJob"]["TrainingJobName"]
    child = aws.client("sagemaker").describe_training_job(TrainingJobName=name)
    assert name.startswith("children-00")
    assert child["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert child["HyperParameters"]["steps"] == "1"
    assert child["HyperParameters"]["_tuning_objective_metric"] == "accuracy"
    assert child["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/models/{name}/output/model.tar.gz"
    for arn in (job["HyperParameterTuningJobArn"], child["TrainingJobArn"]):
        assert aws.client("sagemaker").list_tags(ResourceArn=arn)["Tags"] == [{"Key": "execution", "Value": "1"}]


def test_no_more_training_jobs_run_than_allowed(aws: LocalAws, definition: dict[str, Any]) -> None:
    limits = {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 1}
    tuned(aws, search(definition, "one-by-one", ResourceLimits=limits))
    times = [(child["TrainingStartTime"], child["TrainingEndTime"]) for child in children(aws, "one-by-one")]
    assert all(first_end <= second_start for (_, first_end), (second_start, _) in itertools.pairwise(times))


def test_a_grid_runs_every_combination_once(aws: LocalAws, definition: dict[str, Any]) -> None:
    ranges = {
        "CategoricalParameterRanges": [{"Name": "depth", "Values": ["2", "7"]}, {"Name": "kind", "Values": ["a", "b"]}]
    }
    limits = {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 4}
    tuned(aws, search(definition, "grid", Strategy="Grid", ParameterRanges=ranges, ResourceLimits=limits))
    tried = sorted(tuple(child["TunedHyperParameters"].values()) for child in children(aws, "grid"))
    assert tried == [("2", "a"), ("2", "b"), ("7", "a"), ("7", "b")]


@pytest.mark.parametrize(
    ("name", "static", "reason"),
    [("failing", {"fail": "1"}, "All training jobs failed"), ("silent", {"silent": "1"}, "No objective metrics found")],
)
def test_a_search_without_a_best_job_fails_with_sagemakers_reason(
    aws: LocalAws, definition: dict[str, Any], name: str, static: dict[str, str], reason: str
) -> None:
    job = tuned(aws, search(definition, name, static))
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert reason in job["FailureReason"]
    assert "BestTrainingJob" not in job


def test_a_stopped_search_stops_its_training_jobs(aws: LocalAws, definition: dict[str, Any]) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_hyper_parameter_tuning_job(**search(definition, "stopped", {"steps": "5000"}))
    wait_until(lambda: len(children(aws, "stopped")) == 2)

    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped")

    def status() -> bool:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped")
        return bool(job["HyperParameterTuningJobStatus"] == "Stopped")

    assert wait_until(status)
    assert {child["TrainingJobStatus"] for child in children(aws, "stopped")} == {"Stopped"}
    with pytest.raises(ClientError, match="status Stopped"):
        sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped")


def test_searches_are_listed_by_status(aws: LocalAws, definition: dict[str, Any]) -> None:
    sagemaker = aws.client("sagemaker")
    name = tuned(aws, search(definition, "listed"))["HyperParameterTuningJobName"]

    def names(status: str) -> list[str]:
        found = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name, StatusEquals=status)
        return [one["HyperParameterTuningJobName"] for one in found["HyperParameterTuningJobSummaries"]]

    assert names("Completed") == [name]
    assert names("InProgress") == []


def test_a_searchs_name_is_used_up_forever(aws: LocalAws, definition: dict[str, Any]) -> None:
    tuned(aws, search(definition, "once"))
    with pytest.raises(ClientError, match="ResourceInUse"):
        aws.client("sagemaker").create_hyper_parameter_tuning_job(**search(definition, "ONCE"))


def test_a_name_of_more_than_32_characters_is_refused(aws: LocalAws, definition: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="length less than or equal to 32"):
        aws.client("sagemaker").create_hyper_parameter_tuning_job(**search(definition, "a" * 33))


def test_an_unknown_search_is_not_found(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws.client("sagemaker").describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="never-made")


def test_the_end_of_a_search_is_an_event(aws: LocalAws, definition: dict[str, Any]) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName="searches")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": open_to_events(arn)})
    pattern = (
        '{"source": ["aws.sagemaker"], "detail-type": ["SageMaker HyperParameter Tuning Job State Change"],'
        ' "detail": {"HyperParameterTuningJobName": [{"prefix": "told-"}],'
        ' "HyperParameterTuningJobStatus": ["Completed"]}}'
    )
    events.put_rule(Name="searches", EventPattern=pattern)
    events.put_targets(Rule="searches", Targets=[{"Id": "queue", "Arn": arn}])

    tuned(aws, search(definition, "told-1"))

    (message,) = wait_until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    assert '"told-1"' in message["Body"]


def test_the_same_job_name_chooses_the_same() -> None:
    config = {
        "Strategy": "Bayesian",
        "ParameterRanges": {
            "IntegerParameterRanges": [
                {"Name": "n", "MinValue": "1", "MaxValue": "1000", "ScalingType": "Logarithmic"}
            ],
            "ContinuousParameterRanges": [
                {"Name": "x", "MinValue": "0.0", "MaxValue": "0.9", "ScalingType": "ReverseLogarithmic"}
            ],
        },
    }
    first, again, other = (list(itertools.islice(choices(name, config), 50)) for name in ("a", "a", "b"))
    assert first == again != other
    assert all(1 <= int(one["n"]) <= 1000 and 0 <= float(one["x"]) <= 0.9 for one in first)
    seeded = [list(itertools.islice(choices(name, {**config, "RandomSeed": 7}), 5)) for name in ("a", "b")]
    assert seeded[0] == seeded[1]


def job(definition: dict[str, Any], name: str, hyperparameters: dict[str, str], **more: Any) -> dict[str, Any]:
    return {**definition, "TrainingJobName": name, "HyperParameters": hyperparameters, **more}


SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
}


def test_a_stopped_job_leaves_its_checkpoint_and_the_next_goes_on_from_it(
    aws: LocalAws, definition: dict[str, Any]
) -> None:
    sagemaker = aws.client("sagemaker")
    checkpoints = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/1", "LocalPath": "/opt/ml/checkpoints"}}
    first = job(definition, "keeps", {"steps": "5000"}, **checkpoints)
    sagemaker.create_training_job(**first)
    wait_until(lambda: "Contents" in aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/1/"))
    sagemaker.stop_training_job(TrainingJobName="keeps")
    assert trained(aws, first)["TrainingJobStatus"] == "Stopped"
    reached = int(aws.client("s3").get_object(Bucket=BUCKET, Key="checkpoints/1/step")["Body"].read())
    assert reached > 0

    second = job(definition, "goes-on", {"steps": "1"}, **checkpoints)
    sagemaker.create_training_job(**second)
    assert trained(aws, second)["TrainingJobStatus"] == "Completed"
    assert f"started at step {reached}" in log_of(aws, "goes-on")


def test_15_an_interrupted_spot_job_goes_on_from_its_checkpoint_and_the_gap_is_not_billed(
    aws: LocalAws, definition: dict[str, Any]
) -> None:
    checkpoints = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/2"}}
    request = job(definition, "interrupted", {"steps": "150"}, **SPOT, **checkpoints)
    aws.client("sagemaker").create_training_job(**request)
    wait_until(lambda: "Contents" in aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/2/"))
    aws.sagemaker.training_jobs.interrupt("interrupted")

    described = trained(aws, request)

    told = [transition["Status"] for transition in described["SecondaryStatusTransitions"]]
    assert told.count("Interrupted") == 1
    assert told.count("Training") == 2
    assert described["TrainingJobStatus"] == "Completed"
    assert described["BillableTimeInSeconds"] <= described["TrainingTimeInSeconds"]
    assert not log_of(aws, "interrupted")[-2].endswith("step 0")


def test_a_job_on_demand_is_never_interrupted(aws: LocalAws, definition: dict[str, Any]) -> None:
    request = job(definition, "on-demand", {"steps": "40"})
    aws.client("sagemaker").create_training_job(**request)
    aws.sagemaker.training_jobs.interrupt("on-demand")
    told = [transition["Status"] for transition in trained(aws, request)["SecondaryStatusTransitions"]]
    assert "Interrupted" not in told


def test_an_instance_type_lacks_capacity_as_often_as_told(aws: LocalAws, definition: dict[str, Any]) -> None:
    aws.sagemaker.training_jobs.capacity.refuse("ml.m5.large", 1)
    for name, status in (("no-capacity", "Failed"), ("capacity", "Completed")):
        request = job(definition, name, {})
        aws.client("sagemaker").create_training_job(**request)
        described = trained(aws, request)
        assert described["TrainingJobStatus"] == status
        assert described.get("FailureReason", "").startswith("CapacityError") == (status == "Failed")


def test_a_quota_of_none_refuses_the_job(aws: LocalAws, definition: dict[str, Any]) -> None:
    aws.service_quotas.set("ml.p4d.24xlarge for training job usage", 0)
    resources = {**definition["ResourceConfig"], "InstanceType": "ml.p4d.24xlarge"}
    with pytest.raises(ClientError, match=r"ResourceLimitExceeded.*ml\.p4d\.24xlarge for training job usage"):
        aws.client("sagemaker").create_training_job(**job(definition, "no-quota", {}, ResourceConfig=resources))


def test_a_quota_is_of_one_use(aws: LocalAws, definition: dict[str, Any]) -> None:
    aws.service_quotas.set("ml.c5.xlarge for spot training job usage", 0)
    aws.service_quotas.set("ml.c5.xlarge for endpoint usage", 0)
    request = job(definition, "on-demand-quota", {})
    request["ResourceConfig"] = {**definition["ResourceConfig"], "InstanceType": "ml.c5.xlarge"}
    aws.client("sagemaker").create_training_job(**request)
    assert trained(aws, request)["TrainingJobStatus"] == "Completed"
    aws.service_quotas.set("ml.c5.xlarge for training job usage", 1)
    again = {**request, "TrainingJobName": "used-quota-no-longer"}
    aws.client("sagemaker").create_training_job(**again)
    assert trained(aws, again)["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}},
        {**SPOT, "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59}},
        {**SPOT, "StoppingCondition": {"MaxRuntimeInSeconds": 60}},
        {**SPOT, "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "KeepAlivePeriodInSeconds": 9}},
    ],
)
def test_limits_that_contradict_each_other_are_refused(
    aws: LocalAws, definition: dict[str, Any], wrong: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        aws.client("sagemaker").create_training_job(**job(definition, "contradiction", {}, **wrong))


def test_the_network_is_kept_and_shown(aws: LocalAws, definition: dict[str, Any]) -> None:
    network = {"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}
    request = job(definition, "in-a-vpc", {}, **network)
    aws.client("sagemaker").create_training_job(**request)
    assert trained(aws, request)["VpcConfig"] == network["VpcConfig"]


def test_pipe_mode_is_refused_by_name(aws: LocalAws, definition: dict[str, Any]) -> None:
    algorithm = {**definition["AlgorithmSpecification"], "TrainingInputMode": "Pipe"}
    request = job(definition, "piped", {}, AlgorithmSpecification=algorithm)
    aws.client("sagemaker").create_training_job(**request)
    assert "File and FastFile, not Pipe" in trained(aws, request)["FailureReason"]
