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
)
PATIENCE_MS = 120_000  # a kernel that is busy answers late, and must be waited for


@pytest.fixture(scope="module")
def notebook_page(browser, tmp_path_factory):
    """A page of JupyterLab in which a notebook with three labs has been run."""
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
            page.wait_for_function("document.querySelectorAll('.lewm-lab').length === 3")
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
