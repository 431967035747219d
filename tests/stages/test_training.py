"""Every option of training, tuning and network is in the synthesized stack, and only where it is asked for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from synthesis import CONTAINER, Synthesized, document_of, new_stack, synth

from mlops_constructs import (
    Algorithm,
    CategoricalParameter,
    Checkpoints,
    ContinuousParameter,
    Dataset,
    Endpoint,
    Hyperband,
    IntegerParameter,
    MLOpsPipeline,
    Network,
    Requests,
    Retry,
    Spot,
    Training,
    TrainingLimits,
    Tuning,
)
from mlops_constructs._aws.naming import tuning_prefix
from mlops_constructs.config._instances import has_own_disks
from mlops_constructs.stages.deployment.template import endpoint_template

DAY = 86_400
NETWORK = Network(subnet_ids=["subnet-1", "subnet-2"], security_group_ids=["sg-1"])
SEARCH = Tuning(hyperparameter_ranges={"depth": IntegerParameter(1, 9)}, objective_metric_name="validation:accuracy")
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
VPC_ACTIONS = {
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
}


@pytest.fixture(scope="module")
def plain() -> Synthesized:
    return synth()


@pytest.fixture(scope="module")
def tuned() -> Synthesized:
    return synth(tuning=SEARCH, network=NETWORK)


@pytest.fixture(scope="module")
def long() -> Synthesized:
    return synth(training=Training(max_runtime_in_seconds=3 * DAY))


def settings(stack: Synthesized, folder: str = "train_model") -> dict[str, str]:
    variables: dict[str, str] = stack.one("aws_lambda_function", handler=f"{folder}.handler.handler")["environment"][
        "variables"
    ]
    return variables


def actions_of(statements: list[dict[str, Any]]) -> set[str]:
    return {
        action
        for statement in statements
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def creation(stack: Synthesized) -> list[dict[str, Any]]:
    return [one for one in stack.policy("train-model") if str(one["Action"]).startswith("sagemaker:Create")]


def pattern_of(stack: Synthesized, suffix: str) -> dict[str, Any]:
    (rule,) = [one for one in stack.all("aws_cloudwatch_event_rule").values() if one["name"].endswith(suffix)]
    pattern: dict[str, Any] = json.loads(rule["event_pattern"])
    return pattern


def request(stack: Synthesized) -> dict[str, Any]:
    """What train_model sends whatever the data set is."""
    written: dict[str, Any] = stack.function_document("train_model")["training_job"]
    return written


@pytest.mark.parametrize(
    ("training", "changed"),
    [
        (
            Training(spot=Spot(max_wait_time_in_seconds=7200)),
            {
                "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
                "EnableManagedSpotTraining": True,
                "CheckpointConfig": {"LocalPath": "/opt/ml/checkpoints"},
            },
        ),
        (Training(checkpoints=Checkpoints(local_path="/kept")), {"CheckpointConfig": {"LocalPath": "/kept"}}),
        (
            Training(keep_alive_period_in_seconds=600, volume_size_in_gb=9),
            {
                "ResourceConfig": {
                    "InstanceType": "ml.m5.xlarge",
                    "InstanceCount": 1,
                    "VolumeSizeInGB": 9,
                    "KeepAlivePeriodInSeconds": 600,
                }
            },
        ),
        (Training(retry=Retry(max_retry_attempts=7)), {"RetryStrategy": {"MaximumRetryAttempts": 7}}),
        (Training(enable_network_isolation=False), {"EnableNetworkIsolation": False}),
        (Training(encrypt_inter_container_traffic=False), {"EnableInterContainerTrafficEncryption": False}),
        (Training(environment={"MODE": "${fast}"}), {"Environment": {"MODE": "${fast}"}}),
    ],
)
def test_an_option_is_part_of_the_request(plain: Synthesized, training: Training, changed: dict[str, Any]) -> None:
    assert request(synth(training=training)) == {**request(plain), **changed}


def test_nothing_optional_is_asked_for_by_default(plain: Synthesized) -> None:
    found = request(plain)
    assert set(found) == {
        *("AlgorithmSpecification", "EnableInterContainerTrafficEncryption", "EnableNetworkIsolation", "Environment"),
        *("HyperParameters", "ResourceConfig", "RetryStrategy", "StoppingCondition", "Tags"),
    }
    assert found["EnableNetworkIsolation"] is found["EnableInterContainerTrafficEncryption"] is True
    assert (settings(plain)["SUBNET_IDS"], settings(plain)["SECURITY_GROUP_IDS"]) == ("", "")


def test_no_repetition_is_asked_for_where_there_is_to_be_none() -> None:
    retry = Retry(max_retry_attempts=0, max_capacity_retries=0)
    stack = synth(training=Training(retry=retry))
    assert "RetryStrategy" not in request(stack)
    assert stack.function_document("train_model")["capacity_retries"] == 0


def test_what_is_tried_without_capacity_is_told_beside_the_request(plain: Synthesized) -> None:
    retry = Retry(fallback_instance_types=["ml.g5.xlarge", "ml.m5.xlarge"])
    stack = synth(training=Training(retry=retry))
    assert stack.function_document("train_model")["fallback_instance_types"] == ["ml.g5.xlarge"]
    assert plain.function_document("train_model")["fallback_instance_types"] == []


def test_input_mode_and_distribution_are_those_of_the_request() -> None:
    stack = synth(training=Training(input_mode="FastFile", distribution="ShardedByS3Key"))
    assert request(stack)["AlgorithmSpecification"]["TrainingInputMode"] == "FastFile"
    channel = stack.function_document("train_model")["channel"]
    assert channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "ShardedByS3Key"


def search_of(stack: Synthesized) -> dict[str, Any]:
    found: dict[str, Any] = stack.function_document("train_model")["tuning_job"]["HyperParameterTuningJobConfig"]
    return found


def test_a_search_reaches_the_function_in_sagemakers_words() -> None:
    search = Tuning(
        hyperparameter_ranges={
            "depth": IntegerParameter(1, 9, scaling_type="Logarithmic"),
            "rate": ContinuousParameter(0.1, 1),
            "warm": CategoricalParameter([True, "x"]),
        },
        objective_metric_name="validation:log_loss",
        objective_type="Minimize",
        strategy="Hyperband",
        max_jobs=20,
        random_seed=7,
        hyperband=Hyperband(min_resource=1, max_resource=9),
    )
    assert search_of(synth(tuning=search)) == {
        "Strategy": "Hyperband",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:log_loss"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 2, "MaxRuntimeInSeconds": 79_200},
        "ParameterRanges": {
            "IntegerParameterRanges": [
                {"Name": "depth", "MinValue": "1", "MaxValue": "9", "ScalingType": "Logarithmic"}
            ],
            "ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0.1", "MaxValue": "1", "ScalingType": "Auto"}],
            "CategoricalParameterRanges": [{"Name": "warm", "Values": ["true", "x"]}],
        },
        "TrainingJobEarlyStoppingType": "Off",
        "StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}},
        "RandomSeed": 7,
    }


def test_early_stopping_is_sagemakers_auto() -> None:
    stack = synth(
        tuning=Tuning(
            hyperparameter_ranges=SEARCH.hyperparameter_ranges,
            objective_metric_name=SEARCH.objective_metric_name,
            early_stopping_type="Auto",
        )
    )
    assert search_of(stack)["TrainingJobEarlyStoppingType"] == "Auto"


def test_tags_reach_the_job() -> None:
    assert request(synth(tags={"team": "risk"}))["Tags"] == [{"Key": "team", "Value": "risk"}]


@pytest.mark.parametrize(
    ("name", "prefix"), [("a-very-long-name-1a2b3c", "a-very-lo-1a2b3c"), ("p-1a2b3c", "p-1a2b3c")]
)
def test_a_searchs_name_leaves_room_for_the_execution_and_the_attempt(name: str, prefix: str) -> None:
    assert tuning_prefix(name) == prefix
    assert len(f"{prefix}-{'0' * 12}-r9") <= 32


def test_a_job_may_only_be_made_as_configured(plain: Synthesized) -> None:
    keyed, now = (statement["Condition"] for statement in creation(plain))
    key = settings(plain)["KMS_KEY_ARN"]
    assert {statement["Action"] for statement in creation(plain)} == {"sagemaker:CreateTrainingJob"}
    assert keyed == {
        "NumericLessThanEquals": {"sagemaker:MaxRuntimeInSeconds": "3600"},
        "ArnEquals": {"sagemaker:OutputKmsKey": key, "sagemaker:VolumeKmsKey": key},
        "Bool": {"sagemaker:NetworkIsolation": "true"},
        "ForAllValues:StringEquals": {"sagemaker:InstanceTypes": ["ml.m5.xlarge"]},
        "Null": {"sagemaker:InstanceTypes": "false"},
    }
    assert now == {**keyed, "ArnEquals": {"sagemaker:OutputKmsKeyArn": key, "sagemaker:VolumeKmsKeyArn": key}}


def test_a_data_set_may_be_allowed_other_instances_and_more_time() -> None:
    limits = TrainingLimits(instance_types=["ml.m5.large", "ml.g5.xlarge"], max_runtime_in_seconds=82_800)
    stack = synth(dataset=Dataset(requests=Requests(training=limits)))
    keyed, _, keyless, _ = (statement["Condition"] for statement in creation(stack))
    types = "ForAllValues:StringEquals", "sagemaker:InstanceTypes"
    assert keyed[types[0]][types[1]] == ["ml.m5.xlarge", "ml.m5.large"]
    # Instances with disks of their own refuse a key for their volumes.
    assert keyless[types[0]][types[1]] == ["ml.g5.xlarge"]
    assert keyless["ArnEquals"] == {"sagemaker:OutputKmsKey": settings(stack)["KMS_KEY_ARN"]}
    assert keyless["NumericLessThanEquals"] == {"sagemaker:MaxRuntimeInSeconds": "82800"}


def other_names(statement: dict[str, Any]) -> str:
    """Write a statement with the other names of the keys for KMS keys: today's for the former, and the reverse."""
    written = json.dumps(statement, sort_keys=True)
    return re.sub(r"(sagemaker:\w+KmsKey)(Arn)?\b", lambda name: name[1] if name[2] else f"{name[1]}Arn", written)


