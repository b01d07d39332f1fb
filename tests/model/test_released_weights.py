"""Released weights: both generations of names load, and the model then computes what the authors' layers compute."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch.nn import functional as F

from lewm_lite import seeded
from lewm_lite.model.predictor import EPSILON as bent_epsilon
from lewm_lite.model.presets import WorldModelConfig
from lewm_lite.model.released_weights import GENERATIONS, load_released_weights, released_sources, to_released_names
from lewm_lite.model.world_model import LeWorldModel

SMALL = WorldModelConfig(
    image_size=16,
    patch_size=8,
    dim=12,
    encoder_depth=2,
    encoder_heads=3,
    encoder_mlp_dim=20,
    projector_dim=18,
    action_hidden_dim=14,
    predictor_depth=2,
    predictor_heads=4,
    predictor_head_dim=5,
    predictor_mlp_dim=16,
)


def released_shapes(config, action_dim, generation):
    """Names and shapes of a released file, written down from the layout of the files and from nothing of ours."""
    dim, mlp, patch = config.dim, config.encoder_mlp_dim, config.patch_size
    inner, wide, deep = config.predictor_heads * config.predictor_head_dim, config.predictor_mlp_dim, config.context
    layers = {
        "encoder.embeddings.patch_embeddings.projection": (dim, 3, patch, patch),
        "encoder.layernorm": (dim,),
        "predictor.transformer.norm": (dim,),
        "action_encoder.patch_embed": (10, action_dim, 1),
        "action_encoder.embed.0": (config.action_hidden_dim, 10),
        "action_encoder.embed.2": (dim, config.action_hidden_dim),
    }
    for number in range(config.encoder_depth):
        if generation == "transformers 4":
            block = f"encoder.encoder.layer.{number}."
            names = [*(f"attention.attention.{x}" for x in ("query", "key", "value")), "attention.output.dense"]
            names += ["intermediate.dense", "output.dense"]
        else:
            block = f"encoder.layers.{number}."
            names = [f"attention.{x}_proj" for x in "qkvo"] + ["mlp.fc1", "mlp.fc2"]
        shapes = [(dim, dim)] * 4 + [(mlp, dim), (dim, mlp)]
        layers |= {block + name: shape for name, shape in zip(names, shapes, strict=True)}
        layers |= {block + name: (dim,) for name in ("layernorm_before", "layernorm_after")}
    for number in range(config.predictor_depth):
        block = f"predictor.transformer.layers.{number}."
        layers |= {block + "attn.norm": (dim,), block + "mlp.net.0": (dim,)}
        layers |= {block + "attn.to_out.0": (dim, inner), block + "adaLN_modulation.1": (6 * dim, dim)}
        layers |= {block + "mlp.net.1": (wide, dim), block + "mlp.net.4": (dim, wide)}
    for name in ("projector", "pred_proj"):
        layers |= {f"{name}.net.0": (config.projector_dim, dim), f"{name}.net.3": (dim, config.projector_dim)}
        layers |= {f"{name}.net.1": (config.projector_dim,)}
    found = {"predictor.pos_embedding": (1, deep, dim), "encoder.embeddings.cls_token": (1, 1, dim)}
    found["encoder.embeddings.position_embeddings"] = (1, (config.image_size // patch) ** 2 + 1, dim)
    for name, shape in layers.items():
        found |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for number in range(config.predictor_depth):
        found[f"predictor.transformer.layers.{number}.attn.to_qkv.weight"] = (3 * inner, dim)
    for name in ("projector", "pred_proj"):
        found |= {f"{name}.net.1.running_{x}": (config.projector_dim,) for x in ("mean", "var")}
        found[f"{name}.net.1.num_batches_tracked"] = ()
    return found


def released(generation, *, action_dim=10, seed=0):
    """A file of the released layout, full of noise."""
    generator = seeded(seed)
    state = {
        name: torch.randn(shape, generator=generator) * 0.3
        for name, shape in sorted(released_shapes(SMALL, action_dim, generation).items())
    }
    for name in state:
        if name.endswith("running_var"):
            state[name] = state[name].abs() + 0.5
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
    return state


def small(seed=3):
    return LeWorldModel(SMALL, action_dim=10, generator=seeded(seed)).eval()


# ------------------------------------------------------------------ the authors' layers, from their names (version 4)


def affine(state, name, values):
    return F.linear(values, state[f"{name}.weight"], state.get(f"{name}.bias"))


def normed(state, name, values, epsilon):
    return F.layer_norm(values, values.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], epsilon)


def mixed(queries, keys, values, heads, *, causal):
    """Heads are stretches of the last axis, one after another."""
    found = []
    for q, k, v in zip(*(part.chunk(heads, -1) for part in (queries, keys, values)), strict=True):
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if causal:
            scores = scores + torch.full(scores.shape[-2:], -torch.inf).triu(1)
        found.append(scores.softmax(-1) @ v)
    return torch.cat(found, -1)


def projected(state, name, values):
    hidden = affine(state, f"{name}.net.0", values)
    at = f"{name}.net.1"
    hidden = (hidden - state[f"{at}.running_mean"]) / (state[f"{at}.running_var"] + 1e-5).sqrt()
    return affine(state, f"{name}.net.3", F.gelu(hidden * state[f"{at}.weight"] + state[f"{at}.bias"]))


def encoded(state, frames):
    weights = [state[f"encoder.embeddings.patch_embeddings.projection.{x}"] for x in ("weight", "bias")]
    tokens = F.conv2d(frames.flatten(0, 1), *weights, stride=SMALL.patch_size).flatten(2).transpose(1, 2)
    first = state["encoder.embeddings.cls_token"].expand(len(tokens), 1, -1)
    tokens = torch.cat([first, tokens], 1) + state["encoder.embeddings.position_embeddings"]
    for number in range(SMALL.encoder_depth):
        at = f"encoder.encoder.layer.{number}"
        before = normed(state, f"{at}.layernorm_before", tokens, 1e-12)
        packed = (affine(state, f"{at}.attention.attention.{x}", before) for x in ("query", "key", "value"))
        looked = mixed(*packed, SMALL.encoder_heads, causal=False)
        tokens = tokens + affine(state, f"{at}.attention.output.dense", looked)
        after = normed(state, f"{at}.layernorm_after", tokens, 1e-12)
        tokens = tokens + affine(state, f"{at}.output.dense", F.gelu(affine(state, f"{at}.intermediate.dense", after)))
    answer = normed(state, "encoder.layernorm", tokens, 1e-12)[:, 0]
    return projected(state, "projector", answer).view(*frames.shape[:2], -1)


def predicted(state, embeddings, actions):
    smooth = F.conv1d(actions.transpose(1, 2), *(state[f"action_encoder.patch_embed.{x}"] for x in ("weight", "bias")))
    hidden = F.silu(affine(state, "action_encoder.embed.0", smooth.transpose(1, 2)))
    action = affine(state, "action_encoder.embed.2", hidden)
    steps = embeddings + state["predictor.pos_embedding"][:, : embeddings.shape[1]]
    for number in range(SMALL.predictor_depth):
        at = f"predictor.transformer.layers.{number}"
        bends = affine(state, f"{at}.adaLN_modulation.1", F.silu(action)).chunk(6, -1)
        for part, (shift, scale, gate) in (("attn", bends[:3]), ("mlp", bends[3:])):
            bent = F.layer_norm(steps, steps.shape[-1:], eps=1e-6) * (1 + scale) + shift
            if part == "attn":
                packed = affine(state, f"{at}.attn.to_qkv", normed(state, f"{at}.attn.norm", bent, 1e-5))
                looked = mixed(*packed.chunk(3, -1), SMALL.predictor_heads, causal=True)
                made = affine(state, f"{at}.attn.to_out.0", looked)
            else:
                hidden = F.gelu(affine(state, f"{at}.mlp.net.1", normed(state, f"{at}.mlp.net.0", bent, 1e-5)))
                made = affine(state, f"{at}.mlp.net.4", hidden)
            steps = steps + gate * made
    return projected(state, "pred_proj", normed(state, "predictor.transformer.norm", steps, 1e-5))


def clip():
    generator = seeded(5)
    return torch.randn(2, 3, 3, 16, 16, generator=generator), torch.randn(2, 3, 10, generator=generator)


# ------------------------------------------------------------------ loading


def test_after_loading_the_model_computes_what_the_authors_layers_compute():
    state, model, (frames, actions) = released("transformers 4"), small(), clip()
    load_released_weights(model, state)
    embeddings = model.encode(frames)
    torch.testing.assert_close(embeddings, encoded(state, frames), rtol=1e-4, atol=1e-5)
    wanted = predicted(state, embeddings, actions)
    torch.testing.assert_close(model.predict(embeddings, actions), wanted, rtol=1e-4, atol=1e-4)


def test_every_layer_norm_adds_what_the_authors_code_adds():
    norms = {name: layer.eps for name, layer in small().named_modules() if isinstance(layer, torch.nn.LayerNorm)}
    assert {epsilon for name, epsilon in norms.items() if name.startswith("encoder")} == {1e-12}
    assert {epsilon for name, epsilon in norms.items() if name.startswith("predictor")} == {1e-5}
    assert bent_epsilon == 1e-6


def test_a_file_saved_by_either_version_of_transformers_gives_the_same_model():
    old = released("transformers 4")
    renamed = {}
    for name, value in old.items():
        for before, after in [
            ("encoder.encoder.layer.", "encoder.layers."),
            *((f"attention.attention.{x}", f"attention.{x[0]}_proj") for x in ("query", "key", "value")),
            ("attention.output.dense", "attention.o_proj"),
            ("intermediate.dense", "mlp.fc1"),
            (".output.dense", ".mlp.fc2"),
        ]:
            name = name.replace(before, after)
        renamed[name] = value
    assert renamed.keys() == released("transformers 5").keys()
    first, second = small(3), small(4)
    load_released_weights(first, old)
    load_released_weights(second, renamed)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_paper_preset_has_the_303_tensors_of_a_released_file_by_name_and_shape(generation):
    with torch.device("meta"):
        model = LeWorldModel.from_preset("paper", action_dim=10)
    sources = released_sources(model, generation).values()
    found = {name: source.shape for source in sources for name in source.names}
    assert sum(len(source.names) for source in sources) == len(found) == 303
    assert found == released_shapes(model.config, 10, generation)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_is_saved_under_released_names_is_what_was_loaded(generation):
    state, model = released(generation), small()
    load_released_weights(model, state)
    saved = to_released_names(model, generation)
    assert saved.keys() == state.keys()
    assert all(torch.equal(saved[name], state[name]) for name in state)


# ------------------------------------------------------------------ what is refused


def refused(state, error, message, model=None):
    model = model or small()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(error, match=message):
        load_released_weights(model, state)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())


@pytest.mark.parametrize("generation", GENERATIONS)
def test_missing_and_surplus_names_are_listed(generation):
    state = released(generation)
    gone = sorted(name for name in state if "0" in name and "encoder.embeddings" not in name)[::9]
    for name in gone:
        del state[name]
    state |= {"sigreg.t": torch.zeros(17), "another": torch.zeros(1)}
    listed = f"named as by {generation}: {len(gone)} missing {gone}; 2 surplus ['another', 'sigreg.t']"
    refused(state, ValueError, re.escape(listed))


def test_names_of_both_generations_in_one_file_are_refused():
    state = released("transformers 5")
    state["encoder.encoder.layer.0.output.dense.bias"] = state.pop("encoder.layers.0.mlp.fc2.bias")
    refused(
        state, ValueError, "1 missing .'encoder.layers.0.mlp.fc2.bias'.; 1 surplus .'encoder.encoder.layer.0.output"
    )


def test_weights_of_other_sizes_are_refused_with_both_shapes():
    state = released("transformers 4", action_dim=25)
    message = r"patch_embed.weight is \(10, 25, 1\) and not \(10, 10, 1\).*preset.*with action_dim 25"
    refused(state, ValueError, message)
    state = released("transformers 4")
    lite = LeWorldModel.from_preset("lite", action_dim=10)
    refused(state, ValueError, "missing.*The authors' files are of the preset 'paper'", lite)


def test_other_dtypes_numbers_and_things_are_refused():
    name = "projector.net.0.weight"
    state = released("transformers 4")
    for change, error, message in [
        (lambda value: value.half(), TypeError, f"{name} must be torch.float32 like the model's, got torch.float16"),
        (lambda value: value * torch.nan, ValueError, f"{name} holds 216 NaN"),
    ]:
        refused({**state, name: change(state[name])}, error, message)
    refused(small(), TypeError, "must map names to tensors, got LeWorldModel.*state_dict")
    refused({**state, name: [1.0]}, TypeError, "must map names to tensors")
    with pytest.raises(ValueError, match=r"generation must be one of \['transformers 4', 'transformers 5'\], got 'x'"):
        released_sources(small(), "x")
