"""The configurations of functions, with the members that moto does not return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mlops_constructs.local_aws.service import Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

_FORGOTTEN = ("DeadLetterConfig", "LoggingConfig", "FileSystemConfigs", "SnapStart")


class FunctionConfigurations(Service):
    """Stores the members that moto does not return, such as a function's dead-letter queue and log group."""

    service_name: ClassVar[str] = "lambda"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._sent: dict[str, Params] = {}

    def create_function(self, params: Params) -> Params:
        """Create a function."""
        answer = without_metadata(self.account.moto("lambda").create_function(**params))
        return self._remembered(params, answer)

    def update_function_configuration(self, params: Params) -> Params:
        """Change a function's configuration."""
        answer = without_metadata(self.account.moto("lambda").update_function_configuration(**params))
        return self._remembered(params, answer)

    def get_function(self, params: Params) -> Params:
        """A function with the location of its code, and the members that moto does not return."""
        answer = without_metadata(self.account.moto("lambda").get_function(**params))
        return {**answer, "Configuration": self._complete(params, answer["Configuration"])}

    def get_function_configuration(self, params: Params) -> Params:
        """A function's configuration, with the members that moto does not return."""
        answer = without_metadata(self.account.moto("lambda").get_function_configuration(**params))
        return self._complete(params, answer)

    def after_delete_function(self, params: Params, _: dict[str, str]) -> None:
        """Drop the stored members of a deleted function."""
        if "Qualifier" not in params:
            with self.lock:
                self._sent.pop(_function_name(params), None)

    def _remembered(self, params: Params, answer: Params) -> Params:
        sent = {key: params[key] for key in _FORGOTTEN if key in params}
        with self.lock:
            self._sent.setdefault(_function_name(params), {}).update(sent)
        return self._complete(params, answer)

    def _complete(self, params: Params, configuration: Params) -> Params:
        with self.lock:
            return {**configuration, **self._sent.get(_function_name(params), {})}


def _function_name(params: dict[str, Any]) -> str:
    return str(params["FunctionName"]).rsplit(":function:", 1)[-1].split(":", 1)[0]
