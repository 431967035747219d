"""A company's rules: tags, boundaries, retention, removal, and things it hands in."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pytest
from synthesis import CONTAINER, Synthesized, document_of, new_stack, synth

from mlops_constructs import (
    ABTest,
    Algorithm,
    BatchTransform,
    ConfigError,
    DataContract,
    Dataset,
    Endpoint,
    Evaluation,
    EvaluationJob,
    Existing,
    MLOpsPipeline,
    Monitoring,
    Network,
    Profile,
    Retraining,
    Training,
)
from mlops_constructs.config.pipeline import LOG_RETENTION_DAYS
from mlops_constructs.provider import iam_role_policy
from mlops_constructs.stages.deployment.template import endpoint_template

ACCOUNT = "arn:aws:iam::111122223333"
TAGS = {"team": "credit risk", "cost-center": "4711"}
KEY = "arn:aws:kms:us-east-1:111122223333:key/9f3b1d2c-0000-4000-8000-000000000000"
NETWORK = Network(subnet_ids=["subnet-0a", "subnet-0b"], security_group_ids=["sg-0c"])
QUEUE = "arn:aws:sqs:us-east-1:111122223333:undelivered"


@pytest.fixture(scope="module")
def plain() -> Synthesized:
    return synth()


@pytest.fixture(scope="module")
def governed() -> Synthesized:
    return synth(
        tags=TAGS,
        permissions_boundary_arn=f"{ACCOUNT}:policy/boundary",
        role_path="/ml/",
        log_retention_in_days=30,
    )


@pytest.fixture(scope="module")
def handed_in() -> Synthesized:
    roles = {purpose: f"{ACCOUNT}:role/{purpose}" for purpose in Existing.ROLES}
    return synth(
        # With everything that has a role.
        algorithm=Algorithm.from_directory(CONTAINER, retrain_on_new_image=True),
        dataset=Dataset(schedule_expression="rate(1 day)"),
        evaluation=Evaluation(metric="f1", job=EvaluationJob()),
        training=Training(max_runtime_in_seconds=3 * 86_400),
        ab_test=ABTest(guard=True),
        batch=BatchTransform(),
        monitoring=Monitoring(retraining=Retraining()),
        existing=Existing(
            kms_key_arn=KEY, artifact_bucket="company-artifacts", dead_letter_queue_arn=QUEUE, roles=roles
        ),
    )


def test_tags_are_on_everything_that_takes_them(governed: Synthesized) -> None:
    tagged = {
        kind
        for kind, resources in governed.document["resource"].items()
        if all(resource.get("tags") == TAGS for resource in resources.values())
    }
    # These types know no tags; an object of S3 takes too few.
    untagged = set(governed.document["resource"]) - tagged
    assert untagged == {
        "aws_cloudwatch_dashboard",
        "aws_cloudwatch_event_target",
        "aws_iam_role_policy",
        "aws_kms_alias",
        "aws_lambda_invocation",
        "aws_lambda_permission",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_notification",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
        "aws_s3_object",
    }


def test_tags_reach_what_is_made_at_run_time() -> None:
    governed = synth(tags=TAGS, evaluation=Evaluation(metric="f1", job=EvaluationJob()))
    listed = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    assert governed.function_document("train_model")["training_job"]["Tags"] == listed
    assert governed.function_document("run_evaluation")["processing_job"]["Tags"] == listed
    for resource in endpoint_template(Endpoint(), tags=TAGS)["Resources"].values():
        if resource["Type"].startswith("AWS::SageMaker::"):
            assert resource["Properties"]["Tags"][:2] == listed


def test_without_tags_nothing_is_tagged(plain: Synthesized) -> None:
    # But for the empty list that keeps the provider's default tags away from objects.
    assert '"tags"' not in re.sub(r'"tags": \{\s*\}', "", plain.text)


def test_tags_stay_within_the_pipeline() -> None:
    stack = new_stack()
    for id_, tags in (("one", TAGS), ("two", {})):
        MLOpsPipeline(stack, id_, algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset(), tags=tags)
    keys = document_of(stack)["resource"]["aws_kms_key"]
    assert [keys[id_].get("tags") for id_ in sorted(keys)] == [TAGS, None]


def test_every_role_has_the_boundary_and_the_path(governed: Synthesized) -> None:
    for role in governed.all("aws_iam_role").values():
        assert role["permissions_boundary"] == f"{ACCOUNT}:policy/boundary"
        assert role["path"] == "/ml/"


def test_without_a_boundary_no_role_has_one(plain: Synthesized) -> None:
    assert not [role for role in plain.all("aws_iam_role").values() if "permissions_boundary" in role]


def test_every_log_group_is_kept_as_long_as_asked(governed: Synthesized) -> None:
    assert {group["retention_in_days"] for group in governed.all("aws_cloudwatch_log_group").values()} == {30}


@pytest.mark.parametrize(
    ("option", "value", "field"),
    [
        ("tags", {"aws:owner": "x"}, "tags['aws:owner']"),
        ("tags", {"": "x"}, "tags['']"),
        ("tags", {"team": "a" * 257}, "tags['team']"),
        ("tags", {f"t{number}": "x" for number in range(41)}, "tags"),
        ("permissions_boundary_arn", "boundary", "permissions_boundary_arn"),
        ("role_path", "ml", "role_path"),
        ("log_retention_in_days", 31, "log_retention_in_days"),
        ("removal", "keep", "removal"),
        ("existing", Existing(kms_key_arn="alias/company"), "existing.kms_key_arn"),
        ("existing", Existing(dead_letter_queue_arn="undelivered"), "existing.dead_letter_queue_arn"),
        ("existing", Existing(roles={"trainer": f"{ACCOUNT}:role/x"}), "existing.roles['trainer']"),
        ("existing", Existing(roles={"training": "x"}), "existing.roles['training']"),
    ],
)
def test_a_broken_rule_is_reported_at_its_field(option: str, value: object, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        synth(**{option: value})
    assert [problem.field for problem in caught.value.problems] == [field]


@pytest.mark.parametrize("days", [LOG_RETENTION_DAYS[0], LOG_RETENTION_DAYS[-1]])
def test_the_shortest_and_the_longest_step_are_accepted(days: int) -> None:
    assert synth(notebook=None, log_retention_in_days=days).all("aws_cloudwatch_log_group")


def test_a_token_is_taken_where_a_reference_is_meant() -> None:
    token = "${TfToken[TOKEN.7]}"
    existing = Existing(
        kms_key_arn=token, artifact_bucket=token, dead_letter_queue_arn=token, roles={"model-dev": token}
    )
    assert list(existing.problems()) == []


def test_what_is_handed_in_is_not_made(handed_in: Synthesized) -> None:
    kinds = set(handed_in.document["resource"])
    assert kinds & {"aws_kms_key", "aws_kms_alias", "aws_sqs_queue", "aws_iam_role", "aws_iam_role_policy"} == set()
    (bucket,) = handed_in.all("aws_s3_bucket").values()
    assert "-data-" in bucket["bucket"]


def test_what_is_handed_in_is_used(handed_in: Synthesized) -> None:
    definition = handed_in.one("aws_codepipeline", name=handed_in.pipeline.name)
    (store,) = definition["artifact_store"]
    assert store["location"] == "company-artifacts"
    assert store["encryption_key"]["id"] == KEY
    assert definition["role_arn"] == f"{ACCOUNT}:role/pipeline"
    for function in handed_in.all("aws_lambda_function").values():
        assert function["kms_key_arn"] == KEY
        assert function["dead_letter_config"]["target_arn"] == QUEUE
        assert function["s3_bucket"] == "company-artifacts"


def test_every_purpose_that_can_be_handed_in_is_used_and_no_other(handed_in: Synthesized) -> None:
    required = handed_in.pipeline.required_roles
    assert {purpose: role.service for purpose, role in required.items()} == Existing.ROLES


def test_a_role_that_is_handed_in_is_told_what_it_needs(plain: Synthesized, handed_in: Synthesized) -> None:
    needed = json.loads(handed_in.pipeline.required_roles["train-model"].policy)["Statement"]
    made = json.loads(plain.pipeline.required_roles["train-model"].policy)["Statement"]
    assert _actions_without_key(needed) == _actions_without_key(made)
    (passed,) = [statement for statement in needed if statement["Action"] == "iam:PassRole"]
    assert passed["Resource"] == f"{ACCOUNT}:role/training"


def test_only_a_queue_that_is_handed_in_may_be_encrypted_with_the_key(
    plain: Synthesized, handed_in: Synthesized
) -> None:
    for stack, services in ((plain, ["lambda", "s3"]), (handed_in, ["lambda", "s3", "sqs"])):
        statements = json.loads(stack.pipeline.required_roles["train-model"].policy)["Statement"]
        (decrypting,) = [one["Condition"]["StringEquals"] for one in statements if one["Action"] == "kms:Decrypt"]
        assert [service.partition(".")[0] for service in decrypting["kms:ViaService"]] == services


def _actions_without_key(statements: list[dict[str, Any]]) -> list[Any]:
    return [one["Action"] for one in statements if not str(one["Action"]).startswith("kms:")]


def test_what_uses_a_role_at_once_can_wait_for_a_policy_of_the_same_stack() -> None:
    stack = new_stack()
    roles = {purpose: f"{ACCOUNT}:role/{purpose}" for purpose in Existing.ROLES}
    algorithm = Algorithm.from_directory(CONTAINER)
    pipeline = MLOpsPipeline(stack, "p", algorithm=algorithm, dataset=Dataset(), existing=Existing(roles=roles))
    required = pipeline.required_roles["pipeline"]
    policy = iam_role_policy.IamRolePolicy(stack, "policy", role="pipeline", policy=required.policy)
    required.wait_for(policy)
    resources = document_of(stack)["resource"]
    waiting = {
        resource.get("name", resource.get("function_name"))
        for kind in resources.values()
        for resource in kind.values()
        if "aws_iam_role_policy.policy" in resource.get("depends_on", [])
    }
    # The guard of a destroy keeps the policies until nothing is left that needs them.
    assert waiting == {pipeline.name, pipeline.guard.function.name}


def test_nothing_waits_for_a_role_that_is_made_here(plain: Synthesized) -> None:
    assert all(required.users == [] for required in plain.pipeline.required_roles.values())


def test_one_role_can_be_handed_in_alone(plain: Synthesized) -> None:
    some = synth(existing=Existing(roles={"training": f"{ACCOUNT}:role/training"}))
    assert len(some.all("aws_iam_role")) == len(plain.all("aws_iam_role")) - 1


def test_the_sandbox_profile_throws_everything_away() -> None:
    sandbox = synth(**Profile.sandbox())
    assert {bucket["force_destroy"] for bucket in sandbox.all("aws_s3_bucket").values()} == {True}
    assert {group["retention_in_days"] for group in sandbox.all("aws_cloudwatch_log_group").values()} == {30}


def test_the_team_profile_is_the_default(plain: Synthesized) -> None:
    assert synth(**Profile.team()).text == plain.text


def test_the_regulated_profile_keeps_everything() -> None:
    regulated = synth(**Profile.regulated(network=NETWORK))
    assert {bucket["force_destroy"] for bucket in regulated.all("aws_s3_bucket").values()} == {False}
    assert {group["retention_in_days"] for group in regulated.all("aws_cloudwatch_log_group").values()} == {2557}
    assert not regulated.all("aws_sagemaker_notebook_instance")


def test_the_regulated_profile_needs_a_network() -> None:
    with pytest.raises(TypeError, match="network"):
        Profile.regulated()  # type: ignore[call-arg]


def test_the_regulated_profile_runs_everything_of_sagemaker_in_the_network() -> None:
    options = Profile.regulated(network=NETWORK, evaluation=Evaluation(metric="f1", job=EvaluationJob()))
    regulated = synth(**options)
    inside = {
        function["handler"].partition(".")[0]
        for function in regulated.all("aws_lambda_function").values()
        if function["environment"]["variables"].get("SUBNET_IDS") == "subnet-0a,subnet-0b"
    }
    assert inside == {"run_evaluation", "train_model"}


@pytest.mark.parametrize("profile", [Profile.sandbox, Profile.team, partial(Profile.regulated, network=NETWORK)])
def test_what_is_given_wins_over_the_profile(profile: object) -> None:
    own = Endpoint(instance_type="ml.c5.xlarge")
    assert profile(production=own, log_retention_in_days=7) | {
        "production": own,
        "log_retention_in_days": 7,
    } == profile(production=own, log_retention_in_days=7)


def test_two_pipelines_with_one_bucket_write_other_objects_into_it() -> None:
    stack = new_stack()
    names = []
    for id_ in ("one", "two"):
        pipeline = MLOpsPipeline(
            stack,
            id_,
            algorithm=Algorithm.from_directory(CONTAINER),
            dataset=Dataset(contract=DataContract(min_rows=5)),
            existing=Existing(artifact_bucket="company-artifacts"),
        )
        names.append(pipeline.name)
    resources = document_of(stack)["resource"]
    keys = [one["key"] for one in resources["aws_s3_object"].values() if one["bucket"] == "company-artifacts"]
    assert len(keys) == len(set(keys))
    for policy in resources["aws_iam_role_policy"].values():
        text = policy["policy"]
        for folder in ("releases", "trained"):
            assert not all(f"{folder}/{name}/" in text for name in names)
            assert f"{folder}/*" not in text


@pytest.mark.parametrize("name", ["name", "storage", "training", "pipeline", "data_bucket", "required_roles"])
def test_what_the_construct_shows_is_read_only(plain: Synthesized, name: str) -> None:
    before = getattr(plain.pipeline, name)
    with pytest.raises(AttributeError):
        setattr(plain.pipeline, name, "other")
    assert getattr(plain.pipeline, name) == before


def test_a_subclass_may_have_attributes_of_its_own(plain: Synthesized) -> None:
    plain.pipeline.owner = "risk"  # type: ignore[attr-defined]
    assert plain.pipeline.owner == "risk"  # type: ignore[attr-defined]
