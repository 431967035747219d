"""A script that AWS's scikit-learn image runs: the toolkit trains, and the model serves with the script's functions.

One deployment serves all tests; then its author changes the script.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized

from mlops_constructs.local_aws.ecr.images import ImageUri
from mlops_constructs.rehearsal.data import RehearsalData
from mlops_constructs.rehearsal.framework_images import framework_of, write_context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.deployed import Execution

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(ROOT / "examples" / "script", tmp_path_factory.mktemp("project") / "script")


@pytest.fixture(scope="module")
def site(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    stack = synthesized(project / "main.py", tmp_path_factory.mktemp("synth"))
    with deployed_site(stack, RehearsalData.iris(), container=ROOT / "container") as site:
        yield site


@pytest.fixture(scope="module")
def outcome(site: Site) -> Execution:
    site.rehearsal.build_image()
    return site.rehearsal.run()


@pytest.mark.terraform
def test_a_script_reaches_production_and_answers(site: Site, outcome: Execution) -> None:
    site.rehearsal.ask_production()
    assert site.rehearsal.result.metrics["accuracy"] > 0.8


@pytest.mark.terraform
def test_the_model_has_the_source_that_serves_it(site: Site, outcome: Execution) -> None:
    bucket, _, key = outcome.variable("Train", "ModelDataUrl").removeprefix("s3://").partition("/")
    body = site.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as model:
        names = {name for name in model.getnames() if name != "code"}
    assert names == {"model.joblib", "code/inference.py", "code/model.py", "code/train.py"}


@pytest.mark.terraform
def test_a_changed_script_is_trained_on_the_same_data(
    site: Site, outcome: Execution, project: Path, tmp_path: Path
) -> None:
    script = project / "src" / "train.py"
    script.write_text(script.read_text().replace('print(f"{channel}:', 'print(f"retrained {channel}:'))
    known = site.known()
    site.approver.answer = False
    site.redeploy(synthesized(project / "main.py", tmp_path))
    retrained = site.follow_new(known)
    assert retrained.variable("Train", "SourceSha256") != outcome.variable("Train", "SourceSha256")
    assert retrained.variable("CheckDataset", "Sha256") == outcome.variable("CheckDataset", "Sha256")
    package = site.package(retrained)["CustomerMetadataProperties"]
    assert package["source_sha256"] == retrained.variable("Train", "SourceSha256")


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("sagemaker-scikit-learn:1.9-0-cpu-py3", "'scikit-learn==1.9.*'"),
        ("sagemaker-xgboost:3.2-0", "'xgboost==3.2.*'"),
        ("pytorch:2.13-cpu-amzn2023-sagemaker", "'torch==2.13.*'"),
        (
            "huggingface-pytorch-training:2.9.0-transformers5.3.0-gpu-py312-cu130-ubuntu22.04",
            "'torch==2.9.*' 'pandas>=2,<4' 'transformers==5.3.0'",
        ),
    ],
)
def test_an_image_of_aws_is_replaced_by_what_it_has(name: str, packages: str, tmp_path: Path) -> None:
    uri = ImageUri.parse(f"{REGISTRY}/{name}")
    framework = framework_of(uri)
    assert framework is not None
    folder = write_context(uri, framework, ROOT / "container", tmp_path / "image")
    assert f"'sagemaker-training>=5.1.4,<6' {packages}" in (folder / "Dockerfile").read_text()
    assert (folder / "sagemaker_contract" / "serving" / "program.py").is_file()


@pytest.mark.parametrize("name", ["theirs:1.9-0", "sagemaker-scikit-learn@sha256:" + "ab" * 32])
def test_another_image_is_not(name: str) -> None:
    assert framework_of(ImageUri.parse(f"{REGISTRY}/{name}")) is None
