"""The picture of dead dimensions says in words what it shows, also at the ends of its sliders."""

import re

STILL = {"reduced_motion": "reduce"}


def words(lab):
    return lab.root.locator("canvas").get_attribute("aria-label")


def at(**values):
    return "&".join(f"dead_dimensions.{name}={value}" for name, value in values.items())


def test_the_picture_counts_the_dead_the_repeats_and_those_seen(open_lab):
    lab = open_lab("dead_dimensions", address=at(dim=24, dead=10, num_samples=64, num_directions=16), **STILL).live()
    lab.steps(25)
    assert words(lab).startswith("10 of 24 dimensions are dead, 14 live.")
    seen, repeats, share = map(int, re.search(r"in (\d+) of (\d+) repeats \((\d+) %\)", words(lab)).groups())
    assert repeats == 26
    assert seen / repeats == round(lab.reading("power") * repeats) / repeats
    assert share == round(100 * lab.reading("power"))
    assert f"SIGReg is {lab.reading('sigreg'):.2f} on average" in words(lab)


def test_more_dead_than_there_are_count_as_all_and_the_words_say_so(open_lab):
    lab = open_lab("dead_dimensions", address=at(dim=5, dead=255, num_samples=32, num_directions=2), **STILL).live()
    assert words(lab).startswith("5 of 5 dimensions are dead (255 asked for), 0 live.")
    assert "in 1 of 1 repeat: too few to say" in words(lab)


def test_more_false_alarms_move_the_line_and_keep_the_repeats(open_lab):
    lab = open_lab("dead_dimensions", address=at(dim=16, dead=2, num_samples=64, num_directions=8), **STILL).live()
    lab.steps(30)
    before = lab.reading("line")
    lab.press("false_alarms", "End")
    lab.steps(1)
    assert lab.step == 31
    assert lab.reading("line") < before
    assert "the line that 80 % of the healthy scores lie below" in words(lab)
