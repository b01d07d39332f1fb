"""The built book in a real browser: a server, one Chromium, and pages whose every complaint fails the test.

A lab's behaviour is tested on a page of the book that holds nothing else (``open_lab``): the rest of a chapter, which
takes as long again to load, is not what such a test asks about. What labs do to a chapter, and a chapter to them, is
tested on the chapters as they are (``labs_on``, ``labs_at_rest``).

LEWM_SLOW stretches what is timed here: LEWM_SLOW=3 allows three times the milliseconds, for a machine that is busy.
"""

import importlib.util
import os
import re
import shutil
import threading
from urllib.parse import urlsplit

import pytest
from building import built
from playwright.sync_api import sync_playwright

from lewm_lite.labs.registry import LABS

PAGES = (
    "book/intro.html",
    "book/01_collapse.html",
    "book/02_isotropic_gaussian.html",
    "book/03_dimensional_collapse.html",
    "book/04_variance_is_not_enough.html",
    "book/05_teachers.html",
    "book/06_one_dimension.html",
    "book/07_cramer_wold.html",
    "book/08_sigreg.html",
    "book/09_one_knob.html",
)
SCHEMES = ("light", "dark")
SLOW = float(os.environ.get("LEWM_SLOW", "1"))
PATIENCE = 60  # seconds until something that must happen counts as not happening
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = (
    f"NO PAGE WAS TESTED: none of {', '.join(BROWSERS)} is installed. `apt-get install chromium` installs one, "
    "then run this again."
)
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
# ONNX Runtime is compiled anew for every page, and most pages take a few steps and are closed: code is made fast only
# once it has run longer than it takes to start a lab. Where steps are timed it is made so at once, as at a reader's.
UNTIMED = ["--js-flags=--wasm-tiering-budget=500000000"]


def pytest_generate_tests(metafunc):
    """Tests that ask for a page, a lab or a colour scheme by these names run once for each there is."""
    for name, values in (("page_path", PAGES), ("lab_name", tuple(LABS)), ("scheme", SCHEMES)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values)


def pytest_collection_modifyitems(items):
    """What drives a browser is marked so."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def slow():
    """The factor that every time limit is stretched by."""
    return SLOW


@pytest.fixture(scope="session")
def built_book(root):
    """The folder of the built book."""
    return built(root)


@pytest.fixture(scope="session")
def site(built_book, root):
    """The address of a server of the built book, the one that `make book` runs."""
    spec = importlib.util.spec_from_file_location("book_tools_serve", root / "book" / "_tools" / "serve.py")
    serve = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(serve)
    with serve.open_server(built_book, 0) as server:
        server.handle_error = lambda *_: None  # a page that is closed breaks off what it was fetching
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser(request):
    """One Chromium for all tests, with every host but 127.0.0.1 out of reach."""
    timed = any(item.get_closest_marker("timed") for item in request.session.items)
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(NO_BROWSER)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=SWITCHES + UNTIMED * (not timed))
        yield launched
        launched.close()


def on_another_host(url):
    """Whether this address is fetched from a machine that is not this one."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1"


def is_ours(url):
    """Whether this address is a file of the labs, and not of a package that they load."""
    return "/_static/lewm/" in url and "/vendor/" not in url


class Opener:
    """Opens pages of the book, each in a browser context of its own, and keeps what they complain of."""

    def __init__(self, browser, site):
        self.browser, self.site = browser, site
        self.contexts, self.complaints, self.expected = [], [], []
        self.requests = []  # the address of everything that was asked for, in order

    def __call__(self, path=None, *, expected=(), theme=None, **options):
        """A new page, gone to ``path`` if that is given.

        Args:
            path: from the root of the book, or a whole address.
            expected: patterns of complaints that this test provokes itself.
            theme: "light" or "dark", as a reader who pressed the theme's button has stored it.
            options: of the browser context; ``viewport``, ``color_scheme``, ``reduced_motion``, and so on.
        """
        self.expected += expected
        context = self.browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE * 1000)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(f"page error: {error.error}"))
        context.on("requestfailed", lambda sent: self.complaints.append(f"failed: {sent.url} ({sent.failure})"))
        context.on("request", self._request)
        if theme:
            stored = f"for (const key of ['mode', 'theme']) localStorage.setItem(key, '{theme}')"
            context.add_init_script(f"if (location.protocol === 'http:' && origin !== 'null') {{ {stored} }}")
        page = context.new_page()
        if path is not None:
            page.goto(path if "://" in path else f"{self.site}/{path}")
        return page

    def _console(self, message):
        if message.type == "error" or (message.type == "warning" and is_ours(message.location["url"])):
            self.complaints.append(f"console {message.type}: {message.text} ({message.location['url']})")

    def _request(self, request):
        self.requests.append(request.url)
        if on_another_host(request.url):
            self.complaints.append(f"outside request: {request.url}")

    def unexpected(self):
        """The complaints that the test did not say it would provoke."""
        for context in self.contexts:
            for page in context.pages:
                page.title()  # a round trip: what happened before it has been told
        return [said for said in self.complaints if not any(re.search(pattern, said) for pattern in self.expected)]

    def close(self):
        for context in self.contexts:
            context.close()


