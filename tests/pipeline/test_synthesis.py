"""Same input, same bytes; ids are addresses."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from synthesis import CONTAINER, ROOT, document_of, new_stack, synth

from mlops_constructs import Algorithm, ConfigError, Dataset, MLOpsPipeline, Training

ADDRESSES = Path(__file__).with_name("addresses.txt")


def run_main(output: Path, seed: str) -> dict[str, str]:
    """Synthesize main.py in its own process; give each file's digest."""
    environment = {**os.environ, "CDKTF_OUTDIR": str(output), "PYTHONHASHSEED": seed}
    subprocess.run([sys.executable, "main.py"], cwd=ROOT, env=environment, check=True)
    return {
        path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }


def test_equal_input_gives_equal_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    first, second = (run_main(tmp_path / seed, seed) for seed in ("0", "424242"))
    assert first == second
    assert "stacks/iris/cdk.tf.json" in first


def test_caches_and_times_do_not_change_the_payload(tmp_path: Path) -> None:
    container = tmp_path / "container"
    shutil.copytree(CONTAINER, container)
    before = synth(algorithm=Algorithm.from_directory(container)).text
    (container / "__pycache__").mkdir(exist_ok=True)
    (container / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"x")
    (container / "stray.pyc").write_bytes(b"x")
    os.utime(container / "train", (1, 1))
    assert synth(algorithm=Algorithm.from_directory(container)).text == before


def test_a_changed_algorithm_changes_the_seed(tmp_path: Path) -> None:
    container = tmp_path / "container"
    shutil.copytree(CONTAINER, container)
    before = synth(algorithm=Algorithm.from_directory(container)).text
    (container / "algorithm.py").write_text("changed = True\n")
    assert synth(algorithm=Algorithm.from_directory(container)).text != before


def test_addresses_are_as_recorded() -> None:
    document = synth("iris").document
    found = sorted(f"{kind}.{id_}" for kind, ids in document["resource"].items() for id_ in ids)
    assert found == ADDRESSES.read_text().split(), (
        "A changed address destroys and recreates the resource. If that is meant, record it in "
        "tests/pipeline/addresses.txt and under Breaking in CHANGELOG.md."
    )


def test_a_user_who_hands_out_rights_gets_a_policy_on_the_role() -> None:
    stack = new_stack()
    pipeline = MLOpsPipeline(stack, "p", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset())
    pipeline.grant_invoke("callers", "web")
    pipeline.grant_upload("etl", "loader")
    pipeline.grant_approve("leads", "boss")
    policies = document_of(stack)["resource"]["aws_iam_role_policy"].values()
    granted = {policy["role"]: json.loads(policy["policy"])["Statement"] for policy in policies}
    assert granted["web"][0]["Action"] == "sagemaker:InvokeEndpoint"
    assert granted["web"][0]["Resource"].endswith(f":endpoint/{pipeline.production_endpoint}")
    assert granted["loader"][0]["Action"] == "s3:PutObject"
    assert granted["boss"][1]["Resource"].endswith("/Approve/Approve")


def test_mistakes_are_found_before_anything_is_made() -> None:
    stack = new_stack()
    before = len(stack.node.children)
    with pytest.raises(ConfigError):
        MLOpsPipeline(
            stack,
            "p",
            algorithm=Algorithm.from_directory(CONTAINER),
            dataset=Dataset(),
            training=Training(instance_count=0),
        )
    assert len(stack.node.children) == before


def test_hyperparameters_reach_the_function_as_strings_that_terraform_never_sees() -> None:
    stack = synth(training=Training(hyperparameters={"depth": 3, "warm": True, "text": "${x} %{y}"}))
    request = stack.function_document("train_model")["training_job"]
    assert request["HyperParameters"] == {"depth": "3", "warm": "true", "text": "${x} %{y}"}
