"""How a decoder learns to draw what a trained model saw, and decoders on disk. The model stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch.utils.data import DataLoader

from lewm_lite.checks import check_evaluation_mode, check_finite, check_generator, check_positive_integer
from lewm_lite.files import write_atomically
from lewm_lite.model.decoder import Decoder, decoder_loss
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.seeding import seeded
from lewm_lite.training.batches import BatchPlan
from lewm_lite.training.checkpoints import CheckpointError, checkpoint_path
from lewm_lite.training.watching import spread_out
from lewm_lite.world.episode_dataset import EpisodeDataset
from lewm_lite.world.frames import normalise_frames

USUAL = 256  # clips whose mean is the usual picture
_FORMAT = "lewm_lite decoder 1"


def fit_decoder(
    decoder: Decoder,
    model: LeWorldModel,
    dataset: EpisodeDataset,
    *,
    steps: int = 3000,
    batch_size: int = 32,
    learning_rate: float = 2e-3,
    emphasis: float = 30.0,
    generator: torch.Generator,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> float:
    """Train a decoder in place on a model's embeddings of a dataset's frames; nothing flows back into the model.

    Args:
        decoder: for embeddings and frames of the model's sizes.
        model: in evaluation mode; it is only looked at.
        dataset: every frame of its clips is learned from.
        steps: of Adam, whose rate falls along half a cosine to 0. batch_size: clips of a step.
        learning_rate: at the start.
        emphasis: an error counts so many times more where a frame is furthest from the frames' mean, since what moves
            may be a few pixels that a plain mean would let go of; 0 for a plain mean.
        generator: of the order of clips.
        progress: called after each step with its number and loss.
    Returns:
        The mean loss, with that emphasis, of the last hundred steps.
    Raises:
        ValueError: a model in training mode, numbers below 1, or a batch larger than the dataset. ShapeError: a
            decoder of other sizes.
    """
    check_evaluation_mode(model)
    check_generator(generator)
    check_positive_integer("steps", steps)
    order = int(torch.randint(2**62, (), generator=generator))
    plan = BatchPlan(len(dataset), batch_size, start=0, steps=steps, seed=order)
    optimiser = torch.optim.Adam(decoder.parameters(), lr=learning_rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    usual = torch.stack([dataset[place].frames for place in spread_out(dataset, USUAL)]).div(255).mean((0, 1))
    losses = []
    for step, (frames, _) in enumerate(DataLoader(dataset, batch_sampler=plan, generator=seeded(order)), 1):
        with torch.no_grad():
            embeddings = model.encode(normalise_frames(frames))
        unlike = (frames / 255 - usual).abs().amax(-3, keepdim=True)
        loss = decoder_loss(decoder, embeddings, frames, weights=1 + emphasis * unlike)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        falling.step()
        losses.append(loss.item())
        progress(step, losses[-1])
    last = losses[-100:]
    return sum(last) / len(last)


def packed_decoder(decoder: Decoder) -> bytes:
    """A decoder as the content of a file, half the numbers' size: what is only looked at needs no more."""
    sizes = {"dim": decoder.dim, "image_size": decoder.image_size, "channels": decoder.channels}
    weights = {name: value.detach().cpu().half().contiguous() for name, value in decoder.state_dict().items()}
    return save(weights, metadata={"format": _FORMAT, "sizes": json.dumps(sizes)})


def write_decoder(path: str | Path, decoder: Decoder) -> None:
    """Write a decoder to one file, whole or not at all.

    Raises:
        OSError: it can't be written.
    """
    write_atomically(Path(path), packed_decoder(decoder))


def load_decoder(name: str | Path) -> Decoder:
    """A trained decoder, on the CPU.

    Args:
        name: of one that comes with the library, such as ``"lite"``, which draws what ``load_checkpoint("lite")``
            embeds; or a path.
    Raises:
        FileNotFoundError: no such name, or nothing at the path. CheckpointError: another kind of file, or a part of
            one. ValueError: NaN or infinity among the weights.
    """
    path = checkpoint_path(name, kind="decoder")
    if not path.is_file():
        raise FileNotFoundError(f"no decoder at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 (it is no mapping)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a safetensors file, or a part of one ({error})") from error
    if metadata.get("format") != _FORMAT:
        raise CheckpointError(f"{path} must be a decoder of format {_FORMAT!r}, got {metadata.get('format')!r}")
    decoder = Decoder(**json.loads(metadata["sizes"]), generator=seeded(0))
    for key, value in weights.items():
        check_finite(key, value)
    decoder.load_state_dict(weights)
    return decoder.eval()
