"""Starts and replaces an endpoint's fleet; runs in a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.sagemaker.fleet import Fleet, FleetError, FleetStarter
from mlops_constructs.local_aws.sagemaker.updates import alarms_in_alarm, alarms_of, traffic_steps

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.host import ContainerHost
    from mlops_constructs.local_aws.sagemaker.endpoint import Endpoint
    from mlops_constructs.local_aws.service import Params

_SWITCH_SECONDS = 0.3
"""A request that was sent to the old fleet just before the switch must still reach it."""
_BAKE_STEP_SECONDS = 0.1


class Deployment:
    """Deploys a configuration to one endpoint."""

    def __init__(
        self,
        account: Account,
        containers: ContainerHost,
        endpoint: Endpoint,
        config: Params,
        health_seconds: float,
        bake_seconds: float,
    ) -> None:
        self._account = account
        self._endpoint = endpoint
        self._config = config
        self._bake_seconds = bake_seconds
        self._starter = FleetStarter(account, containers, endpoint.name, health_seconds, self._is_cancelled)

    def create(self) -> None:
        """Start the fleet; the endpoint becomes InService, or Failed with the reason."""
        endpoint = self._endpoint
        fleet, reason = self._start()
        with endpoint.lock:
            gone = self._is_cancelled()
            if not gone:
                endpoint.fleet, endpoint.failure_reason, endpoint.pending = fleet, reason, None
                endpoint.move_to("InService" if fleet is not None else "Failed")
        if gone and fleet is not None:
            fleet.stop(0)

    def resume(self) -> None:
        """Start the fleet that another process has served, with the weights and counts that it had."""
        endpoint = self._endpoint
        held = {} if endpoint.fleet is None else endpoint.fleet.held
        fleet, reason = self._start()
        for variant in () if fleet is None else fleet.variants:
            variant.weight, variant.instance_count = held[variant.name]
        with endpoint.lock:
            endpoint.fleet, endpoint.failure_reason = fleet, reason
            if fleet is None:
                endpoint.move_to("Failed")

    def _alarming(self, fleet: Fleet) -> str:
        """Why a new fleet must not serve; empty when no alarm is in the ALARM state."""
        try:
            in_alarm = alarms_in_alarm(self._account, self._endpoint.deployment_config, fleet.variants[0].credentials)
        except ClientError as error:
            return f"The configured alarms cannot be read: {error}"
        return f"One or more configured alarms are in ALARM state: {', '.join(in_alarm)}" if in_alarm else ""

    def _baked(self, new: Fleet) -> str:
        """Shift the traffic step by step; returns why the new fleet must not serve, or an empty text."""
        clock, endpoint = self._account.clock, self._endpoint
        for share, wait in traffic_steps(endpoint.deployment_config):
            with endpoint.lock:
                endpoint.shift = (new, share)
            done = clock.now() + min(wait, self._bake_seconds)
            while not (alarming := self._alarming(new)) and clock.now() < done:
                self._account.closing.wait(_BAKE_STEP_SECONDS)
                if self._account.closing.is_set():
                    return "The local AWS closes"
            if alarming:
                return alarming
        return ""

    def update(self) -> None:
        """Start the new fleet beside the old one, and switch when it is healthy and no alarm is in ALARM state."""
        endpoint = self._endpoint
        new, reason = self._start()
        if new is not None:
            self._account.hooks.baking(endpoint.name, alarms_of(endpoint.deployment_config))
        rejected = None
        if new is not None and (alarming := self._baked(new)):
            new, rejected, reason = None, new, alarming
        with endpoint.lock:
            retired = endpoint.fleet
            endpoint.pending = endpoint.shift = None
            if new is not None:
                endpoint.fleet, endpoint.config_name = new, new.config_name
            else:
                endpoint.failure_reason = f"Endpoint update rolled back: {reason}"
            endpoint.move_to("InService")
        if rejected is not None:
            rejected.stop()
        if new is not None and retired is not None:
            self._account.closing.wait(_SWITCH_SECONDS)
            retired.stop()

    def _start(self) -> tuple[Fleet | None, str]:
        try:
            return self._starter.start(self._config), ""
        except FleetError as error:
            return None, str(error)
        except Exception as error:
            if not self._account.closing.is_set():
                self._account.log(f"starting a fleet: {type(error).__name__}: {error}")
            return None, f"Request to service failed: {type(error).__name__}: {error}"

    def _is_cancelled(self) -> bool:
        return self._endpoint.status == "Deleting" or self._account.closing.is_set()
