"""A device is one that is there, or refused; a process alone is the first of one."""

from __future__ import annotations

import pytest
import torch

from lewm_lite.training.processes import as_torchrun_says, mean_over_processes, pick_device, rank_and_processes


def machine(monkeypatch, *, cuda=False, mps=False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4 * cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    for name in ("LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


def test_auto_takes_a_gpu_before_the_processor(monkeypatch):
    for there, wanted in (({}, "cpu"), ({"mps": True}, "mps"), ({"cuda": True, "mps": True}, "cuda")):
        machine(monkeypatch, **there)
        assert pick_device().type == wanted
    assert pick_device("cpu") == torch.device("cpu")


def test_under_torchrun_each_process_has_a_gpu_of_its_own(monkeypatch):
    machine(monkeypatch, cuda=True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert pick_device("cuda") == torch.device("cuda", 3)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    machine(monkeypatch)
    for name in ("cuda", "mps"):
        with pytest.raises(ValueError, match=f"device is '{name}', which this machine, or this torch, doesn't have"):
            pick_device(name)
    with pytest.raises(ValueError, match="device must be one of .'auto', 'cpu', 'mps', 'cuda'., got 'tpu'"):
        pick_device("tpu")


def test_a_process_alone_is_the_first_of_one(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with as_torchrun_says(torch.device("cpu")):
        assert rank_and_processes() == (0, 1)
        assert mean_over_processes(torch.tensor([3.0])).tolist() == [3.0]


def test_several_processes_need_as_many_gpus_and_cannot_share_apple_s(monkeypatch):
    machine(monkeypatch, cuda=True)
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for name in ("auto", "cuda"):
        with pytest.raises(ValueError, match="device 'cuda' must have a GPU for each process .*, got 1 for 2 "):
            pick_device(name)
    machine(monkeypatch, mps=True)
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("auto", "mps"):
        with pytest.raises(ValueError, match="device must be 'cpu' or 'cuda' for several processes, got 'mps'"):
            pick_device(name)
    assert pick_device("cpu") == torch.device("cpu")
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert pick_device() == torch.device("mps")
