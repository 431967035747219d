"""CodeCommit repositories with commits made through the API."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from git_program import git

from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture(scope="module")
def client(aws: LocalAws) -> Any:
    return aws.client("codecommit")


@pytest.fixture
def events(aws: LocalAws) -> list[dict[str, Any]]:
    """What the repositories tell from now on."""
    found: list[dict[str, Any]] = []
    aws.account.subscribe(lambda event: found.append(event["detail"]) if "referenceName" in event["detail"] else None)
    return found


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


def test_a_clone_has_what_the_api_committed_and_a_push_is_what_the_api_reads(
    aws: LocalAws, client: Any, events: list[dict[str, Any]], tmp_path: Path
) -> None:
    # git sorts src.txt before the folder src.
    put = {"repositoryName": "pushed", "branchName": "main", "filePath": "src.txt", "fileContent": b""}
    first = client.put_file(**put, parentCommitId=begin(client, "pushed"))["commitId"]
    git(tmp_path, "clone", aws.git.url("pushed"), "work")
    work = tmp_path / "work"
    assert git(work, "rev-parse", "HEAD") == first
    assert client.get_commit(repositoryName="pushed", commitId=first)["commit"]["treeId"] == git(
        work, "rev-parse", "HEAD^{tree}"
    )
    git(work, "fsck", "--strict")
    assert os.access(work / "src/train", os.X_OK)
    (work / "src/deep/a.py").unlink()
    (work / "big.bin").write_bytes(os.urandom(3_000_000))  # git sends it in chunks
    (work / "ünïcode").symlink_to("README.md")
    git(work, "add", "--all")
    git(work, "commit", "--message", "A change")
    git(work, "branch", "other", "HEAD~1")
    git(work, "push", "origin", "main", "other")
    second = git(work, "rev-parse", "HEAD")
    assert client.get_branch(repositoryName="pushed", branchName="main")["branch"]["commitId"] == second
    commit = client.get_commit(repositoryName="pushed", commitId=second)["commit"]
    assert (commit["author"]["name"], commit["parents"], commit["message"]) == ("A Person", [first], "A change\n")
    assert len(client.get_file(repositoryName="pushed", filePath="big.bin")["fileContent"]) == 3_000_000
    assert client.get_file(repositoryName="pushed", filePath="ünïcode")["fileMode"] == "SYMLINK"
    told = {(one["event"], one["referenceName"], one["commitId"], one.get("oldCommitId")) for one in events[2:]}
    assert told == {("referenceUpdated", "main", second, first), ("referenceCreated", "other", first, None)}


def test_commits_by_push_and_by_the_api_come_on_top_of_each_other(
    aws: LocalAws, client: Any, events: list[dict[str, Any]], tmp_path: Path
) -> None:
    client.create_repository(repositoryName="mixed")
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk", "work")
    work = tmp_path / "work"
    (work / "a").write_text("1")
    git(work, "add", "a")
    git(work, "commit", "--message", "one")
    git(work, "push", aws.git.url("mixed"), "trunk")
    assert client.get_repository(repositoryName="mixed")["repositoryMetadata"]["defaultBranch"] == "trunk"
    put = {"repositoryName": "mixed", "branchName": "trunk", "filePath": "a", "fileContent": b"2"}
    made = client.put_file(**put, parentCommitId=git(work, "rev-parse", "HEAD"))
    git(work, "pull", aws.git.url("mixed"), "trunk")
    assert git(work, "rev-parse", "HEAD") == made["commitId"]
    with pytest.raises(AssertionError, match="not found"):
        git(tmp_path, "clone", aws.git.url("nowhere"))
    git(work, "push", aws.git.url("mixed"), "HEAD:idea")
    git(work, "push", aws.git.url("mixed"), ":idea")
    assert client.list_branches(repositoryName="mixed")["branches"] == ["trunk"]
    assert [one["event"] for one in events][-2:] == ["referenceCreated", "referenceDeleted"]
