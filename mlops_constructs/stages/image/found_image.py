"""An existing image, which no build of the pipeline makes: its URI, and the repository that it is pulled from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..._cdk import Fn, Precondition, TerraformLocal
from ...config._tokens import is_reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from ..._aws.environment import Environment
    from ...config.builtin import BuiltinAlgorithm
    from ...config.framework_images import FrameworkImage

_URI = "^([0-9]+)[.]dkr[.]ecr[.]([a-z0-9-]+)[.][a-z.]+/([a-z0-9._/-]+).*$"
_NOWHERE = "none"


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image that exists already.

    Attributes:
        uri: Its URI, in the form that SageMaker accepts.
        pull_arn: ARN of its repository.
        preconditions: Conditions for Terraform; if one is false, the plan fails.
    """

    uri: str
    pull_arn: str
    preconditions: Sequence[Precondition] = ()


def image_by_uri(env: Environment, uri: str) -> FoundImage:
    """Return the image with this URI, which may be a reference, and the ARN of its repository."""
    if is_reference(uri):
        # Terraform treats a string between slashes as a regular expression.
        return FoundImage(uri, Fn.replace(uri, f"/{_URI}/", f"arn:{env.partition}:ecr:$2:$1:repository/$3"))
    return FoundImage(uri, re.sub(_URI, rf"arn:{env.partition}:ecr:\2:\1:repository/\3", uri))


def builtin_image(scope: Construct, env: Environment, algorithm: BuiltinAlgorithm) -> FoundImage:
    """Return the image of a built-in algorithm in the region of the provider, which only Terraform knows."""
    what = f"{algorithm.name} {algorithm.version}"
    return _image_of_aws(scope, "account", env, algorithm.accounts, f"{algorithm.repository}:{algorithm.tag}", what)


def framework_image(
    scope: Construct, id_: str, env: Environment, image: FrameworkImage, instance_type: str, what: str
) -> FoundImage:
    """Return AWS's image of a framework for the processor of an instance type."""
    return _image_of_aws(scope, id_, env, image.accounts, image.place(instance_type), what)


def _image_of_aws(
    scope: Construct, id_: str, env: Environment, accounts: Mapping[str, str], place: str, what: str
) -> FoundImage:
    """Return an image whose registry is in another account in each region, and ``what`` it is for people."""
    account = TerraformLocal(scope, id_, Fn.lookup(dict(accounts), env.region, _NOWHERE))
    name = account.as_string
    return FoundImage(
        f"{env.registry_host(name)}/{place}",
        f"arn:{env.partition}:ecr:{env.region}:{name}:repository/{place.partition(':')[0]}",
        [
            Precondition(
                condition=f'${{{account.fqn} != "{_NOWHERE}"}}',
                error_message=(
                    f"SageMaker has no {what} in {env.region}. Deploy to another region, "
                    "or use Algorithm.from_image(...)."
                ),
            )
        ],
    )
