"""The role under which CloudFormation changes the resources of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.iam.calls import Site
from mlops_constructs.local_aws.iam.handlers import handler_checks
from mlops_constructs.local_aws.iam.request import Context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

# Checked when the providers of this package call them, with all members of the request.
_CALLED = {
    "application-autoscaling:DeleteScalingPolicy",
    "application-autoscaling:DeleteScheduledAction",
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:PutScheduledAction",
    "application-autoscaling:RegisterScalableTarget",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:PutMetricAlarm",
    "iam:PassRole",
    "sagemaker:AddTags",
    "sagemaker:CreateEndpoint",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:CreateModel",
    "sagemaker:DeleteEndpoint",
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:DeleteModel",
    "sagemaker:DeleteTags",
    "sagemaker:UpdateEndpoint",
}


class StackRole:
    """The clients of a stack's role, and the checks of what CloudFormation's handlers do beyond these calls.

    Without credentials it is the account's administrator, who may do everything.
    """

    def __init__(self, account: Account, credentials: Mapping[str, Any] | None) -> None:
        self._account = account
        self._credentials = credentials
        self._site = Site(account.partition, account.region, account.account_id)
        self._made: dict[str, Any] = {}

    def client(self, service_name: str) -> Any:
        """A client under the role."""
        if service_name not in self._made:
            self._made[service_name] = self._account.client(service_name, self._credentials)
        return self._made[service_name]

    def check(self, resource_type: str, verb: str, name: str, properties: Params) -> None:
        """Check the role against the permissions that the CloudFormation registry lists for one handler.

        Args:
            resource_type: Such as `AWS::SageMaker::Model`.
            verb: `create`, `update` or `delete`.
            name: Physical name, or an ARN that ends with it.
            properties: Properties of the resource.

        Raises:
            DeniedError: The role lacks one of the permissions.
        """
        if self._credentials is None:
            return
        checks = handler_checks(resource_type, verb, name.rsplit("/", 1)[-1], properties, self._site)
        namespace = {"application-autoscaling:service-namespace": properties.get("ServiceNamespace", "sagemaker")}
        besides = [check for check in checks if check.action not in _CALLED]
        self._account.access.check_role(self._credentials, besides, Context(namespace))
