"""What the lab of the λ bisection computes: training runs one after the other, and the bracket that they leave.

A run is so many steps of the library's training step with one λ, always from the seed's own start and on its batches,
so that runs of one seed differ in λ alone. A run begins anew when λ is moved or its button pressed; when it has come to
its end it is set down, and the next begins.
"""

from __future__ import annotations

import json
import math

import torch
from torch import Tensor

from lewm_lite.embeddings.principal import follow_axes
from lewm_lite.experiments.lambda_bisection import NAME, QUESTIONS, LambdaBisectionConfig
from lewm_lite.files import asset_path
from lewm_lite.labs.arena import OPTIMISER, batch_of, config_of, first_parameters, read_encoders
from lewm_lite.objectives.sigreg import Score, sigreg
from lewm_lite.training.joint_embedding import Objective, Training, embed, training_step

CONFIG = LambdaBisectionConfig()
RUNS, STEPS, DIM = CONFIG.budget, CONFIG.steps, CONFIG.shared.network.dim
LOW, HIGH = math.log10(CONFIG.low), math.log10(CONFIG.high)
READ = ("probe_r2", "effective_rank", "std")  # of a run that was set down, after log₁₀ λ


def search_start(
    table: Tensor, seed: Tensor, first: Tensor, unturned: Tensor, setting: Tensor, press: Tensor
) -> dict[str, Tensor]:
    """No run set down, and the first about to begin.

    Args:
        table: normal numbers to pick from. seed: a whole number. first: held-out observations.
        unturned: the identity ``(dim, dim)``. setting: λ. press: how often the button was pressed.
    """
    config = config_of(DIM)
    begun = first_parameters(table, seed, config)[None]
    axes, _ = follow_axes(embed(begun, first, config), unturned[None])
    return {
        **Training.of(begun.clone())._asdict(),
        "axes": axes.clone(),
        "begun": begun,
        "begun_axes": axes,
        "weight": setting.clone(),
        "pressed": press.clone(),
        "points": torch.zeros(RUNS, 1 + len(READ)),
        "done": torch.zeros(1),
    }


def search_step(
    *,
    steps: Tensor,
    axes: Tensor,
    begun: Tensor,
    begun_axes: Tensor,
    weight: Tensor,
    pressed: Tensor,
    points: Tensor,
    done: Tensor,
    setting: Tensor,
    press: Tensor,
    question: Tensor,
    machines: Tensor,
    curve: Tensor,
    overlay: Tensor,
    score: Score = sigreg,
    **given: Tensor,
) -> dict[str, Tensor]:
    """What the encoder is now, the bracket, and one training step of this run or, where it is over, of the next.

    Args:
        steps, axes, begun, begun_axes, weight, pressed: this run, where every run begins, its λ, presses before it.
        points: ``(RUNS, 4)``, of the ``done`` ``(1,)`` runs set down: log₁₀ λ, probe R², effective rank, std.
        setting: λ. press: how often the button was pressed. question: one-hot over QUESTIONS.
        machines, curve: from :func:`kept_machines` and :func:`kept_curve`. overlay: 1 if the curve is wanted, else 0.
        given: ``parameters``, ``running_mean``, ``running_square`` of the run, and ``table``, ``samples``, ``lines``,
            ``seed``, ``first``, ``state`` as for :func:`lewm_lite.labs.arena.arena_step`.
    Returns:
        The next state; what is drawn; ``resting``, 1 when a run has just come to its end; and the readings.
    """
    cloud = embed(given["parameters"], given["first"], config_of(DIM))
    drawn, readings = read_encoders(cloud, axes, given["state"])
    now = {name: values[0] for name, values in readings.items()}
    finished = steps >= STEPS
    anew = finished | (setting != weight) | (press != pressed)
    row = torch.stack([torch.log10(weight), *(now[name] for name in READ)])
    here = (torch.arange(RUNS) == done.round()) & finished
    set_down = torch.where(here[:, None], row, points)
    count = done.round() + finished
    cleared = anew & (count >= RUNS)  # eight are done: who goes on begins another search
    return {
        **_trained(begun, steps, anew, setting, score=score, **given)._asdict(),
        "axes": torch.where(anew, begun_axes, drawn["axes"]),
        "begun": begun.clone(),
        "begun_axes": begun_axes.clone(),
        "weight": setting.clone(),
        "pressed": press.clone(),
        "points": torch.where(cleared[:, None], torch.zeros_like(set_down), set_down),
        "done": torch.where(cleared, torch.zeros_like(count), count),
        "cloud": drawn["cloud"][0],
        "spectrum": drawn["spectrum"][0],
        "set_down": set_down,
        **_judged(set_down, count, question, machines),
        "laid": curve * overlay,
        "progress": torch.stack([steps, torch.log10(weight), count[0]]),
        "resting": finished.to(steps.dtype).reshape(1),
        "runs_left": RUNS - count[0],
        **now,
    }


