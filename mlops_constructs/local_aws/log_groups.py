"""The operations on log groups of CloudWatch Logs that moto does not implement."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from moto.backends import get_backend

from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from moto.logs.models import LogGroup


class LogGroupsService(Service):
    """The key of a log group can be changed.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
    """

    service_name: ClassVar[str] = "logs"

    def associate_kms_key(self, params: Params) -> Params:
        """Encrypt what comes from now on with a key."""
        self._group(params).kms_key_id = params["kmsKeyId"]
        return {}

    def disassociate_kms_key(self, params: Params) -> Params:
        """Encrypt what comes from now on with the key of CloudWatch Logs."""
        self._group(params).kms_key_id = None
        return {}

    def _group(self, params: Params) -> LogGroup:
        groups = get_backend("logs")[self.account.account_id][self.account.region].groups
        if params.get("logGroupName") not in groups:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return groups[params["logGroupName"]]
