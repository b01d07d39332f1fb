"""One shadow: a direction to turn through a flat cloud, and the cloud's shadow on it under the test of SIGReg.

The shadow is seen in three ways at once: its histogram under the bell of N(0, 1); each sample as an arrow e^{itx} of
length 1 on a circle, with the mean of all arrows; and that mean at every frequency t against e^{-t²/2}, which N(0, 1)
has. The weighted square of the gap between them is a curve over t, and its area is the statistic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor

from lewm_lite.embeddings import clouds
from lewm_lite.labs.controls import Choice, Range, Reading, Toggle
from lewm_lite.labs.feeds import Bank, Graph, OneHot, Setting, State
from lewm_lite.labs.lab import Frame, Lab, Phase, Scene
from lewm_lite.labs.verdicts import compass
from lewm_lite.objectives.characteristic import CharacteristicFunction
from lewm_lite.objectives.normality import Statistic
from lewm_lite.objectives.sigreg import bell, epps_pulley
from lewm_lite.seeding import seeded

PACE = 0.5  # degrees that a direction turning by itself goes in a step
T_MAX, KNOTS, BETWEEN = 3.0, 17, 3  # the curves have a point at each of SIGReg's knots and two between
ARROWS, ANGLES = 60, 90
MAX_SAMPLES, SEEDS = 1024, 8
NULL_SAMPLES, NULL_SIZE, NULL_SHARE = 2000, 256, 0.95


def _shifted(noise: Tensor) -> Tensor:
    return clouds.isotropic(noise) + torch.tensor([0.8, 0.3])


def _small(noise: Tensor) -> Tensor:
    return 0.6 * clouds.isotropic(noise)


CASTERS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "isotropic": ("standard Gaussian", clouds.isotropic),
    "shifted": ("Gaussian, moved", _shifted),
    "small": ("Gaussian, too small", _small),
    "line": ("line", clouds.line),
    "white_clumps": ("two clumps, identity covariance", clouds.white_clumps),
    "clumps": ("two tight clumps", clouds.clumps),
    "ring": ("ring", clouds.ring),
    "heavy_tailed": ("heavy tails", clouds.heavy_tailed),
}


def shadow_start(noise: Tensor, shape: Tensor) -> dict[str, Tensor]:
    """The cloud: ``noise`` (samples, 3) in a shape, one-hot over CASTERS. Nothing has turned by itself yet."""
    made = torch.stack([cast(noise) for _, cast in CASTERS.values()])
    return {"points": (shape[:, None, None] * made).sum(0), "turned": torch.zeros(1, device=noise.device)}


def shadow_step(
    points: Tensor,
    turned: Tensor,
    angle: Tensor,
    sweep: Tensor,
    frequency: Tensor,
    around: Tensor,
    *,
    statistic: Statistic,
    level: float,
) -> dict[str, Tensor]:
    r"""The shadow along one direction, seen in every way; the direction goes PACE further where it turns by itself.

    Args:
        points: ``(samples, 2)``.
        turned: ``(1,)``, degrees that the direction has gone from ``angle``, a scalar in degrees.
        sweep: 1 where it turns by itself, else 0. frequency: t >= 0, where the arrows stand.
        around: ``(directions, 2)``, unit rows along which the whole cloud is judged.
        statistic: ``(samples, num_directions) -> (num_directions,)``. level: passed on, from :func:`null_level`.
    Returns:
        ``points`` as they were and the next ``turned``; ``direction`` (2,); of the shadow ``statistic``, ``mean``,
        ``std`` and ``gap``, which is $|\hat\varphi(t) - e^{-t^2/2}|$; ``around_statistics``, one along each row of
        ``around``, and their mean ``sigreg``; at t the ``arrows`` (samples, 2), the
        ``mean_arrow`` (2,) and the real number ``wanted`` (1,); at evenly spaced frequencies from 0 to T_MAX
        ``characteristic``, rows of real part, imaginary part and what N(0, 1) has, and ``excess``,
        $2|\hat\varphi - e^{-t^2/2}|^2 e^{-t^2/2}$; ``area``, N times the integral of that: Epps and Pulley's
        statistic, whoever judges.
    """
    radians = (angle + turned) * (math.pi / 180)
    direction = torch.cat([radians.cos(), radians.sin()])
    shadows = points @ torch.cat([direction[None], around]).mT
    shadow = shadows[:, 0]
    statistics = statistic(shadows)
    arrows = torch.stack([(frequency * shadow).cos(), (frequency * shadow).sin()], dim=1)
    mean_arrow = arrows.mean(0)
    characteristic = characteristic_curve(shadow)
    real, imag, wanted = characteristic.unbind(1)
    gap = (mean_arrow[0] - bell(frequency)).square() + mean_arrow[1].square()
    return {
        "points": points.clone(),
        "turned": turned + PACE * sweep,
        "direction": direction,
        "statistic": statistics[0],
        "mean": shadow.mean(),
        "std": shadow.std(correction=0),
        "gap": gap.sqrt(),
        "sigreg": statistics[1:].mean(),
        "around_statistics": statistics[1:],
        "arrows": arrows,
        "mean_arrow": mean_arrow,
        "wanted": bell(frequency)[None],
        "characteristic": characteristic,
        "excess": 2 * ((real - wanted).square() + imag.square()) * wanted,
        "area": epps_pulley(shadow[:, None]),
        "level": torch.full_like(turned, level),
    }


def characteristic_curve(shadow: Tensor) -> Tensor:
    r"""``(samples,)`` -> ``(frequencies, 3)``: $\hat\varphi$, real and imaginary, and $e^{-t^2/2}$, from 0 to T_MAX."""
    count = (KNOTS - 1) * BETWEEN
    real, imag = CharacteristicFunction.apply(shadow[None], count, T_MAX / count)
    t = T_MAX / count * torch.arange(count + 1, dtype=shadow.dtype, device=shadow.device)
    at_zero = torch.stack([torch.ones_like(t[:1]), torch.zeros_like(t[:1])], dim=1)
    return torch.cat([torch.cat([at_zero, torch.cat([real, imag]).mT]), bell(t)[:, None]], dim=1)


@cache
def null_level(statistic: Statistic, size: int = NULL_SIZE) -> float:
    """What 95 in 100 samples of N(0, 1) score no more than, of NULL_SAMPLES samples of ``size`` numbers each."""
    ideal = torch.randn(size, NULL_SAMPLES, generator=seeded(6))
    return torch.quantile(statistic(ideal), NULL_SHARE).item()


def own_step(points: Tensor, *, statistic: Statistic, **others: Tensor) -> dict[str, Tensor]:
    """:func:`shadow_step` under a reader's statistic, whose level may change with the number of points."""
    return shadow_step(points, **others, statistic=statistic, level=null_level(statistic, points.shape[0]))


