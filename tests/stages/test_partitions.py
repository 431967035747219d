"""aws and aws-us-gov are served, aws-cn is refused with the reason."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import cdktf
import pytest
from cdktf import TerraformStack, TerraformVariable
from synthesis import CONTAINER, synth

from mlops_constructs import Algorithm, ConfigError, Dataset, MLOpsPipeline, Training
from mlops_constructs.provider import AwsProvider
from mlops_constructs.rehearsal.terraform import find_program

if TYPE_CHECKING:
    from pathlib import Path


def make(region: Any) -> TerraformStack:
    stack = TerraformStack(cdktf.Testing.app(), "s")
    AwsProvider(stack, "aws", region=region)
    MLOpsPipeline(stack, "p", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset())
    return stack


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1"])
def test_55_a_region_in_china_is_refused_before_anything_is_made(region: str) -> None:
    stack = TerraformStack(cdktf.Testing.app(), "s")
    AwsProvider(stack, "aws", region=region)
    with pytest.raises(ConfigError) as caught:
        MLOpsPipeline(stack, "p", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset())
    (problem,) = caught.value.problems
    assert (problem.field, problem.got) == ("provider.region", region)
    assert "no CloudFormation action" in problem.rule
    assert [child.node.id for child in stack.node.children] == ["aws"]


@pytest.mark.parametrize("region", ["us-gov-west-1", "eu-central-1"])
def test_other_regions_are_served(region: str) -> None:
    assert "aws_codepipeline" in json.loads(cdktf.Testing.synth(make(region)))["resource"]


def test_a_region_that_only_terraform_knows_is_not_looked_into() -> None:
    stack = TerraformStack(cdktf.Testing.app(), "s")
    region = TerraformVariable(stack, "region", type="string")
    AwsProvider(stack, "aws", region=region.string_value)
    MLOpsPipeline(stack, "p", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset())
    assert "aws_codepipeline" in json.loads(cdktf.Testing.synth(stack))["resource"]


@pytest.mark.terraform
@pytest.mark.parametrize(("partition", "code"), [("aws-cn", 1), ("aws-us-gov", 0)])
def test_a_plan_in_china_fails_with_the_reason(tmp_path: Path, partition: str, code: int) -> None:
    (data,) = synth().document["data"]["aws_partition"].values()
    (check,) = data["lifecycle"]["postcondition"]
    # The condition as it is, on a value of our own: no provider has credentials for China here.
    source = {"locals": {"partition": partition}, "output": {"it": {"value": "x", "precondition": check}}}
    text = json.dumps(source).replace("self.partition", "local.partition")
    (tmp_path / "main.tf.json").write_text(text)
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1"}
    for command in (["init", "-input=false"], ["plan", "-input=false", "-no-color"]):
        done = subprocess.run(
            [find_program(), *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == code
    told = " ".join(done.stderr.replace("│", "").split())
    assert ("CodePipeline has no CloudFormation action in aws-cn" in told) == (code == 1)


def test_54_no_arn_has_a_literal_partition_but_those_that_are_handed_in() -> None:
    assert not re.findall(r"arn:aws[\w-]*:", synth().text)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"algorithm": Algorithm.from_directory(CONTAINER, ecr_repository_name="team/own")},
        {
            "algorithm": Algorithm.builtin("xgboost", "1.7-1"),
            "training": Training(hyperparameters={"num_round": 5, "eval_metric": "accuracy"}),
        },
    ],
    ids=["own registry", "registry handed in", "built-in algorithm"],
)
def test_a_registry_that_is_named_here_has_the_suffix_of_the_partition(options: dict[str, Any]) -> None:
    text = synth(**options).text
    hosts = re.findall(r"dkr\.ecr\.\$\{[\w.]+\}\.(.*?)[\"/]", text)
    assert hosts
    assert not [
        host for host in hosts if re.fullmatch(r"\$\{data\.aws_partition\.\w+\.dns_suffix\}", host.strip("\\")) is None
    ]
    assert not re.findall(r"arn:aws[\w-]*:", text)


def test_an_image_that_is_handed_in_is_left_as_it_is() -> None:
    image = "111122223333.dkr.ecr.us-gov-west-1.amazonaws.com/own@sha256:" + "0" * 64
    assert image in synth(algorithm=Algorithm.from_image(image)).text
