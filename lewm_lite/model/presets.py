"""Sizes of the LeWorldModel: the authors', and a small one that trains on two processor cores."""

from __future__ import annotations

from dataclasses import dataclass, fields

from lewm_lite.checks import check_positive_integer, check_positive_number


@dataclass(frozen=True)
class WorldModelConfig:
    """Sizes; the defaults are the authors'."""

    image_size: int = 224  # pixels, height and width
    patch_size: int = 14  # pixels
    dim: int = 192  # of an embedding, and of every token
    encoder_depth: int = 12
    encoder_heads: int = 3
    encoder_mlp_dim: int = 768
    encoder_init_std: float | None = 0.02  # of first weights; None: one over the root of what a layer takes in
    projector_dim: int = 2048  # hidden width of both projectors
    action_bottleneck: int = 10  # numbers that are left of a block of actions
    action_hidden_dim: int = 768
    context: int = 3  # time steps that the predictor looks back on
    predictor_depth: int = 6
    predictor_heads: int = 16
    predictor_head_dim: int = 64  # heads · head_dim is 1024, wider than an embedding
    predictor_mlp_dim: int = 2048
    dropout: float = 0.1  # in the predictor, in training

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name not in ("dropout", "encoder_init_std"):
                check_positive_integer(field.name, getattr(self, field.name))
        if self.image_size % self.patch_size:
            raise ValueError(
                f"image_size must be a multiple of patch_size, got {self.image_size} and {self.patch_size}"
            )
        if self.dim % self.encoder_heads:
            raise ValueError(f"dim must be a multiple of encoder_heads, got {self.dim} and {self.encoder_heads}")
        if self.encoder_init_std is not None:
            check_positive_number("encoder_init_std", self.encoder_init_std)
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be a share from 0 to below 1, got {self.dropout!r}")


PRESETS = {
    # lucas-maes/le-wm at 8edfeb3, config/train/lewm.yaml and config/train/model/lewm.yaml.
    "paper": WorldModelConfig(),
    # A step on 64 clips of 4 frames takes about 0.12 s of one processor core, forward and backward, 256 directions.
    "lite": WorldModelConfig(
        image_size=32,
        patch_size=8,
        dim=64,
        encoder_depth=3,
        encoder_heads=2,
        encoder_mlp_dim=128,
        encoder_init_std=None,  # with 0.02, so narrow and shallow an encoder starts nearly blind and learns slowly
        projector_dim=128,
        action_hidden_dim=64,
        predictor_depth=2,
        predictor_heads=4,
        predictor_head_dim=16,
        predictor_mlp_dim=128,
        dropout=0.0,
    ),
}


def preset(name: str) -> WorldModelConfig:
    """The sizes of that name.

    Raises:
        ValueError: a name that is not there.
    """
    if name not in PRESETS:
        raise ValueError(f"name must be one of {sorted(PRESETS)}, got {name!r}")
    return PRESETS[name]
