"""An endpoint goes away and comes back with the same model, whatever interrupts it; a release brings it back too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_container import forbidden, make_role, push_container, upload_model, wait_until, write_container
from local_aws.tiny_pipeline import ARTIFACTS, Bench, action, s3_source, wait_for

from mlops_constructs import Autoscaling, Endpoint, MlopsError, Rollout
from mlops_constructs.cli.main import main
from mlops_constructs.deployed import DeployedPipeline, connect
from mlops_constructs.deployed.endpoints import option_of
from mlops_constructs.deployed.pause import Pause
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.stages.deployment.parameters import PARAMETERS
from mlops_constructs.stages.deployment.template import endpoint_template

if TYPE_CHECKING:
    from collections.abc import Iterator

DEV, PRODUCTION = "iris-dev", "iris-production"
CONFIG = Endpoint(initial_instance_count=2, autoscaling=Autoscaling(), rollout=Rollout.all_at_once())
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/iris/7"


@dataclass
class World:
    """A production stack that serves, and a pipeline that deploys it."""

    bench: Bench
    given: dict[str, str]
    role: str

    @property
    def aws(self) -> LocalAws:
        return self.bench.aws

    @property
    def pipeline(self) -> DeployedPipeline:
        return DeployedPipeline.read(connect("us-east-1", self.aws.url), "iris")

    def pause(self) -> Pause:
        return Pause(self.pipeline, poll_seconds=0.05)

    def stack(self) -> dict[str, Any]:
        found: dict[str, Any] = self.aws.client("cloudformation").describe_stacks(StackName=PRODUCTION)["Stacks"][0]
        return found

    def parameters(self) -> dict[str, str]:
        return {one["ParameterKey"]: one["ParameterValue"] for one in self.stack()["Parameters"]}

    def release(self, **changed: str) -> None:
        """Deploy as CodePipeline does: with all parameters of the release, and nothing of the former ones."""
        given = {**self.given, **changed}
        request = {
            "StackName": PRODUCTION,
            "TemplateBody": json.dumps(endpoint_template(CONFIG)),
            "RoleARN": self.role,
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
        }
        cloudformation = self.aws.client("cloudformation")
        try:
            cloudformation.create_stack(**request)
        except ClientError:
            cloudformation.update_stack(**request)
        wait_until(lambda: not self.stack()["StackStatus"].endswith("_IN_PROGRESS"))
        assert self.stack()["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")

    def answer(self) -> bytes:
        runtime = self.aws.client("sagemaker-runtime")
        body: bytes = runtime.invoke_endpoint(EndpointName=PRODUCTION, Body=b"1,2", ContentType="text/csv")[
            "Body"
        ].read()
        return body

    def endpoints(self) -> list[str]:
        return [one["EndpointName"] for one in self.aws.client("sagemaker").list_endpoints()["Endpoints"]]

    def targets(self) -> list[Any]:
        found = self.aws.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
        return [(one["ResourceId"], one["MinCapacity"], one["MaxCapacity"]) for one in found["ScalableTargets"]]

    def models(self) -> list[str]:
        return [one["ModelName"] for one in self.aws.client("sagemaker").list_models()["Models"]]


def deploy(name: str, stack: str) -> dict[str, Any]:
    kind = {"category": "Deploy", "owner": "AWS", "provider": "CloudFormation", "version": "1"}
    configuration = {"ActionMode": "CREATE_UPDATE", "StackName": stack, "TemplatePath": "DatasetObject::template.json"}
    inputs = [{"name": "DatasetObject"}]
    return {"name": name, "actionTypeId": kind, "configuration": configuration, "inputArtifacts": inputs, "runOrder": 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with LocalAws(docker=False) as aws:
        bench = Bench(aws)
        stages = [[action(f"Wait{stack}", "Manual", {}), deploy("Deploy", stack)] for stack in (DEV, PRODUCTION)]
        execution = bench.make_pipeline("iris", [s3_source()], *stages)
        wait_for(lambda: bench.finished("iris", execution))
        given = {
            **{name: "x" for name in PARAMETERS},
            "Image": push_container(aws, write_container(tmp_path_factory.mktemp("container"))),
            "ModelDataUrl": upload_model(aws, ARTIFACTS, "one.tar.gz", "one"),
            "ModelPackageArn": PACKAGE,
            "ExecutionRoleArn": make_role(aws, "serving", "sagemaker.amazonaws.com"),
            "EndpointName": PRODUCTION,
            "EncryptVolume": "false",
        }
        yield World(bench, given, make_role(aws, "deploying", "cloudformation.amazonaws.com"))


@pytest.fixture
def world(made: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.aws.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    try:
        running = made.endpoints() == [PRODUCTION] and made.answer() and made.parameters()["Paused"] == "no"
    except (ClientError, KeyError):
        running = False
    if not running or made.parameters()["ModelDataUrl"] != made.given["ModelDataUrl"]:
        made.release()
    return made


def test_it_comes_back_with_the_same_model_scaling_and_answers(world: World) -> None:
    before, models, targets, parameters = world.answer(), world.models(), world.targets(), world.parameters()
    paused = world.pause().pause(PRODUCTION)
    assert (paused.stack, paused.model_package_arn, paused.changed) == (PRODUCTION, PACKAGE, True)
    assert paused.paused_at is not None
    assert (world.endpoints(), world.targets(), world.models()) == ([], [], models)
    assert {**world.parameters(), "Paused": "no"} == parameters
    resumed = world.pause().resume(PRODUCTION)
    assert (resumed.paused_at, resumed.model_package_arn, resumed.changed) == (None, PACKAGE, True)
    assert (world.answer(), world.models(), world.targets(), world.parameters()) == (
        before,
        models,
        targets,
        parameters,
    )
    variants = world.aws.client("sagemaker").describe_endpoint(EndpointName=PRODUCTION)["ProductionVariants"]
    assert [one["CurrentInstanceCount"] for one in variants] == [2]


def test_both_can_be_repeated(world: World) -> None:
    first = world.pause().pause(PRODUCTION)
    again = world.pause().pause(PRODUCTION)
    assert (again.changed, again.paused_at) == (False, first.paused_at)
    assert world.pause().resume(PRODUCTION).changed
    assert not world.pause().resume(PRODUCTION).changed


class Killed(BaseException):
    """The process is gone."""


def killed_before(world: World, count: int) -> Pause:
    """A command that dies before its call number ``count``."""
    pipeline, left = world.pipeline, [count]

    class Client:
        def __init__(self, real: Any) -> None:
            self._real = real

        def __getattr__(self, name: str) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return getattr(self._real, name)

    inner = pipeline.client
    pipeline.client = lambda service: Client(inner(service))
    return Pause(pipeline, poll_seconds=0.05)


@pytest.mark.parametrize("count", range(1, 6))
def test_it_can_be_killed_before_any_call_and_run_again(world: World, count: int) -> None:
    before = world.answer()
    for verb in ("pause", "resume"):
        with pytest.raises(Killed):
            getattr(killed_before(world, count), verb)(PRODUCTION)
        done = getattr(world.pause(), verb)(PRODUCTION)
        assert (done.paused_at is None) is (verb == "resume")
    assert world.answer() == before


def test_a_release_brings_it_back_and_resume_says_so(world: World) -> None:
    world.pause().pause(PRODUCTION)
    two = upload_model(world.aws, ARTIFACTS, "two.tar.gz", "two")
    world.release(ModelDataUrl=two, ModelPackageArn=PACKAGE.replace("/7", "/8"))
    assert json.loads(world.answer())["answer"] == "two"
    done = world.pause().resume(PRODUCTION)
    assert (done.changed, done.paused_at, done.model_package_arn[-2:]) == (False, None, "/8")


def test_a_model_that_is_gone_is_told_and_the_endpoint_stays_paused(world: World) -> None:
    lost = upload_model(world.aws, ARTIFACTS, "lost.tar.gz", "lost")
    world.release(ModelDataUrl=lost)
    world.pause().pause(PRODUCTION)
    world.bench.s3.delete_object(Bucket=ARTIFACTS, Key="lost.tar.gz")
    with pytest.raises(MlopsError, match="UPDATE_ROLLBACK_COMPLETE, and its endpoint is as it was before"):
        world.pause().resume(PRODUCTION)
    assert world.endpoints() == []
    assert world.parameters()["Paused"] != "no"
    upload_model(world.aws, ARTIFACTS, "lost.tar.gz", "lost")
    world.pause().resume(PRODUCTION)
    assert json.loads(world.answer())["answer"] == "lost"


def test_an_endpoint_that_cloudformation_could_not_delete_is_told(world: World) -> None:
    told = f"aws sagemaker delete-endpoint --endpoint-name {PRODUCTION}"
    with forbidden(world.aws, "deploying", "sagemaker:DeleteEndpoint"), pytest.raises(MlopsError, match=told):
        world.pause().pause(PRODUCTION)
    with pytest.raises(MlopsError, match="still billed"):
        world.pause().pause(PRODUCTION)
    world.aws.client("sagemaker").delete_endpoint(EndpointName=PRODUCTION)
    wait_until(lambda: world.endpoints() == [])
    assert not world.pause().pause(PRODUCTION).changed
    world.pause().resume(PRODUCTION)


def delete(world: World, what: str) -> None:
    """Somebody deletes a part of the endpoint by hand."""
    sagemaker = world.aws.client("sagemaker")
    if what == "autoscaling":
        world.aws.client("application-autoscaling").deregister_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=f"endpoint/{PRODUCTION}/variant/primary",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        )
        return
    endpoint = sagemaker.describe_endpoint(EndpointName=PRODUCTION)
    if what == "configuration":
        sagemaker.delete_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        return
    sagemaker.delete_endpoint(EndpointName=PRODUCTION)
    wait_until(lambda: world.endpoints() == [])


@pytest.mark.parametrize("what", ["endpoint", "configuration", "autoscaling"])
def test_59_resume_creates_again_what_somebody_deleted(
    world: World, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    before, models, targets, parameters = world.answer(), world.models(), world.targets(), world.parameters()
    delete(world, what)
    assert main(["resume", "iris"]) == 0
    told = capsys.readouterr().out
    assert what in told
    assert "was deleted by hand, and is created again." in told
    assert f"{PRODUCTION} serves {PACKAGE}." in told
    assert (world.answer(), world.models(), world.targets(), world.parameters()) == (
        before,
        models,
        targets,
        parameters,
    )
    configs = len(world.aws.client("sagemaker").list_endpoint_configs()["EndpointConfigs"])
    world.release(ModelDataUrl=upload_model(world.aws, ARTIFACTS, "next.tar.gz", "next"))
    assert json.loads(world.answer())["answer"] == "next"
    assert len(world.aws.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]) == configs
    assert main(["resume", "iris"]) == 0
    assert capsys.readouterr().out == f"{PRODUCTION} already serves {PACKAGE}.\n"


def test_59_without_its_model_a_configuration_comes_back_with_a_release_only(world: World) -> None:
    (model,) = world.models()
    delete(world, "configuration")
    world.aws.client("sagemaker").delete_model(ModelName=model)
    with pytest.raises(MlopsError, match=r"model of iris-production was deleted too.*`mlops pause iris --yes`"):
        world.pause().resume(PRODUCTION)
    world.pause().pause(PRODUCTION)
    world.release(ModelDataUrl=upload_model(world.aws, ARTIFACTS, "next.tar.gz", "next"))
    assert json.loads(world.answer())["answer"] == "next"


def test_an_execution_that_deploys_is_not_disturbed(world: World) -> None:
    bench = world.bench
    bench.upload()
    execution = bench.start("iris")
    wait_for(lambda: f"Wait{DEV}" in bench.actions("iris", execution))
    assert world.pause().pause(PRODUCTION).changed, "it is in the other stage"
    world.pause().resume(PRODUCTION)
    with pytest.raises(MlopsError, match=f"execution {execution} is in Stage2 and deploys {DEV}"):
        world.pause().check(DEV)
    bench.codepipeline.stop_pipeline_execution(pipelineName="iris", pipelineExecutionId=execution, abandon=True)
    assert bench.finished("iris", execution) == "Stopped"


def test_what_does_not_exist_cannot_be_paused(world: World) -> None:
    with pytest.raises(MlopsError, match=f"nothing is deployed yet: the stack {DEV} does not exist"):
        world.pause().pause(DEV)


def test_the_command_asks_first_and_says_what_is_true(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pause", "iris"]) == 1
    told = capsys.readouterr().err
    assert f"nothing was paused: give --yes to delete the endpoint of {PRODUCTION}" in told
    assert "`mlops resume iris`" in told
    assert world.endpoints() == [PRODUCTION]
    assert main(["pause", "iris", "--yes", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["endpoints"]
    assert (one["stack"], one["model_package_arn"], one["changed"]) == (PRODUCTION, PACKAGE, True)
    assert main(["pause", "iris", "--yes"]) == 0
    since = f"{PRODUCTION} is already paused, since {one['paused_at']}; mlops resume iris brings {PACKAGE} back.\n"
    assert capsys.readouterr().out == since
    assert main(["resume", "iris"]) == 0
    assert capsys.readouterr().out == f"{PRODUCTION} serves {PACKAGE}.\n"
    assert main(["resume", "iris", "--dev"]) == 1
    assert "nothing is deployed yet" in capsys.readouterr().err


class Answers:
    """A pipeline whose stack has these parameters."""

    def __init__(self, status: str = "UPDATE_COMPLETE", **parameters: str) -> None:
        self.definition: dict[str, Any] = {"stages": []}
        self.name, self.stacks, self.retires_dev, self.is_in_aws = "iris", (DEV, PRODUCTION), True, True
        known = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        self._stack = {"StackName": PRODUCTION, "StackId": "arn", "StackStatus": status, "Parameters": known}

    def client(self, _: str) -> Any:
        return self

    def describe_stacks(self, **_: str) -> Any:
        return {"Stacks": [self._stack]}

    def get_pipeline_state(self, **_: str) -> Any:
        return {"stageStates": []}


@pytest.mark.parametrize(
    ("stack", "why"),
    [
        (Answers(Slots="both", Paused="no"), "a challenger beside the champion.*`mlops ab abort iris`"),
        (Answers(Image="x"), "deployed by an older version of the library"),
        (Answers("UPDATE_ROLLBACK_FAILED", Paused="no"), "is UPDATE_ROLLBACK_FAILED, so it cannot be changed"),
    ],
)
def test_what_cannot_come_back_as_it_was_is_refused(stack: Any, why: str) -> None:
    with pytest.raises(MlopsError, match=why):
        Pause(stack).pause(PRODUCTION)


def test_the_command_that_brings_endpoints_back_has_their_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline: Any = Answers(Paused="no")
    monkeypatch.setattr("mlops_constructs.cli.pause.read_pipeline", lambda _: pipeline)
    for given in (["--dev"], ["--dev", "--production"]):
        assert main(["pause", "iris", *given]) == 1
        assert f"until `mlops resume iris {' '.join(given)}`" in capsys.readouterr().err
    assert (option_of(pipeline, DEV), option_of(pipeline, PRODUCTION)) == (" --dev", "")