def _trained(begun: Tensor, steps: Tensor, anew: Tensor, setting: Tensor, *, score: Score, **given: Tensor) -> Training:
    """The run a step further, or the first step of a new one."""
    training = Training(
        torch.where(anew, begun, given["parameters"]),
        *(
            torch.where(anew, torch.zeros_like(old), old)
            for old in (given["running_mean"], given["running_square"], steps)
        ),
    )
    drawing = (given[name] for name in ("seed", "table", "samples", "lines"))
    pairs, directions = batch_of(training.steps, *drawing, DIM)
    off = torch.zeros_like(setting[None])
    objective = Objective(setting[None], off, off, off, off, off)
    shared = {"config": config_of(DIM), "optimiser": OPTIMISER, "score": score}
    after, _ = training_step(training, pairs.first, pairs.second, directions, objective, **shared)
    return after


def _judged(set_down: Tensor, count: Tensor, question: Tensor, machines: Tensor) -> dict[str, Tensor]:
    """What the question makes of the runs, the reader's and the machine's."""
    accepted, ladder = brackets(set_down, count, question)
    reads, levels, _ = _asked(question)
    machine = (question[:, None, None] * machines).sum(0)
    machine_accepted, machine_ladder = brackets(machine, torch.full_like(count, RUNS), question)
    return {
        "accepted": accepted,
        "asked": torch.stack([levels, reads @ torch.arange(float(len(READ)))]),
        "ladder": ladder,
        "machine": torch.cat([machine, machine_accepted[:, None]], 1),
        "machine_bracket": machine_ladder[-1],
        "bracket_low": 10 ** ladder[-1, 0],
        "bracket_high": 10 ** ladder[-1, 1],
    }


def brackets(points: Tensor, count: Tensor, question: Tensor) -> tuple[Tensor, Tensor]:
    """Which runs are a yes, and the bracket after each of them.

    The bracket of the smallest accepted λ reaches from the largest rejected one below any that was accepted to the
    smallest accepted one above it; that of the largest is its mirror image. An end that no run has met is the axis's.

    Args:
        points: ``(RUNS, 4)``, as in :func:`search_step`. count: ``(1,)``, how many of them there are.
        question: one-hot over QUESTIONS.
    Returns:
        ``(RUNS,)`` of 1 and 0; ``(RUNS, 2)``, log₁₀ λ of both ends after one run, two, …, the same from ``count`` on.
    """
    reads, level, sign = _asked(question)
    values = (points[:, 1:] * reads).sum(-1)
    place = sign * points[:, 0]
    ends = torch.stack([sign * LOW, sign * HIGH])
    low, high = ends.min(), ends.max()
    so_far = torch.arange(RUNS) < torch.minimum(torch.arange(1, RUNS + 1)[:, None], count.long())
    yes = so_far & (values >= level)
    no = so_far & ~yes
    top = torch.where(yes, place, low - 1).max(-1, keepdim=True).values
    below = torch.where(no & (place < top), place, low).max(-1, keepdim=True).values
    above = torch.where(yes & (place > below), place, high).min(-1, keepdim=True).values
    both = torch.cat([below, above], -1) * sign
    return yes[-1].to(points.dtype), torch.where(sign > 0, both, both.flip(-1))


def _asked(question: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Which reading is asked, one-hot over READ; its level; 1 for the smallest λ and -1, a mirror, for the largest."""
    asked = QUESTIONS.values()
    reads = torch.tensor([[float(one.reading == name) for name in READ] for one in asked])
    levels = torch.tensor([one.level for one in asked])
    signs = torch.tensor([1.0 if one.edge == "smallest" else -1.0 for one in asked])
    return question @ reads, (question * levels).sum(), (question * signs).sum()


def kept_machines() -> Tensor:
    """The machine's runs in their order, ``(questions, RUNS, 4)`` as the reader's, from the kept experiment."""
    search = _kept()["searches"][0]
    rows = [
        [[math.log10(row["lambda"]), *(row[name] for name in READ)] for row in search[asked]["runs"]]
        for asked in QUESTIONS
    ]
    return torch.tensor(rows)


def kept_curve() -> Tensor:
    """``(λ, 7)``, of the kept experiment: log₁₀ λ; lowest, mean and highest over seeds of probe R², and of rank."""
    details = _kept()
    columns = [torch.tensor(details["lambdas"]).log10()]
    for name in READ[:2]:
        by_seed = torch.tensor(details["curve"][name])
        columns += [by_seed.min(1).values, by_seed.mean(1), by_seed.max(1).values]
    return torch.stack(columns, 1)


def _kept() -> dict:
    return json.loads(asset_path(f"results/{NAME}.json").read_text(encoding="utf-8"))["details"]
