"""The command line does what it says, and says in a sentence what it cannot do."""

import json
import os
import pickle
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import h5py
import pytest
import torch

from lewm_lite.__main__ import main
from lewm_lite.labs import registry, shipping
from lewm_lite.model.presets import PRESETS
from lewm_lite.training import command as train_command
from lewm_lite.training import fit as fit_module
from lewm_lite.training.checkpoints import read_checkpoint
from lewm_lite.training.fit_config import RECIPES, FitConfig
from lewm_lite.training.history import Look


@pytest.fixture
def shipped(monkeypatch, drift):
    """Two small labs in the registry, and what ship() is called with instead of the minutes it would take."""
    calls = []

    class Other(drift):
        name = "other"

    def ship(lab, folder, *, progress):
        calls.append((lab.name, folder))
        progress("a bank of noise")
        return folder / lab.name

    monkeypatch.setattr(shipping, "ship", ship)
    monkeypatch.setattr(registry, "LABS", {"drift": drift, "other": Other})
    return calls


def test_help_names_the_commands(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert "usage: python -m lewm_lite" in out
    assert "export" in out and "collect" in out and "train" in out


def test_help_of_a_command_names_its_options(capsys):
    with pytest.raises(SystemExit) as end:
        main(["export", "--help"])
    assert end.value.code == 0
    assert "--out" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["dance"], ["export", "--colour"], ["collect"]], ids=str)
def test_a_command_line_that_makes_no_sense_ends_with_status_2_and_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("usage:")
    assert captured.out == ""


def test_an_unknown_lab_ends_with_status_1_and_a_sentence(shipped, capsys):
    assert main(["export", "drift", "arena"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "error: no lab named 'arena': there are drift, other\n"
    assert captured.out == ""
    assert shipped == []  # not even the lab that does exist


def test_export_ships_the_labs_that_are_named_to_the_folder_that_is_named(shipped, capsys, tmp_path):
    assert main(["export", "other", "--out", str(tmp_path)]) == 0
    assert shipped == [("other", tmp_path)]
    assert capsys.readouterr().out.splitlines() == [
        "other:",
        "  a bank of noise",
        f"  written to {tmp_path / 'other'}",
    ]


def test_export_without_a_name_ships_every_lab_to_the_assets(shipped, root):
    assert main(["export"]) == 0
    assert shipped == [("drift", root / "assets/labs"), ("other", root / "assets/labs")]


@pytest.mark.parametrize("error", [ImportError("no module named onnx"), OSError("disk full"), ValueError("bad")])
def test_what_fails_while_exporting_ends_with_status_1_and_its_words(error, shipped, monkeypatch, capsys):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(shipping, "ship", fail)
    assert main(["export", "drift"]) == 1
    assert capsys.readouterr().err == f"error: {error}\n"


def test_the_module_and_the_script_run(tmp_path):
    script = Path(sys.executable).with_name("lewm-lite")
    commands = ([sys.executable, "-m", "lewm_lite", "export", "arena"], [str(script), "export", "arena"])
    for command in commands:
        end = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)
        assert end.returncode == 1
        assert end.stderr.startswith("error: no lab named 'arena': there are collapse_arena, cloud_flow")
        assert "Traceback" not in end.stderr


# ------------------------------------------------------------------------------------------------------------- collect


def collect(path, *words):
    return main(["collect", "--out", str(path), "--episodes", "2", "--size", "16", "--max-steps", "9", *words])


def test_collect_writes_a_dataset_shows_its_progress_and_says_what_it_wrote(tmp_path, capsys):
    path = tmp_path / "runs/rooms.h5"
    assert collect(path) == 0
    captured = capsys.readouterr()
    assert captured.out == (f"written to {path}: 2 episodes, 20 frames of 16 x 16 pixels, 2 numbers in an action\n")
    assert "100%" in captured.err and "2/2" in captured.err
    with h5py.File(path) as file:
        assert file["pixels"].shape == (20, 16, 16, 3)
        assert file.attrs["policy"] == "ThroughDoor(noise=3.0)" and file.attrs["seed"] == 0


def test_collect_says_it_in_json_on_one_line(tmp_path, capsys):
    assert collect(tmp_path / "a.h5", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    path = str(tmp_path / "a.h5")
    assert told == {"path": path, "episodes": 2, "frames": 20, "image_size": [16, 16], "action_dim": 2}


def test_collect_takes_the_policy_the_seed_and_what_the_environment_takes(tmp_path):
    options = ["--option", "door=random", "--option", "distractor=true", "--policy", "random", "--seed", "7"]
    assert collect(tmp_path / "a.h5", *options) == 0
    assert collect(tmp_path / "b.h5", "--noise", "0", "--option", "door=0.5") == 0
    with h5py.File(tmp_path / "a.h5") as file, h5py.File(tmp_path / "b.h5") as other:
        assert json.loads(file.attrs["environment_arguments"]) == {
            "render_mode": "rgb_array",
            "size": 16,
            "door": "random",
            "distractor": True,
        }
        assert file.attrs["policy"].startswith("RandomPolicy") and file.attrs["seed"] == 7
        assert other.attrs["policy"] == "ThroughDoor(noise=0.0)" and (other["state"][:, 2] == 0.5).all()


def test_collect_leaves_a_file_alone_unless_forced(tmp_path, capsys):
    path = tmp_path / "a.h5"
    path.write_bytes(b"mine")
    assert collect(path) == 1
    assert "a.h5 is there already" in capsys.readouterr().err
    assert path.read_bytes() == b"mine"
    assert collect(path, "--force") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--env", "nothing/A-v0"], "nothing/A-v0 can't be made with "),
        (["--env", "nothing_there:A-v0"], "nothing_there:A-v0 can't be made with "),
        (["--option", "colour=red"], "lewm_lite/TwoRoom-v0 can't be made with "),
        (["--option", "door"], "--option must be NAME=VALUE, got 'door'"),
        (["--option", "door=0.01"], "door must be 'random' or a number from 0.125 to 0.875, got 0.01"),
        (["--noise", "-1"], "noise must be a finite number of at least 0, got -1.0"),
        (["--episodes", "0"], "episodes must be an integer of at least 1, got 0"),
        (["--seed", "-3"], "seed must be an integer from 0"),
    ],
)
def test_what_collect_cannot_do_ends_with_status_1_and_a_sentence(words, message, tmp_path, capsys):
    assert collect(tmp_path / "a.h5", *words) == 1
    assert f"error: {message}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_collect_without_its_packages_names_the_extra(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert collect(tmp_path / "a.h5") == 1
    assert "pip install 'lewm-lite[world]' brings what collect needs" in capsys.readouterr().err


