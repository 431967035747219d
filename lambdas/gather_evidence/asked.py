"""What a data set requests in place of the configuration, as text for the approver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit.settings import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping

_FLEET = ("InstanceType", "InitialInstanceCount", "Autoscales", "MinCapacity", "MaxCapacity")


def changes(request: Mapping[str, Mapping[str, Any]]) -> str:
    """Every requested change: first production, then DEV, then training; ``none`` when nothing is requested."""
    endpoints = request["endpoints"]
    parts = [(name, endpoints[name]) for name in ("production", "dev") if endpoints.get(name)]
    parts += [(f"training {name}", members) for name, members in request["training"].items()]
    texts = [f"{place} {', '.join(f'{name} {value}' for name, value in values.items())}" for place, values in parts]
    # Hyperparameters are free text; a line break in one must not add a line to the approver's text.
    return " ".join("; ".join(texts).split()) or NONE


def fleet(request: Mapping[str, Mapping[str, Any]], configured: Mapping[str, str]) -> str | None:
    """What production will run on, as text for people; ``None`` when the data set does not change it."""
    requested = request["endpoints"].get("production", {})
    if not requested.keys() & {*_FLEET}:
        return None
    found = {**configured, **requested}
    least, most = instances(found)
    return f"{least if least == most else f'{least} to {most}'} x {found['InstanceType']}"


def instances(parameters: Mapping[str, str]) -> tuple[int, int]:
    """The minimum and maximum number of instances of a fleet with these template parameters."""
    if parameters["Autoscales"] == "true":
        return int(parameters["MinCapacity"]), int(parameters["MaxCapacity"])
    return int(parameters["InitialInstanceCount"]), int(parameters["InitialInstanceCount"])