def lonely(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the statements that accept one name of a key only."""
    written = [json.dumps(one, sort_keys=True) for one in statements]
    return [one for one in statements if "KmsKey" in str(one.get("Condition")) and other_names(one) not in written]


def test_every_condition_on_a_kms_key_accepts_its_former_and_its_present_name(
    plain: Synthesized, tuned: Synthesized, long: Synthesized
) -> None:
    for stack in (plain, tuned, long):
        for policy in stack.all("aws_iam_role_policy").values():
            assert lonely(json.loads(policy["policy"])["Statement"]) == []


@pytest.mark.parametrize("keep", [slice(0, 1), slice(1, 2)])
def test_a_condition_on_one_name_alone_is_found(plain: Synthesized, keep: slice) -> None:
    assert len(lonely(creation(plain)[keep])) == 1


def test_a_longer_training_may_run_longer(long: Synthesized) -> None:
    for statement in creation(long):
        assert statement["Condition"]["NumericLessThanEquals"] == {"sagemaker:MaxRuntimeInSeconds": str(3 * DAY)}


def test_distributed_training_must_encrypt_its_traffic_unless_told_otherwise() -> None:
    key = "sagemaker:InterContainerTrafficEncryption"
    for statement in creation(synth(training=Training(instance_count=2))):
        assert statement["Condition"]["Bool"][key] == "true"
    for statement in creation(synth(training=Training(instance_count=2, encrypt_inter_container_traffic=False))):
        assert key not in statement["Condition"]["Bool"]


def test_an_open_network_is_not_demanded_to_be_closed() -> None:
    for statement in creation(synth(training=Training(enable_network_isolation=False))):
        assert "Bool" not in statement["Condition"]


def test_a_search_is_made_in_the_network_under_its_short_name(tuned: Synthesized) -> None:
    prefix = tuning_prefix(tuned.pipeline.name)
    for statement in creation(tuned):
        assert statement["Action"] == "sagemaker:CreateHyperParameterTuningJob"
        assert all(arn.endswith(f":hyper-parameter-tuning-job/{prefix}-*") for arn in statement["Resource"])
        lists = statement["Condition"]["ForAllValues:StringEquals"]
        assert lists["sagemaker:VpcSubnets"] == ["subnet-1", "subnet-2"]
        assert lists["sagemaker:VpcSecurityGroupIds"] == ["sg-1"]
        assert set(statement["Condition"]["Null"]) >= set(lists)


def test_registration_may_look_at_the_searchs_training_jobs(tuned: Synthesized, plain: Synthesized) -> None:
    for stack, prefix in ((tuned, tuning_prefix(tuned.pipeline.name)), (plain, plain.pipeline.name)):
        (look,) = [one for one in stack.policy("register-model") if one["Action"] == "sagemaker:DescribeTrainingJob"]
        assert look["Resource"].endswith(f":training-job/{prefix}-*")


@pytest.mark.parametrize("role", ["training", "model-dev", "model-production"])
def test_sagemakers_roles_may_use_the_network_only_when_there_is_one(
    tuned: Synthesized, plain: Synthesized, role: str
) -> None:
    assert actions_of(tuned.policy(role)) - actions_of(plain.policy(role)) == VPC_ACTIONS


def test_only_describe_calls_of_the_network_know_no_resource(tuned: Synthesized) -> None:
    for statement in tuned.policy("training"):
        if any(action.startswith("ec2:") for action in statement["Action"]) and statement["Resource"] == "*":
            assert all(action.startswith("ec2:Describe") for action in statement["Action"])


def test_checkpoints_may_be_kept_only_when_asked_for(plain: Synthesized) -> None:
    spot = synth(training=Training(spot=Spot(max_wait_time_in_seconds=3600)))
    assert actions_of(spot.policy("training")) - actions_of(plain.policy("training")) == {"s3:DeleteObject"}
    (kept,) = [one for one in spot.policy("training") if "s3:DeleteObject" in one["Action"]]
    assert kept["Resource"].endswith(f"/checkpoints/{spot.pipeline.name}/*")
    assert "checkpoints" not in json.dumps(plain.policy("training"))


@pytest.mark.parametrize(
    ("instance_type", "own"),
    [
        *(
            (type_, True)
            for type_ in ("ml.g4dn.xlarge", "ml.g5.xlarge", "ml.g6e.2xlarge", "ml.g7.2xlarge", "ml.p3dn.24xlarge")
        ),
        *((type_, True) for type_ in ("ml.p4d.24xlarge", "ml.p5en.48xlarge", "ml.p6-b200.48xlarge", "ml.trn1.2xlarge")),
        *((type_, True) for type_ in ("ml.m5d.large", "ml.r5d.large", "ml.c5d.xlarge", "ml.p6e-gb200.36xlarge")),
        *(
            (type_, False)
            for type_ in ("ml.m5.large", "ml.c5n.xlarge", "ml.p3.2xlarge", "ml.m7i-flex.large", "ml.t3.large")
        ),
    ],
)
def test_families_with_disks_of_their_own_are_known(instance_type: str, own: bool) -> None:
    assert has_own_disks(instance_type) is own


def test_an_endpoint_in_a_network_has_its_parameters() -> None:
    model = endpoint_template(Endpoint(), in_vpc=True)["Resources"]["Model"]["Properties"]
    assert model["VpcConfig"] == {"Subnets": {"Ref": "SubnetIds"}, "SecurityGroupIds": {"Ref": "SecurityGroupIds"}}
    assert "VpcConfig" not in endpoint_template(Endpoint())["Resources"]["Model"]["Properties"]


def test_the_template_in_a_network_is_one_that_cloudformation_takes(tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    template.write_text(json.dumps(endpoint_template(Endpoint(), in_vpc=True)))
    program = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([program, "--", str(template)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_endpoints_get_the_network(tuned: Synthesized) -> None:
    parameters = json.loads(settings(tuned, "register_model")["STACK_PARAMETERS"])
    for endpoint in ("dev", "production"):
        assert parameters[endpoint]["SubnetIds"] == "subnet-1,subnet-2"
        assert parameters[endpoint]["SecurityGroupIds"] == "sg-1"


def test_a_list_that_terraform_alone_knows_is_joined_by_terraform() -> None:
    from cdktf import TerraformVariable
    from synthesis import CONTAINER, document_of

    from mlops_constructs import Algorithm, Dataset, MLOpsPipeline

    stack = new_stack()
    subnets = TerraformVariable(stack, "subnets", type="list(string)").list_value
    MLOpsPipeline(
        stack,
        "p",
        algorithm=Algorithm.from_directory(CONTAINER),
        dataset=Dataset(),
        network=Network(subnet_ids=subnets, security_group_ids=["sg-1"]),
    )
    functions = document_of(stack)["resource"]["aws_lambda_function"].values()
    (found,) = [one for one in functions if one["handler"].startswith("train_model.")]
    assert found["environment"]["variables"]["SUBNET_IDS"] == '${join(",", var.subnets)}'


def test_a_stopped_or_failed_execution_stops_its_jobs(plain: Synthesized) -> None:
    assert pattern_of(plain, "-on-stop")["detail"] == {
        "pipeline": [plain.pipeline.name],
        "state": ["STOPPED", "CANCELED", "SUPERSEDED", "FAILED"],
    }
    assert settings(plain, "stop_training") == {
        "PIPELINE": plain.pipeline.name,
        "JOB_KIND": "training",
        "JOB_PREFIX": plain.pipeline.name,
        "EVALUATION_PREFIX": "",
    }


def test_the_one_that_stops_may_stop_only_this_pipelines_jobs(plain: Synthesized, tuned: Synthesized) -> None:
    for stack, action in ((plain, "sagemaker:StopTrainingJob"), (tuned, "sagemaker:StopHyperParameterTuningJob")):
        (stop,) = [one for one in stack.policy("stop-training") if one["Action"] == action]
        assert f"/{settings(stack)['JOB_PREFIX']}-*" in stop["Resource"]
        # The one that starts jobs stops what it started for an execution that was over by then.
        holders = [name for name, policy in stack.all("aws_iam_role_policy").items() if action in policy["policy"]]
        assert len(holders) == 2
        (own,) = [one for one in stack.policy("train-model") if action in one["Action"]]
        assert f"/{settings(stack)['JOB_PREFIX']}-*" in str(own["Resource"])


@pytest.mark.parametrize(
    "options",
    [
        {"training": Training(max_runtime_in_seconds=22 * 3600)},
        {"tuning": SEARCH},
        # A search has its own limit, whatever one of its jobs may take.
        {"training": Training(max_runtime_in_seconds=2 * DAY), "tuning": SEARCH},
    ],
)
def test_what_an_action_can_wait_for_has_one_action(options: dict[str, Any]) -> None:
    stack = synth(**options)
    assert [action["name"] for action in stack.stages()["Train"]] == ["Train"]
    assert stack.pipeline.training.answer_training is None


@pytest.mark.parametrize(
    ("options", "minutes"),
    [
        ({"training": Training(max_runtime_in_seconds=22 * 3600 + 1)}, 22 * 60 + 1 + 1440),
        ({"training": Training(spot=Spot(max_wait_time_in_seconds=2 * DAY))}, 3 * 1440),
        (
            {
                "tuning": Tuning(
                    hyperparameter_ranges=SEARCH.hyperparameter_ranges,
                    objective_metric_name=SEARCH.objective_metric_name,
                    max_runtime_in_seconds=30 * DAY,
                )
            },
            31 * 1440,
        ),
    ],
)
def test_what_takes_longer_is_started_awaited_and_read(options: dict[str, Any], minutes: int) -> None:
    start, wait, read = synth(**options).stages()["Train"]
    assert [one["name"] for one in (start, wait, read)] == ["StartTraining", "WaitForTraining", "Train"]
    assert [one["run_order"] for one in (start, wait, read)] == [1, 2, 3]
    assert (wait["provider"], wait["timeout_in_minutes"]) == ("Manual", minutes)
    assert "NotificationArn" not in wait["configuration"]
    assert "namespace" not in start
    assert read["namespace"] == "Training"


def test_only_the_function_may_end_the_wait(long: Synthesized) -> None:
    (answer,) = [one for one in long.policy("answer-training") if one["Action"] == "codepipeline:PutApprovalResult"]
    assert answer["Resource"].endswith(f":{long.pipeline.name}/Train/WaitForTraining")
    holders = [one for one in long.all("aws_iam_role_policy").values() if "PutApprovalResult" in one["policy"]]
    assert len(holders) == 1


def test_the_end_of_a_job_and_the_begin_of_the_wait_both_call_the_function(long: Synthesized) -> None:
    assert pattern_of(long, "-on-training-end") == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change"],
        "detail": {
            "TrainingJobName": [{"prefix": f"{long.pipeline.name}-"}],
            "TrainingJobStatus": ["Completed", "Failed", "Stopped"],
        },
    }
    assert pattern_of(long, "-on-training-wait")["detail"]["state"] == ["STARTED"]


def test_the_end_of_a_long_search_is_a_searchs_event() -> None:
    search = Tuning(
        hyperparameter_ranges=SEARCH.hyperparameter_ranges,
        objective_metric_name=SEARCH.objective_metric_name,
        max_runtime_in_seconds=7 * DAY,
    )
    pattern = pattern_of(synth(tuning=search), "-on-training-end")
    assert pattern["detail-type"] == ["SageMaker HyperParameter Tuning Job State Change"]
    assert "HyperParameterTuningJobName" in pattern["detail"]


def test_the_functions_environment_fits_at_its_fullest() -> None:
    # 4,096 bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    training = Training(
        hyperparameters={f"h{n}": "x" * 2500 for n in range(100)},
        environment={f"E{n}": "x" * 512 for n in range(89)},
    )
    network = Network(subnet_ids=["subnet-0123456789abcdef0"] * 16, security_group_ids=["sg-0123456789abcdef0"] * 5)
    stack = synth("a-name-of-seventeen", training=training, network=network)
    # What references become: an artifact bucket, a key and a role of the greatest length.
    resolved = {
        **settings(stack),
        **{"ARTIFACT_BUCKET": "b" * 63, "KMS_KEY_ARN": "k" * 90, "TRAINING_ROLE_ARN": "r" * 120},
    }
    assert sum(len(name) + len(value) for name, value in resolved.items()) <= 4096
    assert request(stack)["HyperParameters"] == training.hyperparameters


def test_each_pipeline_of_a_stack_has_its_own_request_in_an_archive_of_its_own() -> None:
    stack = new_stack()
    for count in (1, 2):
        MLOpsPipeline(
            stack,
            f"p{count}",
            algorithm=Algorithm.from_directory(CONTAINER),
            dataset=Dataset(),
            training=Training(instance_count=count),
        )
    uploads = [
        one for one in document_of(stack)["resource"]["aws_s3_object"].values() if "train-model" in one.get("key", "")
    ]
    assert len({one["key"] for one in uploads}) == len({one["source_hash"] for one in uploads}) == 2


def test_equal_requests_give_equal_bytes_in_whatever_order_they_are_written(plain: Synthesized) -> None:
    one = synth(training=Training(hyperparameters={"a": 1, "b": 2}))
    other = synth(training=Training(hyperparameters={"b": 2, "a": 1}))
    assert digest_of(one) == digest_of(other) != digest_of(plain)


def digest_of(stack: Synthesized) -> str:
    digest: str = stack.one("aws_s3_object", key=f"functions/{stack.pipeline.name}-train-model.zip")["source_hash"]
    return digest
