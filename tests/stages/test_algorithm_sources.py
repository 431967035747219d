"""Where the image comes from: an own repository, a connection, an image, SageMaker itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from cdktf import TerraformVariable
from synthesis import CONTAINER, Synthesized, document_of, new_stack, synth

from mlops_constructs import Algorithm, Dataset, Evaluation, MLOpsPipeline, Training

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:codeconnections:us-east-1:111122223333:connection/0a1b2c3d-0000-4000-8000-000000000000"
TAGGED = "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/own:v1"
FITTING = Training(hyperparameters={"num_round": 5, "eval_metric": "accuracy"})


def image_pipeline(stack: Synthesized) -> dict[str, Any]:
    return stack.one("aws_codepipeline", name=f"{stack.pipeline.name}-image")


def source_of(stack: Synthesized) -> dict[str, Any]:
    action: dict[str, Any] = image_pipeline(stack)["stage"][0]["action"][0]
    return action


def event_sources(stack: Synthesized) -> list[str]:
    rules = stack.all("aws_cloudwatch_event_rule").values()
    return [source for rule in rules for source in json.loads(rule.get("event_pattern", "{}")).get("source", [])]


@pytest.fixture(scope="module")
def codecommit() -> Synthesized:
    return synth(algorithm=Algorithm.from_codecommit("team-algorithm", "release"))


@pytest.fixture(scope="module")
def connected() -> Synthesized:
    return synth(algorithm=Algorithm.from_connection(ARN, "team/algorithm", "release"))


@pytest.fixture(scope="module")
def github() -> Synthesized:
    return synth(algorithm=Algorithm.from_git("GitHub", "team/algorithm"))


@pytest.fixture(scope="module")
def xgboost() -> Synthesized:
    return synth(algorithm=Algorithm.builtin("xgboost", "1.7-1"), training=FITTING)


def test_the_tags_of_an_image_are_read_unless_it_is_awss(xgboost: Synthesized, codecommit: Synthesized) -> None:
    for stack, read in ((codecommit, True), (xgboost, False)):
        assert any("ecr:DescribeImages" in one["Action"] for one in stack.policy("register-model")) is read


def test_an_existing_repository_is_read_and_nothing_is_put_into_it(codecommit: Synthesized) -> None:
    configuration = source_of(codecommit)["configuration"]
    assert configuration == {
        "RepositoryName": "team-algorithm",
        "BranchName": "release",
        "PollForSourceChanges": "false",
    }
    assert codecommit.all("aws_codecommit_repository") == {}
    invoked = {one["function_name"] for one in codecommit.all("aws_lambda_invocation").values()}
    assert invoked == {f"{codecommit.pipeline.name}-guard-destroy"}


def test_a_push_to_the_existing_repository_starts_a_build(codecommit: Synthesized) -> None:
    rules = [
        json.loads(rule.get("event_pattern", "{}")) for rule in codecommit.all("aws_cloudwatch_event_rule").values()
    ]
    (push,) = [rule for rule in rules if rule.get("source") == ["aws.codecommit"]]
    assert push["resources"][0].endswith(":team-algorithm")
    assert push["detail"]["referenceName"] == ["release"]


def test_the_pipeline_may_read_the_existing_repository_only(codecommit: Synthesized) -> None:
    statements = json.loads(codecommit.pipeline.required_roles["image-pipeline"].policy)["Statement"]
    (reading,) = [one for one in statements if "codecommit:UploadArchive" in one["Action"]]
    assert reading["Resource"].endswith(":team-algorithm")


def test_the_name_of_a_repository_may_be_a_token() -> None:
    stack = new_stack()
    name = TerraformVariable(stack, "repository", type="string").string_value
    MLOpsPipeline(stack, "p", algorithm=Algorithm.from_codecommit(name), dataset=Dataset())
    pipelines = document_of(stack)["resource"]["aws_codepipeline"].values()
    configurations = [definition["stage"][0]["action"][0]["configuration"] for definition in pipelines]
    assert "${var.repository}" in [configuration.get("RepositoryName") for configuration in configurations]


def test_a_connection_is_the_source_and_its_trigger_is_the_branch(connected: Synthesized) -> None:
    action = source_of(connected)
    assert (action["owner"], action["provider"]) == ("AWS", "CodeStarSourceConnection")
    assert action["configuration"] == {
        "ConnectionArn": ARN,
        "FullRepositoryId": "team/algorithm",
        "BranchName": "release",
        "DetectChanges": "false",
    }
    assert image_pipeline(connected)["trigger"] == [
        {
            "provider_type": "CodeStarSourceConnection",
            "git_configuration": {
                "source_action_name": "Code",
                "push": [{"branches": {"includes": ["release"]}}],
            },
        }
    ]
    assert "aws.codecommit" not in event_sources(connected)


def test_only_a_connection_has_a_trigger(codecommit: Synthesized) -> None:
    assert "trigger" not in image_pipeline(codecommit)


def test_the_pipeline_may_use_exactly_that_connection(connected: Synthesized) -> None:
    (use,) = [one for one in connected.policy("-image-pipeline") if "UseConnection" in str(one["Action"])]
    assert use["Action"] == ["codeconnections:UseConnection", "codestar-connections:UseConnection"]
    assert use["Resource"] == ARN


def test_an_existing_connection_is_not_made_again(connected: Synthesized) -> None:
    assert connected.all("aws_codestarconnections_connection") == {}


@pytest.mark.parametrize("provider", ["GitHub", "GitLab", "Bitbucket"])
def test_a_connection_is_made_for_the_provider(provider: Any) -> None:
    stack = synth(algorithm=Algorithm.from_git(provider, "team/algorithm"))
    connection = stack.one("aws_codestarconnections_connection")
    assert connection["provider_type"] == provider
    assert len(connection["name"]) <= 32
    assert source_of(stack)["configuration"]["ConnectionArn"].startswith("${aws_codestarconnections_connection.")


def test_the_handshake_is_said_in_an_output(github: Synthesized) -> None:
    (output,) = [one for name, one in github.document["output"].items() if "handshake" in name]
    assert output["value"]["connection_arn"].endswith(".arn}")
    assert output["value"]["connection_status"].endswith(".connection_status}")
    what = output["value"]["what_to_do"]
    assert "Update pending connection" in what
    assert "let GitHub give access to team/algorithm" in what
    assert f"{github.pipeline.name}-image" in what


def test_without_a_connection_there_is_no_such_output(codecommit: Synthesized) -> None:
    assert not [name for name in codecommit.document["output"] if "handshake" in name]


def test_a_build_pushes_to_the_registry_that_is_handed_in() -> None:
    stack = synth(algorithm=Algorithm.from_directory(CONTAINER, ecr_repository_name="team/own"))
    assert stack.all("aws_ecr_repository") == {}
    (environment,) = [stack.one("aws_codebuild_project")["environment"]["environment_variable"]]
    variables = {variable["name"]: variable["value"] for variable in environment}
    assert variables["REPOSITORY_NAME"] == "team/own"
    assert variables["REPOSITORY_URI"].endswith(".dns_suffix}/team/own")
    (push,) = [one for one in stack.policy("-build") if "ecr:PutImage" in one["Action"]]
    (pull,) = [one for one in stack.policy("-training") if "ecr:BatchGetImage" in one["Action"]]
    assert push["Resource"] == pull["Resource"]
    assert push["Resource"].endswith(":repository/team/own")


def test_a_role_may_pull_exactly_the_image_that_is_given() -> None:
    with pytest.warns(UserWarning, match="is a tag"):
        stack = synth(algorithm=Algorithm.from_image(TAGGED))
    for role in ("-training", "-model-dev", "-model-production"):
        (pull,) = [one for one in stack.policy(role) if "ecr:BatchGetImage" in one["Action"]]
        assert (
            re.sub(r"\$\{[^}]+\}", "aws", pull["Resource"]) == "arn:aws:ecr:us-east-1:111122223333:repository/team/own"
        )


def test_a_tag_is_warned_of_at_synth_once() -> None:
    stack = new_stack()
    with pytest.warns(UserWarning, match="is a tag"):
        algorithm = Algorithm.from_image(TAGGED)
    pipeline = MLOpsPipeline(stack, "p", algorithm=algorithm, dataset=Dataset())
    messages = [entry.data for entry in pipeline.image.node.metadata if entry.type == "@cdktf/warn"]
    assert messages == [
        f"{TAGGED} is a tag, which can later name another image: each training uses the image that it "
        "names then. Name the image by digest to know what is trained."
    ]


def test_a_digest_is_not_warned_of() -> None:
    stack = new_stack()
    algorithm = Algorithm.from_image(TAGGED + "@sha256:" + "a" * 64)
    pipeline = MLOpsPipeline(stack, "p", algorithm=algorithm, dataset=Dataset())
    assert not [entry for entry in pipeline.image.node.metadata if entry.type == "@cdktf/warn"]


def test_the_function_that_trains_may_resolve_the_tag(xgboost: Synthesized) -> None:
    (resolve,) = [one for one in xgboost.policy("-train-model") if one["Action"] == "ecr:BatchGetImage"]
    assert resolve["Resource"].endswith(":repository/sagemaker-xgboost")


def test_a_builtin_image_is_looked_up_for_the_region_that_terraform_knows(xgboost: Synthesized) -> None:
    (lookup,) = xgboost.document["locals"].values()
    assert lookup.startswith("${lookup({")
    assert '"us-gov-west-1" = "414596584902"' in lookup
    assert xgboost.one("aws_ssm_parameter")["value"].endswith(".dns_suffix}/sagemaker-xgboost:1.7-1")
    assert xgboost.pipeline.image.pipeline is None


def test_56_a_region_without_the_algorithm_fails_the_plan_with_the_reason(xgboost: Synthesized) -> None:
    ((precondition,),) = [xgboost.one("aws_ssm_parameter")["lifecycle"]["precondition"]]
    assert precondition["condition"].endswith(' != "none"}')
    assert precondition["error_message"].startswith("SageMaker has no xgboost 1.7-1 in ${data.aws_region.")


def test_a_builtin_is_pulled_from_exactly_its_account(xgboost: Synthesized) -> None:
    (pull,) = [one for one in xgboost.policy("-training") if "ecr:BatchGetImage" in one["Action"]]
    assert re.fullmatch(r"arn:.*:\$\{local\.[\w]+\}:repository/sagemaker-xgboost", pull["Resource"])


def test_a_builtin_defines_no_metrics(xgboost: Synthesized) -> None:
    assert "MetricDefinitions" not in xgboost.function_document("train_model")["training_job"]["AlgorithmSpecification"]


@pytest.mark.parametrize(
    ("options", "accept"),
    [
        ({"algorithm": Algorithm.builtin("xgboost", "3.2-0"), "training": FITTING}, "text/csv"),
        (
            {
                "algorithm": Algorithm.builtin("linear-learner", "1"),
                "training": Training(hyperparameters={"predictor_type": "regressor"}),
                "evaluation": Evaluation(metric="validation:mse", min_value=None, max_value=0.5),
            },
            "application/json",
        ),
    ],
)
def test_the_smoke_test_asks_for_what_the_algorithm_answers(options: dict[str, Any], accept: str) -> None:
    functions = synth(**options).all("aws_lambda_function").items()
    asked = [one["environment"]["variables"]["ACCEPT"] for id_, one in functions if "smoke_test" in id_]
    assert asked == [accept, accept]


def test_a_new_image_starts_nothing_unless_asked(codecommit: Synthesized) -> None:
    assert codecommit.pipeline.image.retraining is None
    assert "aws.ssm" not in event_sources(codecommit)


def test_a_new_image_starts_the_pipeline_when_asked() -> None:
    stack = synth(algorithm=Algorithm.from_codecommit("x", retrain_on_new_image=True))
    rules = [json.loads(rule.get("event_pattern", "{}")) for rule in stack.all("aws_cloudwatch_event_rule").values()]
    (changed,) = [rule for rule in rules if rule.get("source") == ["aws.ssm"]]
    assert changed["detail"] == {"name": [f"/{stack.pipeline.name}/image"], "operation": ["Update"]}
    (start,) = [one for one in stack.policy("-start-retraining") if "StartPipelineExecution" in str(one["Action"])]
    assert start["Resource"].endswith(f":{stack.pipeline.name}")


@pytest.mark.terraform
def test_terraform_finds_the_repository_of_an_image_that_it_alone_knows(tmp_path: Path) -> None:
    stack = new_stack()
    uri = TerraformVariable(stack, "uri", type="string").string_value
    MLOpsPipeline(stack, "p", algorithm=Algorithm.from_image(uri), dataset=Dataset())
    policies = [one["policy"] for one in document_of(stack)["resource"]["aws_iam_role_policy"].values()]
    asked = re.sub(r"\$\{data\.aws_partition[^}]+\}", "aws", "".join(policies))
    (expression,) = set(re.findall(r"\$\{replace\(var\.uri,[^}]+\}", asked))
    document = {
        "variable": {"uri": {"default": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/own@sha256:" + "a" * 64}},
        "output": {"arn": {"value": expression}},
    }
    (tmp_path / "main.tf.json").write_text(json.dumps(document))
    terraform = shutil.which("terraform") or shutil.which("tofu")
    assert terraform is not None
    subprocess.run([terraform, "apply", "-auto-approve"], cwd=tmp_path, check=True, capture_output=True)
    shown = subprocess.run([terraform, "output", "-raw", "arn"], cwd=tmp_path, check=True, capture_output=True)
    assert shown.stdout.decode() == "arn:aws:ecr:eu-west-1:111122223333:repository/team/own"
