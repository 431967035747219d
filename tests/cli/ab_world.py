"""A pipeline with an A/B test in a local AWS: a real endpoint with two variants, a record, and executions to start."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local_aws.endpoint_models import Models, models_of_an_account, variant
from local_aws.tiny_container import wait_until
from local_aws.tiny_pipeline import ARTIFACTS, DATA, Bench, action, make_function, s3_source

from mlops_constructs.deployed.ab_record import Deployed, Record, Segment, Test

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME, PLAIN = "iris", "plain"
ENDPOINT = f"{NAME}-production"
JUDGE = f"{NAME}-judge-ab-test"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
# The tests end on this release's execution.
CHAMPION_EXECUTION, CHALLENGER_EXECUTION = "execution-of-the-champion", "execution-of-the-challenger"
_JUDGE = """
import json, os
def handler(event, context):
    if not os.environ.get("REPORT"):
        raise RuntimeError("it broke")
    return json.loads(os.environ["REPORT"])
"""


class World:
    """It, made once for the tests of a file; ``reset`` makes it as new."""

    def __init__(self, models: Models) -> None:
        self.aws, self.models, self.sagemaker = models.aws, models, models.sagemaker
        self.bench = Bench(self.aws)
        self.s3 = self.bench.s3
        self.version = self.bench.upload()
        self.packages = self._packages()
        names = {"primary": models.model("one"), "secondary": models.model("two")}
        self.containers = {
            slot: self.sagemaker.describe_model(ModelName=name)["PrimaryContainer"] for slot, name in names.items()
        }
        self._deploy(names)
        variables = [{"name": name, "defaultValue": "none"} for name in ("Release", "ABTest")]
        self._make_pipeline(NAME, variables=variables)
        self._make_pipeline(PLAIN)

    def reset(self) -> None:
        """Make everything as it was."""
        for execution in self.running():
            self.bench.codepipeline.stop_pipeline_execution(
                pipelineName=NAME, pipelineExecutionId=execution, abandon=True
            )
        wait_until(lambda: not self.running())
        self.settled()
        scaling = self.aws.client("application-autoscaling")
        for target in scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]:
            names = ("ServiceNamespace", "ResourceId", "ScalableDimension")
            scaling.deregister_scalable_target(**{name: target[name] for name in names})
        self.weigh(0.9, 0.1)
        for slot in ("primary", "secondary"):
            self.change({"VariantName": slot, "DesiredInstanceCount": 1})
        for prefix in ("ab/", "releases/"):
            for item in self.s3.list_objects_v2(Bucket=ARTIFACTS, Prefix=prefix).get("Contents", []):
                self.s3.delete_object(Bucket=ARTIFACTS, Key=item["Key"])
        self.write(self.record())
        self.write_release(1, CHAMPION_EXECUTION, "primary")
        self.write_release(2, CHALLENGER_EXECUTION, "secondary")
        self.judge(report())

    def deployed(self, slot: str, execution: str) -> Deployed:
        """What the record says of a slot."""
        container = self.containers[slot]
        return Deployed(
            slot=slot,
            model_package_arn=self.packages[slot],
            image=container["Image"],
            model_data_url=container["ModelDataUrl"],
            execution_id=execution,
            since=1_700_000_000.0,
            why=f"approved in execution {execution}",
        )

    def record(self, **changes: Any) -> Record:
        """A record with a test that runs at 90:10."""
        champion = self.deployed("primary", CHAMPION_EXECUTION)
        challenger = self.deployed("secondary", CHALLENGER_EXECUTION)
        test = Test(
            id="t1",
            champion=champion.model_package_arn,
            challenger=challenger.model_package_arn,
            salt="salt",
            plan={"statistics": {"level": 0.05, "maximum_days": 28.0}, "guard": False},
            plan_sha256="ab" * 32,
            started=1_700_000_100.0,
            state="running",
            segments=(Segment(since=1_700_000_100.0, share=0.1),),
        )
        given = {"champion": champion, "challenger": challenger, "share": 0.1, "test": test, "version": 3}
        return Record(**{**given, **changes})

    def write(self, record: Record) -> None:
        """Put a record, as somebody else would."""
        self.s3.put_object(Bucket=ARTIFACTS, Key=f"ab/{NAME}/record.json", Body=json.dumps(record.to_json()).encode())

    def read(self) -> Record:
        """Return the record."""
        body = self.s3.get_object(Bucket=ARTIFACTS, Key=f"ab/{NAME}/record.json")["Body"].read()
        return Record.from_json(json.loads(body))

    def write_release(self, number: int, execution: str, slot: str) -> None:
        """Put the record of a release."""
        container = self.containers[slot]
        entry = {
            "release": number,
            "execution_id": execution,
            "role": "champion" if slot == "primary" else "challenger",
            "dataset": {"bucket": DATA, "key": "data.csv", "version_id": self.version},
            "model_data_url": container["ModelDataUrl"],
            "model_package_arn": self.packages[slot],
            "image": container["Image"],
        }
        self.s3.put_object(Bucket=ARTIFACTS, Key=f"releases/{NAME}/{number}.json", Body=json.dumps(entry).encode())

    def judge(self, content: dict[str, Any] | None) -> None:
        """Let the function that judges return a report; None lets it fail."""
        environment = {"Variables": {"REPORT": json.dumps(content) if content else ""}}
        client = self.aws.client("lambda")
        if JUDGE in [one["FunctionName"] for one in client.list_functions()["Functions"]]:
            client.update_function_configuration(FunctionName=JUDGE, Environment=environment)
        else:
            make_function(self.aws, JUDGE, _JUDGE, Environment=environment)

    def shares(self) -> dict[str, float]:
        """The weights of the endpoint, rounded."""
        return {one["VariantName"]: round(one["CurrentWeight"], 6) for one in self.settled()["ProductionVariants"]}

    def instances(self) -> dict[str, int]:
        """The instances of the endpoint."""
        return {one["VariantName"]: one["CurrentInstanceCount"] for one in self.settled()["ProductionVariants"]}

    def weigh(self, primary: float, secondary: float) -> None:
        """Change the weights by hand."""
        self.change(
            {"VariantName": "primary", "DesiredWeight": primary},
            {"VariantName": "secondary", "DesiredWeight": secondary},
        )

    def change(self, *wanted: dict[str, Any]) -> None:
        """Change the endpoint by hand."""
        self.settled()
        self.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=ENDPOINT, DesiredWeightsAndCapacities=list(wanted)
        )
        self.settled()

    def settled(self) -> dict[str, Any]:
        """Wait until the endpoint is in service."""
        return self.models.settled(ENDPOINT)

    def scale(self, slot: str, least: int, most: int) -> None:
        """Let a variant be scaled."""
        self.aws.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=f"endpoint/{ENDPOINT}/variant/{slot}",
            ScalableDimension=DIMENSION,
            MinCapacity=least,
            MaxCapacity=most,
        )

    def running(self) -> list[str]:
        """Executions that have not ended, the newest first."""
        found = self.bench.executions(NAME)
        return [one["pipelineExecutionId"] for one in found if one["status"] in ("InProgress", "Stopping")]

    def ended(self) -> str:
        """An execution that has ended."""
        return str(self.bench.executions(NAME)[-1]["pipelineExecutionId"])

    def variables(self, execution: str) -> dict[str, str]:
        """The pipeline variables of an execution."""
        found = self.bench.codepipeline.get_pipeline_execution(pipelineName=NAME, pipelineExecutionId=execution)
        return {one["name"]: one["resolvedValue"] for one in found["pipelineExecution"]["variables"]}

    def aws_stack(self) -> Any:
        """The stack, in the local AWS's memory."""
        return self.aws.cloudformation.stack(ENDPOINT)

    def _packages(self) -> dict[str, str]:
        self.sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
        return {
            slot: self.sagemaker.create_model_package(ModelPackageGroupName=NAME, ModelApprovalStatus="Approved")[
                "ModelPackageArn"
            ]
            for slot in ("primary", "secondary")
        }

    def _deploy(self, names: dict[str, str]) -> None:
        variants = [variant(name, slot) for slot, name in names.items()]
        config = {"EndpointConfigName": f"{NAME}-config", "ProductionVariants": variants}
        named = {"EndpointName": ENDPOINT, "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}}
        template = {
            "Resources": {
                "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": config},
                "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": named},
            },
            "Outputs": {"EndpointName": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}}},
        }
        cloudformation = self.aws.client("cloudformation")
        cloudformation.create_stack(StackName=ENDPOINT, TemplateBody=json.dumps(template))

        def created() -> bool:
            status = cloudformation.describe_stacks(StackName=ENDPOINT)["Stacks"][0]["StackStatus"]
            assert "ROLLBACK" not in status, cloudformation.describe_stack_events(StackName=ENDPOINT)
            return bool(status == "CREATE_COMPLETE")

        wait_until(created)

    def _make_pipeline(self, name: str, **more: Any) -> None:
        """A pipeline whose executions wait for a person, before the action that names the stack."""
        kind = {"category": "Deploy", "owner": "AWS", "provider": "CloudFormation", "version": "1"}
        place = {
            "ActionMode": "CREATE_UPDATE",
            "StackName": f"{name}-production",
            "TemplatePath": "DatasetObject::t.json",
        }
        deploy = {"name": "Deploy", "actionTypeId": kind, "configuration": place}
        deploy["inputArtifacts"] = [{"name": "DatasetObject"}]
        self.bench.make_pipeline(name, [s3_source()], [action("Approve", "Manual", {})], [deploy], **more)


def report(action_: str = "continue", **more: Any) -> dict[str, Any]:
    """A report of the test."""
    content = {
        "test": "t1",
        "at": 1_700_086_500.0,
        "plan_sha256": "ab" * 32,
        "action": action_,
        "verdict": "inconclusive",
        "sentence": "The outcomes fit both.",
        "metric": {
            "name": "accuracy",
            "champion": 0.91,
            "challenger": 0.93,
            "difference": 0.02,
            "low": -0.01,
            "high": None,
            "outcomes": {"champion": 9000, "challenger": 1000},
        },
        "guardrails": [
            {
                "name": "in_time",
                "champion": 0.99,
                "challenger": 0.98,
                "tolerance": 0.01,
                "harm": False,
                "not_worse": False,
                "outcomes": {"champion": 9000, "challenger": 1000},
            }
        ],
        "mismatches": [],
        "unreported": [],
        "requests": {},
        "outcomes": {"late": 3, "repeated": 0},
        "forecast": {"days": 4.0, "sentence": "About 4 more days at this traffic."},
        "level": 0.05,
    }
    return {**content, **more}


@contextmanager
def ab_world(folder: Path) -> Iterator[World]:
    """The world, until the block ends."""
    with models_of_an_account(folder) as models:
        yield World(models)
