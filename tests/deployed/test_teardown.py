"""What a pipeline made at run time goes, in the right order, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_pipeline import ARTIFACTS, DATA, STEP_SOURCE, Bench, action, make_function, s3_source, wait_for

from mlops_constructs import MlopsError
from mlops_constructs.cli.main import main
from mlops_constructs.deployed import DeployedPipeline
from mlops_constructs.deployed.made import Patience
from mlops_constructs.deployed.made_commits import SEED_AUTHOR
from mlops_constructs.deployed.teardown import Teardown
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = Patience(poll_seconds=0.1, seconds=60)
STACKS = ("iris-dev", "iris-production")
TEMPLATE = json.dumps(
    {
        "Resources": {
            "Alarm": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": "Invocation5XXErrors",
                    "Statistic": "Sum",
                    "Period": 60,
                    "EvaluationPeriods": 1,
                    "Threshold": 1,
                    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                },
            }
        }
    }
)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A pipeline that waits at an approval, with two stacks, a model package and objects."""
    with LocalAws() as aws:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        bench = Bench(aws)
        bench.upload()
        make_function(aws, "step", STEP_SOURCE)
        deploys = [deploy(f"Deploy{number}", stack) for number, stack in enumerate(STACKS)]
        execution = bench.make_pipeline("iris", [s3_source()], [action("Wait", "Manual", {})], deploys)
        wait_for(lambda: "Wait" in bench.actions("iris", execution))
        cloudformation, sagemaker = aws.client("cloudformation"), aws.client("sagemaker")
        for stack in STACKS:
            cloudformation.create_stack(StackName=stack, TemplateBody=TEMPLATE)
        wait_for(lambda: [statuses(bench).get(stack) for stack in STACKS] == ["CREATE_COMPLETE"] * 2)
        for group in ("iris", "other"):
            sagemaker.create_model_package_group(ModelPackageGroupName=group)
            sagemaker.create_model_package(ModelPackageGroupName=group, ModelApprovalStatus="Rejected")
        for key in ("models/iris/model.tar.gz", "iris/Release/x", "models/other/model.tar.gz"):
            bench.s3.put_object(Bucket=ARTIFACTS, Key=key, Body=b"x")
        yield bench


def deploy(name: str, stack: str) -> dict[str, Any]:
    kind = {"category": "Deploy", "owner": "AWS", "provider": "CloudFormation", "version": "1"}
    configuration = {"ActionMode": "CREATE_UPDATE", "StackName": stack, "TemplatePath": "DatasetObject::template.json"}
    return {
        "name": name,
        "actionTypeId": kind,
        "configuration": configuration,
        "inputArtifacts": [{"name": "DatasetObject"}],
    }


def statuses(bench: Bench) -> dict[str, str]:
    stacks = bench.aws.client("cloudformation").describe_stacks()["Stacks"]
    return {one["StackName"]: one["StackStatus"] for one in stacks}


def packages(bench: Bench, group: str) -> list[Any]:
    found: list[Any] = bench.aws.client("sagemaker").list_model_packages(ModelPackageGroupName=group)[
        "ModelPackageSummaryList"
    ]
    return found


def keys(bench: Bench, bucket: str) -> list[str]:
    return [one["Key"] for one in bench.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def teardown(bench: Bench, *arguments: str) -> int:
    return main(["teardown", "iris", "--region", bench.aws.region, *arguments])


def test_58_a_teardown_leaves_what_terraform_knows_and_what_is_anothers(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = keys(bench, ARTIFACTS)
    (execution,) = [one["pipelineExecutionId"] for one in bench.executions("iris")]
    assert teardown(bench, "--yes") == 0
    assert bench.status("iris", execution) == "Stopped"
    assert statuses(bench) == {}
    assert (packages(bench, "iris"), len(packages(bench, "other"))) == ([], 1)
    assert keys(bench, ARTIFACTS) == kept
    deleted = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("deleting")]
    assert deleted == ["execution", "stack", "stack", "model"], "production goes before DEV, packages last"
    assert teardown(bench, "--yes") == 0, "it can be repeated"
    assert "has nothing that Terraform does not know" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "code"), [((), 1), (("--dry-run",), 0), (("--dry-run", "--yes"), 0)])
