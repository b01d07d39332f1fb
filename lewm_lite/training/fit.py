"""Training a world model: from clips to weights, watched on the way, and resumed exactly where it was cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lewm_lite.checks import check_generator, check_positive_integer
from lewm_lite.model.world_model import LeWorldModel
from lewm_lite.training.batches import BatchPlan, check_fits, read_clips
from lewm_lite.training.checkpoints import FILE_NAME
from lewm_lite.training.curves import Curves, open_curves
from lewm_lite.training.fit_config import FitConfig
from lewm_lite.training.history import History, Record
from lewm_lite.training.processes import mean_over_processes, rank_and_processes
from lewm_lite.training.resuming import Run, restore, save_run
from lewm_lite.training.rivals import Rival
from lewm_lite.training.watching import look_at, prepared, settle_averages
from lewm_lite.training.world_model_loss import WorldModelLoss, world_model_loss
from lewm_lite.world.action_blocks import ActionBlocks

if TYPE_CHECKING:
    from lewm_lite.world.episode_dataset import EpisodeDataset

KEEP_EVERY = 10  # steps of which one is kept in the history
LOOK_EVERY, SHORT_LOOKS = 50, 20  # steps between looks, or so many looks in a training that is too short for that


def fit(
    model: LeWorldModel,
    dataset: EpisodeDataset,
    config: FitConfig,
    *,
    generator: torch.Generator,
    held_out: EpisodeDataset | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    rival: Rival | None = None,
    checkpoint_every: int = 500,
    look_every: int | None = None,
    workers: int = 0,
    progress: Callable[[Record], None] = lambda record: None,
    warn: Callable[[str], None] = lambda words: None,
) -> History:
    """Train a model in place, where it is: on CPU, MPS or CUDA. Afterwards it is in evaluation mode, fit for use.

    Each step takes the gradient of :func:`~lewm_lite.training.world_model_loss.world_model_loss` on a batch of clips,
    shortens it to ``clip_norm`` and gives it to AdamW. Under ``torch.distributed`` every process takes its part of each
    batch; without dropout the weights are those of one process alone, but for rounding. A run that was cut off and is
    resumed ends with the weights of one that was not: on the CPU, with as many processes, to the last bit.

    Args:
        model: its weights are where training starts.
        dataset: to learn from; clips are read as they are needed, by ``workers`` processes.
        config: see :class:`FitConfig`. generator: of clips' order, directions and dropout; the same in every process.
        held_out: to look at on the way, such as the split ``"test"``; without it, clips of ``dataset``.
        folder: for ``checkpoint.safetensors`` and curves for TensorBoard. resume: go on from the checkpoint there.
        rival: what else should keep the embeddings apart, for comparison; its run has no folder, and one process.
        checkpoint_every, look_every: steps from one to the next; the last step has both. Neither moves the weights.
            Looks are 50 steps apart if nothing else is said, or a 20th of the steps if that is less.
        workers: processes that read clips; 0 for none but this one.
        progress: called after every step. warn: called with a sentence on a collapse, or a disk too full for curves.
    Returns:
        Each tenth step, what the looks saw, and the warnings.
    Raises:
        FloatingPointError: the loss or its gradient became infinite or NaN: at which step, and which part.
        ValueError: clips that don't fit the model, too few, or damaged; a batch of one; another configuration, seed or
            dataset than that of the run to resume.
        FileNotFoundError: nothing to resume. FileExistsError: a run in ``folder``. OSError: no room for a checkpoint.
    """
    check_generator(generator)
    look_every = steps_between_looks(config.steps) if look_every is None else look_every
    _check_asked(model, dataset, held_out, checkpoint_every=checkpoint_every, look_every=look_every)
    run = _begin(model, dataset, config, generator, folder, resume, rival)
    plan = _planned(run)
    trained = _shared(model.train())
    with open_curves(run.folder if _writes() else None, start=run.step, warn=warn) as curves:
        for frames, actions in read_clips(dataset, plan, workers):
            record = _step(run, trained, prepared(frames, actions, like=model.encoder.class_token))
            run.step += 1
            _keep(run, record, curves)
            if _is_due(run, look_every):
                _look(run, dataset if held_out is None else held_out, curves, warn)
            if _is_due(run, checkpoint_every):
                _settle_and_save(run)
            progress(record)
    model.eval()
    return run.history


def steps_between_looks(steps: int) -> int:
    """When nothing else is asked for: often enough to see a collapse while there is something left to stop."""
    return min(LOOK_EVERY, max(1, steps // SHORT_LOOKS))


def _check_asked(model: LeWorldModel, dataset: EpisodeDataset, held_out: EpisodeDataset | None, **every: int) -> None:
    for name, steps in every.items():
        check_positive_integer(name, steps)
    check_fits("dataset", dataset, model)
    if held_out is not None:
        check_fits("held_out", held_out, model)


def _is_due(run: Run, every: int) -> bool:
    return run.step % every == 0 or run.step == run.config.steps


def _writes() -> bool:
    """Of several processes the first alone."""
    return rank_and_processes()[0] == 0


def _begin(
    model: LeWorldModel,
    dataset: EpisodeDataset,
    config: FitConfig,
    generator: torch.Generator,
    folder: str | Path | None,
    resume: bool,
    rival: Rival | None,
) -> Run:
    """The run before its first step, or where its checkpoint left it."""
    model.action_blocks = ActionBlocks.of_dataset(dataset)
    seed = generator.initial_seed()
    order = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    place = None if folder is None else Path(folder)
    if rival is not None and place is not None:
        raise ValueError("rival can't have a folder: what it keeps, such as a teacher, is in no checkpoint")
    if rival is not None and rank_and_processes()[1] > 1:
        raise ValueError(
            f"rival must be trained by one process, got {rank_and_processes()[1]}: its terms look at one process's "
            "part of a batch, not at the whole"
        )
    run = Run(model, dataset, config, optimiser, generator, seed, order, place, 0, History(), rival)
    if resume:
        if place is None:
            raise ValueError("resume needs the folder of the run that is to go on, got none")
        restore(run)
    elif place is not None and (place / FILE_NAME).exists():
        raise FileExistsError(f"{place} holds a run already: resume it, or choose another folder")
    return run


def _shared(model: LeWorldModel) -> nn.Module:
    """The model itself, or wrapped to average its gradient over processes."""
    if rank_and_processes()[1] < 2:
        return model
    from torch.nn.parallel import DistributedDataParallel

    return DistributedDataParallel(model, broadcast_buffers=False)  # BatchNorm averages over processes by itself


def _planned(run: Run) -> BatchPlan:
    """Which clips this process looks at in the steps that are left."""
    rank, processes = rank_and_processes()
    batch_size = run.config.batch_size
    if batch_size < 2 * processes:  # neither SIGReg nor BatchNorm can say anything of one clip
        each = f" for each of {processes} processes" if processes > 1 else ""
        raise ValueError(f"batch_size must be at least 2 clips{each}, got {batch_size}")
    parts = {"start": run.step, "steps": run.config.steps, "rank": rank, "processes": processes}
    return BatchPlan(len(run.dataset), batch_size, seed=run.order, **parts)


def _step(run: Run, trained: nn.Module, clips: tuple[Tensor, Tensor]) -> Record:
    config, device = run.config, clips[0].device.type
    rate = config.learning_rate_at(run.step)
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    half = torch.autocast(device, torch.bfloat16) if config.precision == "bfloat16" else nullcontext()
    with _stopped_by_numbers(run, run.step + 1), half:
        loss = (run.rival.loss if run.rival else world_model_loss)(
            trained,
            *clips,
            sigreg_weight=config.sigreg_weight,
            generator=run.generator,
            num_directions=config.num_directions,
        )
    values = mean_over_processes(torch.stack([term.detach().float() for term in loss]))
    terms = dict(zip(WorldModelLoss._fields, values.tolist(), strict=True))
    if not torch.isfinite(values).all():
        raise FloatingPointError(_stopped(run, run.step + 1, _told(terms)))
    run.optimiser.zero_grad()
    loss.total.backward()
    norm = nn.utils.clip_grad_norm_(trained.parameters(), config.clip_norm).item()
    if not norm < float("inf"):
        words = f"{_told(terms)}, and the length of the gradient is {norm}"
        raise FloatingPointError(_stopped(run, run.step + 1, words))
    run.optimiser.step()
    if run.rival:
        run.rival.after_step(run.model)
    return Record(run.step + 1, **terms, gradient_norm=norm, learning_rate=rate)


def _told(terms: dict[str, float]) -> str:
    return f"the prediction loss is {terms['prediction']:.4g}, SIGReg {terms['sigreg']:.4g}, total {terms['total']:.4g}"


@contextmanager
def _stopped_by_numbers(run: Run, step: int) -> Iterator[None]:
    """Inside, numbers that nothing can be made of stop the training; what is wrong with clips is told as it is."""
    try:
        yield
    except ValueError as error:
        if type(error) is not ValueError:  # of a shape, or of a damaged file
            raise
        raise FloatingPointError(_stopped(run, step, str(error))) from error


def _stopped(run: Run, step: int, words: str) -> str:
    saved = run.folder is not None and (run.folder / FILE_NAME).is_file()
    return (
        f"training stopped at step {step} of {run.config.steps}: {words}. A smaller learning_rate than "
        f"{run.config.learning_rate:g}, a longer warmup or another sigreg_weight may help"
        + ("; the last checkpoint is whole" if saved else "")
    )


def _keep(run: Run, record: Record, curves: Curves) -> None:
    if run.step % KEEP_EVERY and run.step not in (1, run.config.steps):
        return
    run.history.records.append(record)
    scalars = record._asdict()
    curves.write(scalars.pop("step"), {f"train/{name}": value for name, value in scalars.items()})


def _settle_and_save(run: Run) -> None:
    with _stopped_by_numbers(run, run.step):
        settle_averages(run.model, run.dataset, batch_size=run.config.batch_size)
    if run.folder is not None and _writes():
        save_run(run)


def _look(run: Run, dataset: EpisodeDataset, curves: Curves, warn: Callable[[str], None]) -> None:
    with _stopped_by_numbers(run, run.step):
        look = look_at(run.model, dataset, step=run.step, clips=run.config.batch_size)
    run.history.looks.append(look)
    seen = {"prediction": look.prediction, "std": look.std, "effective_rank": look.effective_rank}
    curves.write(look.step, {f"look/{name}": value for name, value in seen.items()})
    words = run.history.warning_of(look, sigreg_weight=run.config.sigreg_weight)
    if words:
        run.history.warnings.append(words)
        warn(words)
