"""The Terraform AWS provider, loaded only as far as it is used.

``from mlops_constructs.provider import AwsProvider`` instead of the bindings' own package keeps a program's start
under a second; so does ``from mlops_constructs.provider import sns_topic`` for any other module of the bindings
(``sns_topic.SnsTopic(...)``). Types and objects are the bindings' own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._fast_import import make_lazy
from ._jsii_node import use_packaged_node

if TYPE_CHECKING:
    from cdktf_cdktf_provider_aws.provider import AwsProvider as AwsProvider

_BINDINGS = "cdktf_cdktf_provider_aws"

use_packaged_node()
make_lazy(_BINDINGS)


def __getattr__(name: str) -> Any:
    if name == "AwsProvider":
        return importlib.import_module(f"{_BINDINGS}.provider").AwsProvider
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return importlib.import_module(f"{_BINDINGS}.{name}")
    except ModuleNotFoundError:
        raise AttributeError(f"the AWS provider bindings have no module {name!r}") from None