def test_collect_that_is_stopped_says_so_and_leaves_nothing(tmp_path, capsys, monkeypatch):
    from lewm_lite.world import episodes

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(episodes, "run_episode", stop)
    assert collect(tmp_path / "a.h5") == 130
    assert capsys.readouterr().err.endswith("stopped\n")
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------------------------------------------------------- train

STEPS = ["--steps", "6", "--batch-size", "4", "--num-directions", "8", "--device", "cpu", "--checkpoint-every", "2"]


@pytest.fixture(scope="module")
def episodes(tmp_path_factory):
    path = tmp_path_factory.mktemp("episodes") / "rooms.h5"
    assert main(["collect", "--out", str(path), "--episodes", "3", "--size", "32", "--max-steps", "30"]) == 0
    return path


def train(data, out, *words):
    return main(["train", "--data", str(data), "--out", str(out), *STEPS, *words])


def weights(path):
    return read_checkpoint(path).weights


def test_train_shows_its_progress_writes_a_checkpoint_and_says_what_came_of_it(episodes, tmp_path, capsys):
    assert train(episodes, tmp_path / "run") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"written to {tmp_path / 'run/checkpoint.safetensors'} after 6 steps: prediction ")
    assert "6/6" in captured.err and "prediction=" in captured.err
    checkpoint = read_checkpoint(tmp_path / "run")
    assert checkpoint.config == PRESETS["lite"] and checkpoint.action_blocks.frame_skip == 5
    assert checkpoint.facts["fit"]["sigreg_weight"] == RECIPES["lite"].sigreg_weight
    assert checkpoint.facts["step"] == checkpoint.facts["fit"]["steps"] == 6
    assert len(list((tmp_path / "run").glob("events.out.tfevents.*"))) == 1
    look = checkpoint.facts["looks"][-1]
    assert captured.out.endswith(f"effective rank {look['effective_rank']:.1f}. {look['words']}\n")


@pytest.fixture
def asked(monkeypatch):
    """What fit is called with; then it goes on."""
    calls, real = [], train_command.fit

    def spied(model, dataset, config, **given):
        calls.append({"dataset": dataset, "config": config, **given})
        return real(model, dataset, config, **given)

    monkeypatch.setattr(train_command, "fit", spied)
    return calls


def test_train_hands_on_every_option(episodes, tmp_path, asked):
    words = ["--workers", "1", "--in-memory", "--look-every", "4", "--checkpoint-every", "5", "--frame-skip", "2"]
    assert train(episodes, tmp_path / "run", *words) == 0
    assert train(episodes, tmp_path / "other") == 0
    found, plain = asked
    assert (found["workers"], found["look_every"], found["checkpoint_every"]) == (1, 4, 5)
    assert (plain["workers"], plain["look_every"], plain["checkpoint_every"]) == (0, None, 2)
    for given, kept in ((found, True), (plain, False)):
        for dataset, split in ((given["dataset"], "train"), (given["held_out"], "test")):
            assert dataset.split == split and dataset.frame_skip == (2 if kept else 5)
            assert (len(pickle.dumps(dataset)) > 32 * 32 * 3 * 20) == kept  # pixels of 20 rows at least, or none
    assert [look["step"] for look in read_checkpoint(tmp_path / "run").facts["looks"]] == [4, 6]


