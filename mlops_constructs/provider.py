"""The Terraform AWS provider, loaded only as far as it is used.

``from mlops_constructs.provider import AwsProvider`` instead of the bindings' own package keeps a program's start
under a second; so does ``from mlops_constructs.provider import sns_topic`` for any other module of the bindings
(``sns_topic.SnsTopic(...)``). Types and objects are the bindings' own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._cdk import AWS, aws
from ._fast_import import make_lazy
from ._jsii_node import use_packaged_node

if TYPE_CHECKING:
    from ._cdk import AwsProvider as AwsProvider

use_packaged_node()
make_lazy(AWS)


def __getattr__(name: str) -> Any:
    if name == "AwsProvider":
        return aws("provider").AwsProvider
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return aws(name)
    except ModuleNotFoundError:
        raise AttributeError(f"the AWS provider bindings have no module {name!r}") from None
