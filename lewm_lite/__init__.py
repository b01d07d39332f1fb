"""lewm_lite: what keeps a model that predicts its own representations from going blind.

Importing this package brings in torch and numpy only; labs and figures are imported by their own names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lewm_lite.checks import ShapeError
from lewm_lite.embeddings.diagnostics import effective_rank, feature_std, participation_ratio, spectrum
from lewm_lite.files import asset_path
from lewm_lite.judging.cem import CEMPlan, cem
from lewm_lite.judging.planning import LatentPlanner, PlannerConfig
from lewm_lite.judging.probing import ProbeResult, linear_probe, mlp_probe
from lewm_lite.judging.surprise import surprise
from lewm_lite.model.released_weights import load_released_weights
from lewm_lite.model.world_model import LeWorldModel, parameter_table
from lewm_lite.objectives.collapse_report import CollapseReport, collapse_report
from lewm_lite.objectives.directions import random_directions
from lewm_lite.objectives.sigreg import SIGReg, epps_pulley, sigreg
from lewm_lite.objectives.teacher import EMATeacher
from lewm_lite.objectives.vicreg import VICRegTerms, covariance_penalty, invariance, variance_hinge, vicreg_terms
from lewm_lite.seeding import seeded
from lewm_lite.training.checkpoints import load_checkpoint
from lewm_lite.training.fit import fit
from lewm_lite.training.fit_config import FitConfig
from lewm_lite.training.history import History
from lewm_lite.training.lambda_search import LambdaSearch, bisect_lambda
from lewm_lite.training.world_model_loss import WorldModelLoss, world_model_loss
from lewm_lite.world.frames import normalise_frames
from lewm_lite.world.registration import register_when_gymnasium_is_imported

if TYPE_CHECKING:
    from lewm_lite import labs
    from lewm_lite.judging.evaluation import Evaluation, evaluate
    from lewm_lite.world.episode_dataset import EpisodeDataset
    from lewm_lite.world.episodes import collect_episodes

__version__ = "0.1.0"

__all__ = [
    "CEMPlan",
    "CollapseReport",
    "EMATeacher",
    "EpisodeDataset",
    "Evaluation",
    "FitConfig",
    "History",
    "LambdaSearch",
    "LatentPlanner",
    "LeWorldModel",
    "PlannerConfig",
    "ProbeResult",
    "SIGReg",
    "ShapeError",
    "VICRegTerms",
    "WorldModelLoss",
    "asset_path",
    "bisect_lambda",
    "cem",
    "collapse_report",
    "collect_episodes",
    "covariance_penalty",
    "effective_rank",
    "epps_pulley",
    "evaluate",
    "feature_std",
    "fit",
    "invariance",
    "labs",
    "linear_probe",
    "load_checkpoint",
    "load_released_weights",
    "mlp_probe",
    "normalise_frames",
    "parameter_table",
    "participation_ratio",
    "random_directions",
    "seeded",
    "sigreg",
    "spectrum",
    "surprise",
    "variance_hinge",
    "vicreg_terms",
    "world_model_loss",
]

# Names that need more than torch and numpy are fetched when they are first asked for (PEP 562): where each is, and the
# extra of this package that brings what it needs.
_LAZY = {
    "labs": ("lewm_lite", "chapters"),
    "Evaluation": ("lewm_lite.judging.evaluation", "world"),
    "evaluate": ("lewm_lite.judging.evaluation", "world"),
    "EpisodeDataset": ("lewm_lite.world.episode_dataset", "world"),
    "collect_episodes": ("lewm_lite.world.episodes", "world"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place, extra = _LAZY[name]
    try:
        return import_module(f"{place}.{name}") if place == __name__ else getattr(import_module(place), name)
    except ModuleNotFoundError as error:
        raise ImportError(f"{name} needs {error.name}: pip install 'lewm-lite[{extra}]'", name=error.name) from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


register_when_gymnasium_is_imported()
