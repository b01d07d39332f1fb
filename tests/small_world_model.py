"""The smallest world model that has every part: what tests of models and losses build on."""

from lewm_lite.model.presets import WorldModelConfig

SMALL = WorldModelConfig(
    image_size=8,
    patch_size=4,
    dim=8,
    encoder_depth=1,
    encoder_heads=2,
    encoder_mlp_dim=12,
    projector_dim=16,
    action_hidden_dim=10,
    predictor_depth=1,
    predictor_heads=2,
    predictor_head_dim=6,
    predictor_mlp_dim=14,
)
