"""Pipelines that are handed the same artifact bucket leave each other's objects alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from synthesis import CONTAINER, document_of, new_stack

from mlops_constructs import (
    Algorithm,
    Column,
    DataContract,
    Dataset,
    Evaluation,
    EvaluationJob,
    Existing,
    MLOpsPipeline,
    Spot,
    Training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "company-artifacts"
PIPELINES = ("one", "two")
# Every folder that a pipeline has.
KEYS = [
    "checkpoints/{name}/0f3c2b1a-1111-2222-3333-444455556666/state",
    "datasets/{name}/0f3c2b1a-1111-2222-3333-444455556666/golden.csv",
    "datasets/{name}/0f3c2b1a-1111-2222-3333-444455556666/request.json",
    "datasets/{name}/0f3c2b1a-1111-2222-3333-444455556666/train/part.csv",
    "evaluations/{name}/{name}-0f3c2b1a1111/evaluation.json",
    "evidence/{name}/0f3c2b1a-1111-2222-3333-444455556666.txt",
    "models/{name}/{name}-0f3c2b1a1111/output/model.tar.gz",
    "capture/{name}/production/{name}-production/model/2026/01/14/12/x.jsonl",
    "contracts/{name}/dataset.json",
    "releases/{name}/1.json",
    "seed/{name}/container.zip",
    "templates/{name}/endpoints.zip",
    "trained/{name}/" + "0f" * 32 + ".json",
    "{name}/Release/Qx7Lr0a",
    "{name}-image/SourceCode/Qx7Lr0a",
]


@dataclass(frozen=True)
class Shared:
    """Two pipelines with one bucket: the stack's resources, and each pipeline's physical name."""

    resources: dict[str, Any]
    names: dict[str, str]

    def statements(self, pipeline: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give every statement of a pipeline's roles."""
        for id_, policy in self.resources["aws_iam_role_policy"].items():
            if id_.startswith(f"{pipeline}_"):
                for statement in json.loads(policy["policy"])["Statement"]:
                    yield id_, statement

    def covering(self, pipeline: str, key: str) -> list[str]:
        """Name the roles of a pipeline that may read or write an object of the bucket."""
        found = []
        for id_, statement in self.statements(pipeline):
            resources = statement["Resource"]
            for one in [resources] if isinstance(resources, str) else resources:
                bucket, _, pattern = one.rpartition(":::")[2].partition("/")
                if bucket == BUCKET and fnmatchcase(key, pattern):
                    found.append(id_)
        return found


@pytest.fixture(scope="module")
def shared() -> Shared:
    stack = new_stack()
    names = {
        id_: MLOpsPipeline(
            stack,
            id_,
            name_prefix="iris",
            # With everything that writes to the bucket.
            algorithm=Algorithm.from_directory(CONTAINER),
            dataset=Dataset(contract=DataContract(columns=[Column(name="a")]), duplicates="refuse"),
            training=Training(spot=Spot(max_wait_time_in_seconds=7200)),
            evaluation=Evaluation(metric="f1", job=EvaluationJob()),
            existing=Existing(artifact_bucket=BUCKET),
        ).name
        for id_ in PIPELINES
    }
    return Shared(document_of(stack)["resource"], names)


def test_no_two_objects_have_the_same_key(shared: Shared) -> None:
    objects = [one["key"] for one in shared.resources["aws_s3_object"].values() if one["bucket"] == BUCKET]
    assert len(objects) > 30
    assert len(set(objects)) == len(objects)


def test_every_object_is_named_after_its_pipeline(shared: Shared) -> None:
    for id_, one in shared.resources["aws_s3_object"].items():
        assert shared.names[id_.partition("_")[0]] in one["key"], id_


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("ours", "theirs"), [PIPELINES, PIPELINES[::-1]])
def test_40_no_role_covers_an_object_of_the_other_pipeline(shared: Shared, ours: str, theirs: str, key: str) -> None:
    assert shared.covering(ours, key.format(name=shared.names[theirs])) == []


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("ours", PIPELINES)
def test_some_role_covers_an_object_of_its_own_pipeline(shared: Shared, ours: str, key: str) -> None:
    assert shared.covering(ours, key.format(name=shared.names[ours])) != []


@pytest.mark.parametrize(("ours", "theirs"), [PIPELINES, PIPELINES[::-1]])
def test_no_role_covers_what_was_uploaded_for_the_other_pipeline(shared: Shared, ours: str, theirs: str) -> None:
    uploaded = [one["key"] for id_, one in shared.resources["aws_s3_object"].items() if id_.startswith(f"{theirs}_")]
    assert [key for key in uploaded if shared.covering(ours, key)] == []
    assert [key for key in uploaded if key.startswith("notebooks/") and shared.covering(theirs, key)] != []


@pytest.mark.parametrize("ours", PIPELINES)
def test_records_are_listed_only_in_the_folder_of_the_pipeline(shared: Shared, ours: str) -> None:
    listed = [
        prefix
        for _, statement in shared.statements(ours)
        for prefix in statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", [])
        if prefix.startswith(("releases", "trained"))
    ]
    assert {f"{prefix.rpartition('/')[0]}/" for prefix in listed} == {
        f"{folder}/{shared.names[ours]}/" for folder in ("releases", "trained")
    }


def test_the_templates_are_uploaded_where_the_pipeline_reads_them(shared: Shared) -> None:
    keys = {one["key"] for one in shared.resources["aws_s3_object"].values()}
    for name in shared.names.values():
        (pipeline,) = [one for one in shared.resources["aws_codepipeline"].values() if one["name"] == name]
        (templates,) = [one for one in pipeline["stage"][0]["action"] if one["name"] == "Templates"]
        assert templates["configuration"]["S3ObjectKey"] in keys


@pytest.mark.parametrize(
    ("folder", "setting"),
    [
        ("check_dataset", "PIPELINE"),
        ("train_model", "PIPELINE"),
        ("run_evaluation", "JOB_PREFIX"),
        ("register_model", "MODEL_PACKAGE_GROUP"),
        ("record_release", "PIPELINE"),
    ],
)
def test_the_function_that_reads_records_is_told_whose(shared: Shared, folder: str, setting: str) -> None:
    functions = shared.resources["aws_lambda_function"]
    told = {
        id_.partition("_")[0]: one["environment"]["variables"][setting]
        for id_, one in functions.items()
        if one["handler"].startswith(f"{folder}.")
    }
    assert told == shared.names
