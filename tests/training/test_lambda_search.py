"""A bisection finds the edge of any acceptance within its budget, loses no run, and says plainly what it cannot see."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from lewm_lite import LambdaSearch, bisect_lambda
from lewm_lite.training import lambda_search
from lewm_lite.training.lambda_search import LambdaRun, read_runs


def above(edge):
    return lambda weight: weight >= edge


def below(edge):
    return lambda weight: weight <= edge


def searched(accept, *, low=1e-4, high=1.0, budget=8, **given):
    """A search whose run gives λ itself, and how often it ran."""
    ran = []

    def run(weight):
        ran.append(weight)
        return weight

    return bisect_lambda(run, accept, low=low, high=high, budget=budget, **given), ran


def weights(search):
    return [done.weight for done in search.history]


# ---------------------------------------------------------------- the edge


@pytest.mark.parametrize("edge", [1.0001e-4, 3e-4, 0.0123, 0.5, 0.9999])
@pytest.mark.parametrize("kind", ["smallest", "largest"])
@pytest.mark.parametrize("budget", [2, 3, 8, 20])
def test_the_edge_lies_in_the_bracket_which_every_run_after_the_ends_halves(edge, kind, budget):
    accept = (above if kind == "smallest" else below)(edge)
    search, ran = searched(accept, budget=budget)
    low, high = search.bracket
    assert low <= edge <= high
    assert math.log(high / low) == pytest.approx(math.log(1e4) / 2 ** (budget - 2))
    assert search.best == (high if kind == "smallest" else low) and accept(search.best)
    assert len(ran) == budget == len(search.history)
    assert f"is the {kind} that was accepted" in search.words and f"{search.best:.3g}" in search.words
    assert search.out_of_order == ()


def test_the_ends_come_first_and_then_the_middle_in_decades():
    search, _ = searched(above(0.5), budget=4)
    assert weights(search) == pytest.approx([1e-4, 1.0, 1e-2, 1e-1])
    assert [done.accepted for done in search.history] == [False, True, False, False]


def test_what_a_run_gives_is_what_accept_sees_and_history_keeps():
    given = {"probe": 0.5, "note": "as it is"}
    search = bisect_lambda(
        lambda weight: {**given, "weight": weight},
        lambda result: result["weight"] > 0.01 and result["note"] == "as it is",
        low=1e-3, high=1, budget=5,
    )  # fmt: skip
    assert all(done.result == {**given, "weight": done.weight} for done in search.history)


@pytest.mark.parametrize("yes", [True, np.True_, torch.tensor(True)], ids=repr)
def test_any_truth_value_will_do(yes):
    no = not yes if isinstance(yes, bool) else ~yes
    search, _ = searched(lambda weight: yes if weight > 0.01 else no)
    assert search.bracket[0] <= 0.01 <= search.bracket[1]
    assert all(isinstance(done.accepted, bool) for done in search.history)


def test_it_stops_where_no_number_lies_between():
    search, ran = searched(above(0.3), low=0.3 * (1 - 1e-8), high=0.3, budget=50)
    assert len(ran) < 10 and search.best == 0.3


def test_a_search_cannot_be_changed():
    search, _ = searched(above(0.1))
    assert isinstance(search, LambdaSearch)
    with pytest.raises(AttributeError):
        search.best = 1


# ---------------------------------------------------------------- ends that do not bracket


def test_both_ends_accepted_say_so_and_where_to_look():
    search, ran = searched(lambda _: True)
    assert (search.best, search.bracket) == (None, None)
    assert ran == pytest.approx([1e-4, 1, 1e-2]), "one run between tells an island from a plain; no more is spent"
    assert "both ends are accepted (λ = 0.0001 gave 0.0001 and λ = 1 gave 1), and so is λ = 0.01" in search.words
    assert "smallest accepted λ lies below 0.0001, the largest above 1: look there" in search.words


def test_neither_end_accepted_says_so():
    search, ran = searched(lambda _: False)
    assert (search.best, search.bracket) == (None, None) and len(ran) == 3
    assert "neither end is accepted" in search.words and "nor is λ = 0.01" in search.words
    assert "below 0.0001, above 1" in search.words


def test_an_accepted_stretch_inside_has_two_edges_and_each_is_found_where_it_says():
    def accept(weight):
        return 0.003 < weight < 0.2

    search, _ = searched(accept)
    assert search.bracket is None
    assert "neither end is accepted" in search.words
    assert "search 0.0001 to 0.01 for the lower one, 0.01 to 1 for the upper one" in search.words
    lower, ran = searched(accept, high=0.01, history=search.history)
    assert lower.bracket[0] <= 0.003 <= lower.bracket[1] and len(ran) == 6
    upper, _ = searched(accept, low=0.01, history=lower.history)
    assert upper.bracket[0] <= 0.2 <= upper.bracket[1] and upper.best == upper.bracket[0]


def test_a_rejected_stretch_inside_is_told_as_well():
    search, _ = searched(lambda weight: not 0.003 < weight < 0.2)
    assert search.bracket is None
    assert "both ends are accepted" in search.words and "is not. The rejected stretch lies inside" in search.words


def test_a_budget_of_two_says_what_two_runs_say():
    search, _ = searched(lambda _: False, budget=2)
    assert "neither end is accepted (λ = 0.0001 gave 0.0001 and λ = 1 gave 1)." in search.words


def test_ends_that_never_ran_are_not_spoken_of_as_if_they_had():
    known = [LambdaRun(0.01, 0.01), LambdaRun(0.011, 0.011)]
    search, ran = searched(lambda _: False, budget=2, history=known)
    assert ran == [] and "neither end is" not in search.words
    assert "the ends 0.0001 and 1 were not run, for the budget was spent" in search.words
    assert "neither the lowest nor the highest run is accepted (λ = 0.01 gave 0.01 and λ = 0.011 gave" in search.words
    search, ran = searched(lambda _: True, budget=3, history=known)
    assert ran == [1e-4] and "the end 1 was not run" in search.words
    assert "both the lowest and the highest run are accepted" in search.words
    assert "smallest accepted λ lies below 0.0001, the largest above 0.011: look there" in search.words


def test_a_stretch_inside_is_searched_for_between_what_ran():
    known = [LambdaRun(weight, weight) for weight in (0.01, 0.02, 0.04)]
    search, _ = searched(lambda weight: weight == 0.02, budget=3, history=known)
    assert "search 0.01 to 0.02 for the lower one, 0.02 to 0.04 for the upper one" in search.words


# ---------------------------------------------------------------- runs that fail


@dataclass
class Read:
    loss: object


NANS = {
    "nan": math.nan,
    "numpy": np.float32(math.nan),
    "complex": complex(0, math.nan),
    "tensor": torch.tensor([1.0, math.nan]),
    "array": np.array([1.0, math.nan]),
    "array of things": np.array([1, [math.nan]], dtype=object),
    "dataclass": Read(math.nan),
    "dataclass with an array": Read(np.array(math.nan)),
    "nested": {"a": [1, (2, Read({"b": math.nan}))]},
}
WITHOUT = [1, True, "nan", None, Read, Read(1.0), np.array([1, 2]), np.array(["nan"]), np.array([math.inf]), [{}]]


@pytest.mark.parametrize("result", WITHOUT, ids=repr)
def test_what_holds_no_nan_has_not_failed(result):
    search = bisect_lambda(lambda _: result, lambda _: True, low=1e-4, high=1, budget=2)
    assert not any(done.failed for done in search.history)


def broken_above(edge, *, how):
    def run(weight):
        if weight > edge:
            if how == "raises":
                raise FloatingPointError("diverged")
            return NANS[how]
        return weight

    return run


@pytest.mark.parametrize("how", ["raises", *NANS])
def test_a_failed_run_is_kept_and_counts_as_rejected(how):
    asked = []

    def accept(result):
        asked.append(result)
        return True

    search = bisect_lambda(broken_above(0.02, how=how), accept, low=1e-4, high=1, budget=8)
    assert search.bracket[0] <= 0.02 <= search.bracket[1] and search.best == search.bracket[0]
    failed = [done for done in search.history if done.failed]
    assert failed and all(done.weight > 0.02 and done.accepted is False for done in failed)
    assert all(isinstance(result, float) for result in asked), "what failed is not asked about"
    said = "FloatingPointError: diverged" if how == "raises" else "the result holds NaN"
    assert all(done.error == said for done in failed)
    assert "counted as rejected: λ = 1 (" + said in search.words


def test_infinity_is_an_answer_like_another():
    search = bisect_lambda(lambda w: math.inf if w < 0.01 else 1.0, lambda r: r < 5, low=1e-4, high=1, budget=6)
    assert search.bracket[0] <= 0.01 <= search.bracket[1] and not any(done.failed for done in search.history)


def test_where_all_fails_three_runs_are_enough_to_say_so():
    def run(weight):
        raise RuntimeError("no such device")

    search = bisect_lambda(run, bool, low=1e-4, high=1, budget=50)
    assert len(search.history) == 3 and search.bracket is None
    assert "λ = 0.0001 gave RuntimeError: no such device" in search.words


def test_an_interrupt_is_no_failed_run(tmp_path):
    file = tmp_path / "runs.json"

    def run(weight):
        if weight == 1:
            raise KeyboardInterrupt
        return weight

    with pytest.raises(KeyboardInterrupt):
        bisect_lambda(run, above(0.1), low=1e-4, high=1, budget=8, file=file)
    assert [done.weight for done in read_runs(file)] == [1e-4]


# ---------------------------------------------------------------- resumed


def test_a_search_goes_on_where_another_ended_and_runs_nothing_twice():
    whole, _ = searched(above(0.03), budget=9)
    half, _ = searched(above(0.03), budget=5)
    rest, ran = searched(above(0.03), budget=9, history=half.history)
    assert rest == whole and len(ran) == 4
    again, ran = searched(above(0.03), budget=9, history=rest.history)
    assert again == whole and ran == []


def test_a_file_holds_every_run_as_soon_as_it_is_made(tmp_path):
    file = tmp_path / "deep" / "runs.json"
    seen = []

    def run(weight):
        seen.append([done.weight for done in read_runs(file)])
        return {"probe": weight}

    def accept(result):
        assert result in [done.result for done in read_runs(file)], "kept before it is judged"
        return result["probe"] > 0.03

    first = bisect_lambda(run, accept, low=1e-4, high=1, budget=4, file=file)
    assert seen == [weights(first)[:count] for count in range(4)]
    seen.clear()
    second = bisect_lambda(run, accept, low=1e-4, high=1, budget=7, file=file)
    assert len(seen) == 3 and second.history[:4] == first.history
    assert [done.accepted for done in read_runs(file)] == [done.accepted for done in second.history]
    assert list(file.parent.iterdir()) == [file], "no half-written file is left"
    assert json.loads(file.read_text(encoding="utf-8"))["runs"][0] == {
        "lambda": 1e-4, "result": {"probe": 1e-4}, "accepted": False, "error": "",
    }  # fmt: skip


def test_a_failed_run_is_not_repeated_from_a_file_unless_it_is_taken_out(tmp_path):
    file = tmp_path / "runs.json"
    first = bisect_lambda(broken_above(0.5, how="nan"), below(0.2), low=1e-4, high=1, budget=3, file=file)
    assert first.history[1].failed
    again = bisect_lambda(broken_above(9, how="nan"), below(0.2), low=1e-4, high=1, budget=3, file=file)
    assert repr(again) == repr(first)  # NaN is not equal to itself
    kept = [done for done in first.history if not done.failed]
    second, ran = searched(below(0.2), budget=3, history=kept)
    assert 1.0 in ran and not any(done.failed for done in second.history)


def test_an_accept_that_raises_loses_no_run(tmp_path):
    file = tmp_path / "runs.json"
    with pytest.raises(KeyError):
        bisect_lambda(lambda w: {"probe": w}, lambda r: r["prob"] > 0.1, low=1e-4, high=1, budget=8, file=file)
    assert read_runs(file) == [LambdaRun(1e-4, {"probe": 1e-4})]


def test_kept_runs_answer_another_question():
    first, _ = searched(above(0.03), budget=8)
    other, ran = searched(above(0.0002), budget=8, history=first.history)
    assert not set(ran) & set(weights(first))
    assert other.bracket[0] <= 0.0002 <= other.bracket[1]
    assert other.history[: len(first.history)] != first.history, "judged anew"


def test_runs_at_any_place_narrow_the_bracket_and_those_outside_the_ends_are_left_alone():
    known = [LambdaRun(0.02, 0.02), LambdaRun(0.05, 0.05), LambdaRun(50.0, 50.0)]
    search, ran = searched(above(0.03), budget=3, history=known)
    assert ran == pytest.approx([math.sqrt(0.02 * 0.05)]), "two of three were there; the ends need no run"
    assert 0.02 <= search.bracket[0] <= 0.03 <= search.bracket[1] <= 0.05
    assert len(search.history) == 4 and "3 runs" in search.words


def test_a_file_and_a_history_of_the_same_runs_count_each_once(tmp_path):
    file = tmp_path / "runs.json"
    first, _ = searched(above(0.03), budget=4, file=file)
    second, ran = searched(above(0.03), budget=8, file=file, history=first.history)
    whole, _ = searched(above(0.03), budget=8)
    assert second == whole and len(ran) == 4
    assert weights(second) == [done.weight for done in read_runs(file)]


def test_a_failed_run_in_file_and_history_counts_once(tmp_path):
    file = tmp_path / "runs.json"
    first = bisect_lambda(broken_above(0.5, how="nan"), below(0.2), low=1e-4, high=1, budget=3, file=file)
    again = bisect_lambda(float, below(0.2), low=1e-4, high=1, budget=3, file=file, history=first.history)
    assert repr(again) == repr(first)


@pytest.mark.parametrize("result", [np.array([1.0]), Read(1.0)], ids=repr)
def test_a_run_that_is_in_a_history_twice_counts_once_whatever_it_gave(result):
    first = bisect_lambda(lambda w: result, lambda _: True, low=1e-4, high=1, budget=2)
    again = bisect_lambda(lambda w: result, lambda _: True, low=1e-4, high=1, budget=2, history=2 * first.history)
    assert len(again.history) == 2


def test_runs_of_one_lambda_that_gave_other_results_are_two():
    known = [LambdaRun(0.01, 0.01), LambdaRun(0.01, 0.011)]
    search, ran = searched(above(0.03), budget=4, history=known)
    assert len(search.history) == 4 and len(ran) == 2


@pytest.mark.parametrize(
    ("gives", "accept"),
    [
        (lambda w: (w, "probe"), lambda result: isinstance(result, list) and result[0] > 0.03),
        (lambda w: {1: w}, lambda result: result["1"] > 0.03),
    ],
    ids=["tuple", "integer keys"],
)
def test_with_a_file_accept_sees_from_the_start_what_it_will_see_again(tmp_path, gives, accept):
    file = tmp_path / "runs.json"
    first = bisect_lambda(gives, accept, low=1e-4, high=1, budget=6, file=file)
    assert first.bracket[0] <= 0.03 <= first.bracket[1]
    again = bisect_lambda(gives, accept, low=1e-4, high=1, budget=6, file=file)
    assert again == first
    without = bisect_lambda(gives, lambda _: True, low=1e-4, high=1, budget=2)
    moved = bisect_lambda(gives, accept, low=1e-4, high=1, budget=2, file=tmp_path / "other", history=without.history)
    assert moved.best == 1.0, "so are those of a history"


# ---------------------------------------------------------------- answers out of order


def test_answers_that_change_sides_more_than_once_are_noticed():
    def accept(weight):
        return weight > 0.1 or 0.0005 < weight < 0.002

    known = [LambdaRun(weight, weight) for weight in (1e-4, 0.001, 0.01, 1.0)]
    search, _ = searched(accept, budget=9, history=known)
    assert search.bracket[0] <= 0.1 <= search.bracket[1], "the edge next to the accepted end"
    assert (0.001, 0.01) in search.out_of_order
    assert all(accepted < rejected for accepted, rejected in search.out_of_order)
    assert "change sides more than once: λ = 0.001 was accepted though" in search.words


def test_and_the_other_way_round():
    known = [LambdaRun(weight, weight) for weight in (1e-4, 0.001, 0.01, 1.0)]
    search, _ = searched(lambda w: w < 5e-4 or 0.005 < w < 0.05, budget=8, history=known)
    assert search.best == search.bracket[0] < 5e-4 <= search.bracket[1]
    assert (0.01, 0.001) in search.out_of_order


def test_checks_look_where_a_bisection_does_not_and_find_what_it_would_miss():
    def accept(weight):
        return weight > 0.0004 and not 0.05 < weight < 0.5

    blind, _ = searched(accept, budget=10)
    assert blind.out_of_order == () and blind.bracket[1] < 0.001
    search, ran = searched(accept, budget=10, checks=3)
    assert len(ran) == 10
    assert search.out_of_order and search.best > 0.5
    honest, ran = searched(above(0.0004), budget=10, checks=3)
    assert honest.out_of_order == () and honest.bracket[0] <= 0.0004 <= honest.bracket[1] and len(ran) == 10


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"low": 0}, "low must be a finite number above 0, got 0"),
        ({"high": math.inf}, "high must be a finite number above 0, got inf"),
        ({"low": 2.0}, "low must be below high, got low=2 and high=1"),
        ({"budget": 1}, "budget must be an integer of at least 2, got 1"),
        ({"budget": 2.5}, "budget must be an integer of at least 2, got 2.5"),
        ({"checks": -1}, "checks must be an integer of at least 0, got -1"),
        ({"checks": 7}, "checks must leave two runs of the budget for the ends, got 7 of 8"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_anything_runs(given, message):
    def run(weight):
        raise AssertionError("nothing may run")

    with pytest.raises(ValueError, match=message):
        bisect_lambda(run, bool, **{"low": 1e-4, "high": 1.0, "budget": 8, **given})


def test_an_accept_without_a_truth_value_is_told():
    with pytest.raises(TypeError, match=r"accept must give True or False, got None for the result at λ = 0.0001"):
        searched(lambda weight: None)


def test_a_result_that_json_cannot_hold_is_told(tmp_path):
    with pytest.raises(TypeError, match="run must give what JSON holds when a file is kept, got Tensor"):
        bisect_lambda(torch.tensor, bool, low=1e-4, high=1, budget=3, file=tmp_path / "runs.json")


def test_two_answers_at_one_lambda_are_told():
    known = [LambdaRun(0.1, 0.2), LambdaRun(0.1, 0.01), LambdaRun(50.0, 0.2), LambdaRun(50.0, 0.01)]
    with pytest.raises(ValueError, match=r"history and file must give one answer at each λ, got λ = 0.1 both accepted"):
        searched(above(0.03), history=known)
    searched(above(0.03), history=known[2:])  # those outside are left alone


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "file must hold the runs of a search as JSON, got .*: Expecting"),
        ("", "file must hold the runs of a search as JSON"),
        ("[]", r'file must hold \{"runs": \[...\]\} as bisect_lambda writes it, got other JSON in'),
        ('{"weights": []}', r'file must hold \{"runs": '),
        ('{"runs": {}}', r'file must hold \{"runs": '),
        ('{"runs": [3]}', "run 0 in .* must hold lambda, result, accepted, error: lambda, result"),
        ('{"runs": [{"lambda": 1, "result": 2, "accepted": null}]}', "run 0 in .*: error missing"),
        ('{"runs": [{"lambda": "1", "result": 2, "accepted": null, "error": ""}]}', "lambda of run 0 in .* got '1'"),
    ],
)  # fmt: skip
def test_a_file_of_something_else_is_told(tmp_path, content, message):
    file = tmp_path / "runs.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        searched(above(0.03), file=file)
    assert file.read_text(encoding="utf-8") == content


def test_a_history_of_something_else_is_told():
    with pytest.raises(TypeError, match="history must hold LambdaRun, got float: give a search's history"):
        searched(above(0.03), history=[0.1, 0.2])


# ---------------------------------------------------------------- broken searches are caught


def violated(tmp_path):
    """The laws that a search breaks. A broken one must break them by what it finds, not by an error of its own."""
    file = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"

    def brackets(search):
        return search.bracket is not None and search.bracket[0] <= 0.03 <= search.bracket[1]

    def halved(search):
        return brackets(search) and math.isclose(search.bracket[1] / search.bracket[0], 1e4 ** (1 / 64))

    def above_failures(how):
        try:
            return bisect_lambda(broken_above(0.02, how=how), lambda _: True, low=1e-4, high=1, budget=8)
        except FloatingPointError:  # the run's own
            return None

    def refused(**given):
        try:
            searched(above(0.03), **given)
        except ValueError:
            return True
        return False

    smallest, ran = searched(above(0.03))
    largest, _ = searched(below(0.03))
    raised, gave_nan = above_failures("raises"), above_failures("nan")
    bisect_lambda(float, above(0.03), low=1e-4, high=1, budget=4, file=file)
    once = bisect_lambda(float, above(0.03), low=1e-4, high=1, budget=4, file=file, history=smallest.history[:4])
    known = [LambdaRun(weight, weight) for weight in (1e-4, 0.001, 0.01, 1.0)]
    outside, _ = searched(above(0.03), history=[LambdaRun(50.0, 0.0)])
    laws = {
        "the edge is bracketed": brackets(smallest) and brackets(largest),
        "by halves in decades": halved(smallest),
        "the best is accepted": None not in (smallest.best, largest.best) and smallest.best >= 0.03 >= largest.best,
        "the budget is spent": len(ran) == 8,
        "nothing runs twice": searched(above(0.03), history=smallest.history)[1] == [],
        "NaN is a failure": any(done.failed for done in gave_nan.history),
        "an error is caught": raised is not None and raised.best is not None and raised.best <= 0.02,
        "a file is kept": len(read_runs(file)) == 4,
        "disorder is noticed": searched(lambda w: w > 0.1 or w == 0.001, history=known)[0].out_of_order != (),
        "those outside are left alone": brackets(outside) and len(outside.history) == 9,
        "an island is told from a plain in three runs": len(searched(lambda _: True)[1]) == 3,
        "two answers are refused": refused(history=[LambdaRun(0.1, 0.2), LambdaRun(0.1, 0.01)]),
        "once is once": len(once.history) == 4,
    }
    return {law for law, obeyed in laws.items() if not obeyed}


def test_the_library_s_search_obeys_every_law(tmp_path):
    assert violated(tmp_path) == set()


def arithmetic(runs, **ends):
    middle = WHOLE_NEXT(runs, **ends)
    bracket = lambda_search.bracket_of(runs)
    return middle if middle is None or bracket is None else sum(bracket) / 2


WHOLE_NEXT = lambda_search.next_weight
WHOLE_BRACKET = lambda_search.bracket_of
BROKEN = [  # what is replaced, by what, and a law that then is broken
    ("next_weight", arithmetic, "by halves in decades"),
    ("next_weight", lambda runs, **_: None if len(runs) > 3 else 0.1 / (1 + len(runs)), "the budget is spent"),
    ("bracket_of", lambda runs: (runs[0].weight, runs[1].weight) if len(runs) > 1 else None, "by halves in decades"),
    ("bracket_of", lambda runs: (found := WHOLE_BRACKET(runs)) and (found[1], found[1]), "by halves in decades"),
    ("holds_nan", lambda result: False, "NaN is a failure"),
    ("_attempt", lambda run, weight: LambdaRun(weight, run(weight)), "an error is caught"),
    ("write_runs", lambda file, runs: None, "a file is kept"),
    ("_between", lambda runs, low, high: list(runs), "those outside are left alone"),
    ("_same", lambda one, other: False, "an island is told from a plain in three runs"),
    ("sorted", lambda given, **_: list(given), "the edge is bracketed"),
    ("_check_answers", lambda runs: None, "two answers are refused"),
    ("kept_runs", lambda history, file: [*read_runs(file), *history] if file else list(history), "once is once"),
]


@pytest.mark.parametrize(("name", "broken", "law"), BROKEN)
def test_a_broken_search_is_caught(monkeypatch, tmp_path, name, broken, law):
    monkeypatch.setattr(lambda_search, name, broken, raising=name != "sorted")
    assert law in violated(tmp_path)
