"""CodeBuild of the local AWS, its docker, and the runtime for machines with a Docker engine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_container import forbidden, local_aws, make_role, wait_until, write_container, zip_of

from mlops_constructs.local_aws.codebuild.buildspec import Buildspec, BuildspecError
from mlops_constructs.local_aws.containers.docker import DockerRuntime, engine_problem
from mlops_constructs.local_aws.containers.images import ContainerError, ImageStore
from mlops_constructs.local_aws.ecr.images import ImageUri
from mlops_constructs.local_aws.sagemaker.job_files import write_configuration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.local_aws.containers.running import Container
    from mlops_constructs.local_aws.local_aws import LocalAws

BUCKET = "build-artifacts"
REPOSITORY = "iris"
SHIPPED = """
version: 0.2
env:
  shell: bash
  exported-variables: [IMAGE_DIGEST]
phases:
  pre_build:
    commands:
      - TAG=$CODEBUILD_RESOLVED_SOURCE_VERSION
      - aws ecr get-login-password | docker login --username AWS --password-stdin ${REPOSITORY_URI%%/*}
  build:
    commands:
      - |
        if aws ecr describe-images --repository-name $REPOSITORY_NAME --image-ids imageTag=$TAG; then
          echo "the image of this commit is there"
        else
          docker build -t $REPOSITORY_URI:$TAG . && docker push $REPOSITORY_URI:$TAG
        fi
  post_build:
    commands:
      - >-
        IMAGE_DIGEST=$(aws ecr describe-images --repository-name $REPOSITORY_NAME --image-ids imageTag=$TAG
        --query 'imageDetails[0].imageDigest' --output text)
      - >-
        aws ssm put-parameter --overwrite --type String --name $IMAGE_PARAMETER
        --value "$REPOSITORY_URI@$IMAGE_DIGEST"
"""


class Builds:
    """Starts builds of one project."""

    def __init__(self, aws: LocalAws, container: Path) -> None:
        self.aws = aws
        self.api = aws.client("codebuild")
        self.told: list[str] = []
        aws.add_listener(self.told.append)
        self._container = container
        aws.client("s3").create_bucket(Bucket=BUCKET)
        repository = aws.client("ecr").create_repository(repositoryName=REPOSITORY, imageTagMutability="IMMUTABLE")[
            "repository"
        ]
        variables = {
            "REPOSITORY_URI": repository["repositoryUri"],
            "REPOSITORY_NAME": REPOSITORY,
            "IMAGE_PARAMETER": "/iris/image",
        }
        self.api.create_project(
            name="image",
            source={"type": "S3", "location": f"{BUCKET}/nothing.zip"},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": [{"name": key, "value": value} for key, value in variables.items()],
            },
            serviceRole=make_role(aws, "building", "codebuild.amazonaws.com"),
        )

    def start(self, buildspec: str = "", **changes: Any) -> str:
        files = {"buildspec.yml": buildspec} if buildspec else {}
        body = zip_of(self._container, files)
        self.aws.client("s3").put_object(Bucket=BUCKET, Key="code.zip", Body=body)
        request = {
            "projectName": "image",
            "sourceTypeOverride": "S3",
            "sourceLocationOverride": f"{BUCKET}/code.zip",
            "sourceVersion": "abc123",
            **changes,
        }
        return str(self.api.start_build(**request)["build"]["id"])

    def run(self, buildspec: str = "", **changes: Any) -> dict[str, Any]:
        return self.finished(self.start(buildspec, **changes))

    def finished(self, build_id: str) -> dict[str, Any]:
        def described() -> dict[str, Any] | None:
            build: dict[str, Any] = self.api.batch_get_builds(ids=[build_id])["builds"][0]
            return build if build["buildComplete"] else None

        build: dict[str, Any] = wait_until(described)
        return build

    def log(self, build: dict[str, Any]) -> list[str]:
        where = build["logs"]
        events = self.aws.client("logs").get_log_events(
            logGroupName=where["groupName"], logStreamName=where["streamName"]
        )["events"]
        return [event["message"] for event in events]


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builds]:
    with local_aws() as aws:
        yield Builds(aws, write_container(tmp_path_factory.mktemp("container")))


def spec(*commands: str, phase: str = "build", exported: str = "") -> str:
    lines = "".join(f"      - {json.dumps(command)}\n" for command in commands)
    environment = f"env:\n  exported-variables: [{exported}]\n" if exported else ""
    return f"version: 0.2\n{environment}phases:\n  {phase}:\n    commands:\n{lines}"


def exported(build: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item["value"] for item in build["exportedEnvironmentVariables"]}


def failure(build: dict[str, Any]) -> tuple[str, str]:
    phase = next(item for item in build["phases"] if item.get("phaseStatus") == "FAILED")
    return phase["phaseType"], phase["contexts"][0]["message"]


def test_build_does_not_start_with_a_role_that_may_not_read_its_source(builds: Builds) -> None:
    with forbidden(builds.aws, "building", "s3:GetObjectVersion"):
        phase, message = failure(builds.run(spec("true")))
    assert phase == "PROVISIONING"
    assert "is not authorized to perform: s3:GetObjectVersion" in message
    assert f"arn:aws:s3:::{BUCKET}/code.zip" in message


def test_49_shipped_buildspec_pushes_once_per_commit(builds: Builds) -> None:
    first = builds.run(SHIPPED)
    assert first["buildStatus"] == "SUCCEEDED", builds.log(first)
    digest = exported(first)["IMAGE_DIGEST"]
    uri = builds.aws.client("ssm").get_parameter(Name="/iris/image")["Parameter"]["Value"]
    assert uri.endswith(f"/{REPOSITORY}@{digest}")

    second = builds.run(SHIPPED)

    assert exported(second)["IMAGE_DIGEST"] == digest
    assert "the image of this commit is there" in builds.log(second)


def test_pushing_an_immutable_tag_again_fails(builds: Builds) -> None:
    commands = (
        "echo secret | docker login --username AWS --password-stdin ${REPOSITORY_URI%%/*}",
        "docker build --tag $REPOSITORY_URI:fixed .",
        "docker push $REPOSITORY_URI:fixed",
    )
    assert builds.run(spec(*commands))["buildStatus"] == "SUCCEEDED"

    build = builds.run(spec(*commands))

    assert build["buildStatus"] == "FAILED"
    phase, message = failure(build)
    assert phase == "BUILD"
    assert "docker push" in message
    assert "tag is immutable" in message


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        (["docker build -t $REPOSITORY_URI:x .", "docker push $REPOSITORY_URI:x"], "no basic auth credentials"),
        (["docker push $REPOSITORY_URI:never-built"], "does not exist locally"),
        (["docker run hello-world"], "supports login, build, tag, push, not 'run'"),
        (["mkdir empty", "docker build empty"], "there is no Dockerfile in"),
        (["docker build --strange ."], "unrecognized arguments: --strange"),
        (["false"], "Reason: exit status 1"),
        (["exit 7"], "Reason: exit status 7"),
        (["set -e", "false; echo went on"], "Reason: exit status 1"),
        (["set -u", "echo $NOT_THERE"], "NOT_THERE"),
        (["ls /no/such/place"], "/no/such/place"),
        (["aws sts get-nothing"], "exit status"),
    ],
)
def test_failing_command_is_told(builds: Builds, commands: list[str], words: str) -> None:
    build = builds.run(spec(*commands))

    assert build["buildStatus"] == "FAILED"
    assert words in failure(build)[1]


def test_tagged_image_can_be_pushed(builds: Builds) -> None:
    build = builds.run(
        spec(
            "echo secret | docker login --username AWS --password-stdin ${REPOSITORY_URI%%/*}",
            "docker build -t local .",
            "docker tag local $REPOSITORY_URI:from-local",
            "docker push $REPOSITORY_URI:from-local",
        )
    )

    assert build["buildStatus"] == "SUCCEEDED", builds.log(build)


def test_state_of_the_shell_lasts_from_phase_to_phase(builds: Builds) -> None:
    text = """
version: 0.2
env:
  variables: {GREETING: hello}
  exported-variables: [RESULT, ABSENT]
phases:
  install:
    commands: ["mkdir deep && cd deep", "shout() { echo \\"$1!\\"; }", "PLAIN='two words'"]
  build:
    commands: ['RESULT="$(shout $GREETING) $PLAIN $(basename $PWD)"']
"""
    build = builds.run(text)

    assert exported(build) == {"RESULT": "hello! two words deep", "ABSENT": ""}


def test_post_build_runs_after_a_failed_build_but_not_after_a_failed_pre_build(builds: Builds) -> None:
    phases = {"build": 1, "pre_build": 0}
    for phase, runs in phases.items():
        text = (
            spec("false", phase=phase)
            + "  post_build:\n    commands: ['echo succeeding=$CODEBUILD_BUILD_SUCCEEDING']\n"
        )
        build = builds.run(text)
        assert build["buildStatus"] == "FAILED"
        assert builds.log(build).count("succeeding=0") == runs


def test_build_knows_itself_and_acts_under_its_role(builds: Builds) -> None:
    build = builds.run(
        spec(
            "WHO=$(aws sts get-caller-identity --query Arn --output text)",
            "KNOWN=$CODEBUILD_RESOLVED_SOURCE_VERSION:${CODEBUILD_BUILD_ID%%:*}:$EXTRA",
            exported="WHO, KNOWN",
        ),
        environmentVariablesOverride=[{"name": "EXTRA", "value": "yes"}],
    )

    assert exported(build)["KNOWN"] == "abc123:image:yes"
    assert "assumed-role/building/" in exported(build)["WHO"]


def test_parameter_store_variables_are_read(builds: Builds) -> None:
    builds.aws.client("ssm").put_parameter(Name="/secret/word", Value="open", Type="SecureString")
    text = spec("SEEN=$WORD", exported="SEEN").replace("env:\n", "env:\n  parameter-store: {WORD: /secret/word}\n")

    assert exported(builds.run(text)) == {"SEEN": "open"}


def test_buildspec_of_the_request_wins(builds: Builds) -> None:
    build = builds.run(spec("false"), buildspecOverride=spec("true"))

    assert build["buildStatus"] == "SUCCEEDED"


def test_missing_buildspec_is_named(builds: Builds) -> None:
    assert "stat buildspec.yml" in failure(builds.run())[1]


def test_missing_source_is_named(builds: Builds) -> None:
    build = builds.run(spec("true"), sourceLocationOverride=f"{BUCKET}/absent.zip")

    assert failure(build)[0] == "DOWNLOAD_SOURCE"


def test_stopped_build_ends_its_commands(builds: Builds) -> None:
    build_id = builds.start(spec("sleep 60 & sleep 61"))
    wait_until(lambda: builds.api.batch_get_builds(ids=[build_id])["builds"][0]["currentPhase"] == "BUILD")

    builds.api.stop_build(id=build_id)

    assert builds.finished(build_id)["buildStatus"] == "STOPPED"


def test_builds_are_listed_newest_first(builds: Builds) -> None:
    build_id = builds.start(spec("true"))

    assert builds.api.list_builds_for_project(projectName="image")["ids"][0] == build_id
    assert builds.api.batch_get_builds(ids=["image:none"])["buildsNotFound"] == ["image:none"]
    builds.finished(build_id)


def test_version_of_the_source_is_the_objects_when_none_is_given(builds: Builds) -> None:
    build_id = builds.start(spec("SEEN=$CODEBUILD_RESOLVED_SOURCE_VERSION", exported="SEEN"), sourceVersion="")

    etag = builds.aws.client("s3").head_object(Bucket=BUCKET, Key="code.zip")["ETag"]
    assert exported(builds.finished(build_id)) == {"SEEN": etag.strip('"')}


def test_artifacts_are_refused_by_name(builds: Builds) -> None:
    with pytest.raises(ClientError, match="does not store artifacts of builds"):
        builds.start(spec("true"), artifactsOverride={"type": "S3", "location": BUCKET})


def test_unknown_project_is_refused(builds: Builds) -> None:
    with pytest.raises(ClientError, match="Project cannot be found"):
        builds.api.start_build(projectName="absent")


def test_source_we_do_not_fetch_is_refused_by_name(builds: Builds) -> None:
    with pytest.raises(ClientError, match="not GITHUB"):
        builds.start(spec("true"), sourceTypeOverride="GITHUB")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 0.1\nphases: {build: {commands: [a]}}", "version must be 0.2"),
        ("version: 0.2", "at least one phase"),
        ("version: 0.2\nphases: {deploy: {}}", "does not support deploy"),
        ("version: 0.2\nphases: {build: {commands: [{a: b}]}}", "list of commands"),
        ("version: 0.2\nphases: {build: {on-failure: RETRY}}", "ABORT or CONTINUE"),
        ("version: 0.2\nenv: {exported-variables: ['a b']}\nphases: {build: {}}", "is not a variable name"),
        ("[", "YAML syntax error"),
        ("just text", "must be a mapping"),
    ],
)
def test_wrong_buildspec_is_refused(text: str, words: str) -> None:
    with pytest.raises(BuildspecError, match=words):
        Buildspec.parse(text)


def test_image_uri_is_taken_apart() -> None:
    uri = ImageUri.parse(f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/iris:v1@sha256:{'0' * 64}")

    assert (uri.repository, uri.tag, uri.image_id) == ("team/iris", "v1", {"imageDigest": f"sha256:{'0' * 64}"})
    with pytest.raises(ContainerError, match="is not an image in ECR"):
        ImageUri.parse("python:3.12")


FAKE_DOCKER = f"""#!{sys.executable}
import os, signal, subprocess, sys
from pathlib import Path

here = Path(__file__).parent
words = sys.argv[1:]
with (here / "calls").open("a") as calls:
    print(*words, file=calls)
if words[0] == "info":
    print("28.0")
elif words[0] == "build":
    (here / words[words.index("--tag") + 1]).write_text(words[-1])
elif words[0] == "stop":
    os.kill(int((here / words[-1]).read_text()), signal.SIGTERM)
elif words[0] == "run":
    image, program = words[-2:]
    options = dict(zip(words[2:-2:2], words[3:-2:2]))
    environment = dict(os.environ, SAGEMAKER_BASE_DIR=options["--volume"].removesuffix(":/opt/ml"))
    if "--publish" in options:
        host, port, _ = options["--publish"].split(":")
        environment.update(SAGEMAKER_BIND_TO_HOST=host, SAGEMAKER_BIND_TO_PORT=port)
    process = subprocess.Popen([Path((here / image).read_text()) / program], env=environment)
    (here / options["--name"]).write_text(str(process.pid))
    sys.exit(process.wait())
"""


@pytest.fixture
def fake_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "docker"
    folder.mkdir()
    (folder / "docker").write_text(FAKE_DOCKER)
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def calls(fake_docker: Path) -> list[str]:
    return (fake_docker / "calls").read_text().splitlines()


def test_docker_trains_with_opt_ml_mounted(builds: Builds, fake_docker: Path, tmp_path: Path) -> None:
    runtime = DockerRuntime(builds.aws.account, ImageStore(tmp_path / "images"))
    image = runtime.build(write_container(tmp_path / "container"), print, ["BASE=slim"])
    base = tmp_path / "opt" / "ml"
    write_configuration(base, {"HyperParameters": {"answer": "docker"}})
    (base / "input/data/train").mkdir()
    (base / "input/data/train/train.csv").write_text("a,1\n")

    lines: list[str] = []
    container = runtime.train(image, base, {"TOLD": "it"}, lines.append)

    assert container.wait(20) == 0, lines
    assert (base / "model/model.json").read_text() == '{"answer": "docker"}'
    assert (base / "output/data/report.txt").read_text() == "seen: it"
    assert lines == ["validation:accuracy=0.5;", "validation:accuracy=0.91;"]
    built, ran = calls(fake_docker)
    assert built == f"build --tag {image.name} --build-arg BASE=slim {image.context}"
    assert ran.startswith("run --rm --name local-aws-train-")
    assert ran.endswith(f"--volume {base}:/opt/ml --env AWS_REGION --env TOLD {image.name} train")


@pytest.mark.parametrize(
    ("entrypoint", "arguments", "ending"),
    [
        ([], ["train"], "--env AWS_REGION {image} train"),
        (["/usr/bin/env", "train"], [], "--entrypoint /usr/bin/env --env AWS_REGION {image} train"),
    ],
)
def test_docker_runs_another_program(
    builds: Builds, fake_docker: Path, tmp_path: Path, entrypoint: list[str], arguments: list[str], ending: str
) -> None:
    runtime = DockerRuntime(builds.aws.account, ImageStore(tmp_path / "images"))
    image = runtime.build(write_container(tmp_path / "container"), print)
    base = tmp_path / "opt" / "ml"
    write_configuration(base, {})
    (base / "input/data/train").mkdir()
    (base / "input/data/train/train.csv").write_text("a,1\n")
    container = runtime.run(image, base, entrypoint, arguments, {}, print)
    assert container.wait(20) == 0
    ran = calls(fake_docker)[-1]
    assert ran.startswith("run --rm --name local-aws-")
    assert ran.endswith(ending.format(image=image.name))


def test_docker_serves_on_loopback_until_it_is_stopped(builds: Builds, fake_docker: Path, tmp_path: Path) -> None:
    runtime = DockerRuntime(builds.aws.account, ImageStore(tmp_path / "images"))
    image = runtime.build(write_container(tmp_path / "container"), print)
    model = tmp_path / "opt" / "ml" / "model"
    model.mkdir(parents=True)
    (model / "model.json").write_text("{}")

    container = runtime.serve(image, model.parent, {}, print)
    wait_until(lambda: answers(container))
    container.stop(5)

    assert not answers(container)
    assert any(re.search(r"--publish 127\.0\.0\.1:\d+:8080 ", call) for call in calls(fake_docker))
    assert calls(fake_docker)[-1].startswith("stop --time 5 local-aws-serve-")


def answers(container: Container) -> bool:
    try:
        connection = container.connection(2)
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False


def test_engine_that_answers_is_found(fake_docker: Path) -> None:
    assert engine_problem() is None


@pytest.mark.parametrize("program", ["exit 1", "exit 0", "sleep 30"])
def test_engine_that_does_not_answer_is_told(fake_docker: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_constructs.local_aws.containers.docker._ENGINE_SECONDS", 0.3)
    (fake_docker / "docker").write_text(f"#!/bin/sh\n{program}\n")

    assert engine_problem() == "no Docker engine responds"


def test_missing_docker_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert engine_problem() == "no docker program is on PATH"


def test_choice_of_runtime_is_told_once(builds: Builds) -> None:
    builds.run(spec("docker build .", "docker build ."))

    assert sum(line.startswith("Docker is disabled: ") for line in builds.told) == 1


def test_docker_program_is_a_script_without_our_package(tmp_path: Path) -> None:
    """It runs under `-I`, which finds no package of ours."""
    from mlops_constructs.local_aws.codebuild import docker_shim

    answer = subprocess.run(
        [sys.executable, "-I", "-S", docker_shim.__file__, "info"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={},
        check=False,
    )

    assert "KeyError: 'LOCAL_AWS_DOCKER_KEY'" in answer.stderr