@pytest.fixture
def open_page(browser, site):
    """Opens pages. After the test: no console error, no failed request, nothing asked of another host."""
    opener = Opener(browser, site)
    yield opener
    unexpected = opener.unexpected()
    opener.close()
    assert not unexpected, "\n".join(unexpected)


class LabHandle:
    """A lab on an open page, by its place among the page's labs."""

    def __init__(self, page, index=0):
        self.page, self.index = page, index
        self.root = page.locator("lewm-lab").nth(index)

    @property
    def data(self):
        """The root's data attributes, named as in the page: ``std``, ``effectiveRank``, …"""
        return self.root.evaluate("lab => ({...lab.dataset})")

    @property
    def engine(self):
        return self.root.get_attribute("data-engine")

    @property
    def step(self):
        return int(self.root.get_attribute("data-step"))

    def reading(self, name):
        """A reading, by the name it has in the library."""
        return float(self.root.get_attribute(f"data-{name.replace('_', '-')}"))

    def readings(self):
        """Every reading of the lab."""
        names = [reading.name for reading in LABS[self.root.get_attribute("data-lab")].readings]
        return {name: self.reading(name) for name in names}

    def control(self, name):
        return self.root.locator(f'.lewm-side [name="{name}"]')

    def value(self, name):
        """What a control shows: text, or a truth value for a check box; of a slider over decades, not its place."""
        return self.control(name).evaluate(
            "input => input.type === 'checkbox' ? input.checked : (input.dataset.value ?? input.value)"
        )

    def press(self, name, *keys):
        """Keys on a control that has the focus."""
        self.control(name).focus()
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, button):
        self.control(button).click()

    def wait(self, condition, seconds=PATIENCE):
        """Until a JavaScript condition on ``lab`` (the root), ``data`` (its attributes) and ``step`` holds."""
        self.page.wait_for_function(
            "index => { const lab = document.querySelectorAll('lewm-lab')[index]; const data = lab.dataset; "
            f"const step = Number(data.step); return {condition}; }}",
            arg=self.index,
            timeout=seconds * 1000 * max(1, SLOW),
        )

    def mounted(self):
        """Bring the lab into view and wait for its controls, and its recording or first live moment on the canvas."""
        self.root.scroll_into_view_if_needed()
        self.wait(
            "lab.classList.contains('lewm-mounted') && data.step > '' && lab.querySelector('dd')?.textContent !== '–'"
        )
        return self

    def live(self):
        """Bring the lab into view, since one out of sight rests, and wait until it computes in the page."""
        self.root.scroll_into_view_if_needed()
        self.wait("['page', 'error'].includes(data.engine)")
        assert self.engine == "page", self.data
        return self

    def restart(self):
        """Press Reset, which also brings a lab to life, and wait for step 0, which a running lab soon leaves."""
        self.root.evaluate(
            """lab => {
                lab.restarted = new Promise((resolve, reject) => {
                    new MutationObserver(() => {
                        const { engine, step, reason } = lab.dataset;
                        if (engine === "page" && step === "0") resolve();
                        if (engine === "error" && reason !== "starting") reject(new Error(reason));
                    }).observe(lab, { attributes: true });
                });
                lab.restarted.catch(() => {});
            }"""
        )
        self.click("reset")
        self.root.evaluate("lab => lab.restarted")
        return self

    def steps(self, count):
        """Press Step ``count`` times, each when the one before is done."""
        self.root.evaluate(
            """async (lab, count) => {
                const button = lab.querySelector(".lewm-side button[name=step]");
                for (let done = 0; done < count; done++) {
                    const from = lab.dataset.step;
                    const stepped = new Promise((resolve, reject) => {
                        new MutationObserver((_, watch) => {
                            if (lab.dataset.engine === "error") reject(new Error(lab.dataset.reason));
                            if (lab.dataset.step === from) return;
                            watch.disconnect();
                            resolve();
                        }).observe(lab, { attributes: true });
                    });
                    button.click();
                    await stepped;
                }
            }""",
            count,
        )

    def swipe(self, x, y, up):
        """A finger goes up the screen from a place on it; says how far the page is scrolled afterwards."""
        touches = self.page.context.new_cdp_session(self.page)
        for part in range(9):
            kind = "touchMove" if part else "touchStart"
            point = {"x": x, "y": y - up * part / 8}
            touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
            self.rest(2)
        touches.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        self.rest(20)
        return self.page.evaluate("scrollY")

    def rest(self, frames=30):
        """Let so many pictures pass, and say the step after them."""
        return self.root.evaluate(
            """async (lab, frames) => {
                const next = () => new Promise((resolve) => requestAnimationFrame(resolve));
                for (let seen = 0; seen < frames; seen++) await next();
                return Number(lab.dataset.step);
            }""",
            frames,
        )

    def in_theme(self, scheme):
        """Show the page in a theme, as its button does, and wait until pictures and colours have changed."""
        self.page.evaluate("scheme => void (document.documentElement.dataset.theme = scheme)", scheme)
        self.rest(20)

    def picture(self):
        """The canvas as a data address: equal pictures, equal text."""
        return self.root.evaluate("lab => lab.querySelector('canvas').toDataURL()")

    def painted(self):
        """How many pixels of the canvas are not empty."""
        return self.root.evaluate(
            """lab => {
                const canvas = lab.querySelector("canvas");
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return data.filter((value, i) => i % 4 === 3 && value > 0).length;
            }"""
        )


