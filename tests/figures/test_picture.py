"""A picture says what it shows, takes the page's colours, and is the same bytes each time."""

import base64
import io
import re
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest

from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import COLOURS, theme

ALT = 'Two curves, "healthy" & <collapsed>, part at step 100.'
SVG = "{http://www.w3.org/2000/svg}"


def figure():
    from matplotlib.figure import Figure

    with theme() as colours:
        made = Figure(figsize=(4, 3))
        axes = made.subplots()
        axes.plot([0, 1, 2], [0, 1, 4], color=colours["healthy"])
        axes.plot([0, 1, 2], [0, 0.1, 0], color=colours["collapsed"])
        axes.fill_between([0, 1, 2], [0, 1, 4], color=colours["goal"], alpha=0.3)
        axes.set(xlabel="step", ylabel="standard deviation", title="λ = 0.001, π ≈ 3.14159 at 0.125")
        axes.text(2, 4, "healthy", color=colours["healthy"])
    return made


@pytest.fixture(scope="module")
def picture():
    return Picture(figure(), alt=ALT)


@pytest.fixture(scope="module")
def svg(picture):
    return picture.svg()


# Alternative text


@pytest.mark.parametrize("alt", ["", "   ", "a picture", "one two three four"])
def test_a_picture_without_a_sentence_of_alternative_text_is_refused(alt):
    with pytest.raises(ValueError, match="alt must say in a sentence what the picture shows, got") as error:
        Picture(figure(), alt=alt)
    assert repr(alt) in str(error.value)


def test_alternative_text_cannot_be_left_out():
    with pytest.raises(TypeError, match="alt"):
        Picture(figure())


def test_the_drawing_is_an_image_with_its_text_as_label(svg):
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == ALT
    assert root.get("class") == "lewm-picture"


def test_the_repr_says_the_alternative_text_and_no_address(picture):
    assert repr(picture) == f"Picture: {ALT}"


# The SVG in a page


def test_the_drawing_brings_no_style_sheet_script_date_or_header(svg):
    for unwanted in (
        "<style",
        "<script",
        "<metadata",
        "<?xml",
        "<!DOCTYPE",
        "date",
        "Matplotlib",
        "20:",
        "http://purl",
    ):
        assert unwanted not in svg


def test_the_drawing_fits_its_column_and_keeps_its_proportions(svg):
    root = ElementTree.fromstring(svg)
    assert root.get("width") is None
    assert root.get("height") is None
    assert root.get("style") == "width:100%;max-width:384px;height:auto"  # 4 inches at 96 pixels
    assert [float(number) for number in root.get("viewBox").split()] == pytest.approx([0, 0, 288, 216])


def test_every_colour_of_the_theme_is_the_page_s_variable(svg):
    for name in ("ink", "healthy", "collapsed", "goal"):
        assert f"var(--lewm-{name}, {COLOURS[name]})" in svg
    variables = re.compile(r"var\(--lewm-([a-z]+), (#[0-9a-f]{6})\)")
    assert all(COLOURS[name] == colour for name, colour in variables.findall(svg))
    left = set(re.findall(r"#[0-9a-f]{6}\b", variables.sub("", svg)))
    assert not left & set(COLOURS.values())


def test_the_page_s_style_sheet_has_every_colour_in_both_schemes(root):
    css = (root / "lewm_lite/labs/static/labs.css").read_text(encoding="utf-8")
    for name in COLOURS:
        assert len(re.findall(rf"--lewm-{name}\s*:", css)) >= 2, name


def test_the_background_is_left_to_the_page(svg):
    assert "#ffffff" not in svg
    assert "fill: white" not in svg


def test_words_stay_words_and_numbers_in_them_keep_their_digits(svg):
    words = ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert "λ = 0.001, π ≈ 3.14159 at 0.125" in words
    assert {"step", "standard deviation", "healthy"} <= set(words)


def test_coordinates_have_hundredths_and_no_more(svg):
    attributes = " ".join(re.findall(r'(?:\bd|\bx|\by|points)="([^"]*)"', svg))
    assert re.search(r"\d\.\d\d", attributes)
    assert not re.search(r"\d\.\d{3}", attributes)


def test_references_inside_a_drawing_find_their_target(svg):
    targets = set(re.findall(r'\bid="([^"]+)"', svg))
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    assert used
    assert used <= targets


def test_two_pictures_on_one_page_do_not_refer_into_each_other(svg):
    other = Picture(figure(), alt="Another picture of the same curves, told otherwise.").svg()
    used = [set(re.findall(r'(?:url\(#|href="#)([^)"]+)', drawing)) for drawing in (svg, other)]
    assert used[0]
    assert not used[0] & used[1]


# The same bytes


def test_a_picture_is_the_same_bytes_twice(picture, svg):
    png = picture.png()
    assert picture.svg() == svg
    assert picture.png() == png


def test_a_figure_drawn_anew_is_the_same_bytes(svg):
    assert Picture(figure(), alt=ALT).svg() == svg


def test_drawing_leaves_the_global_settings_alone(picture):
    before = dict(matplotlib.rcParams)
    picture.svg()
    with theme():
        pass
    assert dict(matplotlib.rcParams) == before


# The PNG and the bundle


def test_the_png_is_the_figure_on_white(picture):
    pixels = matplotlib.image.imread(io.BytesIO(picture.png()))
    assert pixels.shape[:2] == (330, 440)  # 3 by 4 inches at 110 dots
    assert np.allclose(pixels[0, 0], 1)  # white, and not transparent
    assert pixels[..., :3].min() < 0.5


def test_the_bundle_has_words_the_drawing_in_a_figure_and_the_png(picture, svg):
    bundle = picture._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/png"}
    assert bundle["text/plain"] == f"Picture: {ALT}"
    tree = ElementTree.fromstring(bundle["text/html"])
    assert tree.tag == "figure"
    assert [child.tag for child in tree] == [f"{SVG}svg"]
    assert svg in bundle["text/html"]
    assert base64.b64decode(bundle["image/png"], validate=True) == picture.png()


# The theme


def test_every_colour_has_a_meaning_of_its_own():
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in COLOURS.values())


def test_the_theme_gives_the_colours_by_meaning():
    with theme() as colours:
        assert colours == COLOURS
