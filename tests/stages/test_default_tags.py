"""A provider with default tags: S3 takes 10 tags on an object, other services 50."""

from __future__ import annotations

import cdktf
import pytest
from synthesis import CONTAINER, ROOT, Synthesized, document_of, synth

from mlops_constructs import Algorithm, Column, DataContract, Dataset, MLOpsPipeline
from mlops_constructs._aws.upload import upload
from mlops_constructs.provider import AwsProvider, s3_object

UNTAGGED = {"default_tags": {"tags": {}}}


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth(dataset=Dataset(contract=DataContract(columns=[Column(name="a")])))


def test_no_object_takes_the_tags_of_the_provider(stack: Synthesized) -> None:
    objects = stack.all("aws_s3_object")
    assert len(objects) > 12
    assert {id_ for id_, one in objects.items() if one.get("override_provider") != UNTAGGED} == set()


def test_every_object_is_uploaded_where_that_is_seen_to() -> None:
    makers = [path for path in (ROOT / "mlops_constructs").rglob("*.py") if "S3Object(" in path.read_text()]
    assert [path.name for path in makers] == [f"{upload.__name__}.py"]


def test_an_object_of_the_user_s_own_keeps_them() -> None:
    stack = cdktf.TerraformStack(cdktf.Testing.app(), "s")
    AwsProvider(stack, "aws", region="us-east-1", default_tags=[{"tags": {f"t{n}": "v" for n in range(11)}}])
    MLOpsPipeline(stack, "p", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset())
    s3_object.S3Object(stack, "mine", bucket="b", key="k", content="c")
    objects = document_of(stack)["resource"]["aws_s3_object"]
    assert {id_ for id_, one in objects.items() if "override_provider" not in one} == {"mine"}


@pytest.mark.parametrize("purpose", ["pipeline", "image-pipeline"])
def test_a_pipeline_may_copy_a_tagged_object_to_its_artifacts(stack: Synthesized, purpose: str) -> None:
    policy = stack.policy(f"{stack.pipeline.name}-{purpose}")
    (artifacts,) = [one for one in policy if "s3:PutObject" in one["Action"]]
    assert {"s3:GetObjectTagging", "s3:GetObjectVersionTagging", "s3:PutObjectTagging"} <= set(artifacts["Action"])
    assert "s3:GetBucketAcl" in [name for one in policy for name in one["Action"]]


def test_the_build_writes_no_artifact(stack: Synthesized) -> None:
    actions = {name for one in stack.policy("-build") for name in one["Action"]}
    assert {name for name in actions if name.startswith("s3:Put")} == set()