@pytest.fixture(scope="session")
def placements(built_book):
    """For each page of the built book that holds labs, their names in order."""
    pages = {}
    for path in sorted((built_book / "book").glob("*.html")):
        names = re.findall(r'<lewm-lab\b[^>]*\bdata-lab="(\w+)"', path.read_text(encoding="utf-8"))
        if names:
            pages[f"book/{path.name}"] = names
    return pages


def alone(chapter, forms):
    """A chapter's page with these forms in its text's place, and without the script of its formulas.

    Its headings stay, below the labs: the theme's script looks for each that the table of contents names.
    """
    quick = re.sub(r"<script[^>]*/tex-chtml\.js[^>]*></script>", "", chapter)
    head, opening, rest = quick.partition('<article class="bd-article">')
    text, closing, foot = rest.partition("</article>")
    headings = re.findall(r"<section\b[^>]*>|<h[1-6]\b.*?</h[1-6]>|</section>", text, re.DOTALL)
    room = '<div style="height: 100vh"></div>'  # a finger can scroll the page
    return "".join([head, opening, forms, room, *headings, closing, foot])


@pytest.fixture
def open_copies(open_page, placements, built_book):
    """Opens a page with a lab so many times on it and nothing else, the first page of the book to hold it emptied."""

    def opener(name, copies, *, address="", mounted=True, lost=None, **options):
        pages = [path for path in PAGES if name in placements.get(path, ())]
        assert pages, f"no page of the book holds the lab {name}: labs stand on {placements}"
        chapter = (built_book / pages[0]).read_text(encoding="utf-8")
        form = re.search(rf'<lewm-lab\b[^>]*data-lab="{name}".*?</lewm-lab>', chapter, re.DOTALL)[0]
        page = open_page(**options)
        if lost:
            page.route(f"**/{lost}", lambda route: route.abort())
        emptied = alone(chapter, form * copies)
        page.route(f"**/{pages[0]}", lambda route: route.fulfill(body=emptied, content_type="text/html; charset=utf-8"))
        page.goto(f"{open_page.site}/{pages[0]}" + (f"#{address}" if address else ""))
        labs = [LabHandle(page, place) for place in range(copies)]
        return [lab.mounted() for lab in labs] if mounted else labs

    return opener


@pytest.fixture
def open_lab(open_copies):
    """Opens a lab by its name, alone on a page, with ``address`` after the page's #."""
    return lambda name, **options: open_copies(name, 1, **options)[0]


@pytest.fixture
def labs_on(open_page, placements):
    """Opens a page and returns all its labs."""

    def opener(path, *, mounted=True, **options):
        assert path in placements, f"{path} must hold at least one lab; labs stand on {placements}"
        page = open_page(path, **options)
        labs = [LabHandle(page, index) for index in range(len(placements[path]))]
        return [lab.mounted() for lab in labs] if mounted else labs

    return opener


@pytest.fixture(scope="session")
def resting():
    """The page that ``labs_at_rest`` looked at last, by its path, with what it complains of and its labs."""
    kept = {}
    yield kept
    for opener, _ in kept.values():
        opener.close()


@pytest.fixture
def labs_at_rest(browser, site, placements, page_path, resting):
    """The labs of a page that no test touches, opened once for all tests that only look; its requests beside them."""
    if page_path not in resting:
        for opener, _ in resting.values():
            opener.close()
        resting.clear()
        opener = Opener(browser, site)
        page = opener(page_path, theme="light", reduced_motion="reduce")
        labs = [LabHandle(page, index).mounted() for index in range(len(placements[page_path]))]
        resting[page_path] = opener, labs
    opener, labs = resting[page_path]
    yield labs
    assert not opener.unexpected(), "\n".join(opener.unexpected())
    assert {lab.engine for lab in labs} == {"recorded"}, "a test touched a lab that others look at"
