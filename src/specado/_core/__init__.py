"""The compiled surface: what Python code may use of it, and why it is compiled.

- `compare_capabilities`, `check_capability`: routing compares models on every call that has a
  choice; the same in Python costs ten times as much.
"""

from specado._core.capability import check_capability
from specado._core.compare import compare_capabilities

__all__ = ["check_capability", "compare_capabilities"]
