"""One integer in, one generator out, and nothing else in the process is touched."""

import pytest
import torch

from lewm_lite import seeded


def draw(generator, count=64):
    return torch.randn(count, generator=generator)


def test_the_same_seed_gives_the_same_numbers():
    assert torch.equal(draw(seeded(7)), draw(seeded(7)))


def test_neighbouring_seeds_give_other_numbers():
    draws = torch.stack([draw(seeded(seed), 1000) for seed in range(4)])
    correlations = torch.corrcoef(draws) - torch.eye(4)
    assert correlations.abs().max() < 0.15  # 4.7 standard errors of a correlation of 1000 pairs


def test_a_generator_moves_on_as_it_draws():
    generator = seeded(7)
    assert not torch.equal(draw(generator), draw(generator))


def test_generators_of_one_seed_do_not_share_their_state():
    first, second = seeded(7), seeded(7)
    draw(first)
    assert torch.equal(draw(second), draw(seeded(7)))


def test_a_generator_starts_where_the_seed_says():
    assert seeded(7).initial_seed() == 7
    assert torch.equal(draw(seeded(7)), draw(torch.Generator().manual_seed(7)))


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**63 - 1])
def test_every_seed_from_0_to_2_to_the_63_minus_1_is_taken_as_it_is(seed):
    assert seeded(seed).initial_seed() == seed


def test_the_generator_lives_on_the_cpu_unless_told_otherwise():
    assert seeded(0).device == torch.device("cpu")
    assert seeded(0, device=torch.device("cpu")).device == torch.device("cpu")


def test_the_device_is_an_option_by_name():
    with pytest.raises(TypeError, match="positional"):
        seeded(0, "cpu")


def test_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    draw(seeded(7))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("seed", [-1, 2**63, True, False, 1.0, "7", None, torch.tensor(7)], ids=repr)
def test_anything_but_an_integer_in_range_is_refused(seed):
    with pytest.raises(ValueError, match=r"seed must be an integer from 0 to 2\*\*63 - 1, got") as error:
        seeded(seed)
    assert repr(seed) in str(error.value)
