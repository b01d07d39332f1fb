"""The small LeWorldModel that comes with the library: weights, a decoder to look with, and how well it does.

Three commands make it, from nothing:

``python -m lewm_lite collect --out runs/two_room.h5 --episodes 800 --size 32``
``python -m lewm_lite train --preset lite --data runs/two_room.h5 --sigreg-weight 0.1 --seed 0``
``python -m lewm_lite.experiments.lite_checkpoint --run runs/lite --data runs/two_room.h5``

The last trains the decoder on the finished model's embeddings, lets the model plan in 1,000 held-out episodes, and
writes ``assets/checkpoints/lite.safetensors`` and ``.json``, and ``assets/decoders/lite.safetensors``; a quarter of an
hour on one core.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from lewm_lite.experiments.results import report
from lewm_lite.files import asset_path, asset_root, birth_certificate, json_bytes, write_atomically
from lewm_lite.judging.evaluation import evaluate
from lewm_lite.model.decoder import Decoder, decoder_loss
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.seeding import seeded
from lewm_lite.training.checkpoints import load_checkpoint, read_checkpoint, write_checkpoint
from lewm_lite.training.decoders import fit_decoder, load_decoder, write_decoder
from lewm_lite.world.episode_dataset import EpisodeDataset
from lewm_lite.world.frames import normalise_frames

COMMANDS = [line.strip("`") for line in __doc__.splitlines() if line.startswith("``python")]
NAME = "lite"
FILES = (f"checkpoints/{NAME}.safetensors", f"decoders/{NAME}.safetensors")


@dataclass(frozen=True)
class LiteCheckpointConfig:
    """How the decoder is trained, and how the model is judged."""

    decoder_steps: int = 4000
    decoder_seed: int = 0
    episodes: int = 1000
    seed: int = 2026  # of the episodes
    decoded_clips: int = 256  # held out, whose pictures are compared


def held_out_error(decoder: Decoder, model: LeWorldModel, dataset: EpisodeDataset, *, clips: int) -> dict[str, float]:
    """Mean squared error of decoded pictures, over all pixels and over those of the disc, in shares of brightness.

    The disc is a few pixels of each picture: an error over all of them hardly knows whether it is drawn.
    """
    places = torch.linspace(0, len(dataset) - 1, clips).long().tolist()
    frames = torch.stack([dataset[place].frames for place in places])
    with torch.no_grad():
        embeddings = model.encode(normalise_frames(frames))
        missed = (decoder(embeddings) - frames / 255).square().mean(2)
        red = frames[:, :, 0].int() - frames[:, :, 1].int() > 128
        return {
            "pixels": decoder_loss(decoder, embeddings, frames).item(),
            "disc": missed[red].mean().item(),
            "disc_left_out": (1 - frames / 255).square().mean(2)[red].mean().item(),  # by a white picture
        }


def ship(run: Path, data: Path, config: LiteCheckpointConfig, *, to: Path) -> dict[str, Any]:
    """Make everything, write it to ``to``, and return the manifest."""
    model = load_checkpoint(run)
    facts = read_checkpoint(run).facts
    parts = {"clip_length": model.config.context + 1, "frame_skip": model.action_blocks.frame_skip, "in_memory": True}
    learned, held_out = (EpisodeDataset(data, split=split, **parts) for split in ("train", "test"))
    decoder = Decoder(dim=model.config.dim, image_size=model.config.image_size, generator=seeded(config.decoder_seed))
    fit_decoder(
        decoder,
        model,
        learned,
        steps=config.decoder_steps,
        generator=seeded(config.decoder_seed),
        progress=lambda step, loss: step % 500 or report(f"decoder: step {step}, error {loss:.5f}"),
    )
    weights, drawing = (to / name for name in FILES)
    kept = {name: facts[name] for name in ("step", "seed", "fit", "data")}
    write_checkpoint(weights, model, facts=kept)
    write_decoder(drawing, decoder)
    done = 0

    def tell(who: str, reached: bool) -> None:
        nonlocal done
        done += 1
        if done % 100 == 0:
            report(f"{done} of {4 * config.episodes} tasks: {who}")

    found = evaluate(model, episodes=config.episodes, seed=config.seed, progress=tell)
    manifest = {
        "commands": COMMANDS,
        "training": kept,
        "judged_by": asdict(config),
        "evaluation": found.as_dict(),
        "decoder": held_out_error(load_decoder(drawing), model, held_out, clips=config.decoded_clips),
        "made": birth_certificate(
            command=COMMANDS[-1], seed=facts["seed"], files={name: (to / name).read_bytes() for name in FILES}
        ),
    }
    write_atomically(to / "checkpoints" / f"{NAME}.json", json_bytes(manifest))
    return manifest


def manifest() -> dict[str, Any]:
    """What is written of the checkpoint that the library comes with, and of models trained like it from other seeds."""
    told = json.loads(asset_path(f"checkpoints/{NAME}.json").read_text(encoding="utf-8"))
    trained = json.loads(asset_path("results/world_model_objectives.json").read_text(encoding="utf-8"))
    return {**told, "over_training_seeds": trained["details"]["sigreg"]}


def main() -> None:
    """Ship what a run trained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("runs/lite"), help="folder of the run (%(default)s)")
    parser.add_argument("--data", type=Path, default=Path("runs/two_room.h5"), help="its episodes (%(default)s)")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(ship(chosen.run, chosen.data, LiteCheckpointConfig(), to=asset_root())["evaluation"]))


if __name__ == "__main__":
    main()
