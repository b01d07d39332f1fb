"""A collapse is told in words, once, and early; a healthy training is not warned about."""

from __future__ import annotations

from lewm_lite.training.history import History, Look


def told(*clouds, sigreg_weight=0.1):
    history, warnings = History(), []
    for place, (std, rank) in enumerate(clouds):
        look = Look(10 * (place + 1), 0.001, std, rank, "dimensional", "as usual")
        history.looks.append(look)
        warnings.append(history.warning_of(look, sigreg_weight=sigreg_weight))
    return warnings


def test_a_healthy_training_is_not_warned_about():
    assert told((0.7, 9.0), (0.8, 20.0), (0.95, 40.0)) == ["", "", ""]


def test_a_point_is_told_once_while_it_lasts_and_again_when_it_comes_again():
    warnings = told((0.9, 9.0), (0.1, 9.0), (0.05, 9.0), (0.9, 9.0), (0.1, 9.0))
    assert [bool(words) for words in warnings] == [False, True, False, False, True]
    assert warnings[1].startswith("step 20: the embeddings collapse to a point, their standard deviation is 0.1 where")
    assert "a larger sigreg_weight than 0.1" in warnings[1]


def test_a_line_is_told_too_and_without_sigreg_the_reason_is_plain():
    (words,) = told((0.9, 1.3), sigreg_weight=0)
    assert "collapse to a line, their effective rank is 1.3" in words
    assert "sigreg_weight is 0, so nothing works against it" in words
