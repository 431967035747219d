"""Where an algorithm may come from, and the message for each mistake."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from mlops_constructs import Algorithm
from mlops_constructs.config.git import GitRepository

TOKEN = "${TfToken[TOKEN.3]}"
ARN = "arn:aws:codeconnections:eu-west-1:111122223333:connection/0a1b2c3d-0000-4000-8000-000000000000"
HOST = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
DIGEST = "@sha256:" + "a" * 64


def lines(algorithm: Algorithm) -> list[str]:
    return [str(problem) for problem in algorithm.problems()]


def by_tag(uri: str) -> Algorithm:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Algorithm.from_image(uri)


@pytest.mark.parametrize(
    "algorithm",
    [
        Algorithm.from_codecommit("team-algorithm"),
        Algorithm.from_codecommit(TOKEN, "release/1.x"),
        Algorithm.from_connection(ARN, "team/algorithm"),
        Algorithm.from_connection(ARN.replace("codeconnections", "codestar-connections"), "team/algorithm"),
        Algorithm.from_connection(ARN.replace("arn:aws:", "arn:aws-us-gov:"), "team/algorithm"),
        Algorithm.from_connection(TOKEN, "group/subgroup/algorithm", "main"),
        Algorithm.from_git("GitHub", "team/algorithm"),
        Algorithm.from_git("GitLab", "group/subgroup/algorithm"),
        Algorithm.from_git("Bitbucket", "team/algorithm.v2"),
        Algorithm.from_codecommit("x", ecr_repository_name="team/algorithm"),
        Algorithm.from_codecommit("x", ecr_repository_name=TOKEN),
        Algorithm.from_codecommit("x", base_image="public.ecr.aws/docker/library/python:3.12-slim"),
        Algorithm.from_image(HOST + "/team/algorithm" + DIGEST),
        Algorithm.from_image(HOST + "/team/algorithm:v1" + DIGEST),
        Algorithm.from_image(TOKEN),
        by_tag(HOST + "/team/algorithm:v1"),
    ],
)
def test_what_is_allowed_has_no_problem(algorithm: Algorithm) -> None:
    assert lines(algorithm) == []


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        (
            Algorithm.from_codecommit(""),
            "codecommit_repository: must be the name of a repository in CodeCommit, got ''",
        ),
        (
            Algorithm.from_codecommit("arn:aws:codecommit:eu-west-1:111122223333:x"),
            "codecommit_repository: must be the name of a repository in CodeCommit",
        ),
        (Algorithm.from_codecommit("x", "-f"), "branch: must be a branch name of at most 100 characters, got '-f'"),
        (Algorithm.from_codecommit("x", TOKEN), "branch: must be known at synth"),
        (
            Algorithm.from_codecommit("x", ecr_repository_name=HOST + "/x"),
            "ecr_repository_name: must be the name of a repository in ECR",
        ),
        (Algorithm.from_codecommit("x", base_image="two words"), "base_image: must be the name of an image"),
        (Algorithm.from_codecommit("x", base_image=TOKEN), "base_image: must be known at synth"),
        (Algorithm.from_connection("my-connection", "a/b"), "git.connection_arn: must be the ARN of a connection"),
        (
            Algorithm.from_connection(ARN, "algorithm"),
            "git.name: must be the full name of a repository, without host and '.git', got 'algorithm'",
        ),
        (
            Algorithm.from_connection(ARN, "https://github.com/team/algorithm"),
            "git.name: must be the full name of a repository",
        ),
        (Algorithm.from_connection(ARN, "team/algorithm.git"), "git.name: must not end in '.git'"),
        (Algorithm.from_connection(ARN, TOKEN), "git.name: must be known at synth"),
        (
            Algorithm.from_git("Gitea", "team/algorithm"),  # type: ignore[arg-type]
            "git.provider_type: must be one of ['GitHub', 'GitLab', 'Bitbucket'], got 'Gitea'",
        ),
        (
            Algorithm.from_git("GitHubEnterpriseServer", "team/algorithm"),  # type: ignore[arg-type]
            "git.provider_type: needs a host that a person sets up, got 'GitHubEnterpriseServer'; create",
        ),
        (Algorithm(git=GitRepository(name="a/b")), "git.provider_type: must be one of"),
        (
            Algorithm.from_image("docker.io/library/python:3.12"),
            "image_uri: must name an image in ECR by digest or tag",
        ),
        (Algorithm.from_image(HOST + "/algorithm"), "image_uri: must name an image in ECR by digest or tag"),
        (Algorithm.from_image(HOST + "/algorithm@sha256:abc"), "image_uri: must name an image in ECR by digest or tag"),
        (
            Algorithm.from_image(HOST.replace("eu-west-1", "cn-north-1") + "/algorithm" + DIGEST),
            "image_uri: must name an image in ECR by digest or tag",
        ),
        (
            Algorithm(codecommit_repository="x", image_uri=HOST + "/x" + DIGEST),
            "image_uri: needs exactly one of a folder, a repository, an image, a built-in algorithm and a script",
        ),
        (Algorithm(), "directory: needs exactly one of"),
    ],
)
def test_a_mistake_is_named(algorithm: Algorithm, expected: str) -> None:
    (line,) = lines(algorithm)
    assert line.startswith(expected)


def test_a_tag_is_warned_of_where_it_is_written() -> None:
    with pytest.warns(UserWarning, match=r"algorithm:v1 is a tag, which can later name another image") as caught:
        Algorithm.from_image(HOST + "/team/algorithm:v1")
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("uri", [HOST + "/team/algorithm" + DIGEST, HOST + "/a1:v1" + DIGEST, TOKEN, "nothing"])
def test_nothing_else_is_warned_of(uri: str) -> None:
    Algorithm.from_image(uri)


@pytest.mark.parametrize(
    "make",
    [
        lambda **more: Algorithm.from_directory("container", **more),
        lambda **more: Algorithm.from_codecommit("x", **more),
        lambda **more: Algorithm.from_connection(ARN, "a/b", **more),
        lambda **more: Algorithm.from_git("GitHub", "a/b", **more),
        lambda **more: Algorithm.from_image(TOKEN, **more),
        lambda **more: Algorithm.builtin("knn", "1", **more),
    ],
)
def test_every_algorithm_may_retrain_on_a_new_image_and_does_not_unless_asked(make: Any) -> None:
    assert make(retrain_on_new_image=True).retrain_on_new_image
    assert not make().retrain_on_new_image
