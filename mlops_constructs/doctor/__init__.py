"""Checks whether this machine is ready to synthesize, deploy and rehearse: one finding per requirement."""

from .finding import Finding, State
from .machine import examine

__all__ = ["Finding", "State", "examine"]
