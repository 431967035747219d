"""The deployed main.py under good and bad data, algorithms and decisions, and its notebooks: one deployment for all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from configuration import GOOD
from git_program import git
from local_aws.tiny_pipeline import wait_for
from option_changes.declared import LOSSES
from option_changes.effects import Effect, effect_of
from option_changes.options import changes
from option_changes.search import applied, groups
from option_changes.site import synthesize
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized
from rehearsal.notebook_cells import NotebookInstance

from mlops_constructs import Algorithm
from mlops_constructs.cli._keeping import clone_urls
from mlops_constructs.deployed.teardown import Teardown
from mlops_constructs.errors import RehearsalError
from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.deployed import Execution

pytestmark = pytest.mark.terraform


def ask(site: Site, row: str) -> str:
    """Ask the production endpoint about one row."""
    endpoint = f"{site.pipeline}-production"
    runtime = site.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=row.encode())
    text: str = answer["Body"].read().decode().strip()
    return text


@pytest.fixture(scope="module")
def iris() -> RehearsalData:
    return RehearsalData.iris()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, iris: RehearsalData) -> Iterator[Site]:
    stack = synthesized(ROOT / "main.py", tmp_path_factory.mktemp("synth"))
    with deployed_site(stack, iris) as site:
        site.rehearsal.build_image()
        yield site


@pytest.fixture(scope="module")
def champion(site: Site, iris: RehearsalData) -> Execution:
    """A model in production."""
    outcome = site.run(iris.channels)
    assert outcome.status == "Succeeded", outcome.reason
    return outcome


def test_the_execution_trained_on_exactly_the_uploaded_version(site: Site, champion: Execution) -> None:
    execution = site.client("codepipeline").get_pipeline_execution(
        pipelineName=site.pipeline, pipelineExecutionId=champion.execution_id
    )["pipelineExecution"]
    revision = next(one for one in execution["artifactRevisions"] if one["name"] == "DatasetObject")
    versions = site.client("s3").list_object_versions(Bucket=site.deployed.data_bucket, Prefix=site.deployed.prefix)
    assert revision["revisionId"] in {version["VersionId"] for version in versions["Versions"]}
    assert champion.variable("Dataset", "VersionId") == revision["revisionId"]


def test_the_approver_reads_the_evidence(site: Site, champion: Execution) -> None:
    evidence = site.approver.evidence[0]
    assert champion.variable("Register", "ModelPackageArn") in evidence
    assert champion.variable("Gate", "Value") in evidence
    assert "10 of 10 golden records right" in evidence
    assert "@sha256:" in evidence
    assert "#{" not in evidence


def test_training_and_serving_use_the_same_image_by_digest(site: Site, champion: Execution) -> None:
    sagemaker = site.client("sagemaker")
    trained = sagemaker.describe_training_job(TrainingJobName=champion.variable("Train", "JobName"))
    image = trained["AlgorithmSpecification"]["TrainingImage"]
    assert "@sha256:" in image
    for model in sagemaker.list_models()["Models"]:
        served = sagemaker.describe_model(ModelName=model["ModelName"])["PrimaryContainer"]["Image"]
        assert served == image


def test_the_package_in_production_is_approved(site: Site, champion: Execution) -> None:
    assert site.package(champion)["ModelApprovalStatus"] == "Approved"


def test_production_autoscales(site: Site, champion: Execution) -> None:
    endpoint = f"endpoint/{site.pipeline}-production/variant/primary"
    scaling = site.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (endpoint, 2, 4)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["PolicyType"] == "TargetTrackingScaling"


def test_34_a_second_release_keeps_what_autoscaling_made_of_the_count(
    site: Site, champion: Execution, iris: RehearsalData
) -> None:
    name = f"{site.pipeline}-production"
    sagemaker = site.client("sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "primary", "DesiredInstanceCount": 4}]
    )
    wait_for(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    before = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    outcome = site.run({**iris.channels, "train": iris.channels["train"] + b"setosa,5.0,3.4,1.5,0.2\n"})
    assert outcome.status == "Succeeded", outcome.reason
    after = sagemaker.describe_endpoint(EndpointName=name)
    assert after["EndpointConfigName"] != before
    assert after["ProductionVariants"][0]["DesiredInstanceCount"] == 4
    assert float(outcome.variable("Gate", "ProductionValue")) > 0.8


@pytest.mark.parametrize(
    ("channels", "reason"),
    [
        ({"train": b""}, "empty"),
        ({"train": b"\x89PNG\r\n\x1a\n\x00\x00"}, "train.csv"),
        ({"train": b"setosa,1,2\nvirginica,1\n"}, "line 2"),
        ({"train": b"setosa,1,2\nsetosa,3,4\n"}, "class"),
    ],
    ids=["empty", "not CSV", "ragged", "one class"],
)
def test_bad_data_fails_before_any_training_cost(site: Site, channels: dict[str, bytes], reason: str) -> None:
    jobs = site.trainings()
    outcome = site.run(channels)
    assert outcome.status == "Failed"
    assert outcome.reason.startswith("Prepare / CheckDataset: ")
    message = site.failed_action("Prepare", "CheckDataset")
    assert reason in message
    assert "train.csv" in message
    assert site.trainings() == jobs


def test_37_a_rejection_stops_the_pipeline_and_is_on_record(
    site: Site, champion: Execution, iris: RehearsalData
) -> None:
    name = f"{site.pipeline}-production"
    sagemaker = site.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    outcome = site.run(iris.channels, approve=False)
    assert outcome.status == "Failed"
    assert outcome.reason.startswith("Approve / Approve: ")
    assert "rejected in a rehearsal" in outcome.reason
    assert site.wait_for_rejection(outcome)
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] == before


def test_a_failed_smoke_test_never_asks_for_approval(site: Site, iris: RehearsalData) -> None:
    asked = len(site.approver.evidence)
    wrong = b"virginica,5.1,3.5,1.4,0.2\nvirginica,4.9,3.0,1.4,0.2\nsetosa,6.3,3.3,6.0,2.5\n"
    outcome = site.run(iris.channels, golden=wrong)
    assert outcome.status == "Failed"
    message = site.failed_action("DeployDev", "SmokeTest")
    assert "0 of 3" in message
    assert len(site.approver.evidence) == asked


def mislabelled(iris: RehearsalData) -> dict[str, bytes]:
    """Give channels whose validation is wrong: a model learns, and the gate refuses it."""
    names = [b"setosa", b"virginica", b"versicolor"]
    lines = iris.channels["validation"].splitlines()
    wrong = b"".join(names[index % 3] + b"," + line.split(b",", 1)[1] + b"\n" for index, line in enumerate(lines))
    return {"train": iris.channels["train"], "validation": wrong}


def test_a_model_worse_than_the_threshold_is_refused_and_rejected(site: Site, iris: RehearsalData) -> None:
    outcome = site.run(mislabelled(iris))
    assert outcome.status == "Failed"
    assert "validation:accuracy" in site.failed_action("Evaluate", "Gate")
    assert site.package(outcome)["ModelApprovalStatus"] == "Rejected"


def test_two_uploads_train_twice_in_order(site: Site, iris: RehearsalData) -> None:
    known = site.known()
    versions = [site.upload(mislabelled(iris)), site.upload(mislabelled(iris))]
    first = site.follow_new(known)
    second = site.follow_new({*known, first.execution_id})
    assert [outcome.variable("Dataset", "VersionId") for outcome in (first, second)] == versions


def push(site: Site, work: Path, path: str, content: bytes) -> Execution:
    """Push a change of a file as a person does, and follow the build that it starts."""
    known = site.known(site.image_pipeline)
    (work / path).write_bytes(content)
    git(work, "commit", "-q", "-a", "-m", f"change {path}")
    git(work, "push", "-q")
    return site.follow_new(known, site.image_pipeline)


def test_12_an_algorithm_that_fails_says_why_and_the_last_good_one_comes_back(
    site: Site, iris: RehearsalData, tmp_path: Path
) -> None:
    path, work = "algorithm.py", tmp_path / "work"
    (url,) = clone_urls(site.rehearsal.aws)
    git(tmp_path, "clone", "-q", url, "work")
    assert os.access(work / "train", os.X_OK)
    good = (ROOT / "container" / path).read_bytes()
    assert push(site, work, path, b'raise RuntimeError("no forest today")\n').status == "Succeeded"
    outcome = site.run(iris.channels)
    assert outcome.status == "Failed"
    assert "no forest today" in site.failed_action("Train", "Train")
    assert push(site, work, path, good + b"\n").status == "Succeeded"
    assert site.run(iris.channels, approve=False).reason.startswith("Approve / Approve")


def test_50_a_build_without_a_dockerfile_keeps_the_last_good_image(site: Site) -> None:
    before = site.image()
    codecommit, name = site.client("codecommit"), site.pipeline
    known = site.known(site.image_pipeline)
    parent = codecommit.get_branch(repositoryName=name, branchName="main")["branch"]["commitId"]
    gone = codecommit.create_commit(
        repositoryName=name, branchName="main", parentCommitId=parent, deleteFiles=[{"filePath": "Dockerfile"}]
    )
    outcome = site.follow_new(known, site.image_pipeline)
    assert outcome.status == "Failed"
    assert "Dockerfile" in outcome.reason
    assert site.image() == before
    dockerfile = {"filePath": "Dockerfile", "fileContent": (ROOT / "container" / "Dockerfile").read_bytes()}
    codecommit.create_commit(
        repositoryName=name, branchName="main", parentCommitId=gone["commitId"], putFiles=[dockerfile]
    )


def test_production_answers_any_boto3_client(site: Site, champion: Execution) -> None:
    assert ask(site, "6.3,3.3,6.0,2.5") == "virginica"


def test_the_state_is_what_the_aws_cli_shows(site: Site, champion: Execution) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("aws"), "codepipeline", "get-pipeline-state", "--name", site.pipeline],
        env={"PATH": str(Path(sys.executable).parent), **site.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["stageStates"]) == 7


# Last, as the notebooks leave an execution that waits for a person.


@pytest.fixture(scope="module")
def instance(site: Site, tmp_path_factory: pytest.TempPathFactory) -> NotebookInstance:
    return NotebookInstance(tmp_path_factory.mktemp("instance"), site.aws, site.pipeline)


@pytest.fixture(scope="module")
def printed(instance: NotebookInstance) -> dict[str, str]:
    """Run them in their order, as a person would."""
    return {path.stem: instance.execute(path) for path in instance.notebooks}


def test_the_start_put_the_notebooks_in_place(instance: NotebookInstance) -> None:
    assert [path.stem for path in instance.notebooks] == [
        *("1_understand_the_data", "2_train", "3_decide"),
        "4_compare_in_production",
    ]


def test_the_data_is_understood_and_split(printed: dict[str, str]) -> None:
    assert "train: " in printed["1_understand_the_data"]
    assert "holdout: " in printed["1_understand_the_data"]


def test_the_pipeline_is_watched_until_a_person_is_asked(printed: dict[str, str]) -> None:
    assert "Train / Train" in printed["2_train"]
    assert "DeployDev / SmokeTest" in printed["2_train"]
    assert "Failed" not in printed["2_train"]


def test_the_evidence_and_the_answers_of_dev_are_read(printed: dict[str, str]) -> None:
    assert "validation:accuracy" in printed["3_decide"]
    accuracy = float(printed["3_decide"].partition(" of ")[0].split()[-1])
    assert accuracy > 0.8


def test_without_ab_tests_there_is_nothing_to_compare(site: Site, printed: dict[str, str]) -> None:
    assert printed["4_compare_in_production"].startswith(f"{site.pipeline} has no A/B tests: ")


def test_every_call_of_a_cell_is_one_that_the_role_may_make(
    site: Site, instance: NotebookInstance, printed: dict[str, str]
) -> None:
    role = instance.described["RoleArn"].rpartition("/")[2]
    document = site.client("iam").get_role_policy(RoleName=role, PolicyName="permissions")["PolicyDocument"]
    policy = document if isinstance(document, dict) else json.loads(document)
    allowed: set[str] = set()
    for statement in policy["Statement"]:
        actions = statement["Action"]
        allowed |= {actions} if isinstance(actions, str) else set(actions)
    made = {f"{service}:{operation}" for service, operation, _ in instance.calls()}
    assert made
    assert made <= allowed


def test_no_cell_answers_the_approval(site: Site, printed: dict[str, str]) -> None:
    codepipeline = site.client("codepipeline")
    time.sleep(1)
    state = codepipeline.get_pipeline_state(name=site.pipeline)
    (approve,) = [
        action
        for stage in state["stageStates"]
        for action in stage["actionStates"]
        if (stage["stageName"], action["actionName"]) == ("Approve", "Approve")
    ]
    assert approve["latestExecution"]["status"] == "InProgress"


# What is planned against main.py as it is deployed; `make soak-changes` plans a change of every option.
DEPLOYED = {**GOOD, "algorithm": Algorithm.from_directory(ROOT / "container")}
LOSSY = ("algorithm.directory", "dataset.bucket_name", "existing.kms_key_arn", "notebook", "notebook.volume_size_in_gb")


def effect_on(site: Site, folder: Path, arguments: dict[str, Any]) -> Effect:
    """Plan the pipeline of main.py with other arguments."""
    deployed = json.loads((site.terraform.folder / "cdk.tf.json").read_text())
    site.terraform.prepare(synthesize(folder, arguments, "iris", "iris"))
    try:
        return effect_of(site.terraform.drift(refresh=False))
    finally:
        (site.terraform.folder / "cdk.tf.json").write_text(json.dumps(deployed))


@pytest.mark.parametrize("option", LOSSY)
def test_a_change_loses_what_the_documents_say(site: Site, tmp_path: Path, option: str) -> None:
    *_, change = changes(DEPLOYED, lambda one, _: one == option)
    effect = effect_on(site, tmp_path, change.applied(DEPLOYED))
    assert set() < {text.partition(" (")[0] for text in effect.data} <= LOSSES[option]


def test_a_change_of_what_the_documents_do_not_name_loses_nothing(site: Site, tmp_path: Path) -> None:
    group = max(groups(DEPLOYED, list(changes(DEPLOYED, lambda option, _: option not in LOSSES)), []), key=len)
    assert len(group) > 20
    assert effect_on(site, tmp_path, applied(DEPLOYED, group)).data == ()


def test_a_destroy_that_is_refused_has_lost_nothing(site: Site) -> None:
    codecommit, repository = site.client("codecommit"), site.pipeline
    head = codecommit.get_branch(repositoryName=repository, branchName="main")["branch"]["commitId"]
    file = {"filePath": "note", "fileContent": b"x", "name": "Ada", "parentCommitId": head}
    codecommit.put_file(repositoryName=repository, branchName="main", **file)
    key = site.client("kms").describe_key(KeyId=f"alias/{site.pipeline}")["KeyMetadata"]["KeyId"]
    site.put("note", b"x")
    Teardown(site.deployed).run()
    with pytest.raises(RehearsalError) as refused:
        site.terraform.destroy()
    for message in (f"The CodeCommit repository {repository} was not deleted", "BucketNotEmpty", "RepositoryNotEmpty"):
        assert message in str(refused.value)
    assert codecommit.get_branch(repositoryName=repository, branchName="main")
    # Without it nobody could read the objects any more.
    assert site.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
