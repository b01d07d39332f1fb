"""lewm_lite: what keeps a model that predicts its own representations from going blind.

Importing this package brings in torch and numpy only; labs and figures are imported by their own names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lewm_lite.checks import ShapeError
from lewm_lite.embeddings.diagnostics import effective_rank, feature_std, participation_ratio, spectrum
from lewm_lite.files import asset_path
from lewm_lite.judging.probing import ProbeResult, linear_probe
from lewm_lite.objectives.collapse_report import CollapseReport, collapse_report
from lewm_lite.objectives.directions import random_directions
from lewm_lite.objectives.sigreg import SIGReg, epps_pulley, sigreg
from lewm_lite.objectives.teacher import EMATeacher
from lewm_lite.objectives.vicreg import VICRegTerms, covariance_penalty, invariance, variance_hinge, vicreg_terms
from lewm_lite.seeding import seeded

if TYPE_CHECKING:
    from lewm_lite import labs

__version__ = "0.1.0"

__all__ = [
    "CollapseReport",
    "EMATeacher",
    "ProbeResult",
    "SIGReg",
    "ShapeError",
    "VICRegTerms",
    "asset_path",
    "collapse_report",
    "covariance_penalty",
    "effective_rank",
    "epps_pulley",
    "feature_std",
    "invariance",
    "labs",
    "linear_probe",
    "participation_ratio",
    "random_directions",
    "seeded",
    "sigreg",
    "spectrum",
    "variance_hinge",
    "vicreg_terms",
]

# Names that need more than torch and numpy are fetched when they are first asked for (PEP 562).
_LAZY = {"labs": "lewm_lite.labs"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return import_module(_LAZY[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
