"""The command line: ``python -m lewm_lite`` collects episodes, trains and judges on them, and exports labs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from lewm_lite.judging.command import describe_evaluate, describe_plan, run_evaluate, run_plan
from lewm_lite.training.command import describe_train, run_train

_EXTRAS = {  # of this package, by the command that needs one
    "collect": "world",
    "train": "train",
    "evaluate": "world",
    "plan": "world",
    "export": "export",
}
_TOLD = {"train": run_train, "evaluate": run_evaluate, "plan": run_plan}  # what each gives is printed


def new_parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    parser = argparse.ArgumentParser(prog="python -m lewm_lite", description=__doc__.split(":")[0] + ".")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    _describe_collect(commands.add_parser("collect", help="let a policy act and write its episodes to one HDF5 file"))
    describe_train(commands.add_parser("train", help="train a world model on a file of episodes"))
    describe_evaluate(commands.add_parser("evaluate", help="let a world model plan in held-out episodes"))
    describe_plan(commands.add_parser("plan", help="let a world model plan in one of them, and say how it went"))
    export = commands.add_parser("export", help="export a lab's graphs, banks and recordings for the page")
    export.add_argument("lab", nargs="*", help="labs by name; all of them if none is named")
    export.add_argument("--out", type=Path, default=None, help="folder to write to (default: assets/labs)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the process's exit status."""
    chosen = new_parser().parse_args(arguments)
    try:
        if chosen.command in _TOLD:
            return _tell(_TOLD[chosen.command](chosen))
        return _collect(chosen) if chosen.command == "collect" else _export(chosen.lab, chosen.out)
    except ModuleNotFoundError as error:
        words = f"error: {error}: pip install 'lewm-lite[{_EXTRAS[chosen.command]}]' brings what {chosen.command} needs"
        print(words, file=sys.stderr)
        return 1
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _describe_collect(collect: argparse.ArgumentParser) -> None:
    collect.add_argument("--out", type=Path, required=True, help="file to write, such as runs/two_room.h5")
    collect.add_argument("--env", default="lewm_lite/TwoRoom-v0", help="Gymnasium id (default: %(default)s)")
    collect.add_argument("--episodes", type=int, default=800, help="how many (default: %(default)s)")
    collect.add_argument("--size", type=int, default=None, help="height and width of a frame, in pixels")
    collect.add_argument("--policy", choices=("through_door", "random"), default=None, help="who acts")
    collect.add_argument("--noise", type=float, default=3.0, help="of through_door's actions (default: %(default)s)")
    collect.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the environment")
    collect.add_argument("--max-steps", type=int, default=1000, help="the longest episode (default: %(default)s)")
    collect.add_argument("--seed", type=int, default=0, help="the same seed gives the same file (default: %(default)s)")
    collect.add_argument("--force", action="store_true", help="overwrite the file if it is there")
    collect.add_argument("--json", action="store_true", help="print the result as one line of JSON")


def _collect(chosen: argparse.Namespace) -> int:
    from tqdm import tqdm

    from lewm_lite.world.episodes import collect_episodes
    from lewm_lite.world.making import make_environment, make_policy

    env = make_environment(chosen.env, size=chosen.size, options=dict(map(_option, chosen.option)))
    policy = make_policy(chosen.policy, env, noise=chosen.noise)
    with tqdm(total=chosen.episodes, unit=" episodes", mininterval=0.5) as bar:
        written = collect_episodes(
            env,
            policy,
            episodes=chosen.episodes,
            path=chosen.out,
            seed=chosen.seed,
            size=chosen.size,
            max_steps=chosen.max_steps,
            overwrite=chosen.force,
            progress=lambda frames: bar.update(),
        )
    if chosen.json:
        print(json.dumps(written._asdict() | {"path": str(written.path)}))
    else:
        height, width = written.image_size
        print(
            f"written to {written.path}: {written.episodes} episodes, {written.frames} frames of {width} x {height} "
            f"pixels, {written.action_dim} numbers in an action"
        )
    return 0


def _tell(told: str) -> int:
    if told:  # under torchrun only the first process has something to say
        print(told)
    return 0


def _option(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(f"--option must be NAME=VALUE, got {text!r}")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value  # a plain word


def _export(names: list[str], out: Path | None) -> int:
    import torch

    from lewm_lite.files import asset_root
    from lewm_lite.labs.registry import LABS, lab_named
    from lewm_lite.labs.shipping import ship

    torch.set_num_threads(1)  # clouds are small: more threads only wait for each other
    for lab in [lab_named(name) for name in names] or list(LABS.values()):
        print(f"{lab.name}:", flush=True)
        target = ship(lab, out or asset_root() / "labs", progress=lambda words: print(f"  {words}", flush=True))
        print(f"  written to {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
