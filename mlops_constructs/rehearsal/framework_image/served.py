"""The functions that serve: those of the script, and for missing ones the defaults of AWS's image."""

from __future__ import annotations

import importlib
import os

from sagemaker_contract.interface import HOOKS

_script = importlib.import_module(os.environ["SCRIPT"].removesuffix(".py"))
_defaults = importlib.import_module("defaults")

for _name in HOOKS:
    _function = getattr(_script, _name, None)
    if _function is None and not hasattr(_script, "transform_fn"):
        _function = getattr(_defaults, _name, None)
    if _function is not None:
        globals()[_name] = _function
