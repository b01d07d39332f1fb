"""Every lab by its name: what the command line, the page builder and the tests go through."""

from __future__ import annotations

from lewm_lite.labs.cloud_flow import CloudFlow
from lewm_lite.labs.collapse_arena import CollapseArena
from lewm_lite.labs.dead_dimensions import DeadDimensions
from lewm_lite.labs.fool_the_variance import FoolTheVariance
from lewm_lite.labs.forger import Forger
from lewm_lite.labs.lab import Lab
from lewm_lite.labs.lambda_bisection import LambdaBisection
from lewm_lite.labs.one_shadow import OneShadow
from lewm_lite.labs.test_tournament import TestTournament

LABS: dict[str, type[Lab]] = {
    lab.name: lab
    for lab in (
        CollapseArena,
        CloudFlow,
        DeadDimensions,
        FoolTheVariance,
        Forger,
        OneShadow,
        LambdaBisection,
        TestTournament,
    )
}


def lab_named(name: str) -> type[Lab]:
    """The lab class of that name.

    Raises:
        ValueError: no such lab; the message lists those there are.
    """
    if name not in LABS:
        raise ValueError(f"no lab named {name!r}: there are {', '.join(LABS)}")
    return LABS[name]
