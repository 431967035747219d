"""Repository, build, registry, image pipeline."""

from __future__ import annotations

import json
import subprocess

import pytest
from synthesis import CONTAINER, Synthesized, synth

from mlops_constructs import Algorithm

DIGEST = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own@sha256:" + "a" * 64


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth()


@pytest.fixture(scope="module")
def with_image() -> Synthesized:
    return synth(algorithm=Algorithm.from_image(DIGEST))


def test_the_registry_is_immutable_scanned_and_encrypted(stack: Synthesized) -> None:
    registry = stack.one("aws_ecr_repository")
    assert registry["image_tag_mutability"] == "IMMUTABLE"
    assert registry["image_scanning_configuration"] == {"scan_on_push": True}
    assert registry["encryption_configuration"][0]["encryption_type"] == "KMS"


def test_the_buildspec_is_json_that_codebuild_reads(stack: Synthesized) -> None:
    buildspec = json.loads(stack.one("aws_codebuild_project")["source"]["buildspec"])
    assert buildspec["version"] == 0.2
    assert set(buildspec["phases"]) == {"pre_build", "build", "post_build"}
    assert buildspec["env"]["exported-variables"] == ["IMAGE_DIGEST"]


def test_the_build_hands_on_the_digest_not_the_tag(stack: Synthesized) -> None:
    buildspec = stack.one("aws_codebuild_project")["source"]["buildspec"]
    assert "$REPOSITORY_URI@$IMAGE_DIGEST" in buildspec
    assert ":latest" not in buildspec


def commands(stack: Synthesized, phase: str) -> list[str]:
    buildspec = json.loads(stack.one("aws_codebuild_project")["source"]["buildspec"])
    found: list[str] = buildspec["phases"][phase]["commands"]
    return found


def test_terraform_finds_nothing_to_fill_in_in_the_buildspec(stack: Synthesized) -> None:
    assert "${" not in stack.one("aws_codebuild_project")["source"]["buildspec"]


def test_the_image_is_built_without_attestations(stack: Synthesized) -> None:
    (build,) = commands(stack, "build")
    assert "docker build --provenance=false --sbom=false " in build


@pytest.mark.parametrize(
    ("media_type", "code"),
    [
        ("application/vnd.docker.distribution.manifest.v2+json", 0),
        ("application/vnd.docker.distribution.manifest.list.v2+json", 1),
        ("application/vnd.oci.image.manifest.v1+json", 1),
        ("application/vnd.oci.image.index.v1+json", 1),
        ("None", 1),
    ],
)
def test_only_a_docker_manifest_goes_on(stack: Synthesized, media_type: str, code: int) -> None:
    (line,) = [one for one in commands(stack, "post_build") if one.startswith('test "$MEDIA_TYPE')]
    known = {"MEDIA_TYPE": media_type, "IMAGE_TAG": "0f"}
    done = subprocess.run(["bash", "-c", line], env=known, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert (f"0f has {media_type}" in done.stdout) is (code == 1)


def test_the_parameter_is_written_last(stack: Synthesized) -> None:
    lines = commands(stack, "post_build")
    assert [index for index, line in enumerate(lines) if "ssm put-parameter" in line] == [len(lines) - 1]


def built_with(stack: Synthesized) -> list[str]:
    """Give the arguments that `docker build` is called with in the project's environment."""
    variables = stack.one("aws_codebuild_project")["environment"]["environment_variable"]
    known = {one["name"]: one["value"] for one in variables}
    (build,) = commands(stack, "build")
    stand_ins = 'docker() { [ "$1" = push ] || printf "%s\\n" "$@"; }; aws() { return 1; }; '
    done = subprocess.run(
        ["bash", "-c", stand_ins + build], env={**known, "IMAGE_TAG": "0f"}, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_the_dockerfile_chooses_the_base_image_unless_one_is_given(stack: Synthesized) -> None:
    assert [one for one in built_with(stack) if one.startswith("--build-arg")] == []
    given = built_with(
        synth(algorithm=Algorithm.from_directory(CONTAINER, base_image="mirror.example.com/python:3.12"))
    )
    assert "--build-arg=BASE_IMAGE=mirror.example.com/python:3.12" in given


def test_a_base_image_in_ecr_may_be_pulled() -> None:
    given = synth(algorithm=Algorithm.from_directory(CONTAINER, base_image=DIGEST))
    pulls = [one["Resource"] for one in given.policy("-build") if "ecr:BatchGetImage" in one["Action"]]
    assert [resource.rpartition(":")[2] for resource in pulls] == [
        f"repository/{given.pipeline.name}",
        "repository/own",
    ]


def test_the_image_pipeline_is_source_then_build(stack: Synthesized) -> None:
    definition = stack.one("aws_codepipeline", name=f"{stack.pipeline.name}-image")
    assert [stage["name"] for stage in definition["stage"]] == ["Source", "Build"]
    assert definition["stage"][0]["action"][0]["configuration"]["PollForSourceChanges"] == "false"


def test_the_repository_is_seeded_before_the_pipeline_starts_itself(stack: Synthesized) -> None:
    definition = stack.one("aws_codepipeline", name=f"{stack.pipeline.name}-image")
    assert any(dependency.startswith("aws_lambda_invocation.") for dependency in definition["depends_on"])


def test_seeding_happens_once(stack: Synthesized) -> None:
    seeding = stack.one("aws_lambda_invocation", function_name=f"{stack.pipeline.name}-seed-repository")
    # The function commits when it is created, and refuses that a used repository is deleted.
    assert seeding["lifecycle_scope"] == "CRUD"


def test_a_push_to_the_branch_starts_a_build() -> None:
    stack = synth(algorithm=Algorithm.from_directory(CONTAINER, branch="release"))
    rules = [json.loads(rule.get("event_pattern", "{}")) for rule in stack.all("aws_cloudwatch_event_rule").values()]
    (push,) = [rule for rule in rules if rule.get("source") == ["aws.codecommit"]]
    assert push["detail"]["referenceName"] == ["release"]


def test_the_build_may_push_to_its_own_registry_only(stack: Synthesized) -> None:
    pushes = [statement for statement in stack.policy("-build") if "ecr:PutImage" in statement["Action"]]
    assert len(pushes) == 1
    assert pushes[0]["Resource"].endswith(f":repository/{stack.pipeline.name}")


def test_the_first_value_of_the_parameter_is_left_to_the_build(stack: Synthesized) -> None:
    parameter = stack.one("aws_ssm_parameter")
    assert parameter["value"] == "none"
    assert parameter["lifecycle"] == {"ignore_changes": ["value"]}


def test_an_existing_image_is_used_as_it_is_and_nothing_is_built(with_image: Synthesized) -> None:
    parameter = with_image.one("aws_ssm_parameter")
    assert parameter["value"] == DIGEST
    assert "lifecycle" not in parameter
    for kind in ("aws_codebuild_project", "aws_codecommit_repository", "aws_ecr_repository"):
        assert with_image.all(kind) == {}
    assert with_image.pipeline.image.pipeline is None
