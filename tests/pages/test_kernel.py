"""The labs in JupyterLab, with a kernel: the same view, and the reader's own Python as its engine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

CELLS = (
    "from lewm_lite import labs, sigreg\nlabs.CloudFlow()",
    "labs.CloudFlow(score=lambda points, directions: 0 * sigreg(points, directions))",
    "def broken(points, directions):\n    raise ValueError('a mistake of my own')\n\nlabs.CloudFlow(score=broken)",
    "labs.CollapseArena(batch_size=32, num_directions=4)",
    "labs.DeadDimensions(score=lambda cloud, directions: cloud.square().mean(), num_samples=32)",
    "labs.FoolTheVariance()",
    "labs.OneShadow(statistic=lambda shadows: shadows.var(0), start='line', sweep=False)",
    "labs.Forger(score=lambda cloud, directions: 0 * sigreg(cloud, directions), start='bullseye')",
    "labs.LambdaBisection(score=lambda embeddings, directions: 0 * sigreg(embeddings, directions))",
    "labs.TestTournament(statistic=lambda shadows: 1 + 0 * shadows.mean(-2), num_samples=32, num_directions=2)",
)
PATIENCE_MS = 120_000  # a kernel that is busy answers late, and must be waited for


@pytest.fixture(scope="module")
def notebook_page(browser, tmp_path_factory):
    """A page of JupyterLab in which a notebook of labs has been run."""
    folder = tmp_path_factory.mktemp("jupyter")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "labs.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=", "--allow-root", "--LabApp.news_url="]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "JUPYTER_CONFIG_DIR": str(folder / "config")}
    command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/api")
            context = browser.new_context(viewport={"width": 1200, "height": 1500})
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{port}/lab/tree/labs.ipynb")
            page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
            page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()  # before it, nothing would run
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            page.wait_for_function("document.querySelectorAll('.lewm-lab').length === " + str(len(CELLS)))
            yield page
            context.close()
        finally:
            server.terminate()
            server.wait(30)


def wait_for(address: str, *, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def when(page, lab: int, condition: str) -> None:
    """Wait until ``condition`` holds of the data of the lab with that number."""
    page.locator(".lewm-lab").nth(lab).scroll_into_view_if_needed()
    page.wait_for_function(f"(({{ dataset }}) => {condition})(document.querySelectorAll('.lewm-lab')[{lab}])")


def test_the_kernel_computes_the_steps_and_the_keyboard_reaches_the_lab(notebook_page):
    when(notebook_page, 0, "dataset.engine === 'kernel' && Number(dataset.std) > 0.5")
    weight = notebook_page.locator(".lewm-lab").nth(0).locator("input[name=lambda]")
    weight.press("Home")
    when(notebook_page, 0, "Number(dataset.std) < 0.1")
    weight.press("PageUp")
    when(notebook_page, 0, "Number(dataset.std) > 0.5")
    assert weight.input_value() == "0.1"


def test_the_lab_follows_the_readers_own_score(notebook_page):
    when(notebook_page, 1, "dataset.engine === 'kernel' && Number(dataset.step) > 10")
    lab = notebook_page.locator(".lewm-lab").nth(1)
    assert float(lab.get_attribute("data-sigreg")) == 0
    assert float(lab.get_attribute("data-std")) < 0.01  # nothing holds against the pull
    assert float(lab.get_attribute("data-held-out")) > 100


def test_a_mistake_in_the_readers_code_comes_back_in_words(notebook_page):
    when(notebook_page, 2, "dataset.engine === 'error'")
    lab = notebook_page.locator(".lewm-lab").nth(2)
    assert lab.get_attribute("data-reason") == "ValueError: a mistake of my own"
    assert "a mistake of my own" in lab.locator(".lewm-status").first.inner_text()


def test_the_kernel_trains_the_arena_also_in_another_dimension(notebook_page):
    when(notebook_page, 3, "dataset.engine === 'kernel' && Number(dataset.step) > 20")
    lab = notebook_page.locator(".lewm-lab").nth(3)
    assert float(lab.get_attribute("data-none-std")) < float(lab.get_attribute("data-sigreg-std"))
    lab.locator("select[name=dim]").select_option("2")
    when(notebook_page, 3, "Number(dataset.step) > 5 && Number(dataset.noneEffectiveRank) <= 2")
    assert "error" not in lab.get_attribute("data-engine")


def test_dead_dimensions_are_judged_by_the_readers_own_score(notebook_page):
    when(notebook_page, 4, "dataset.engine === 'kernel' && Number(dataset.step) > 20")
    lab = notebook_page.locator(".lewm-lab").nth(4)
    assert 0 < float(lab.get_attribute("data-sigreg")) < float(lab.get_attribute("data-null-sigreg")) < 1


def test_the_judges_watch_in_the_kernel_as_well(notebook_page):
    when(notebook_page, 5, "dataset.engine === 'kernel' && Number(dataset.step) > 3")
    assert notebook_page.locator(".lewm-lab").nth(5).get_attribute("data-content") == "2"


def test_one_shadow_is_judged_by_the_readers_own_statistic_and_stands_where_it_is_turned(notebook_page):
    when(notebook_page, 6, "dataset.engine === 'kernel' && Number(dataset.step) > 3")
    lab = notebook_page.locator(".lewm-lab").nth(6)
    assert float(lab.get_attribute("data-statistic")) == pytest.approx(
        float(lab.get_attribute("data-std")) ** 2, rel=0.01
    )
    lab.locator("canvas").first.click(position={"x": 40, "y": 40})  # across the line
    when(notebook_page, 6, "Number(dataset.statistic) < 0.1")


def test_the_forger_is_judged_by_the_readers_own_score_and_fresh_eyes_by_the_librarys(notebook_page):
    when(notebook_page, 7, "dataset.engine === 'kernel' && Number(dataset.step) > 3")
    lab = notebook_page.locator(".lewm-lab").nth(7)
    assert float(lab.get_attribute("data-judged")) == 0 and lab.get_attribute("data-content") == "1"
    assert float(lab.get_attribute("data-record")) == float(lab.get_attribute("data-unmasked")) > 5


def test_a_run_of_the_bisection_is_trained_by_the_readers_own_score(notebook_page):
    place = next(place for place, source in enumerate(CELLS) if "LambdaBisection" in source)
    when(notebook_page, place, "dataset.engine === 'kernel' && Number(dataset.step) > 30")
    lab = notebook_page.locator(".lewm-lab").nth(place)
    assert float(lab.get_attribute("data-std")) < 0.03, "a score of 0 keeps no encoder from collapse"
    lab.locator("button[name=run]").click()
    when(notebook_page, place, "dataset.playing === 'true'")
    assert lab.get_attribute("data-runs-left") == "8"


def test_the_readers_own_test_plays_in_the_tournament(notebook_page):
    place = next(place for place, source in enumerate(CELLS) if "TestTournament" in source)
    when(notebook_page, place, "dataset.engine === 'kernel' && Number(dataset.step) > 3")
    lab = notebook_page.locator(".lewm-lab").nth(place)
    assert float(lab.get_attribute("data-epps-pulley-carried")) == 0, "a test that says 1 of everything pushes nothing"
    assert float(lab.get_attribute("data-moments-carried")) > 0
