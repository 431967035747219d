"""A new repository gets its first content once, whole, and nothing that does not belong there."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from seed_repository import archive, seed
from seed_repository.archive import read_archive
from seed_repository.handler import handler
from seed_repository.keep import KeptError

from handler_kit import clients
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = "s3://artifacts/seed/container.zip"


def zipped(files: dict[str, bytes], mode: int = 0o644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        for name, body in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            content.writestr(entry, body)
    return buffer.getvalue()


@pytest.fixture
def put(set_env: Callable[..., None]) -> Callable[[bytes], None]:
    set_env({"repository": "iris-1a2b3c", "branch": "main", "source_bucket": "artifacts"})
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="artifacts")
    return lambda body: s3.put_object(Bucket="artifacts", Key="seed/container.zip", Body=body)


@pytest.fixture
def codecommit(script: Callable[[str], Any]) -> Any:
    return script("codecommit")


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    return lambda: handler(load_event("seed_repository"), None)


def empty(codecommit: Any, *commits: str) -> None:
    codecommit.refuse("GetBranch", "BranchDoesNotExistException")
    for commit in commits:
        codecommit.answer("CreateCommit", commitId=commit)


def branch_at(codecommit: Any, commit: str, message: str = "A person's work") -> None:
    codecommit.answer("GetBranch", branch={"commitId": commit})
    codecommit.answer("GetCommit", commit={"message": message + "\n"})


def test_an_empty_repository_gets_every_file(put: Any, codecommit: Any, call: Any) -> None:
    put(zipped({"train": b"#!", "pkg/a.py": b"1"}))
    empty(codecommit, "c1")
    assert call() == {"seeded": True, "commit": "c1"}
    request = codecommit.requests["CreateCommit"][0]
    assert (request["repositoryName"], request["branchName"]) == ("iris-1a2b3c", "main")
    assert {one["filePath"]: one["fileContent"] for one in request["putFiles"]} == {
        "train": b"#!",
        "pkg/a.py": b"1",
    }
    assert "parentCommitId" not in request


def test_a_role_that_iam_has_not_told_everyone_of_is_waited_for(
    put: Any, codecommit: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "PAUSE_SECONDS", 0)
    put(zipped({"train": b"#!"}))
    codecommit.refuse("GetBranch", "AccessDeniedException")
    codecommit.refuse("GetBranch", "AccessDeniedException")
    empty(codecommit, "c1")
    assert call() == {"seeded": True, "commit": "c1"}


def test_a_role_that_may_not_is_named_in_the_end(
    put: Any, codecommit: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "PROPAGATION_SECONDS", -1)
    put(zipped({"train": b"#!"}))
    codecommit.refuse("GetBranch", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        call()


@pytest.mark.parametrize(("mode", "kept"), [(0o755, "EXECUTABLE"), (0o644, "NORMAL"), (0, "NORMAL")])
def test_the_executable_bit_is_kept(put: Any, codecommit: Any, call: Any, mode: int, kept: str) -> None:
    put(zipped({"train": b"#!"}, mode))
    empty(codecommit, "c1")
    call()
    assert codecommit.requests["CreateCommit"][0]["putFiles"][0]["fileMode"] == kept


def test_a_repository_with_content_is_left_alone(put: Any, codecommit: Any, call: Any) -> None:
    put(zipped({"train": b"#!"}))
    branch_at(codecommit, "c9")
    assert call() == {"seeded": False, "commit": "c9"}
    assert codecommit.requests["CreateCommit"] == []


def test_many_files_take_several_commits_one_after_another(put: Any, codecommit: Any, call: Any) -> None:
    put(zipped({f"f{number:03}": b"" for number in range(250)}))
    empty(codecommit, "c1", "c2", "c3")
    assert call() == {"seeded": True, "commit": "c3"}
    requests = codecommit.requests["CreateCommit"]
    assert [len(one["putFiles"]) for one in requests] == [100, 100, 50]
    assert [one.get("parentCommitId") for one in requests] == [None, "c1", "c2"]


def test_heavy_files_are_split_by_size(put: Any, codecommit: Any, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "BYTES_PER_COMMIT", 10)
    put(zipped({"a": b"x" * 8, "b": b"x" * 8}))
    empty(codecommit, "c1", "c2")
    call()
    assert len(codecommit.requests["CreateCommit"]) == 2


def test_a_seed_that_broke_off_is_finished(put: Any, codecommit: Any, call: Any) -> None:
    put(zipped({f"f{number:03}": b"" for number in range(150)}))
    branch_at(codecommit, "c1", "Seed the repository (part 1 of 2)")
    codecommit.answer("CreateCommit", commitId="c2")
    assert call() == {"seeded": True, "commit": "c2"}
    request = codecommit.requests["CreateCommit"][0]
    assert request["parentCommitId"] == "c1"
    assert len(request["putFiles"]) == 50


@pytest.mark.parametrize("message", ["Seed the repository (part 2 of 2)", "A person's work"])
def test_a_seed_of_many_commits_is_not_repeated(put: Any, codecommit: Any, call: Any, message: str) -> None:
    put(zipped({f"f{number:03}": b"" for number in range(150)}))
    branch_at(codecommit, "c2", message)
    assert call() == {"seeded": False, "commit": "c2"}


def test_a_missing_archive_is_raised_by_name(put: Any, codecommit: Any, call: Any) -> None:
    empty(codecommit)
    with pytest.raises(ConfigurationError, match=f"{PLACE}: no such object"):
        call()


def test_a_refused_commit_is_raised(put: Any, codecommit: Any, call: Any) -> None:
    put(zipped({"train": b"#!"}))
    empty(codecommit)
    codecommit.refuse("CreateCommit", "EncryptionKeyDisabledException")
    with pytest.raises(ClientError, match="EncryptionKeyDisabledException"):
        call()


def deleted(removal: str = "retain") -> dict[str, Any]:
    return handler({"key": "a", "removal": removal, "tf": {"action": "delete", "prev_input": None}}, None)


def heads(codecommit: Any, **branches: tuple[str, str]) -> None:
    """Branches, each with author and message of its newest commit."""
    codecommit.answer("ListBranches", branches=list(branches))
    for author, message in branches.values():
        codecommit.answer("GetBranch", branch={"commitId": "c1"})
        codecommit.answer("GetCommit", commit={"author": {"name": author}, "message": message})


SEED = ("mlops-constructs", "Seed the repository (part 2 of 2)")


def test_a_repository_that_people_have_committed_to_is_not_deleted(put: Any, codecommit: Any) -> None:
    heads(codecommit, main=SEED, trial=("Ada", "Seed the repository of my own"))
    with pytest.raises(KeptError, match=r"iris-1a2b3c was not deleted.*branches: trial\).*delete-repository"):
        deleted()


def test_a_repository_that_holds_the_seed_only_is_deleted(put: Any, codecommit: Any) -> None:
    heads(codecommit, main=SEED)
    assert deleted() == {"seeded": False}


def test_a_repository_that_is_gone_is_none_to_keep(put: Any, codecommit: Any) -> None:
    codecommit.refuse("ListBranches", "RepositoryDoesNotExistException")
    assert deleted() == {"seeded": False}


def test_a_repository_that_cannot_be_read_is_kept(put: Any, codecommit: Any) -> None:
    codecommit.refuse("ListBranches", "EncryptionKeyDisabledException")
    with pytest.raises(ClientError, match="EncryptionKeyDisabledException"):
        deleted()


def test_with_removal_destroy_nothing_is_asked(put: Any, codecommit: Any) -> None:
    assert deleted("destroy") == {"seeded": False}
    assert not codecommit.requests


def test_an_update_commits_nothing(put: Any, codecommit: Any) -> None:
    event = {"key": "a", "removal": "retain", "tf": {"action": "update", "prev_input": {"key": "a"}}}
    assert handler(event, None) == {"seeded": False}
    assert not codecommit.requests


def test_a_missing_repository_is_raised(put: Any, codecommit: Any, call: Any) -> None:
    put(zipped({"train": b"#!"}))
    codecommit.refuse("GetBranch", "RepositoryDoesNotExistException")
    with pytest.raises(ClientError, match="RepositoryDoesNotExistException"):
        call()


@pytest.mark.parametrize("event", [{}, {"key": 1}, {"key": "a", "removal": "retain", "more": "x"}])
def test_an_event_with_other_keys_is_refused(put: Any, event: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="event key"):
        handler(event, None)


@pytest.mark.parametrize(
    "name", ["../up", "/etc/passwd", "a/../../b", "C:/windows", "a\\b", ".git/hooks/post-checkout"]
)
def test_a_path_outside_the_repository_is_refused_by_name(name: str) -> None:
    content = zipped({"fine": b"", name: b""})
    with pytest.raises(ConfigurationError) as caught:
        read_archive(content, PLACE)
    assert str(caught.value).startswith(f"{PLACE}: {name!r}")


def test_a_symbolic_link_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'link' is a symbolic link"):
        read_archive(zipped({"link": b"/etc/passwd"}, 0o120777), PLACE)


def test_a_file_given_twice_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        content.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            content.writestr("a", b"2")
    with pytest.raises(ConfigurationError, match="'a' is in the zip file twice"):
        read_archive(buffer.getvalue(), PLACE)


def test_an_encrypted_file_is_refused() -> None:
    content = bytearray(zipped({"a": b"1"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ConfigurationError, match="'a' is encrypted"):
        read_archive(bytes(content), PLACE)


def test_a_damaged_file_is_refused() -> None:
    content = zipped({"a": b"precious"}).replace(b"precious", b"damaged!")
    with pytest.raises(ConfigurationError, match="not a readable zip file"):
        read_archive(content, PLACE)


def test_a_file_that_lies_about_its_size_is_not_unpacked() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("a", b"x" * 10_000)
    lying = bytearray(buffer.getvalue())
    directory = lying.index(b"PK\x01\x02")
    lying[directory + 24 : directory + 28] = (5).to_bytes(4, "little")
    with pytest.raises(ConfigurationError, match=r"another size|not a readable zip file"):
        read_archive(bytes(lying), PLACE)


@pytest.mark.parametrize(
    ("limit", "problem"),
    [
        ("MAX_FILES", "2 files; at most 1"),
        ("MAX_FILE_BYTES", "'a' has 2 bytes"),
        ("MAX_TOTAL_BYTES", "unpacks to more than 1 bytes"),
    ],
)
def test_an_archive_above_a_limit_is_refused(monkeypatch: pytest.MonkeyPatch, limit: str, problem: str) -> None:
    monkeypatch.setattr(archive, limit, 1)
    with pytest.raises(ConfigurationError, match=problem):
        read_archive(zipped({"a": b"xx", "b": b"xx"}), PLACE)


def test_an_archive_without_files_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="contains no files"):
        read_archive(zipped({"folder/": b""}), PLACE)


@given(content=st.binary(max_size=200))
def test_any_bytes_that_are_no_zip_are_refused_by_place(content: bytes) -> None:
    with pytest.raises(ConfigurationError, match=PLACE):
        read_archive(content, PLACE)