class OneShadow(Lab):
    """A direction to turn through a cloud until its shadow shows what is wrong with it.

    Args:
        scene: which recorded run the page shows before it is touched, and where the controls stand.
        statistic: your own test, ``(samples, num_directions) -> (num_directions,)`` as :func:`lewm_lite.epps_pulley`:
            in a kernel the lab follows it. The arrows and the area under the gap stay Epps and Pulley's.
        given: controls to set, e.g. ``start="ring"``, ``angle=30``.
    Raises:
        ValueError: an unknown scene or control, or a value out of its range; and what ``statistic`` raises, which is
            asked at once what normal samples score.
    """

    name = "one_shadow"
    title = "One shadow"
    controls = (
        Choice("start", "cloud", tuple((name, title) for name, (title, _) in CASTERS.items()), "white_clumps", True),
        Range("angle", "direction, degrees", 0, 359, 0, 1, restarts=True),
        Toggle("sweep", "the direction turns by itself", True),
        Range("t", "t, frequency of the arrows", 0, T_MAX, 1.5, 0.05),
        Range("num_samples", "N, number of points", 64, MAX_SAMPLES, 256, 64, restarts=True),
        Range("seed", "seed", 0, SEEDS - 1, 0, 1, restarts=True),
    )
    readings = (
        Reading("statistic", "statistic of this shadow", 2, "statistic {value}"),
        Reading("mean", "mean of the shadow", 2, "mean {value}"),
        Reading("std", "standard deviation", 2, "standard deviation {value}"),
        Reading("gap", "gap at t", 3, "gap at t {value}"),
        Reading("sigreg", "mean over all directions: SIGReg", 2, "SIGReg {value}"),
    )
    recorded = {
        **dict.fromkeys(("points", "turned", "direction", "around_statistics", "mean_arrow", "wanted")),
        "arrows": ARROWS,
        **dict.fromkeys(("characteristic", "excess", "area", "level")),
    }
    frame_every = 6
    scenes = (
        Scene(
            "two_sides",
            "two clumps whose covariance is that of the standard Gaussian, seen from every side. Along the line "
            "through both the shadow has two humps, and the statistic is far above what a normal sample scores. A "
            "quarter turn further the shadow is a bell, and nothing is seen.",
            {},
            (Phase(360),),
        ),
        Scene(
            "arrows",
            "a standard Gaussian, one fixed direction, and t from 0 to 3 and back to 1.5. At 0 all arrows point to the "
            "right. They fan out, and their mean shrinks along the curve that N(0, 1) has.",
            {"start": "isotropic", "sweep": False, "t": 0.0, "angle": 30, "seed": 6},
            tuple(Phase(6, {"t": step / 20}) for step in (*range(61), *range(57, 29, -3))),
        ),
        Scene(
            "moved",
            "a Gaussian that stands beside the middle. Every shadow is a bell, of standard deviation 1; along the way "
            "that the cloud has moved the statistic objects all the same, since it asks for N(0, 1).",
            {"start": "shifted", "angle": 20},
            (Phase(360),),
        ),
    )

    def __init__(self, scene: str | None = None, *, statistic: Statistic = epps_pulley, **given: object) -> None:
        super().__init__(scene, **given)
        self.statistic, self.own = statistic, statistic is not epps_pulley
        # Epps and Pulley's level is the same whatever the size, so that the page needs no other.
        self.level = null_level(statistic, self.values["num_samples"] if self.own else NULL_SIZE)

    def graphs(self) -> dict[str, Graph]:
        """``start`` makes the cloud; ``step`` looks at it from one side, and from all."""
        given = {} if self.own else {"level": self.level}
        return {
            "start": Graph(
                shadow_start,
                {
                    "noise": Bank("noise", rows="num_samples", seed_stride=MAX_SAMPLES),
                    "shape": OneHot("start"),
                },
                ("points", "turned"),
                {"noise": {0: "samples"}},
            ),
            "step": Graph(
                partial(own_step if self.own else shadow_step, statistic=self.statistic, **given),
                {
                    "points": State(),
                    "turned": State(),
                    "angle": Setting("angle"),
                    "sweep": Setting("sweep"),
                    "frequency": Setting("t"),
                    "around": Bank("around"),
                },
                (*self.recorded, *(reading.name for reading in self.readings)),
                {"points": {0: "samples"}},
            ),
        }

    @classmethod
    def banks(cls) -> dict[str, Tensor]:
        """Noise for the clouds, and every second degree of half a turn."""
        return {
            "noise": clouds.cloud_noise(MAX_SAMPLES * SEEDS, 2, generator=seeded(4)),
            "around": compass(ANGLES),
        }

    @classmethod
    def draw_still(cls, frames: list[Frame], scene: Scene):
        """Two moments of the run, one above the other: the cloud, its shadow, the arrows and the gap."""
        from lewm_lite.figures.shadows import shadow_moments

        return shadow_moments(frames)
