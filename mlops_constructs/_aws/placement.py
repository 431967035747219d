"""The configuration of a pipeline at the place where it is put: what is wrong with either is reported together."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .._cdk import TerraformStack
from ..config import PipelineConfig
from ..config._tokens import is_reference
from ..config.place import default_tag_problems, id_problems, region_problems
from ..errors import ConfigError
from ..provider import AwsProvider
from .pricing import HourlyPrices, cost_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from constructs import Construct

    from ..errors import Problem


def checked(
    scope: Construct, id_: str, arguments: Mapping[str, Any], problems: Sequence[Problem] = ()
) -> tuple[PipelineConfig, HourlyPrices]:
    """Return the configuration of the pipeline ``id_`` in ``scope``, and the prices of its instances.

    Args:
        scope: Construct that will contain the pipeline.
        id_: Construct id.
        arguments: Every argument of ``MLOpsPipeline`` by name.
        problems: What is wrong already.

    Raises:
        ConfigError: with all problems; nothing is created.
    """
    regions = _regions(scope)
    found = [*problems, *_problems(scope, id_, regions, arguments["tags"])]
    try:
        config = PipelineConfig(**arguments)
    except ConfigError as error:
        found += error.problems
    if found:
        raise ConfigError("MLOpsPipeline", found)
    region = _own_region(regions)
    prices = HourlyPrices.of(config, region)
    found += cost_problems(config, prices, region)
    if found:
        raise ConfigError("MLOpsPipeline", found)
    return config, prices


def defaults_of(construct: type[Construct]) -> dict[str, Any]:
    """Return argument to default of a construct's keyword-only arguments."""
    parameters = inspect.signature(construct.__init__).parameters.values()
    return {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}


def _regions(scope: Construct) -> list[tuple[AwsProvider, str | None]]:
    """Return the stack's providers, each with its region."""
    stack = scope if isinstance(scope, TerraformStack) else TerraformStack.of(scope)
    return [(child, child.region_input) for child in stack.node.children if isinstance(child, AwsProvider)]


def _own_region(regions: Sequence[tuple[AwsProvider, str | None]]) -> str | None:
    """Return the region of the provider without an alias, or None where it is known at the apply only."""
    for provider, region in regions:
        if region is not None and not is_reference(region) and provider.alias_input is None:
            return region
    return None


def _problems(
    scope: Construct, id_: str, regions: Sequence[tuple[AwsProvider, str | None]], tags: object
) -> Iterator[Problem]:
    parents = []
    if not isinstance(scope, TerraformStack):
        stack = TerraformStack.of(scope)
        parents = scope.node.path[len(stack.node.path) :].strip("/").split("/")
    yield from id_problems(id_, parents)
    for provider, region in regions:
        yield from _provider_problems(provider, region, tags)


def _provider_problems(provider: AwsProvider, region: str | None, tags: object) -> Iterator[Problem]:
    """Yield what is wrong with the provider; one with an alias is not the pipeline's."""
    problems = [] if region is None else list(region_problems(region))
    defaults = provider.default_tags_input
    if isinstance(defaults, list):
        for one in defaults:
            given = getattr(one, "tags", None)
            problems += [] if given is None else default_tag_problems(given, tags)
    if problems and provider.alias_input is None:
        yield from problems
