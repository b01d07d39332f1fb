"""The command line does what it says, and says in a sentence what it cannot do."""

import subprocess
import sys
from pathlib import Path

import pytest

from lewm_lite.__main__ import main
from lewm_lite.labs import registry, shipping


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
    assert "export" in out


def test_help_of_a_command_names_its_options(capsys):
    with pytest.raises(SystemExit) as end:
        main(["export", "--help"])
    assert end.value.code == 0
    assert "--out" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["dance"], ["export", "--colour"]], ids=str)
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
