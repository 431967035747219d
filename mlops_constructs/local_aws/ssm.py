"""Parameter Store's events for EventBridge; moto stores the parameters."""

from __future__ import annotations

from typing import ClassVar

from mlops_constructs.local_aws.service import Params, Service, without_metadata


class ParametersService(Service):
    """Emits an event when a parameter changes, as AWS does."""

    service_name: ClassVar[str] = "ssm"

    def put_parameter(self, params: Params) -> Params:
        """Store the parameter in moto, and emit the event of its change."""
        answer = without_metadata(self.account.moto("ssm").put_parameter(**params))
        name = params["Name"]
        detail = {
            "operation": "Create" if answer["Version"] == 1 else "Update",
            "name": name,
            "type": params.get("Type", "String"),
        }
        arn = self.account.arn("ssm", f"parameter/{name.lstrip('/')}")
        self.account.emit(
            {"source": "aws.ssm", "detail-type": "Parameter Store Change", "resources": [arn], "detail": detail}
        )
        return answer