def test_58_nothing_is_deleted_unless_a_person_says_yes(
    bench: Bench, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int
) -> None:
    assert teardown(bench, *arguments) == code
    said = capsys.readouterr()
    assert said.out.splitlines()[1:3] == ["stack iris-production", "stack iris-dev"]
    assert ("give --yes" in said.err) is (code == 1)
    assert set(statuses(bench)) == set(STACKS)
    assert len(packages(bench, "iris")) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--yes",), "what was deleted stays deleted; run it again to delete the rest"),
        ((), "nothing was deleted"),
        (("--dry-run", "--yes"), "nothing was deleted"),
        (("--cancel",), "run it again: executions may wait until then"),
    ],
)
def test_ctrl_c_says_what_is_true_then(
    arguments: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mlops_constructs.cli.teardown.read_pipeline", interrupt)
    assert main(["teardown", "iris", *arguments]) == 130
    assert capsys.readouterr().err == f"mlops teardown: interrupted; {told}\n"


def test_with_data_only_the_pipelines_own_folders_of_a_shared_bucket_go(bench: Bench) -> None:
    pipeline = DeployedPipeline.read(bench.aws.client, "iris")
    Teardown(pipeline, data=True, patience=QUICK).run()
    assert keys(bench, ARTIFACTS) == ["models/other/model.tar.gz"]
    assert keys(bench, DATA) == ["data.csv"], "the data bucket is somebody else's"


def with_repository(bench: Bench, repository: str, author: str) -> Any:
    """Give the image pipeline's repository a commit."""
    codecommit = bench.aws.client("codecommit")
    codecommit.create_repository(repositoryName=repository)
    codecommit.put_file(
        repositoryName=repository, branchName="main", filePath="train", fileContent=b"x", name=author, commitMessage="x"
    )
    place = {"RepositoryName": repository, "BranchName": "main", "PollForSourceChanges": "false"}
    source = action("Source", "CodeCommit", place, outputArtifacts=[{"name": "Code"}])
    bench.make_pipeline("iris-image", [source], [action("Wait", "Manual", {})])
    return codecommit


@pytest.mark.parametrize(
    ("repository", "author", "left"),
    [("iris", "Ada", []), ("iris", SEED_AUTHOR, ["iris"]), ("existing", "Ada", ["existing"])],
    ids=["people's", "the seed", "existing"],
)
def test_with_data_only_a_repository_of_its_own_that_people_have_committed_to_goes(
    bench: Bench, repository: str, author: str, left: list[str]
) -> None:
    codecommit = with_repository(bench, repository, author)
    assert teardown(bench, "--yes") == 0
    assert [one["repositoryName"] for one in codecommit.list_repositories()["repositories"]] == [repository]
    assert teardown(bench, "--yes", "--data") == 0
    assert [one["repositoryName"] for one in codecommit.list_repositories()["repositories"]] == left


def test_json_lists_what_was_deleted(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert teardown(bench, "--dry-run", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["deleted"] == []
    assert {one["kind"] for one in listed["left"]} == {"execution", "stack", "model package"}


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "DELETE_FAILED"])
def test_58_a_stack_that_failed_goes_like_any_other(bench: Bench, status: str) -> None:
    stack = bench.aws.cloudformation.live_stack("iris-production")
    assert stack is not None
    stack.status = status
    assert teardown(bench, "--yes") == 0
    assert statuses(bench) == {}


def test_a_stack_that_is_being_changed_is_waited_for(bench: Bench) -> None:
    stack = bench.aws.cloudformation.live_stack("iris-production")
    assert stack is not None
    stack.status = "UPDATE_IN_PROGRESS"

    def pause(seconds: float) -> None:
        stack.status = "UPDATE_COMPLETE"

    pipeline = DeployedPipeline.read(bench.aws.client, "iris")
    Teardown(pipeline, patience=Patience(pause=pause, poll_seconds=0.1)).run()
    assert statuses(bench) == {}


def test_a_stack_that_changes_for_ever_is_named(bench: Bench) -> None:
    stack = bench.aws.cloudformation.live_stack("iris-production")
    assert stack is not None
    stack.status = "UPDATE_IN_PROGRESS"
    pipeline = DeployedPipeline.read(bench.aws.client, "iris")
    with pytest.raises(MlopsError, match="the stack iris-production has been changing for 1 minutes: look at it"):
        Teardown(pipeline, patience=Patience(pause=lambda seconds: None, seconds=60)).run()


def test_a_pipeline_that_is_not_there_is_named(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teardown", "rose", "--region", bench.aws.region]) == 1
    assert "the pipeline 'rose' does not exist in this account and region; existing: iris" in capsys.readouterr().err


def transitions(bench: Bench) -> list[bool]:
    states = bench.codepipeline.get_pipeline_state(name="iris")["stageStates"]
    return [one["inboundTransitionState"]["enabled"] for one in states]


def test_a_pipeline_that_was_torn_down_takes_no_executions_until_that_is_cancelled(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert teardown(bench, "--dry-run") == 0
    assert all(transitions(bench)), "a look changes nothing"
    assert teardown(bench, "--yes") == 0
    assert transitions(bench) == [True, False, True]
    assert f"mlops teardown iris --region {bench.aws.region} --cancel" in capsys.readouterr().out
    late = bench.start("iris")
    assert teardown(bench, "--cancel") == 0
    assert transitions(bench) == [True, True, True]
    wait_for(lambda: "Wait" in bench.actions("iris", late))


def test_a_stack_whose_role_is_gone_says_how_it_comes_back(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    stack = bench.aws.cloudformation.live_stack("iris-production")
    assert stack is not None
    assert stack.desired is not None
    stack.desired.role_arn = f"arn:aws:iam::{bench.aws.account_id}:role/gone"
    assert teardown(bench, "--yes") == 1
    assert "Run cdktf deploy, which makes the role again, then run this again" in capsys.readouterr().err
