"""Processes that hold parts of a batch, two or three, uneven, score it as one would, in value and in gradient.

The convention is that of torch's differentiable all_reduce: every process computes the same score, that of the whole
batch, and backward sums the gradients of these equal scores over the processes. The gradient that a process finds for
its own samples is therefore the number of processes times the gradient in one process. DistributedDataParallel averages
over the processes, so parameters get exactly the gradient of one process.

This file is also the program that each process runs: ``python test_sigreg_distributed.py FOLDER RANK 48,80``.
"""

import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from several_processes import joined, side_by_side

from lewm_lite import SIGReg, epps_pulley, seeded, sigreg

SPLITS = ((48, 80), (31, 71, 26))  # samples in each process
SIGREG = SIGReg(num_directions=32)


def whole_batch(dtype=torch.float64):
    """Two time steps of 128 samples in 16 dimensions, early samples on one side of the origin and late on the other."""
    batch = torch.randn(2, 128, 16, generator=seeded(0), dtype=torch.float64)
    batch[:, :48] += 0.8
    batch[:, 48:] -= 0.6
    return batch.to(dtype)


def part(batch, parts, rank):
    return batch.split(parts, dim=-2)[rank]


def score_and_gradient(embeddings):
    embeddings = embeddings.clone().requires_grad_()
    score = SIGREG(embeddings, generator=seeded(1))
    return score.detach(), torch.autograd.grad(score, embeddings)[0]


def encoder():
    """A linear map from 16 to 8 dimensions with known weights."""
    linear = torch.nn.Linear(16, 8)
    torch.nn.init.normal_(linear.weight, std=0.3, generator=seeded(2))
    torch.nn.init.normal_(linear.bias, std=0.3, generator=seeded(3))
    return linear.double()


def score_of_encoded(model, batch):
    score = SIGREG(model(batch), generator=seeded(1))
    score.backward()
    return score.detach()


def run_one_process(folder, rank, parts):
    with joined(folder, rank, len(parts)):
        exact, single = part(whole_batch(), parts, rank), part(whole_batch(torch.float32), parts, rank)
        found = {"float64": score_and_gradient(exact), "float32": score_and_gradient(single)}
        found["statistics"] = epps_pulley(exact)
        with torch.no_grad():
            found["without gradient"] = SIGREG(exact, generator=seeded(1))
        found["own generators"] = SIGREG(exact, generator=seeded(100 + rank))
        model = encoder()
        shared = torch.nn.parallel.DistributedDataParallel(model)
        found["encoded"] = score_of_encoded(shared, exact)
        found["encoder"] = (model.weight.grad, model.bias.grad)
        torch.save(found, folder / f"found_{rank}.pt")


@pytest.fixture(scope="module", params=SPLITS, ids=str)
def parts(request):
    """How many samples each process holds."""
    return request.param


@pytest.fixture(scope="module")
def found(parts, tmp_path_factory):
    """What each of the processes found."""
    folder = tmp_path_factory.mktemp("processes")
    return side_by_side(__file__, folder, ",".join(map(str, parts)), count=len(parts))


def assert_agree(actual, expected, tolerance):
    """Equal to within ``tolerance`` times the largest entry."""
    assert actual.shape == expected.shape
    assert (actual - expected).abs().max() <= tolerance * expected.abs().max()


each_precision = pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])


@each_precision
def test_each_process_finds_the_score_of_the_whole_batch(found, precision, tolerance):
    expected, _ = score_and_gradient(whole_batch(getattr(torch, precision)))
    for of_process in found:
        assert of_process[precision][0].dtype == expected.dtype
        assert_agree(of_process[precision][0], expected, tolerance)


@pytest.mark.parametrize("parts", SPLITS, ids=str)
def test_the_score_of_the_whole_batch_is_not_a_mean_of_the_scores_of_its_parts(parts):
    whole, _ = score_and_gradient(whole_batch())
    scores = torch.stack([score_and_gradient(part(whole_batch(), parts, rank))[0] for rank in range(len(parts))])
    weights = torch.tensor(parts, dtype=torch.float64) / sum(parts)
    for mixture in (scores.mean(), scores.sum(), weights @ scores):
        assert abs(mixture - whole) > 0.05 * whole  # so the agreement above could not come from one of these


@each_precision
def test_each_process_finds_the_gradient_of_its_own_samples_times_the_number_of_processes(
    found, parts, precision, tolerance
):
    _, expected = score_and_gradient(whole_batch(getattr(torch, precision)))
    for rank, of_process in enumerate(found):
        assert_agree(of_process[precision][1], len(parts) * part(expected, parts, rank), tolerance)


def test_distributed_data_parallel_gives_the_encoder_the_gradient_of_one_process(found):
    model = encoder()
    expected = score_of_encoded(model, whole_batch())
    for of_process in found:
        assert_agree(of_process["encoded"], expected, 1e-12)
        for actual, parameter in zip(of_process["encoder"], model.parameters(), strict=True):
            assert_agree(actual, parameter.grad, 1e-12)


def test_each_process_finds_the_statistics_of_the_whole_batch(found):
    for of_process in found:
        assert_agree(of_process["statistics"], epps_pulley(whole_batch()), 1e-12)


def test_all_processes_look_along_the_directions_of_the_first_whatever_their_generators(found):
    expected = SIGREG(whole_batch(), generator=seeded(100))
    for of_process in found:
        assert_agree(of_process["own generators"], expected, 1e-12)
    assert abs(SIGREG(whole_batch(), generator=seeded(101)) - expected) > 1e-3 * expected


def test_the_score_is_the_same_where_no_gradient_is_asked_for(found):
    for of_process in found:
        assert torch.equal(of_process["without gradient"], of_process["float64"][0])


def test_a_group_of_one_process_changes_nothing(tmp_path):
    if not (dist.is_available() and dist.is_gloo_available()):
        pytest.skip("this torch comes without gloo")
    batch, directions = whole_batch(), torch.eye(16, dtype=torch.float64)
    alone = sigreg(batch, directions)
    dist.init_process_group("gloo", init_method=(tmp_path / "meeting").as_uri(), rank=0, world_size=1)
    try:
        assert torch.equal(sigreg(batch, directions), alone)
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    run_one_process(Path(sys.argv[1]), int(sys.argv[2]), [int(size) for size in sys.argv[3].split(",")])
