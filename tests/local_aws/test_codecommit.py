"""CodeCommit repositories with commits made through the API."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with LocalAws() as aws:
        yield aws.client("codecommit")


def begin(client: Any, repository: str) -> str:
    """A repository with one commit."""
    client.create_repository(repositoryName=repository)
    files = [
        {"filePath": "README.md", "fileContent": b"read me"},
        {"filePath": "src/train", "fileContent": b"#!", "fileMode": "EXECUTABLE"},
        {"filePath": "src/deep/a.py", "fileContent": b"a"},
    ]
    made = client.create_commit(
        repositoryName=repository, branchName="main", authorName="me", commitMessage="begin", putFiles=files
    )
    return str(made["commitId"])


def test_repository_has_dates_tags_and_a_default_branch(client: Any) -> None:
    made = client.create_repository(repositoryName="facts", tags={"a": "b"})["repositoryMetadata"]
    assert made["creationDate"].tzinfo is not None
    assert client.list_tags_for_resource(resourceArn=made["Arn"])["tags"] == {"a": "b"}
    with pytest.raises(ClientError, match="BranchDoesNotExistException"):
        client.get_branch(repositoryName="facts", branchName="main")
    client.put_file(repositoryName="facts", branchName="main", filePath="a", fileContent=b"a")
    assert client.get_repository(repositoryName="facts")["repositoryMetadata"]["defaultBranch"] == "main"


def test_commit_can_be_read_back(client: Any) -> None:
    commit = begin(client, "read")
    assert client.get_branch(repositoryName="read", branchName="main")["branch"]["commitId"] == commit
    found = client.get_commit(repositoryName="read", commitId=commit)["commit"]
    assert (found["message"], found["author"]["name"], found["parents"]) == ("begin", "me", [])
    file = client.get_file(repositoryName="read", filePath="src/train")
    assert (file["fileContent"], file["fileMode"]) == (b"#!", "EXECUTABLE")
    folder = client.get_folder(repositoryName="read", folderPath="src")
    assert [entry["relativePath"] for entry in folder["files"]] == ["train"]
    assert [entry["absolutePath"] for entry in folder["subFolders"]] == ["src/deep"]


def test_commit_on_top_changes_deletes_and_keeps(client: Any) -> None:
    first = begin(client, "grow")
    made = client.create_commit(
        repositoryName="grow",
        branchName="main",
        parentCommitId=first,
        putFiles=[{"filePath": "README.md", "fileContent": b"new"}],
        deleteFiles=[{"filePath": "src/deep/a.py"}],
        setFileModes=[{"filePath": "src/train", "fileMode": "NORMAL"}],
    )
    assert [entry["absolutePath"] for entry in made["filesDeleted"]] == ["src/deep/a.py"]
    assert client.get_file(repositoryName="grow", filePath="src/train")["fileMode"] == "NORMAL"
    old = client.get_file(repositoryName="grow", filePath="README.md", commitSpecifier=first)
    assert old["fileContent"] == b"read me"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"parentCommitId": None}, "ParentCommitIdRequiredException"),
        ({"parentCommitId": "0" * 40}, "ParentCommitDoesNotExistException"),
        ({"branchName": "other"}, "BranchDoesNotExistException"),
        ({"repositoryName": "none"}, "RepositoryDoesNotExistException"),
        ({"putFiles": [{"filePath": "README.md", "fileContent": b"read me"}]}, "NoChangeException"),
        ({"putFiles": [{"filePath": "../a", "fileContent": b""}]}, "InvalidPathException"),
        ({"deleteFiles": [{"filePath": "none"}]}, "FileDoesNotExistException"),
        (
            {"putFiles": [{"filePath": f"{n}", "fileContent": b""} for n in range(101)]},
            "MaximumFileEntriesExceededException",
        ),
    ],
)
def test_wrong_commit_is_refused(
    client: Any, request: pytest.FixtureRequest, change: dict[str, Any], code: str
) -> None:
    repository = f"wrong-{zlib.crc32(request.node.name.encode())}"
    commit = begin(client, repository)
    asked: dict[str, Any] = {
        "repositoryName": repository,
        "branchName": "main",
        "parentCommitId": commit,
        **change,
    }
    given = {key: value for key, value in asked.items() if value is not None}
    with pytest.raises(ClientError) as caught:
        client.create_commit(**given)
    assert caught.value.response["Error"]["Code"] == code


def test_outdated_parent_is_refused(client: Any) -> None:
    first = begin(client, "race")
    change = {"repositoryName": "race", "branchName": "main", "parentCommitId": first, "filePath": "a"}
    client.put_file(**change, fileContent=b"1")
    with pytest.raises(ClientError, match="ParentCommitIdOutdatedException"):
        client.put_file(**change, fileContent=b"2")


def test_deleted_repository_takes_its_commits_along(client: Any) -> None:
    begin(client, "gone")
    client.delete_repository(repositoryName="gone")
    client.create_repository(repositoryName="gone")
    with pytest.raises(ClientError, match="BranchDoesNotExistException"):
        client.get_branch(repositoryName="gone", branchName="main")


def test_repositories_are_listed_until_they_are_deleted(client: Any) -> None:
    for name in ("listed", "kept"):
        client.create_repository(repositoryName=name)
    client.delete_repository(repositoryName="listed")
    names = [one["repositoryName"] for one in client.list_repositories()["repositories"]]
    assert ("kept" in names, "listed" in names) == (True, False)
