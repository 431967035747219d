"""The only module that names the CDK and its AWS provider bindings; all others import them from here.

CDK for Terraform is the default: ``cdktf`` with ``cdktf_cdktf_provider_aws``. The same code runs on its successor, CDK
Terrain: ``cdktn`` with ``cdktn_provider_aws``, which bind version 6 of the AWS provider. It is used if only that is
installed, or if ``MLOPS_CDK=cdktn`` is set. This module reads the variable once, at import. A synth reads no other
variable from the environment, except ``MLOPS_FAST_IMPORT``.
"""

from __future__ import annotations

import importlib
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

    from cdktf import Annotations as Annotations
    from cdktf import AssetType as AssetType
    from cdktf import Fn as Fn
    from cdktf import Postcondition as Postcondition
    from cdktf import Precondition as Precondition
    from cdktf import TerraformAsset as TerraformAsset
    from cdktf import TerraformElement as TerraformElement
    from cdktf import TerraformLocal as TerraformLocal
    from cdktf import TerraformOutput as TerraformOutput
    from cdktf import TerraformResource as TerraformResource
    from cdktf import TerraformResourceLifecycle as TerraformResourceLifecycle
    from cdktf import TerraformStack as TerraformStack
    from cdktf import Token as Token
    from cdktf_cdktf_provider_aws.provider import AwsProvider as AwsProvider

SWITCH = "MLOPS_CDK"
# Core -> AWS provider bindings, in order of preference.
BINDINGS = {"cdktf": "cdktf_cdktf_provider_aws", "cdktn": "cdktn_provider_aws"}


def choose(switch: str | None) -> str:
    """Return the CDK to use: the one in ``switch``, or the first that is installed with its bindings.

    Args:
        switch: ``cdktf``, ``cdktn``, or None.

    Raises:
        ImportError: if ``switch`` has another value, or its CDK is not installed.
    """
    if switch is not None and switch not in BINDINGS:
        raise ImportError(f"{SWITCH}={switch}: must be {' or '.join(BINDINGS)}")
    wanted = BINDINGS if switch is None else {switch: BINDINGS[switch]}
    for core, aws_bindings in wanted.items():
        if find_spec(core) is not None and find_spec(aws_bindings) is not None:
            return core
    packages = " ".join(next(iter(wanted.items()))).replace("_", "-")
    raise ImportError(f"the CDK is not installed: pip install {packages}")


CORE = choose(os.environ.get(SWITCH))
AWS = BINDINGS[CORE]


def aws(module: str) -> ModuleType:
    """Return a module of the AWS provider bindings, such as ``s3_bucket``."""
    return importlib.import_module(f"{AWS}.{module}")


def region_name(region: Any) -> str:
    """Return the name of a ``DataAwsRegion``, a token. Version 6 of the AWS provider calls the attribute ``region``."""
    name: str = region.region if hasattr(type(region), "region") else region.name
    return name


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(CORE), name)
