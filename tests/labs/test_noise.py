"""Numbers picked by their place are the ones that whole-number arithmetic says, and cannot be told from chance."""

import math

import pytest
import torch
from scipy.stats import ks_2samp, norm

from lewm_lite import random_directions, seeded, sigreg
from lewm_lite.labs.noise import MOST_ROWS, PRIME, normal_table, pick_normal

TABLE = normal_table(2**14)


def picked(rows, columns, *, key=0, table=TABLE):
    return pick_normal(table, torch.arange(float(rows)), columns, key=torch.tensor(float(key)))


def strangest(numbers):
    """The largest departure from chance in (keys, rows, columns): of moments, and of what neighbours share."""
    ahead, behind = slice(1, None), slice(None, -1)
    neighbours = [
        (numbers[ahead], numbers[behind]),
        (numbers[:, ahead], numbers[:, behind]),
        (numbers[..., ahead], numbers[..., behind]),
        (numbers[:, ahead, ahead], numbers[:, behind, behind]),
    ]
    means = [numbers, (numbers.square() - 1) / math.sqrt(2), (numbers**3 - 3 * numbers) / math.sqrt(6)]
    means += [a * b for a, b in neighbours]
    means += [(a.square() - 1) * (b.square() - 1) / 2 for a, b in neighbours]
    return max(abs(mean.double().mean().item()) * math.sqrt(mean.numel()) for mean in means)


# The table


def test_the_table_holds_the_quantiles_of_the_normal_law():
    middle = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    expected = torch.from_numpy(norm.ppf(middle.numpy()))
    table = normal_table(1000)
    torch.testing.assert_close(table.double(), expected / expected.square().mean().sqrt(), rtol=1e-5, atol=1e-6)
    assert table.square().mean().item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("size", [0, 1, 2.5])
def test_a_table_needs_two_values(size):
    with pytest.raises(ValueError, match="size must be an integer of at least 2, got"):
        normal_table(size)


# One number by its place


def scrambled(number):
    for _ in range(2):
        number = pow(number + 1_234_567_891, 5, PRIME)
    return number


@pytest.mark.parametrize(("row", "column", "key"), [(0, 0, 0), (1023, 255, 2**28), (7, 3, 12345), (2, 200, 99)])
def test_a_number_is_what_python_s_own_whole_numbers_say(row, column, key):
    first = scrambled(key)
    product = scrambled(first + row) * scrambled(first + MOST_ROWS + column)
    mixed = (product + scrambled(first - 1)) % PRIME
    place = (mixed**2 + scrambled(first - 2)) % PRIME % len(TABLE)
    assert picked(1024, 256, key=key)[row, column] == TABLE[place]


def test_a_number_does_not_depend_on_what_else_is_asked_for():
    whole = picked(50, 20, key=3)
    assert torch.equal(picked(7, 11, key=3), whole[:7, :11])
    some = pick_normal(TABLE, torch.tensor([40.0, 2.0]), 20, key=torch.tensor(3.0))
    assert torch.equal(some, whole[[40, 2]])


def test_a_key_that_was_rounded_on_its_way_is_the_same_key():
    assert torch.equal(picked(5, 5, key=200.003), picked(5, 5, key=200))


def test_no_two_keys_share_a_row_or_a_column():
    numbers = torch.stack([picked(8, 8, key=key) for key in range(300)])
    for lines in (numbers.reshape(-1, 8), numbers.mT.reshape(-1, 8)):
        assert len(lines.unique(dim=0)) == len(lines)


def test_a_column_less_than_one_is_refused():
    with pytest.raises(ValueError, match="columns must be an integer of at least 1, got 0"):
        picked(3, 0)


# All of them together


def test_the_numbers_pass_for_independent_normal_ones():
    assert strangest(torch.stack([picked(128, 64, key=key) for key in range(60)])) < 4.5


def test_numbers_that_hang_together_do_not_pass():
    fair = torch.stack([picked(128, 64, key=key) for key in range(60)])
    for unfair in (
        fair + 0.01,
        1.01 * fair,
        (fair + 0.05 * fair.roll(1, 1)) / math.sqrt(1.0025),
        (fair + 0.05 * fair.roll(1, 2)) / math.sqrt(1.0025),
        torch.stack([picked(128, 64, key=0)] * 60),
    ):
        assert strangest(unfair) > 4.5


def test_clouds_of_them_score_as_clouds_from_a_generator_do():
    generator = seeded(1)
    ours, others = [], []
    for key in range(400):
        own = picked(8, 16, key=2 * key + 1).mT
        ours.append(sigreg(picked(64, 16, key=2 * key), own / own.norm(dim=0)).item())
        directions = random_directions(16, 8, generator=generator)
        others.append(sigreg(torch.randn(64, 16, generator=generator), directions).item())
    assert ks_2samp(ours, others).pvalue > 0.001
    assert abs(torch.corrcoef(torch.tensor([ours[1:], ours[:-1]]))[0, 1]) < 0.2, "one repeat tells nothing of the next"
