"""A synthesized stack is read as Terraform reads it, and its state is believed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from preflight.synthesized_stacks import IDENTITY, archive, real, written

from mlops_constructs.errors import MlopsError
from mlops_constructs.preflight import SynthesizedStack, TerraformState

if TYPE_CHECKING:
    from pathlib import Path

ROLE = "name-${data.aws_region.r.name}"


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("iris", "iris"),
        (ROLE, "name-us-east-1"),
        ("${aws_s3_bucket_versioning.v.bucket}", "kept"),
        ("${aws_s3_bucket.b.id}", "kept"),
        ("arn:${data.aws_partition.p.partition}:${data.aws_caller_identity.c.account_id}", "arn:aws:123456789012"),
        ("${aws_s3_bucket.b.arn}", None),
        ("${upper(aws_s3_bucket.b.bucket)}", None),
        (7, None),
    ],
)
def test_references_are_resolved_as_far_as_they_are_known_before_the_apply(
    tmp_path: Path, text: object, resolved: str | None
) -> None:
    made = {
        "aws_s3_bucket": {"b": {"bucket": "kept"}},
        "aws_s3_bucket_versioning": {"v": {"bucket": "${aws_s3_bucket.b.bucket}"}},
    }
    assert written(tmp_path, made).text(text, IDENTITY) == resolved


def test_only_the_wanted_pipeline_is_looked_at() -> None:
    both = real("examples/training/main.py")
    names = [one.arguments["name"] for one in both.of_type("aws_codepipeline") if "image" not in one.arguments["name"]]
    assert len(names) == 2
    one = SynthesizedStack(both.folder, names[0])
    assert [pipeline.arguments["name"] for pipeline in one.of_type("aws_codepipeline")][:1] == names[:1]
    assert not [resource for resource in one.resources if resource.arguments.get("name") == names[1]]
    assert len(one.resources) < len(both.resources)


def test_the_beginning_of_a_name_will_do() -> None:
    both = real("examples/training/main.py")
    name = both.of_type("aws_codepipeline")[0].arguments["name"]
    beginning = name.rpartition("-")[0]
    assert SynthesizedStack(both.folder, beginning).resources == SynthesizedStack(both.folder, name).resources


def test_a_pipeline_that_the_stack_lacks_is_refused_with_those_it_has() -> None:
    with pytest.raises(MlopsError, match=r"the stack has no pipeline 'wine'; it has: iris-"):
        SynthesizedStack(real().folder, "wine")


@pytest.mark.parametrize(
    ("providers", "region"),
    [
        ([{"region": "eu-west-1"}], "eu-west-1"),
        ([{"alias": "other", "region": "eu-west-1"}], None),
        ([{"region": "${var.region}"}], None),
        ([], None),
    ],
)
def test_the_region_is_that_of_the_default_provider(
    tmp_path: Path, providers: list[dict[str, str]], region: str | None
) -> None:
    assert written(tmp_path, {}, provider={"aws": providers}).region == region


def test_what_is_no_zip_has_no_files(tmp_path: Path) -> None:
    made = {"aws_s3_object": {"zip": archive(tmp_path, "a.zip", {"a.json": 1}), "text": {"content": "x", "key": "k"}}}
    zipped, text = written(tmp_path, made).of_type("aws_s3_object")
    stack = SynthesizedStack(tmp_path)
    assert (stack.files(zipped), stack.files(text)) == ({"a.json": b"1"}, {})


def state_file(folder: Path, **resource: object) -> Path:
    path = folder / "terraform.tfstate"
    one = {"mode": "managed", "type": "aws_sqs_queue", "name": "q", "instances": [{}]} | resource
    path.write_text(json.dumps({"version": 4, "resources": [one]}))
    return path


def test_the_state_of_a_local_backend_tells_what_is_managed(tmp_path: Path) -> None:
    path = str(state_file(tmp_path))
    stack = written(tmp_path, {}, terraform={"backend": {"local": {"path": path}}})
    state = TerraformState(stack)
    assert (state.known, state.has("aws_sqs_queue.q"), state.has("aws_sqs_queue.other")) == (True, True, False)


@pytest.mark.parametrize("resource", [{"mode": "data"}, {"instances": []}])
def test_what_a_state_only_mentions_is_not_managed(tmp_path: Path, resource: dict[str, object]) -> None:
    state = TerraformState(written(tmp_path, {}), state_file(tmp_path, **resource))
    assert not state.has("aws_sqs_queue.q")


def test_before_the_first_apply_nothing_is_managed(tmp_path: Path) -> None:
    stack = written(tmp_path, {}, terraform={"backend": {"local": {"path": str(tmp_path / "none")}}})
    state = TerraformState(stack)
    assert (state.known, state.has("aws_sqs_queue.q")) == (True, False)


def test_the_state_of_a_remote_backend_is_not_known(tmp_path: Path) -> None:
    state = TerraformState(written(tmp_path, {}, terraform={"backend": {"s3": {"bucket": "b"}}}))
    assert (state.known, state.source) == (False, "the backend s3")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"version": 3, "modules": []}', b"\xff\xfe" * 1000])
def test_a_file_that_is_no_state_is_refused_in_a_sentence(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "state"
    path.write_bytes(body)
    with pytest.raises(MlopsError, match="is not the state of Terraform") as caught:
        TerraformState(written(tmp_path, {}), path)
    assert len(str(caught.value)) < 300


def test_a_state_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MlopsError, match="terraform state pull"):
        TerraformState(written(tmp_path, {}), tmp_path / "none")
