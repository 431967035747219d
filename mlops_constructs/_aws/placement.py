"""The configuration of a pipeline at the place where it is put: what is wrong with either is reported together."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .._cdk import TerraformStack
from ..config import PipelineConfig
from ..config.place import default_tag_problems, id_problems, region_problems
from ..errors import ConfigError
from ..provider import AwsProvider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from constructs import Construct

    from ..errors import Problem


def checked(
    scope: Construct, id_: str, arguments: Mapping[str, Any], problems: Sequence[Problem] = ()
) -> PipelineConfig:
    """Return the configuration of the pipeline ``id_`` in ``scope``.

    Args:
        scope: Construct that will contain the pipeline.
        id_: Construct id.
        arguments: Every argument of ``MLOpsPipeline`` by name.
        problems: What is wrong already.

    Raises:
        ConfigError: with all problems; nothing is created.
    """
    found = [*problems, *_problems(scope, id_, arguments["tags"])]
    try:
        config = PipelineConfig(**arguments)
    except ConfigError as error:
        found += error.problems
    if found:
        raise ConfigError("MLOpsPipeline", found)
    return config


def defaults_of(construct: type[Construct]) -> dict[str, Any]:
    """Return argument to default of a construct's keyword-only arguments."""
    parameters = inspect.signature(construct.__init__).parameters.values()
    return {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}


def _problems(scope: Construct, id_: str, tags: object) -> Iterator[Problem]:
    stack, parents = scope, []
    if not isinstance(scope, TerraformStack):
        stack = TerraformStack.of(scope)
        parents = scope.node.path[len(stack.node.path) :].strip("/").split("/")
    yield from id_problems(id_, parents)
    for child in stack.node.children:
        if isinstance(child, AwsProvider):
            yield from _provider_problems(child, tags)


def _provider_problems(provider: AwsProvider, tags: object) -> Iterator[Problem]:
    """Yield what is wrong with the provider; one with an alias is not the pipeline's."""
    region = provider.region_input
    problems = [] if region is None else list(region_problems(region))
    defaults = provider.default_tags_input
    if isinstance(defaults, list):
        for one in defaults:
            given = getattr(one, "tags", None)
            problems += [] if given is None else default_tag_problems(given, tags)
    if problems and provider.alias_input is None:
        yield from problems
