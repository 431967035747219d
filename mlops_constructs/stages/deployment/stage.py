"""DEV and production: CloudFormation deploys the endpoints, and a smoke test invokes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from ..._aws.actions import RELEASE, Action, PipelineStage, invoke
from ..._aws.async_objects import async_uri
from ..._aws.network import joined
from ..._aws.tagging import PIPELINE_TAG
from ..._aws.upload import upload
from ..._cdk import AssetType, TerraformAsset
from ..._payload import archive
from .modes import ASYNC_URI
from .parameters import NETWORK_PARAMETERS, fixed_parameters, fleet_parameters
from .roles import EndpointRoles, deploying_permissions
from .smoke_test import smoke_test_function
from .template import endpoint_template

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._aws.environment import Environment
    from ..._aws.function import Function
    from ..._aws.policy import Statement
    from ...config import Endpoint
    from ...config.requests import AllowedEndpoint
    from ...provider import s3_object

TEMPLATES = "Templates"
_CHANGE_SET = "release"


class DeploymentStage(Construct):
    """The two endpoints' templates, the roles that deploy and serve, and the smoke tests.

    Attributes:
        dev_roles: Roles of the DEV endpoint: the one that deploys it and the one that serves.
        production_roles: The same for the production endpoint.
        dev_smoke_test: Function that invokes the DEV endpoint.
        production_smoke_test: Function that invokes the production endpoint.
        dev_endpoint: Name of the DEV endpoint and of its stack, a literal.
        production_endpoint: Name of the production endpoint and of its stack, a literal.
        production_mode: How it serves.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        dev: Endpoint,
        production: Endpoint,
        allowed: Mapping[str, AllowedEndpoint],
        env: Environment,
        image_arn: str,
        accept: str,
        environment: Mapping[str, str],
        ab_test: bool,
    ) -> None:
        """Make the roles, templates and functions; the pipeline deploys the endpoints themselves."""
        super().__init__(scope, id_)
        self._env, self._accept, self._environment, self._ab_test = env, accept, environment, ab_test
        self._configs, self._allowed = {"dev": dev, "production": production}, allowed
        self.dev_roles = self._roles("dev", "production", image_arn)
        self.production_roles = self._roles("production", "dev", image_arn)
        self.dev_endpoint, self.production_endpoint = self.dev_roles.endpoint, self.production_roles.endpoint
        self.production_mode = production.mode
        self.templates = self._templates()
        self.dev_smoke_test = smoke_test_function(self, "dev", dev, env, accept)
        self.production_smoke_test = smoke_test_function(self, "production", production, env, accept)

    @property
    def stack_parameters(self) -> dict[str, dict[str, str]]:
        """Environment to the parameters that its stack always gets, in addition to those of the candidate."""
        stores = self._env.stores
        network: dict[str, str] = {}
        if self._env.network is not None:
            ids = (self._env.network.subnet_ids, self._env.network.security_group_ids)
            network = dict(zip(NETWORK_PARAMETERS, map(joined, ids), strict=True))
        found = {}
        for name, roles in self._all_roles.items():
            config = self._configs[name]
            topics = {} if config.async_inference_config is None else config.async_inference_config.topics
            values = {
                "ExecutionRoleArn": roles.model.arn,
                "KmsKeyArn": stores.key_arn,
                **network,
                "EndpointName": roles.endpoint,
                "CaptureUri": f"s3://{stores.artifact_bucket}/{stores.own('capture', name)}",
                ASYNC_URI: async_uri(stores, name),
                **topics,
            }
            wanted = [*fixed_parameters(config), *network]
            found[name] = {parameter: value for parameter, value in values.items() if parameter in wanted}
        return found

    @property
    def fleets(self) -> dict[str, dict[str, str]]:
        """Environment to the configured stack parameters of its fleet."""
        return {name: fleet_parameters(config, self._allowed[name]) for name, config in self._configs.items()}

    @property
    def _all_roles(self) -> dict[str, EndpointRoles]:
        return {"dev": self.dev_roles, "production": self.production_roles}

    def source(self) -> Action:
        """Describe the source action of the templates."""
        return Action(
            name="Templates",
            category="Source",
            action_provider="S3",
            outputs=[TEMPLATES],
            configuration={
                "S3Bucket": self._env.stores.artifact_bucket,
                "S3ObjectKey": self._env.stores.own("templates", "endpoints.zip"),
                "PollForSourceChanges": "false",
            },
        )

    def dev_stage(self, first: Action | None) -> PipelineStage:
        """Describe the pipeline stage ``DeployDev``, perhaps with a first action; a stack that failed is replaced."""
        before = [] if first is None else [first]
        mode = {"ActionMode": "REPLACE_ON_FAILURE"}
        deploy = self._cloudformation("Deploy", "dev", mode, run_order=len(before) + 1, parameters="Release::dev.json")
        test = self._test_action("dev", self.dev_smoke_test, run_order=len(before) + 2, namespace="Dev")
        return PipelineStage("DeployDev", [*before, deploy, test])

    def change_set_actions(
        self, *, run_order: int, suffix: str = "ChangeSet", parameters: str = "Release::production.json"
    ) -> list[Action]:
        """Describe the two actions that change production, from ``run_order`` on; the stack is never replaced.

        Args:
            run_order: Of the first action.
            suffix: Last part of their names.
            parameters: Artifact and file with the parameters of the template.
        """
        change_set = {"ChangeSetName": _CHANGE_SET}
        return [
            self._cloudformation(
                f"Prepare{suffix}",
                "production",
                {"ActionMode": "CHANGE_SET_REPLACE", **change_set},
                run_order=run_order,
                parameters=parameters,
            ),
            Action(
                name=f"Execute{suffix}",
                category="Deploy",
                action_provider="CloudFormation",
                run_order=run_order + 1,
                configuration={
                    "ActionMode": "CHANGE_SET_EXECUTE",
                    "StackName": self.production_endpoint,
                    **change_set,
                },
            ),
        ]

    def production_test(self, *, run_order: int) -> Action:
        """Describe the smoke test of production."""
        return self._test_action("production", self.production_smoke_test, run_order=run_order, namespace="Production")

    def pipeline_permissions(self) -> list[Statement]:
        """Return what the pipeline's role needs for the templates and the two stacks."""
        return deploying_permissions(self._env, self.dev_roles, self.production_roles)

    def _roles(self, stage: str, other: str, image_arn: str) -> EndpointRoles:
        types = self._allowed[stage].instance_types
        return EndpointRoles(
            self,
            stage,
            env=self._env,
            stage=stage,
            other=other,
            image_arn=image_arn,
            instance_types=types,
            config=self._configs[stage],
        )

    def _cloudformation(
        self, name: str, stack: str, mode: dict[str, str], *, run_order: int, parameters: str
    ) -> Action:
        return Action(
            name=name,
            category="Deploy",
            action_provider="CloudFormation",
            run_order=run_order,
            inputs=[TEMPLATES, parameters.partition("::")[0]],
            configuration={
                **mode,
                "StackName": f"{self._env.name}-{stack}",
                "RoleArn": self._all_roles[stack].deploy.arn,
                "TemplatePath": f"{TEMPLATES}::{stack}.json",
                "TemplateConfiguration": parameters,
            },
        )

    def _test_action(self, endpoint: str, function: Function, *, run_order: int, namespace: str) -> Action:
        return invoke(
            "SmokeTest",
            function.name,
            run_order=run_order,
            namespace=namespace,
            parameters={
                "endpoint": f"{self._env.name}-{endpoint}",
                "golden_uri": "#{Data.GoldenUri}",
                "image": "#{Candidate.Image}",
                "model_data_url": "#{Training.ModelDataUrl}",
                "model_package_arn": "#{Candidate.ModelPackageArn}",
                "release": RELEASE,
            },
        )

    def _template(self, name: str) -> dict[str, object]:
        return endpoint_template(
            self._configs[name],
            self._allowed[name],
            in_vpc=self._env.network is not None,
            tags={**self._env.tags, PIPELINE_TAG: self._env.name},
            environment=self._environment,
            ab_test=self._ab_test and name == "production",
        )

    def _templates(self) -> s3_object.S3Object:
        files = {f"{name}.json": json.dumps(self._template(name), indent=2).encode() for name in self._configs}
        bundle = archive("endpoints", files)
        asset = TerraformAsset(
            self, "templates_archive", path=str(bundle.path), type=AssetType.FILE, asset_hash=bundle.sha256
        )
        return upload(
            self,
            "templates",
            stores=self._env.stores,
            key=self._env.stores.own("templates", "endpoints.zip"),
            source=asset.path,
            source_hash=bundle.sha256,
        )
