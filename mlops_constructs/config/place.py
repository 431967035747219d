"""Rules for where a pipeline is put: its id, the stack's provider, and what the provider adds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import Problem
from ._tags import case_problems
from ._tokens import is_reference, is_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
_MAX_TAGS = 50


def id_problems(id_: object, parents: Sequence[str]) -> Iterator[Problem]:
    """Require an id from which CDKTF makes names that Terraform accepts.

    CDKTF joins the ids below the stack, without the characters that Terraform does not know.
    https://developer.hashicorp.com/terraform/language/syntax/configuration#identifiers

    Args:
        id_: Construct id of the pipeline.
        parents: Ids of the constructs between the stack and the pipeline.
    """
    if not isinstance(id_, str) or not id_.strip() or is_reference(id_):
        got = "a token" if is_token(id_) else id_
        yield Problem(
            "id_", "must be a string with at least one character, known at synth", got, "use for example 'churn'"
        )
        return
    # CDKTF leaves out a part that is called Default, and writes a slash or a line break as two hyphens.
    written = [re.sub(r"[/\n]", "--", one) for one in (*parents, id_) if one != "Default"]
    ids = [re.sub(r"[^\w-]", "", one, flags=re.ASCII) for one in written]
    if re.match(r"[\d-]", "_".join(ids), flags=re.ASCII):
        begins = "must start with a letter, because Terraform's names of its resources start with it"
        if parents and parents[0] != "Default":
            rule, got = f"its outermost construct in the stack {begins}", parents[0]
        else:
            rule, got = begins, id_
        yield Problem("id_", rule, got, f"use for example 'p{'' if got.startswith('-') else '-'}{got}'")


def region_problems(region: str) -> Iterator[Problem]:
    """Yield what is wrong with the provider's region; which services a region offers is known only to AWS.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
    """
    if not is_reference(region) and region.startswith("cn-"):
        yield Problem(
            "provider.region",
            "must not be in China (aws-cn): CodePipeline has no CloudFormation action there",
            region,
            "deploy to a region of aws or aws-us-gov",
        )


def default_tag_problems(defaults: Mapping[str, str], tags: object) -> Iterator[Problem]:
    """Yield what the provider's default tags cannot have, alone and with the pipeline's tags."""
    if is_token(defaults):
        return
    for problem in case_problems(defaults, {}):
        yield Problem(f"provider.default_{problem.field}", problem.rule, problem.got, problem.remedy)
    if not isinstance(tags, Mapping) or not all(isinstance(key, str) for key in tags) or is_token(tags):
        return
    yield from case_problems({key: "" for key in tags if key not in defaults}, defaults)
    count = len({*defaults, *tags})
    if count > _MAX_TAGS:
        rule = f"with the provider's default_tags there must be at most {_MAX_TAGS}"
        yield Problem("tags", rule, count, "leave some out")
