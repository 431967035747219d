"""Is this machine ready to synthesize, deploy and rehearse: one finding a thing that is needed."""

from .finding import Finding, State
from .machine import examine

__all__ = ["Finding", "State", "examine"]
