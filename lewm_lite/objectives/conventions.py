r"""The public forms of SIGReg side by side, and what a weight of one is worth in another.

Public codes agree on the window $e^{-t^2/2}$ and on the mean over directions. They differ in the frequencies, in the
factor N, in which embeddings make one sample, and in how the weight enters the loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from lewm_lite.checks import check_embeddings, check_positive_integer, check_positive_number
from lewm_lite.objectives.directions import check_directions
from lewm_lite.objectives.sigreg import bell, gap_on_multiples

_FINEST = 1000  # the largest denominator of a grid's ends: finer ones would ask for a great many multiples of the step


def _fraction(end: float) -> Fraction:
    return Fraction(end).limit_denominator(_FINEST)


@dataclass(frozen=True)
class Convention:
    """One public form. Its grid is checked: ValueError where the ends or the knots make none."""

    name: str
    source: str  # where it stands
    t_min: float
    t_max: float
    knots: int  # evenly spaced from t_min to t_max, for the trapezoid rule
    doubled: bool  # whether the grid is half of a symmetric one, so that its weights count twice
    times_samples: bool  # the factor N
    sample: str  # one sample is a "view", a time "step", all views "pooled", or what the "caller" makes it
    num_directions: int  # by default
    weighting: str  # "additive": loss + λ·SIGReg, "convex": (1 - λ)·loss + λ·SIGReg, or left to the "caller"
    weight: float | None  # λ as quoted there

    def __post_init__(self) -> None:
        """Refuse a grid that is none, or not of the ends that it says."""
        check_positive_integer("knots", self.knots, minimum=2)
        for name, end in (("t_min", self.t_min), ("t_max", self.t_max)):
            if not math.isfinite(end) or abs(_fraction(end) - Fraction(end)) > 1e-12:
                raise ValueError(f"{name} must be a fraction with a denominator of at most {_FINEST}, got {end!r}")
        if not self.t_min < self.t_max:
            raise ValueError(f"t_min must be below t_max, got t_min={self.t_min:g} and t_max={self.t_max:g}")

    def described(self) -> str:
        """The knots in words: ``17 on [0, 3], doubled``."""
        return f"{self.knots} on [{self.t_min:g}, {self.t_max:g}]" + (", doubled" if self.doubled else "")

    def grid(self, like: Tensor) -> tuple[Tensor, Tensor, float]:
        """Frequencies and weights, of the dtype and device of ``like``, and the step that the frequencies multiply.

        Every grid of decimal ends is made of whole multiples of one small step, and the negative ones fold onto the
        positive: all integrands here are even. The frequency 0 is left out, where no sample has a gap.
        """
        first, last = (_fraction(end) for end in (self.t_min, self.t_max))
        spacing = (last - first) / (self.knots - 1)
        knots = [abs(first + place * spacing) for place in range(self.knots)]
        common = math.lcm(*(knot.denominator for knot in knots))
        step = Fraction(math.gcd(*(int(knot * common) for knot in knots)), common)
        weights = torch.zeros(int(max(knots) / step) + 1, dtype=like.dtype, device=like.device)
        for place, knot in enumerate(knots):
            at_end = place in (0, self.knots - 1)
            weights[int(knot / step)] += float(spacing) * (1 + self.doubled) / (1 + at_end)
        t = float(step) * torch.arange(1, len(weights), dtype=like.dtype, device=like.device)
        return t, weights[1:] * torch.exp(-t * t / 2), float(step)


_ALGORITHM = "Balestriero & LeCun 2025, arXiv:2511.08544, Algorithm 1; the weight is that of section 6.1"
_APPENDIX = "Maes et al. 2026, arXiv:2603.19312, appendix A; it leaves the number of nodes open, 17 as in the code"
_MINIMAL = "rbalestr-lab/lejepa at eddffdd, MINIMAL.md"
_PACKAGE = "rbalestr-lab/lejepa at eddffdd, univariate/epps_pulley.py and README"
_LEWM = "lucas-maes/le-wm at 8edfeb3, module.py and config/train/lewm.yaml; galilai-group/stable-worldmodel at addbab4"
_POOLED = "stable-pretraining 0.1.8, methods/lejepa.py"
_RUST = "AbdelStark/lewm-rs at 13f749c, configs/pusht.toml"
_LIGHTLY = "lightly-ai/lightly at 0b282af, loss/lejepa_loss.py"
_BCS = "facebookresearch/eb_jepa at 966e61e, losses.py, BCS"
_FORMS = (
    Convention("lejepa paper", _ALGORITHM, -5, 5, 17, False, True, "view", 256, "convex", 0.05),
    Convention("lejepa minimal", _MINIMAL, 0, 3, 17, True, True, "view", 256, "convex", 0.02),
    Convention("lejepa package", _PACKAGE, 0, 3, 17, True, True, "caller", 1024, "caller", None),
    Convention("stable-pretraining", _POOLED, 0, 3, 17, True, True, "pooled", 1024, "additive", 0.02),
    Convention("lightly", _LIGHTLY, 0, 3, 17, True, True, "view", 1024, "convex", 0.05),
    Convention("lewm paper", _APPENDIX, 0.2, 4, 17, False, False, "step", 1024, "additive", 0.1),
    Convention("lewm code", _LEWM, 0, 3, 17, True, True, "step", 1024, "additive", 0.09),
    Convention("lewm-rs", _RUST, 0, 3, 17, True, True, "step", 1024, "additive", 1.0),
    Convention("eb_jepa", _BCS, -3, 3, 10, False, False, "view", 256, "additive", 10.0),
)
CONVENTIONS: dict[str, Convention] = {form.name: form for form in _FORMS}


def conventional_sigreg(embeddings: Tensor, directions: Tensor, convention: Convention) -> Tensor:
    r"""SIGReg as a public code has it, for given directions.

    Args:
        embeddings: ``(*leading, samples, dim)``; the leading axes are views or time steps. Where the convention pools,
            they join the samples; else each is a sample of its own, and their scores are averaged.
        directions: ``(dim, num_directions)`` of unit columns.
        convention: one of CONVENTIONS, or your own.
    Returns:
        A scalar, >= 0. For ``CONVENTIONS["lewm code"]`` it is :func:`lewm_lite.sigreg`.
    Raises:
        ShapeError, TypeError, ValueError: as for :func:`lewm_lite.sigreg`.
    Source:
        The formulas of the codes that CONVENTIONS names. All compute in float32 at least; what a code does under
        autocast or on several processes is not copied.
    """
    check_embeddings("embeddings", embeddings)
    check_directions(directions, embeddings)
    if convention.sample == "pooled":
        embeddings = embeddings.flatten(0, -2)
    if embeddings.dtype not in (torch.float32, torch.float64):
        embeddings = embeddings.float()
    with torch.autocast(device_type=embeddings.device.type, enabled=False):
        shadows = directions.to(embeddings.dtype).mT @ embeddings.mT
        t, weights, step = convention.grid(shadows)
        gap, count = gap_on_multiples(shadows, bell(t), weights, dt=step)
        return (count * gap if convention.times_samples else gap).mean()


# Clouds by which two grids can be compared: frequencies -> the gap between their shadow and N(0, 1)'s, up to a factor.
DEVIATIONS = {
    "a little too narrow": lambda t: t * t * bell(t),
    "a little off centre": lambda t: t * bell(t),
    "collapsed to 0": lambda t: 1 - bell(t),
}


@dataclass(frozen=True)
class Conversion:
    """What :func:`convert_weight` found."""

    weight: float | None  # λ of the target; None where there is none
    between: tuple[float, float] | None  # the λ that three clouds ask for, lowest and highest; equal where exact
    exact: bool  # whether the two losses then differ by a factor alone
    learning_rate: float | None  # what plain gradient descent must multiply its learning rate by, to take equal steps
    words: str


def convert_weight(
    weight: float, *, source: Convention, target: Convention, num_samples: int, target_samples: int | None = None
) -> Conversion:
    r"""The weight in ``target`` that keeps the balance which ``weight`` strikes in ``source``.

    Exact where the grids are equal: $\lambda/(1-\lambda)$ turns a convex weight into an additive one, and the factor N
    is multiplied in or divided out. Other grids have no common factor: the answer is the one for a cloud a little too
    narrow, in the limit, and ``between`` gives those of three clouds. A pooled sample has no answer in separate ones.
    The number of directions needs no conversion, since all take the mean over them: more of them only add less noise.
    The other term, prediction or invariance, is taken as the same in both.

    Args:
        weight: λ in the source, > 0; below 1 where it is convex.
        source, target: of CONVENTIONS, or your own; a weighting left to the caller is taken as additive.
        num_samples: N in the source: of one view or step, or of all together where they are pooled.
        target_samples: N in the target, by default the same.
    Raises:
        ValueError: a weight or a number of samples out of its range.
    Example:
        >>> ours, eb = CONVENTIONS["lewm code"], CONVENTIONS["eb_jepa"]
        >>> round(convert_weight(10.0, source=eb, target=ours, num_samples=256).weight, 3)
        0.039
    """
    check_positive_number("weight", weight)
    check_positive_integer("num_samples", num_samples, minimum=2)
    target_samples = num_samples if target_samples is None else target_samples
    check_positive_integer("target_samples", target_samples, minimum=2)
    if source.weighting == "convex" and weight >= 1:
        raise ValueError(f"weight must be below 1 where it is convex, as in {source.name}, got {weight:g}")
    samples = {source.sample, target.sample}
    if "pooled" in samples and samples & {"view", "step"}:
        return Conversion(None, None, False, None, _unpooled(source, target))
    ratio = weight / (1 - weight) if source.weighting == "convex" else weight
    ratio *= (num_samples if source.times_samples else 1) / (target_samples if target.times_samples else 1)
    factors = [seen(source, name) / seen(target, name) for name in DEVIATIONS]
    weights = [_in_form(ratio * factor, target) for factor in factors]
    exact = max(factors) - min(factors) < 1e-9 * max(factors)
    share = (1 - weight) if source.weighting == "convex" else 1.0
    rate = share / ((1 - weights[0]) if target.weighting == "convex" else 1.0)
    words = _words(source, target, exact, num_samples, target_samples)
    return Conversion(weights[0], (min(weights), max(weights)), exact, rate, words)


def seen(convention: Convention, deviation: str) -> float:
    """How strongly a form sees one of DEVIATIONS, before any factor N: its quadrature of the squared gap."""
    t, weights, _ = convention.grid(torch.zeros((), dtype=torch.float64))
    return (weights * DEVIATIONS[deviation](t).square()).sum().item()


def _in_form(ratio: float, convention: Convention) -> float:
    """The weight that gives SIGReg ``ratio`` times the weight of the other term."""
    return ratio / (1 + ratio) if convention.weighting == "convex" else ratio


def _unpooled(source: Convention, target: Convention) -> str:
    one, other = (source, target) if source.sample == "pooled" else (target, source)
    return (
        f"No weight does it: {one.name} asks that all views together look like N(0, I), {other.name} that each "
        f"{other.sample} does. Views that are each off centre, to different sides, pass the first and fail the second."
    )


def _words(source: Convention, target: Convention, exact: bool, num_samples: int, target_samples: int) -> str:
    said = []
    if source.times_samples != target.times_samples:
        said.append("One form alone has the factor N, so the weight depends on the batch.")
    elif source.times_samples and num_samples != target_samples:
        said.append("The batch changes, and λ·N is kept.")
    if "convex" in (source.weighting, target.weighting):
        said.append("A convex λ stands for λ / (1 - λ), and the whole loss changes by a factor: the learning rate's.")
    if exact:
        said.append("The same grid: value and gradient then agree up to that factor, whatever the cloud.")
    else:
        said.append("Other frequencies: no weight serves every cloud. This one is for a cloud a little too narrow.")
    if "caller" in (source.weighting, target.weighting):
        said.append("A weighting left to the caller is taken as loss + λ·SIGReg.")
    return " ".join(said)