def test_train_warns_of_a_collapse_while_it_trains(episodes, tmp_path, capsys, monkeypatch):
    def collapsed(model, dataset, *, step, clips):
        return Look(step, 0.1, 0.01, 1.0, "complete", "It is a point.")

    monkeypatch.setattr(fit_module, "look_at", collapsed)
    assert train(episodes, tmp_path / "run") == 0
    captured = capsys.readouterr()
    assert "warning: step 1: the embeddings collapse to a point" in captured.err
    assert captured.out.endswith(" It is a point.\n")


@pytest.mark.slow
def test_train_on_a_full_disk_names_the_file_and_what_is_left(episodes, tmp_path):
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
    program = f"{limited}import sys; from lewm_lite.__main__ import main; sys.exit(main())"
    out = tmp_path / "run"
    words = ["train", "--data", str(episodes), "--out", str(out), *STEPS]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    start = [sys.executable, "-c", program]
    end = subprocess.run([*start, *words], env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert end.returncode == 1 and "Traceback" not in end.stderr
    told = f"error: {out / 'checkpoint.safetensors'} can't be written at step 2 (File too large): there is no "
    assert told in end.stderr


def test_help_of_train_says_what_each_setting_is(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    out = " ".join(capsys.readouterr().out.split())
    for said in (
        "how many batches to learn from (default: lite 2000, paper 50000)",
        "share of the steps over which the learning rate rises",
        "lambda, of SIGReg beside the prediction loss",
        "a longer gradient is shortened to this length",
        "steps from one look to the next: prediction and collapse, on held-out clips (default: 50, or",
    ):
        assert said in out
    assert set(train_command._SAID) == {field.name for field in fields(FitConfig)}


def test_train_says_it_in_json_on_one_line_and_takes_what_it_is_given(episodes, tmp_path, capsys):
    words = ["--json", "--sigreg-weight", "0", "--seed", "3", "--frame-skip", "2", "--in-memory"]
    assert train(episodes, tmp_path / "run", *words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["step"] == 6 and told["total"] == told["prediction"] and told["held_out"]["step"] == 6
    checkpoint = read_checkpoint(told["checkpoint"])
    assert checkpoint.action_dim == 4 and checkpoint.facts["seed"] == 3
    assert told["warnings"] == checkpoint.facts["warnings"]


def test_train_resumes_and_refuses_to_go_on_with_something_else(episodes, tmp_path, capsys):
    assert train(episodes, tmp_path / "run", "--resume") == 1
    assert "error: nothing to resume at " in capsys.readouterr().err
    assert train(episodes, tmp_path / "run") == 0
    assert train(episodes, tmp_path / "run") == 1
    assert "holds a run already: resume it" in capsys.readouterr().err
    assert train(episodes, tmp_path / "run", "--resume") == 0
    assert train(episodes, tmp_path / "run", "--resume", "--seed", "1") == 1
    assert "is of another run: seed was 0 and is 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--steps", "0"], "steps must be an integer of at least 1, got 0"),
        (["--sigreg-weight", "-1"], "sigreg_weight must be a finite number of at least 0, got -1.0"),
        (["--learning-rate", "1e30"], "training stopped at step "),
        (["--preset", "paper"], "dataset must have frames of 224 x 224 pixels for this model, got 32 x 32"),
        (["--frame-skip", "40"], "a clip spans 160 rows"),
        (["--data", "nowhere.h5"], "no dataset at nowhere.h5"),
    ],
)
def test_what_train_cannot_do_ends_with_status_1_and_a_sentence(words, message, episodes, tmp_path, capsys):
    assert train(episodes, tmp_path / "run", *words) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run/checkpoint.safetensors").exists()


@pytest.mark.slow
def test_a_training_that_was_killed_and_resumed_gives_the_weights_of_one_that_was_not(episodes, tmp_path):
    words = [*STEPS, "--steps", "60", "--checkpoint-every", "20", "--data", str(episodes)]
    command = [sys.executable, "-m", "lewm_lite", "train", *words, "--out", str(tmp_path / "killed")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    path = tmp_path / "killed/checkpoint.safetensors"
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 120
        while not path.exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
    assert 0 < read_checkpoint(path).facts["step"] < 60
    for folder, resume in (("killed", ["--resume"]), ("whole", [])):
        assert main(["train", *words, "--out", str(tmp_path / folder), *resume]) == 0
    torch.testing.assert_close(weights(path), weights(tmp_path / "whole"), rtol=0, atol=0)


@pytest.mark.slow
def test_torchrun_trains_with_two_processes_of_which_one_speaks(episodes, tmp_path):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "lewm_lite",
    ]
    command += ["train", "--data", str(episodes), "--out", str(tmp_path / "run"), *STEPS, "--json"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    end = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert end.returncode == 0, end.stderr
    told = json.loads(end.stdout)
    assert train(episodes, tmp_path / "alone") == 0
    alone = read_checkpoint(tmp_path / "alone").tensors["records"][-1].tolist()
    found = read_checkpoint(told["checkpoint"]).tensors["records"][-1].tolist()
    assert found == pytest.approx(alone, rel=1e-2)
