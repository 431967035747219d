"""What a data set asks otherwise than configured, as the approver reads it: production first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit.settings import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping

_FLEET = ("InstanceType", "InitialInstanceCount", "Autoscales", "MinCapacity", "MaxCapacity")


def changes(request: Mapping[str, Mapping[str, Any]]) -> str:
    """Every change, production's before DEV's and training's; ``none`` where the data set asks for nothing."""
    endpoints = request["endpoints"]
    parts = [(name, endpoints[name]) for name in ("production", "dev") if endpoints.get(name)]
    parts += [(f"training {name}", members) for name, members in request["training"].items()]
    told = [f"{place} {', '.join(f'{name} {value}' for name, value in asked.items())}" for place, asked in parts]
    # Hyperparameters are free texts, and must not add lines of their own to what a person reads.
    return " ".join("; ".join(told).split()) or NONE


def fleet(request: Mapping[str, Mapping[str, Any]], configured: Mapping[str, str]) -> str | None:
    """What production will run on, for people; ``None`` where the data set leaves it as configured."""
    asked = request["endpoints"].get("production", {})
    if not asked.keys() & {*_FLEET}:
        return None
    found = {**configured, **asked}
    least = most = found["InitialInstanceCount"]
    if found["Autoscales"] == "true":
        least, most = found["MinCapacity"], found["MaxCapacity"]
    return f"{least if least == most else f'{least} to {most}'} x {found['InstanceType']}"
