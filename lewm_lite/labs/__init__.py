"""Interactive figures: ``labs.CloudFlow()`` in a cell, the same lab in the built page."""

from __future__ import annotations

from lewm_lite.labs.cloud_flow import CloudFlow
from lewm_lite.labs.collapse_arena import CollapseArena
from lewm_lite.labs.dead_dimensions import DeadDimensions
from lewm_lite.labs.fool_the_variance import FoolTheVariance

__all__ = ["CloudFlow", "CollapseArena", "DeadDimensions", "FoolTheVariance"]
