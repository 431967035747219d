"""Checks whether an account is ready for a stack: one finding per requirement, by read-only calls."""

from .examination import examine
from .stack import SynthesizedStack
from .state import TerraformState

__all__ = ["SynthesizedStack", "TerraformState", "examine"]
