"""One Lambda function: its role, log group, archive and settings."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from constructs import Construct

from .._cdk import AssetType, TerraformAsset
from .._payload import function_archive
from ..config._tokens import is_token
from ..provider import cloudwatch_log_group, lambda_function
from .keys import use_key_for_function
from .policy import allow
from .role import ServiceRole
from .upload import upload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .._cdk import TerraformResource
    from .._payload import Archive
    from .environment import Environment
    from .policy import Statement

RUNTIME = "python3.12"


class Function(Construct):
    """A function of ``lambdas/``, with a role of its own.

    Attributes:
        function: The Lambda function.
        name: Its name, a literal.
        arn: Its ARN.
        role: Its role.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        folder: str,
        purpose: str | None = None,
        env: Environment,
        settings: Mapping[str, str],
        document: Mapping[str, object] | None = None,
        files: Mapping[str, bytes] = MappingProxyType({}),
        permissions: Sequence[Statement],
        timeout_seconds: int = 60,
        memory_mb: int = 256,
    ) -> None:
        """Make the function.

        Args:
            scope: Construct it belongs to.
            id_: Construct id.
            folder: Its folder in ``lambdas/``.
            purpose: Last part of its name; made from the folder when it is None.
            env: Where it is deployed.
            settings: Environment variables, exactly those of its ``Settings``: references, and names.
            document: What its ``Document`` reads from its archive: literals, of any size.
            files: Other files that it reads from its archive, by name.
            permissions: What its code needs; those for logs, tracing, key and queue are added.
            timeout_seconds: Timeout, 1 to 900 seconds.
            memory_mb: Memory, 128 to 10,240 MB.
        """
        super().__init__(scope, id_)
        stores, purpose = env.stores, folder.replace("_", "-") if purpose is None else purpose
        self.name = f"{env.name}-{purpose}"
        env.functions.append(self.name)
        self.role = ServiceRole(self, "role", env, "lambda", purpose)
        needed = self._log_group_and_policy(env, permissions)
        code = archive_with_document(folder, document, files)
        self.function = lambda_function.LambdaFunction(
            self,
            "function",
            function_name=self.name,
            role=self.role.arn,
            handler=f"{folder}.handler.handler",
            runtime=RUNTIME,
            architectures=["arm64"],
            # Not `filename`: with it, the provider uploads the functions one after the other.
            s3_bucket=stores.artifact_bucket,
            s3_key=self._upload(code, env),
            source_code_hash=code.base64_sha256,
            timeout=timeout_seconds,
            memory_size=memory_mb,
            kms_key_arn=stores.key_arn,
            environment=lambda_function.LambdaFunctionEnvironment(variables=dict(settings)),
            tracing_config=lambda_function.LambdaFunctionTracingConfig(mode="Active"),
            dead_letter_config=lambda_function.LambdaFunctionDeadLetterConfig(target_arn=stores.dead_letter_arn),
            # An invocation right after the creation needs the log group and the policy.
            depends_on=needed,
        )
        self.role.used_by(self.function)
        self.arn: str = self.function.arn

    def _log_group_and_policy(self, env: Environment, permissions: Sequence[Statement]) -> list[TerraformResource]:
        stores, group = env.stores, f"/aws/lambda/{self.name}"
        granted = self.role.grant(
            [
                *permissions,
                *use_key_for_function(stores, permissions),
                allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{env.arn('logs', f'log-group:{group}')}:*"),
                # These actions take no resource, hence `*`.
                allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"),
                allow("sqs:SendMessage", stores.dead_letter_arn),
            ]
        )
        logs = cloudwatch_log_group.CloudwatchLogGroup(
            self, "logs", name=group, retention_in_days=env.log_retention_in_days, kms_key_id=stores.key_arn
        )
        return [logs, *granted]

    def _upload(self, code: Archive, env: Environment) -> str:
        asset = TerraformAsset(self, "code", path=str(code.path), type=AssetType.FILE, asset_hash=code.sha256)
        uploaded = upload(
            self,
            "upload",
            stores=env.stores,
            key=f"functions/{self.name}.zip",
            source=asset.path,
            source_hash=code.sha256,
        )
        key: str = uploaded.key
        return key


def archive_with_document(
    folder: str, document: Mapping[str, object] | None, files: Mapping[str, bytes] = MappingProxyType({})
) -> Archive:
    """Zip a function and its document, which must be known at synth: Terraform resolves no reference in a zip."""
    if is_token(document):
        raise ValueError(f"the document of {folder} must be known at synth")
    return function_archive(folder, document, files)
