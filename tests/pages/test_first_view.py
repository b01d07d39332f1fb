"""What a page costs before anyone touches it: bytes, hosts, and nothing heavy that is not in view."""

import gzip

import plotly.graph_objects as go
import pytest
from matplotlib.figure import Figure

from lewm_lite.figures.picture import Picture
from lewm_lite.figures.turnable import Turnable

BUDGET = 1_500_000  # bytes, compressed
PACKED = ("font/", "image/png", "image/jpeg", "image/webp", "video/")  # compressing these again gains nothing


def weight(response):
    """A response's bytes as a server that compresses would send them."""
    body = response.body()
    kind = response.headers.get("content-type", "")
    packed = kind.startswith(PACKED) or response.url.split("?")[0].endswith((".woff2", ".woff", ".png"))
    return len(body) if packed else len(gzip.compress(body, 6))


def settle(page):
    """Wait until every lab stands and nothing more is asked for."""
    page.wait_for_function("[...document.querySelectorAll('lewm-lab')].every((lab) => lab.matches('.lewm-mounted'))")
    page.wait_for_load_state("networkidle")


def test_the_first_view_is_light_and_fetches_plotly_only_if_a_figure_of_it_is_near(open_page, page_path, capsys):
    page = open_page()
    responses = []
    page.on("response", lambda response: responses.append(response))
    page.goto(f"{open_page.site}/{page_path}")
    settle(page)
    weights = {response.url: weight(response) for response in responses}
    total = sum(weights.values())
    heaviest = sorted(weights.items(), key=lambda entry: -entry[1])[:5]
    lines = [f"{size / 1e3:8.0f} kB  {url.removeprefix(open_page.site)}" for url, size in heaviest]
    with capsys.disabled():
        print(f"\n{page_path}: {total / 1e6:.2f} MB compressed in {len(weights)} files; the heaviest:")
        print("\n".join(lines))
    assert {f"{open_page.site}/{page_path}"} <= set(weights), "the page itself must be among what was weighed"
    assert total <= BUDGET, "\n".join(lines)
    near = page.evaluate(
        "[...document.querySelectorAll('.lewm-turnable')]"
        ".filter((figure) => figure.getBoundingClientRect().top < innerHeight + 300).length"
    )
    fetched = [url for url in weights if "plotly" in url and "lewm-plotly" not in url]
    assert bool(fetched) == bool(near)


@pytest.mark.parametrize("path", ["book/02_isotropic_gaussian.html", "book/08_sigreg.html"])
def test_a_figure_to_turn_stands_still_until_it_nears_the_view(open_page, path):
    """With a figure of the library's own making put far below the page's text."""
    figure = go.Figure(go.Scatter3d(x=[0, 1], y=[0, 1], z=[0, 1], mode="markers"))
    still = Figure(figsize=(2, 2))
    still.subplots().plot([0, 1])
    form = Turnable(figure, still=Picture(still, alt="Two points on the diagonal of a box."))
    below = f'<div id="below" style="padding-top: 4000px">{form._repr_mimebundle_()["text/html"]}</div></article>'

    def with_a_figure(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("</article>", below, 1))

    page = open_page()
    page.route(f"**/{path}", with_a_figure)
    fetched = []
    page.on("request", lambda request: request.url.endswith("plotly.min.js") and fetched.append(request.url))
    page.goto(f"{open_page.site}/{path}")
    settle(page)
    turnable = page.locator("#below .lewm-turnable")
    assert turnable.get_attribute("data-ready") is None and turnable.locator("svg.lewm-picture").is_visible()
    if page.locator(".lewm-turnable").count() == 1:
        assert not fetched
    turnable.scroll_into_view_if_needed()
    turnable.locator(".js-plotly-plot").wait_for()
    page.wait_for_function("document.querySelector('#below .lewm-turnable').dataset.ready === 'true'")
    assert len(fetched) == 1
    assert not turnable.locator("svg.lewm-picture").is_visible()
