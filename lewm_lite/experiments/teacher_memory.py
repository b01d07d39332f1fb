"""C28: what a second encoder costs in memory: weights, gradients, optimiser, activations, and the peak of a step.

``python -m lewm_lite.experiments.teacher_memory`` measures and keeps the result; about two minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lewm_lite.experiments.live_bytes import LiveBytes, SavedBytes, module_tensors, total_bytes
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief
from lewm_lite.objectives.directions import random_directions
from lewm_lite.objectives.sigreg import sigreg
from lewm_lite.objectives.teacher import EMATeacher
from lewm_lite.seeding import seeded

SETUPS = ("one_encoder", "with_teacher")
KINDS = ("parameters", "buffers", "gradients", "optimiser", "activations", "peak")


@dataclass(frozen=True)
class TeacherMemoryConfig:
    """A small vision transformer with a predictor, trained on clips of frames."""

    frame_size: int = 64  # pixels
    patch_size: int = 8  # pixels
    width: int = 128
    depth: int = 6
    heads: int = 4
    dim: int = 64  # of an embedding
    num_directions: int = 256
    clip_lengths: tuple[int, ...] = (2, 4)  # frames
    batches: tuple[int, ...] = (2, 4, 8, 16, 32, 64)  # clips
    seed: int = 0  # of frames and directions: what a number is does not change its size


class FrameEncoder(nn.Module):
    """Patches, transformer layers, their mean, and a projector with BatchNorm: frames to embeddings."""

    def __init__(self, config: TeacherMemoryConfig) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, config.width, config.patch_size, config.patch_size)
        self.places = nn.Parameter(torch.zeros((config.frame_size // config.patch_size) ** 2, config.width))
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, 4 * config.width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.depth, enable_nested_tensor=False)
        self.projector = nn.Sequential(nn.Linear(config.width, config.dim), nn.BatchNorm1d(config.dim))

    def forward(self, frames: Tensor) -> Tensor:
        """``(samples, 3, height, width)`` -> ``(samples, dim)``."""
        tokens = self.patches(frames).flatten(2).mT + self.places
        return self.projector(self.layers(tokens).mean(1))


def one_encoder_loss(
    encoder: nn.Module, predictor: nn.Module, teacher: None, frames: Tensor, directions: Tensor
) -> Tensor:
    """Every frame is embedded once, with gradient; SIGReg looks at each time step."""
    embeddings = encoder(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
    error = (predictor(embeddings[:, :-1].flatten(0, 1)) - embeddings[:, 1:].flatten(0, 1)).square().mean()
    return error + 0.1 * sigreg(embeddings.transpose(0, 1), directions)


def with_teacher_loss(
    encoder: nn.Module, predictor: nn.Module, teacher: nn.Module, frames: Tensor, directions: Tensor
) -> Tensor:
    """All frames but the last are embedded with gradient, all but the first by the teacher without."""
    here = encoder(frames[:, :-1].flatten(0, 1))
    return (predictor(here) - teacher(frames[:, 1:].flatten(0, 1))).square().mean()


def measure(config: TeacherMemoryConfig, setup: str, clip_length: int, batch: int) -> dict[str, int]:
    """Bytes of each kind in the second training step, when the optimiser's state is there."""
    generator = seeded(config.seed)
    frames = torch.randn(batch, clip_length, 3, config.frame_size, config.frame_size, generator=generator)
    directions = random_directions(config.dim, config.num_directions, generator=generator)
    encoder, predictor = FrameEncoder(config), nn.Sequential(nn.Linear(config.dim, 4 * config.dim), nn.GELU())
    predictor.append(nn.Linear(4 * config.dim, config.dim))
    teacher = EMATeacher(encoder, momentum=0.99) if setup == "with_teacher" else None
    loss_of = with_teacher_loss if teacher else one_encoder_loss
    networks = [network for network in (encoder, predictor, teacher) if network is not None]
    learning = [*encoder.parameters(), *predictor.parameters()]
    optimiser = torch.optim.AdamW(learning, foreach=False)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss_of(encoder, predictor, teacher, frames, directions).backward()
        optimiser.step()
        if teacher is not None:
            teacher.update(encoder)

    step()
    there = [*module_tensors(*networks), frames, directions]
    states = [tensor for state in optimiser.state.values() for tensor in state.values()]
    gradients = total_bytes(parameter.grad for parameter in learning)
    with SavedBytes(there) as saved:
        loss_of(encoder, predictor, teacher, frames, directions)
    optimiser.zero_grad(set_to_none=True)
    with LiveBytes([*there, *states]) as live:
        step()
    return {
        "parameters": total_bytes(tensor for network in networks for tensor in network.parameters()),
        "buffers": total_bytes(tensor for network in networks for tensor in network.buffers()),
        "gradients": gradients,
        "optimiser": total_bytes(states),
        "activations": saved.total,
        "peak": live.peak,
    }


def run(config: TeacherMemoryConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, dict]:
    """``bytes[clip length][setup][kind]``: one number per batch; clip lengths as words, as JSON has them."""
    found: dict[str, dict] = {}
    for clip_length in config.clip_lengths:
        found[str(clip_length)] = {setup: {kind: [] for kind in KINDS} for setup in SETUPS}
        for batch in config.batches:
            for setup in SETUPS:
                measured = measure(config, setup, clip_length, batch)
                progress(f"{clip_length} frames, {batch} clips, {setup}: peak {measured['peak'] / 1e6:.1f} MB")
                for kind in KINDS:
                    found[str(clip_length)][setup][kind].append(measured[kind])
    return found


def values(config: TeacherMemoryConfig, found: dict[str, dict]) -> dict[str, float]:
    """Ratios of the setup with a teacher over that of one encoder, and what they are made of in megabytes."""
    told: dict[str, float] = {}
    for clip_length, setups in found.items():
        one, both = (setups[setup] for setup in SETUPS)
        for place, batch in enumerate(config.batches):
            for kind in ("activations", "peak"):
                ratio = both[kind][place] / one[kind][place]
                told[f"teacher_memory.clip{clip_length}.batch{batch}.{kind}_ratio"] = brief(ratio)
                for name, setup in (("one", one), ("teacher", both)):
                    size = setup[kind][place] / 1e6
                    told[f"teacher_memory.clip{clip_length}.batch{batch}.{name}_{kind}_mb"] = brief(size)
    one, both = (next(iter(found.values()))[setup] for setup in SETUPS)
    for kind in ("parameters", "buffers", "gradients", "optimiser"):
        told[f"teacher_memory.one_{kind}_mb"] = brief(one[kind][0] / 1e6)
        told[f"teacher_memory.{kind}_ratio"] = brief(both[kind][0] / one[kind][0])
    states = ("parameters", "buffers", "gradients", "optimiser")
    told["teacher_memory.states_ratio"] = brief(_sum(both, states) / _sum(one, states))
    return told


def _sum(setup: dict[str, list[int]], kinds: tuple[str, ...]) -> int:
    return sum(setup[kind][0] for kind in kinds)


def main() -> None:
    """Measure, keep the result, and say what it is."""
    config = TeacherMemoryConfig()
    torch.set_num_threads(1)
    found = run(config, progress=report)
    kept = values(config, found)
    path = keep_result("teacher_memory", config=config, values=kept, details={"bytes": found}, seed=config.seed)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
