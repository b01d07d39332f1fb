"""Interactive figures: ``labs.CloudFlow()`` in a cell, the same lab in the built page."""

from __future__ import annotations

from lewm_lite.labs.cloud_flow import CloudFlow
from lewm_lite.labs.collapse_arena import CollapseArena
from lewm_lite.labs.dead_dimensions import DeadDimensions
from lewm_lite.labs.fool_the_variance import FoolTheVariance
from lewm_lite.labs.forger import Forger
from lewm_lite.labs.lambda_bisection import LambdaBisection
from lewm_lite.labs.one_shadow import OneShadow
from lewm_lite.labs.test_tournament import TestTournament

__all__ = [
    "CloudFlow",
    "CollapseArena",
    "DeadDimensions",
    "FoolTheVariance",
    "Forger",
    "LambdaBisection",
    "OneShadow",
    "TestTournament",
]
