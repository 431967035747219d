"""Is this account ready for a stack: one finding for each thing that a first deployment needs, by calls that read."""

from .examination import examine
from .stack import SynthesizedStack
from .state import TerraformState

__all__ = ["SynthesizedStack", "TerraformState", "examine"]
