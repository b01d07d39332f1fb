"""The picture of the tournament says in words what it shows, of both questions."""

import re

STILL = {"reduced_motion": "reduce"}
SMALL = {"num_samples": 32, "num_directions": 4}


def words(lab):
    return lab.root.locator("canvas").get_attribute("aria-label")


def at(**values):
    return "&".join(f"test_tournament.{name}={value}" for name, value in {**SMALL, **values}.items())


def test_each_tile_says_its_readings_and_which_question_is_asked(open_lab):
    lab = open_lab("test_tournament", address=at(cloud="small", against="any"), **STILL).live()
    lab.steps(3)
    said = words(lab)
    assert said.startswith("Six tests after 4 repeats. Lilliefors: ")
    for name in ("Cramér–von Mises, any", "Anderson–Darling, any", "Shapiro–Wilk", "Jarque–Bera", "Epps–Pulley, any"):
        assert f"{name}: sick cloud seen in" in said
    seen, distance = re.search(r"Jarque–Bera: sick cloud seen in (\d+) %, its own cloud ([\d.]+) from", said).groups()
    assert int(seen) == round(100 * lab.reading("moments_power"))
    assert distance == f"{lab.reading('moments_distance'):.2f}"


def test_a_loss_that_arrives_says_so_and_one_that_does_not_is_silent(open_lab):
    lab = open_lab("test_tournament", address=at(cloud="far"), **STILL).live()
    assert "arrived" not in words(lab)
    lab.steps(60)
    healthy = float(re.search(r"A healthy cloud is ([\d.]+) from", words(lab))[1])
    for title, slot in (("four moments", "moments"), ("Epps–Pulley", "epps_pulley")):
        told = re.search(rf"{title}: [^.]*?\d\.\d+ from N\(0, I\)(, arrived)?", words(lab))
        distance = lab.reading(f"{slot}_distance")
        assert abs(distance - healthy) > 0.02  # far from where rounding would decide
        assert (told[1] is not None) is (distance <= healthy)
    assert lab.reading("moments_distance") < healthy < lab.reading("epps_pulley_distance")
