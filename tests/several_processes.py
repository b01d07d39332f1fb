"""One test file as several processes: how what happens under torch.distributed is tested.

A test calls :func:`side_by_side`; its file, run as a program with FOLDER RANK and the test's own words, does the work
of one process inside :func:`joined` and saves what it found in FOLDER as ``found_RANK.pt``.
"""

import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist

TIMEOUT_S = 180


def side_by_side(file, folder, *words, count):
    """Run ``file`` as ``count`` processes that meet in ``folder``, and return what each of them saved."""
    if not (dist.is_available() and dist.is_gloo_available()):
        pytest.skip("this torch comes without gloo")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    logs = [folder / f"log_{rank}.txt" for rank in range(count)]
    processes = []
    try:
        for rank, log in enumerate(logs):
            command = [sys.executable, file, str(folder), str(rank), *words]
            with log.open("w") as output:
                processes.append(subprocess.Popen(command, env=environment, stdout=output, stderr=output))
        exits = [process.wait(TIMEOUT_S) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert not any(exits), "\n".join(log.read_text() for log in logs)
    return [torch.load(folder / f"found_{rank}.pt") for rank in range(count)]


@contextmanager
def joined(folder, rank, count):
    """Inside, this process is one of ``count``; all leave together."""
    dist.init_process_group(
        "gloo",
        init_method=(folder / "meeting").as_uri(),
        rank=rank,
        world_size=count,
        timeout=timedelta(seconds=TIMEOUT_S / 2),
    )
    yield
    dist.barrier()
    dist.destroy_process_group()
