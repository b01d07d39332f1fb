"""The LeWorldModel: an encoder and a predictor that learn together, from pixels and actions alone."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from lewm_lite.checks import ShapeError, check_finite, check_floating, check_positive_integer
from lewm_lite.model.encoder import Encoder
from lewm_lite.model.predictor import ActionEncoder, Predictor, initialise_affine
from lewm_lite.model.presets import WorldModelConfig, preset
from lewm_lite.model.projector import Projector
from lewm_lite.seeding import seeded
from lewm_lite.world.action_blocks import ActionBlocks
from lewm_lite.world.frames import check_frames


class Foresight(NamedTuple):
    """What a clip became, and what was expected of it."""

    embeddings: Tensor  # (batch, time, dim)
    predictions: Tensor  # (batch, time - 1, dim): position t holds the prediction of embeddings at t + 1


class LeWorldModel(nn.Module):
    """Frames to embeddings, and embeddings with actions to the embeddings that follow.

    There is no teacher, no copy of the encoder and no stop-gradient: predictions and targets come from one encoder, and
    gradient flows through both. What keeps it from collapse is SIGReg on the embeddings, see
    :func:`lewm_lite.training.world_model_loss.world_model_loss`.

    Args:
        config: sizes, see :meth:`from_preset`.
        action_dim: numbers in one action as the model gets it: a block of ``frame_skip`` steps of the environment.
        generator: where the first weights come from; nothing is drawn from the global random state.
    Raises:
        ValueError: ``action_dim`` below 1.
    Source:
        Maes et al. 2026, arXiv:2603.19312, section 3.1, with the sizes and layers of the authors' code
        (lucas-maes/le-wm at 8edfeb3, ``jepa.py``, ``module.py``). The paper says 15M parameters: that is encoder and
        predictor; with both projectors and the action encoder the released weights hold 18,034,478, see
        :func:`parameter_table`.
    """

    def __init__(self, config: WorldModelConfig, *, action_dim: int, generator: torch.Generator) -> None:
        super().__init__()
        check_positive_integer("action_dim", action_dim)
        self.config, self.action_dim = config, action_dim
        self.action_blocks: ActionBlocks | None = None  # of the data it learned from: a checkpoint says
        dim = config.dim
        with torch.device("meta"):  # layers that are born with weights would draw them from the global random state
            self.encoder = Encoder(
                image_size=config.image_size,
                patch_size=config.patch_size,
                dim=dim,
                depth=config.encoder_depth,
                heads=config.encoder_heads,
                mlp_dim=config.encoder_mlp_dim,
            )
            self.projector = Projector(dim, config.projector_dim)
            self.action_encoder = ActionEncoder(
                action_dim, bottleneck=config.action_bottleneck, hidden_dim=config.action_hidden_dim, dim=dim
            )
            self.predictor = Predictor(
                context=config.context,
                dim=dim,
                depth=config.predictor_depth,
                heads=config.predictor_heads,
                head_dim=config.predictor_head_dim,
                mlp_dim=config.predictor_mlp_dim,
                dropout=config.dropout,
            )
            self.prediction_projector = Projector(dim, config.projector_dim)
        self.to_empty(device="cpu")
        self._initialise(generator)

    @classmethod
    def from_preset(cls, name: str, *, action_dim: int, generator: torch.Generator | None = None) -> LeWorldModel:
        """A fresh model, in training mode, on the CPU.

        Args:
            name: ``"paper"``, the authors' sizes, or ``"lite"``, the same classes made small.
            action_dim: see above; the authors' is 10, five steps of two numbers.
            generator: where the first weights come from; without one, from ``seeded(0)``, the same every time.
        Raises:
            ValueError: another name, or ``action_dim`` below 1.
        Example:
            >>> model = LeWorldModel.from_preset("paper", action_dim=10)
            >>> sum(parameter.numel() for parameter in model.parameters())
            18034478
        """
        return cls(preset(name), action_dim=action_dim, generator=seeded(0) if generator is None else generator)

    def encode(self, frames: Tensor) -> Tensor:
        """Each frame's embedding, blind to the frames around it (but for the projector's BatchNorm, in training).

        Args:
            frames: ``(batch, time, channels, height, width)`` float32 from
                :func:`lewm_lite.world.frames.normalise_frames`; height and width multiples of the patch.
        Returns:
            ``(batch, time, dim)``.
        Raises:
            TypeError: uint8, or another dtype than the weights. ShapeError: another rank or number of channels, a size
            that is no multiple of the patch. ValueError: NaN, or values that no normalised picture holds.
        """
        check_frames(frames, patch_size=self.config.patch_size, dtype=self.dtype)
        return self.projector(self.encoder(frames.flatten(0, 1)).unflatten(0, frames.shape[:2]))

    def predict(self, embeddings: Tensor, actions: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """What follows each time step, given the embeddings and actions up to it.

        Args:
            embeddings: ``(batch, time, dim)``, at most ``config.context`` time steps.
            actions: ``(batch, time, action_dim)``: what is done at each of them.
            generator: for dropout, in training mode; without one nothing is left out.
        Returns:
            ``(batch, time, dim)``: position t holds the prediction of t + 1, and depends on nothing after t (but for
            the projector's BatchNorm, which in training mode looks at the whole batch).
        Raises:
            ShapeError: shapes that do not fit each other or the model. TypeError: another dtype than the weights.
            ValueError: NaN or infinity.
        """
        self._check("embeddings", embeddings, self.config.dim)
        self._check("actions", actions, self.action_dim)
        if embeddings.shape[:2] != actions.shape[:2]:
            raise ShapeError(
                "embeddings and actions must share batch and time, "
                f"got shapes {tuple(embeddings.shape)} and {tuple(actions.shape)}"
            )
        if embeddings.shape[1] > self.config.context:
            raise ShapeError(
                f"embeddings must hold at most {self.config.context} time steps, as far as its predictor looks back, "
                f"got shape {tuple(embeddings.shape)}: pass the last ones"
            )
        predicted = self.predictor(embeddings, self.action_encoder(actions), generator=generator)
        return self.prediction_projector(predicted)

    def rollout(self, embeddings: Tensor, actions: Tensor, *, past_actions: Tensor | None = None) -> Tensor:
        """Imagination: predictions fed back in, with no frame to correct them.

        Args:
            embeddings: ``(batch, context, dim)``, of the frames really seen, at least one.
            actions: ``(batch, horizon, action_dim)``: what is done from the last of these frames on.
            past_actions: ``(batch, context - 1, action_dim)``: what was done between these frames. Without it only the
                last embedding is looked at, since a frame is of no use to the predictor without what was done there.
        Returns:
            ``(batch, horizon, dim)``: position t follows the action at t.
        Raises:
            ShapeError, TypeError, ValueError: as :meth:`predict`.
        """
        self._check("embeddings", embeddings, self.config.dim)
        self._check("actions", actions, self.action_dim)
        if past_actions is None:
            embeddings, past_actions = embeddings[:, -1:], actions[:, :0]
        else:
            self._check("past_actions", past_actions, self.action_dim, may_be_empty=True)
        if not embeddings.shape[0] == actions.shape[0] == past_actions.shape[0]:
            raise ShapeError(
                "embeddings and actions must share the batch, got shapes "
                f"{tuple(embeddings.shape)}, {tuple(past_actions.shape)} and {tuple(actions.shape)}"
            )
        if past_actions.shape[1] != embeddings.shape[1] - 1:
            raise ShapeError(
                f"past_actions must be one fewer than the {embeddings.shape[1]} embeddings they lie between, "
                f"got shape {tuple(past_actions.shape)}"
            )
        window, done, imagined = embeddings, torch.cat([past_actions, actions], 1), []
        for step in range(actions.shape[1]):
            now = past_actions.shape[1] + step + 1
            window = window[:, -self.config.context :]
            imagined.append(self.predict(window, done[:, now - window.shape[1] : now])[:, -1])
            window = torch.cat([window, imagined[-1][:, None]], 1)
        return torch.stack(imagined, 1)

    def forward(self, frames: Tensor, actions: Tensor, *, generator: torch.Generator | None = None) -> Foresight:
        """Embeddings of a clip, and the prediction of each but the first from those before it.

        Args:
            frames: as for :meth:`encode`, 2 to ``config.context + 1`` time steps.
            actions: ``(batch, time, action_dim)``; the last, which leads out of the clip, is not used, or missing.
            generator: as for :meth:`predict`.
        Raises:
            ShapeError, TypeError, ValueError: as both.
        """
        embeddings = self.encode(frames)
        time = embeddings.shape[1]
        if time < 2:
            raise ShapeError(f"frames must hold at least 2 time steps to predict one, got shape {tuple(frames.shape)}")
        self._check("actions", actions, self.action_dim)
        if actions.shape[1] not in (time, time - 1):
            raise ShapeError(
                f"actions must be (batch, {time}, {self.action_dim}), one for each frame, "
                f"got shape {tuple(actions.shape)}"
            )
        predictions = self.predict(embeddings[:, :-1], actions[:, : time - 1], generator=generator)
        return Foresight(embeddings, predictions)

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return self.encoder.class_token.dtype

    def _check(self, name: str, value: Tensor, width: int, *, may_be_empty: bool = False) -> None:
        check_floating(name, value)
        if value.ndim != 3 or value.shape[-1] != width or (0 in value.shape and not may_be_empty):
            hint = (
                ": an action is a block of frame_skip steps of the environment, flattened"
                if name.endswith("actions") and value.ndim == 3 and 0 not in value.shape
                else ""
            )
            raise ShapeError(
                f"{name} must be (batch, time, {width}) for this model, got shape {tuple(value.shape)}{hint}"
            )
        if value.dtype != self.dtype and not torch.is_autocast_enabled(value.device.type):
            raise TypeError(f"{name} must be {self.dtype} like the model's weights, got {value.dtype}")
        check_finite(name, value)

    def _initialise(self, generator: torch.Generator) -> None:
        self.encoder.initialise(generator, self.config.encoder_init_std)
        self.predictor.initialise(generator)
        for part in (self.projector, self.action_encoder, self.prediction_projector):
            initialise_affine(part, generator)
        for projector in (self.projector, self.prediction_projector):
            projector.norm.reset_parameters()  # running averages too: mean 0, variance 1


def parameter_table(model: LeWorldModel) -> dict[str, int]:
    """How many learned numbers each part holds, in the order in which a frame meets them, and the ``total``."""
    parts = ("encoder", "projector", "action_encoder", "predictor", "prediction_projector")
    counts = {part: sum(entry.numel() for entry in model.get_submodule(part).parameters()) for part in parts}
    return {**counts, "total": sum(counts.values())}
