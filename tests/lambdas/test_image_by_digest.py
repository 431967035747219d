"""What is trained has a digest, or the record says that it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from handler_kit.errors import ConfigurationError
from handler_kit.images import pin

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
TAGGED = f"{HOST}/teams/churn:1.7-1"
DIGEST = "sha256:" + "c" * 64


@pytest.fixture
def ecr(script: Callable[[str], Any]) -> Any:
    return script("ecr")


def test_a_tag_becomes_the_digest_that_it_names_now(ecr: Any) -> None:
    ecr.answer("BatchGetImage", images=[{"imageId": {"imageDigest": DIGEST, "imageTag": "1.7-1"}}])
    assert pin(TAGGED, lambda: ecr.client) == f"{HOST}/teams/churn@{DIGEST}"
    (request,) = ecr.requests["BatchGetImage"]
    assert request == {
        "registryId": "683313688378",
        "repositoryName": "teams/churn",
        "imageIds": [{"imageTag": "1.7-1"}],
    }


@pytest.mark.parametrize("image", [f"{HOST}/churn@{DIGEST}", f"{HOST}/churn:v1@{DIGEST}"])
def test_a_digest_is_taken_as_it_is_and_nobody_is_asked(ecr: Any, image: str) -> None:
    assert pin(image, lambda: ecr.client) == image
    assert ecr.operations() == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "AccessDenied"])
def test_a_registry_that_does_not_tell_leaves_the_tag(ecr: Any, code: str, capsys: Any) -> None:
    ecr.refuse("BatchGetImage", code)
    assert pin(TAGGED, lambda: ecr.client) == TAGGED
    assert "tag not resolved" in "".join(capsys.readouterr())


def test_49_an_image_that_is_not_there_fails_before_any_training_cost(ecr: Any) -> None:
    ecr.answer("BatchGetImage", images=[], failures=[{"failureCode": "ImageNotFound"}])
    with pytest.raises(ConfigurationError, match=r"There is no image .*churn:1\.7-1"):
        pin(TAGGED, lambda: ecr.client)


def test_a_repository_that_is_not_there_is_named(ecr: Any) -> None:
    ecr.refuse("BatchGetImage", "RepositoryNotFoundException")
    with pytest.raises(ConfigurationError, match=r"There is no image .*churn:1\.7-1"):
        pin(TAGGED, lambda: ecr.client)


def test_another_error_is_not_swallowed(ecr: Any) -> None:
    ecr.refuse("BatchGetImage", "ServerException")
    with pytest.raises(ClientError, match="ServerException"):
        pin(TAGGED, lambda: ecr.client)
