"""What every lab owes its readers, and the tools that read it: state, controls, keys, words, address, manners."""

import itertools

import pytest

from lewm_lite.labs.controls import Button, Choice, LogRange, Range, Toggle
from lewm_lite.labs.lab import Lab
from lewm_lite.labs.registry import LABS

# What run.mjs does by itself, whatever the lab, is tried on three that differ in what they ask of it: a plain one, one
# whose recording ships its last state, and one with a button and with runs that end.
SEVERAL = pytest.mark.parametrize("name", ["cloud_flow", "collapse_arena", "lambda_bisection"])
ENGINE_FILES = (".onnx", ".wasm", "bank.safetensors", "worker.mjs", "/vendor/ort")
STILL = {"reduced_motion": "reduce"}


def contract(lab) -> type[Lab]:
    """The library's side of a lab on a page."""
    return LABS[lab.root.get_attribute("data-lab")]


def one_of_each(labs):
    """The first lab of each name on a page."""
    return list({lab.root.get_attribute("data-lab"): lab for lab in reversed(labs)}.values())


def another_value(control, now):
    """A valid value of a control that is not the one it has, as its input would say it."""
    match control:
        case Toggle():
            return not now
        case Choice():
            return next(str(value) for value, _ in control.options if str(value) != str(now))
        case Range():
            return f"{control.next_to(float(now)):g}"
        case Button():
            return str(int(now) + 1)


def move(lab, control):
    """Set a control to another value, as a reader with a keyboard would; returns the value that it shows then."""
    wanted = another_value(control, lab.value(control.name))
    match control:
        case Toggle():
            lab.press(control.name, "Space")
        case Choice():
            lab.control(control.name).select_option(wanted)
        case Range():
            at_its_end = control.next_to(float(lab.value(control.name))) == control.low
            lab.press(control.name, "Home" if at_its_end else "ArrowRight")
        case Button():
            lab.press(control.name, "Space")
    shown = lab.value(control.name)
    assert shown == wanted, f"{control.name} shows {shown!r}"
    return shown


# ---------------------------------------------------------------- before any touch


def test_every_lab_of_the_library_stands_on_a_page(placements):
    shown = {name for names in placements.values() for name in names}
    assert shown == set(LABS)


def test_untouched_a_lab_shows_its_recording_and_fetches_no_engine(labs_at_rest, page_path, resting):
    for lab in labs_at_rest:
        known, data = contract(lab), lab.data
        assert data["engine"] == "recorded" and data["reason"] == "not touched yet"
        assert lab.step > 0, "the recording rests on its last moment"
        assert all(reading == reading for reading in lab.readings().values())
        assert lab.painted() > 2000
        assert known.title in lab.root.get_attribute("aria-label")
        assert all(canvas.get_attribute("aria-label") for canvas in lab.root.locator("canvas").all()), (
            "a picture needs words"
        )
    opener, _ = resting[page_path]
    assert any("/lewm-labs.js" in url for url in opener.requests)
    assert not [url for url in opener.requests if any(part in url for part in ENGINE_FILES)]


@SEVERAL
def test_the_recording_plays_by_itself_and_the_live_region_does_not_chatter(open_lab, name):
    """A sentence at most once in two seconds: a screen reader would otherwise say nothing else."""
    lab = open_lab(name)
    lab.root.locator(".lewm-stage").scroll_into_view_if_needed()
    said, seconds = lab.root.evaluate(
        """async (lab) => {
            let said = 0;
            let shown = 0;
            const began = performance.now();
            new MutationObserver(() => said++).observe(lab.querySelector("[role=status]"), { childList: true });
            await new Promise((resolve, reject) => {
                setTimeout(() => reject(new Error(`the recording showed ${shown} moments`)), 30000);
                const count = () => ++shown === 12 && resolve();
                new MutationObserver(count).observe(lab, { attributes: true, attributeFilter: ["data-step"] });
            });
            return [said, (performance.now() - began) / 1000];
        }"""
    )
    assert said <= 1 + seconds / 2
    assert lab.engine == "recorded"


@SEVERAL
def test_pause_stops_the_recording_and_fetches_no_engine(open_lab, open_page, name):
    lab = open_lab(name)
    lab.root.locator(".lewm-stage").scroll_into_view_if_needed()
    lab.wait("lab.querySelector('[name=play]').textContent === 'Pause'")
    assert lab.data.get("playing") != "true", "a recording is no run"
    lab.click("play")
    paused = lab.rest(3)
    assert lab.rest(30) == paused and lab.control("play").inner_text() == "Play"
    assert lab.engine == "recorded"
    assert not [url for url in open_page.requests if any(part in url for part in ENGINE_FILES)]


def test_every_control_is_a_native_input_with_a_visible_label(labs_at_rest):
    for lab in labs_at_rest:
        start = lab.root.get_attribute("data-scene")
        values = contract(lab)(start).values
        for control in contract(lab).controls:
            kept = lab.control(control.name)
            if isinstance(control, Button):
                assert kept.evaluate("button => button.tagName") == "BUTTON" and kept.inner_text() == control.label
                assert kept.is_visible() and kept.is_enabled() and lab.value(control.name) == str(values[control.name])
                continue
            label = lab.root.locator(f"label[for='{kept.get_attribute('id')}']")
            assert label.is_visible() and label.inner_text() == control.label
            assert kept.is_visible() and kept.is_enabled()
            match control:
                case Range():
                    said = {name: kept.get_attribute(name) for name in ("type", "min", "max", "step")}
                    ends = {"min": control.place(control.low), "max": control.place(control.high)}
                    limits = {**ends, "step": control.step}
                    assert said == {"type": "range", **{name: f"{limit:g}" for name, limit in limits.items()}}
                    nearest = control.step / 2 if isinstance(control, LogRange) else 0  # it may stand between two steps
                    assert float(kept.input_value()) == pytest.approx(control.place(values[control.name]), abs=nearest)
                    assert (
                        float(lab.root.locator(f"output[for='{kept.get_attribute('id')}']").inner_text())
                        == (values[control.name])
                    )
                case Toggle():
                    assert kept.get_attribute("type") == "checkbox" and kept.is_checked() == values[control.name]
                case Choice():
                    assert kept.evaluate("menu => [...menu.options].map(({ value, text }) => [value, text])") == [
                        [str(value), words] for value, words in control.options
                    ]
                    assert kept.input_value() == str(values[control.name])
        for button in ("play", "step", "reset"):
            assert lab.control(button).evaluate("button => button.tagName") == "BUTTON"
            assert lab.control(button).inner_text().strip()


def test_ids_are_unique_among_the_labs_of_a_page(labs_at_rest):
    page = labs_at_rest[0].page
    ids = page.evaluate("[...document.querySelectorAll('.lewm-panel [id], lewm-lab')].map(({ id }) => id)")
    assert len(ids) == len(set(ids)) and all(ids)


def test_a_lab_that_comes_after_one_was_taken_away_has_ids_of_its_own(open_lab):
    lab = open_lab("cloud_flow", **STILL)
    ids = lab.root.evaluate(
        """async (lab) => {
            const added = async () => {
                const made = document.createElement("lewm-lab");
                Object.assign(made.dataset, { lab: lab.dataset.lab, scene: lab.dataset.scene });
                lab.after(made);
                while (!made.matches(".lewm-mounted")) await new Promise(requestAnimationFrame);
                return made;
            };
            const [first, second] = [await added(), await added()];
            first.remove();
            await added();
            return [...document.querySelectorAll(".lewm-panel [id], lewm-lab")].map(({ id }) => id);
        }"""
    )
    assert len(ids) == len(set(ids))


def test_tab_reaches_every_control_in_sight_and_wakes_nothing(labs_at_rest):
    for lab in one_of_each(labs_at_rest):
        wanted = {control.name for control in contract(lab).controls} | {"play", "step", "reset"}
        lab.root.evaluate("lab => { lab.tabIndex = -1; lab.focus(); }")
        reached = {}
        for _ in range(len(wanted) + 3):
            lab.page.keyboard.press("Tab")
            name, outline = lab.root.evaluate(
                """lab => {
                    const at = document.activeElement;
                    const { outlineStyle, outlineWidth } = getComputedStyle(at);
                    const outline = outlineStyle === "none" ? 0 : parseFloat(outlineWidth);
                    return [lab.contains(at) ? at.name : null, outline];
                }"""
            )
            reached[name] = outline
        assert wanted <= set(reached)
        assert all(reached[name] >= 2 for name in wanted), f"the focus must be seen: {reached}"
        assert lab.engine == "recorded"


def test_the_live_region_says_the_readings(labs_at_rest):
    for lab in labs_at_rest:
        region = lab.root.locator("[role=status]")
        assert region.count() == 1 and region.get_attribute("aria-live") == "polite" and region.is_visible()
        assert region.inner_text() == contract(lab).say(lab.step, lab.readings())
        for reading in contract(lab).readings:
            value = lab.reading(
                reading.name
            )  # six digits of it: the page may have rounded the whole to another last one
            shown = {f"{near:.{reading.decimals}f}" for near in (value * (1 - 3e-6), value, value * (1 + 3e-6))}
            assert not reading.spoken or any(number in region.inner_text() for number in shown)
            listed = lab.root.locator("dl", has_text=reading.label).locator("dd").all_inner_texts()
            assert shown & set(listed), (reading.name, shown, listed)


# ---------------------------------------------------------------- alive


def test_a_touch_brings_a_lab_to_life_where_its_recording_stands(open_lab, lab_name):
    lab = open_lab(lab_name)
    lab.wait("step > 0")
    move(lab, next(control for control in contract(lab).controls if not control.restarts))
    recorded = lab.step
    lab.live()
    assert "reason" not in lab.data
    lab.wait(f"step > {recorded + 3}")
    assert lab.data["playing"] == "true" and lab.control("play").inner_text() == "Pause"


def test_step_goes_one_step_also_when_it_is_the_first_touch(open_lab, lab_name):
    lab = open_lab(lab_name)
    lab.wait("step > 0")
    lab.root.evaluate(
        """lab => {
            window.seen = [];
            new MutationObserver(() => window.seen.push([Number(lab.dataset.step), lab.dataset.playing])).observe(lab, {
                attributes: true,
                attributeFilter: ["data-step", "data-playing"],
            });
        }"""
    )
    lab.click("step")
    lab.live()
    lab.wait("window.seen.length && Number(data.stepMs) > 0")
    seen = lab.page.evaluate("window.seen")
    assert all(playing != "true" for _, playing in seen), "Step must not set the lab running"
    standing, stepped = [step for step, _ in itertools.groupby(step for step, _ in seen)][-2:]
    assert lab.rest() == stepped == standing + 1


def test_step_pause_play_and_reset_do_what_they_say(open_lab, lab_name):
    lab = open_lab(lab_name).restart()
    lab.wait("step > 5")
    lab.click("play")
    lab.wait("data.playing === 'false'")
    rested = lab.rest(20)
    assert lab.rest(30) == rested, "Pause must stop the steps"
    assert lab.control("play").inner_text() == "Play"
    for pressed in range(1, 4):
        lab.steps(1)
        assert lab.rest(5) == rested + pressed
    assert lab.data["playing"] == "false"
    lab.click("play")
    lab.wait(f"step > {rested + 8}")
    lab.click("play")
    lab.click("reset")
    lab.wait("step === 0")
    assert lab.rest(20) == 0, "a lab that stood still stands still after Reset"


@SEVERAL
def test_play_held_down_plays(open_copies, name):
    """The press must not wake the lab, and the release pause it."""
    other, lab = open_copies(name, 2)
    lab.root.locator(".lewm-stage").scroll_into_view_if_needed()
    lab.rest(30)
    lab.root.evaluate(  # the recording plays by itself, and Pause would be what is held down
        "lab => { const { play } = Object.fromEntries([...lab.querySelectorAll('button')].map((b) => [b.name, b]));"
        " if (play.textContent === 'Pause') play.click(); }"
    )
    other.steps(1)  # the engine is there: a lab that wakes by the press is running at the release
    lab.control("play").hover()
    lab.page.mouse.down()
    lab.rest(60)
    lab.page.mouse.up()
    lab.live()
    recorded = lab.step
    lab.wait(f"data.playing === 'true' && step > {recorded}")


def test_the_same_seed_repeats_its_path_and_another_takes_another(open_lab, lab_name):
    lab = open_lab(lab_name, **STILL).restart()

    def path():
        moments = []
        for _ in range(3):
            moments.append(lab.readings())
            lab.steps(2)
        return [*moments, lab.readings()]

    first = path()
    assert len({str(moment) for moment in first}) == 4, "the path must move"
    lab.restart()
    assert path() == first
    lab.press("seed", "ArrowRight")
    lab.wait("step === 0")
    assert all(moment != at_first for moment, at_first in zip(path(), first, strict=True))
    lab.press("seed", "ArrowLeft")
    lab.wait("step === 0")
    assert path() == first


@SEVERAL
def test_a_control_moved_while_the_engine_loads_is_obeyed(open_lab, name):
    lab = open_lab(name, **STILL)
    held = []
    lab.page.route("**/*.wasm", lambda route: held.append(route))
    with lab.page.expect_request("**/*.wasm"):
        move(lab, next(control for control in contract(lab).controls if not control.restarts))
    moved = {control.name: move(lab, control) for control in contract(lab).controls if control.restarts}
    assert lab.data["reason"] == "starting"
    held[0].continue_()
    lab.live()
    lab.wait("step === 0", seconds=15)
    late = lab.readings()
    lab.restart()
    assert lab.readings() == late
    assert {name: lab.value(name) for name in moved} == moved


# ---------------------------------------------------------------- the address


def test_the_address_holds_the_state_and_brings_it_back(open_lab, open_page, lab_name):
    lab = open_lab(lab_name, **STILL)
    shown = {control.name: move(lab, control) for control in contract(lab).controls}
    lab.live()
    for name in shown:
        lab.page.wait_for_function("key => location.hash.includes(key)", arg=f"{lab_name}.{name}=")
    if any(isinstance(control, Button) for control in contract(lab).controls):
        lab.wait("data.playing === 'true'")  # a press set it going
        lab.click("play")
    lab.restart().steps(3)
    again = open_lab(lab_name, address=lab.page.url.partition("#")[2], **STILL).live()
    assert {name: again.value(name) for name in shown} == shown
    assert again.rest(10) == 0, "with reduced motion a lab goes live standing still"
    again.steps(3)
    assert again.readings() == lab.readings()


@SEVERAL
def test_two_labs_of_one_name_keep_their_states_apart(open_copies, name):
    control = next(control for control in LABS[name].controls if not control.restarts)
    first, second = open_copies(name, 2, **STILL)
    untouched = first.value(control.name)
    moved = move(second, control)
    second.live()
    second.page.wait_for_function("key => location.hash.includes(key)", arg=f".{control.name}=")
    assert first.engine == "recorded" and first.value(control.name) == untouched
    first, second = open_copies(name, 2, address=second.page.url.partition("#")[2], **STILL)
    second.live()
    assert second.value(control.name) == moved
    assert first.engine == "recorded" and first.value(control.name) == untouched


BAD = {
    Range: (
        lambda control: "abc",
        lambda control: f"{control.low - control.step:g}",
        lambda control: f"{control.high + control.step:g}",
        lambda control: f"{control.low + control.step / 2:g}",  # between two stops of the slider
        lambda control: "%20",
        lambda control: "",
        lambda control: "0x1",
        lambda control: "Infinity",
    ),
    LogRange: (
        lambda control: "abc",
        lambda control: f"{control.low / 2:g}",
        lambda control: f"{control.high * 2:g}",
        lambda control: "0",
        lambda control: "",
        lambda control: "Infinity",
    ),
    Button: (lambda control: "-1", lambda control: "1.5", lambda control: "", lambda control: "many"),
    Choice: (lambda control: "nonsense", lambda control: ""),
    Toggle: (lambda control: "2", lambda control: "true", lambda control: ""),
}


def shown_as(control, value):
    """How an input shows a value."""
    return value if isinstance(control, Toggle) else f"{value:g}" if isinstance(control, Range) else str(value)


def test_a_setting_in_the_address_that_is_no_setting_is_ignored_and_a_good_one_beside_it_taken(open_lab, lab_name):
    controls = LABS[lab_name].controls

    def bad_address(first):
        bad = [itertools.islice(itertools.cycle(BAD[type(c)]), first + i, None) for i, c in enumerate(controls)]
        return "&".join(f"{lab_name}.{c.name}={next(spoil)(c)}" for c, spoil in zip(controls, bad, strict=True))

    lab = open_lab(lab_name, address=bad_address(0), **STILL)
    untouched = contract(lab)(lab.data["scene"]).values
    for first in (0, 3, 6):
        lab.page.evaluate("address => void (location.hash = address)", bad_address(first))
        lab.rest(3)
        for control in controls:
            assert lab.value(control.name) == shown_as(control, untouched[control.name]), bad_address(first)
        assert lab.engine == "recorded" and lab.data["reason"] == "not touched yet", bad_address(first)
    good, *others = controls
    value = another_value(good, good.default)
    said = int(value) if isinstance(value, bool) else value
    bad = [f"{lab_name}.{control.name}=nonsense" for control in others]
    address = "&".join([f"{lab_name}.{good.name}={said}", "x", "=", *bad])
    lab.page.evaluate("address => void (location.hash = address)", address)
    lab.live()
    assert lab.value(good.name) == value


# ---------------------------------------------------------------- manners


def test_reduced_motion_stands_still_until_told(open_lab, lab_name):
    lab = open_lab(lab_name, **STILL)
    recorded = lab.step
    assert lab.rest(40) == recorded, "the recording must not play"
    move(lab, next(control for control in contract(lab).controls if not control.restarts))
    lab.live()
    assert lab.rest(20) == recorded, "the lab must not run by itself"
    lab.click("play")
    lab.wait(f"step > {recorded + 3}")


def test_a_lab_that_is_taken_away_listens_to_nothing_any_longer(open_lab):
    """A widget whose cell is run again would otherwise draw for ever, once for each run."""
    page = open_lab("cloud_flow", color_scheme="light", **STILL).page
    told = page.evaluate(
        """async () => {
            const { default: lab } = await import("/_static/lewm/views/cloud_flow.mjs");
            const root = document.createElement("div");
            const { lab: name, scene } = document.querySelector("[data-lab=cloud_flow]").dataset;
            Object.assign(root.dataset, { lab: name, scene });
            root.className = "lewm-lab";
            document.querySelector("article").prepend(root);
            root.scrollIntoView();
            const mounted = await lab.mount(root, new URL("/_static/lewm/", location).href);
            while (!root.dataset.step) await new Promise(requestAnimationFrame);
            window.root = root;
            window.told = [];
            new MutationObserver((changes) => told.push(...changes.map(({ attributeName }) => attributeName))).observe(
                root, { attributes: true }
            );
            window.stop = mounted.stop;
            const settle = async () => { for (let i = 0; i < 6; i++) await new Promise(requestAnimationFrame); };
            window.disturb = async () => {
                told.length = 0;
                root.dataset.step = "nothing";
                document.documentElement.dataset.disturbed = Math.random();
                await settle();
                const themed = root.dataset.step;
                root.dataset.step = "nothing";
                root.style.width = `${root.clientWidth - 40}px`;
                await settle();
                return [themed, root.dataset.step];
            };
            return await disturb();
        }"""
    )
    assert "nothing" not in told, "while it stands there it is drawn anew"
    page.evaluate("stop()")
    assert page.evaluate("disturb()") == ["nothing", "nothing"]
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.evaluate("location.hash = '#cloud_flow.lambda=0.5'")
    page.wait_for_function(  # the page's own lab hears it
        "document.querySelector('lewm-lab[data-lab=cloud_flow]').dataset.engine === 'page'"
    )
    assert page.evaluate("[root.dataset.step, root.dataset.engine]") == ["nothing", "recorded"]


def test_a_lab_that_the_page_drops_stops_and_one_that_is_moved_goes_on(open_lab):
    lab = open_lab("cloud_flow", **STILL).restart()
    lab.click("play")
    lab.wait("step > 3")
    counting = """async (lab) => {
        const from = Number(lab.dataset.step);
        for (let seen = 0; seen < 40; seen++) await new Promise(requestAnimationFrame);
        return Number(lab.dataset.step) - from;
    }"""
    lab.root.evaluate("lab => lab.parentElement.prepend(lab)")  # out of the page and in again
    assert lab.root.evaluate(counting) > 3
    dropped = lab.root.evaluate_handle("lab => { lab.remove(); return lab; }")
    lab.page.wait_for_function("lab => lab.dataset.playing === 'false'", arg=dropped)
    dropped.evaluate(counting)  # a step that was on its way may still arrive
    assert dropped.evaluate(counting) == 0


def test_a_widget_that_is_taken_away_leaves_nothing_with_its_model(open_lab):
    left = open_lab("cloud_flow", **STILL).page.evaluate(
        """async () => {
            const { default: lab } = await import("/_static/lewm/views/cloud_flow.mjs");
            const folder = "/_static/lewm/assets/cloud_flow/";
            const manifest = await (await fetch(`${folder}manifest.json`)).json();
            const [scene] = Object.keys(manifest.scenes);
            const bytes = async (name) => new DataView(await (await fetch(folder + name)).arrayBuffer());
            const held = {
                manifest,
                scene,
                values_json: JSON.stringify(manifest.scenes[scene].values),
                bank: await bytes("bank.safetensors"),
                recording: await bytes(`${scene}.safetensors`),
            };
            const heard = new Set();
            const model = {
                get: (name) => held[name],
                on: (name, callback) => heard.add(callback),
                off: (name, callback) => heard.delete(callback),
                send: () => {}, // a kernel that is busy for ever
            };
            const el = document.querySelector("article").appendChild(document.createElement("div"));
            const stop = await lab.render({ model, el });
            const before = heard.size;
            stop();
            return [before, heard.size];
        }"""
    )
    assert left == [1, 0]


CONTRAST = """lab => {
    const shade = ([r, g, b]) => {
        const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        const [x, y, z] = [r, g, b].map((c) => linear(c / 255));
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const numbers = (colour) => {
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        return [...pen.getImageData(0, 0, 1, 1).data];
    };
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = numbers(getComputedStyle(at).backgroundColor);
            if (colour[3] > 0) return colour;
        }
        return [255, 255, 255, 255];
    };
    const ratio = (colour, behind) => {
        const [light, dark] = [shade(colour), shade(behind)].sort((a, b) => b - a);
        return (light + 0.05) / (dark + 0.05);
    };
    const texts = [...lab.querySelectorAll(".lewm-panel :is(label, output, select, button, dt, dd, p)")];
    const seen = texts.filter((element) => element.getClientRects().length && element.innerText?.trim());
    const style = getComputedStyle(lab);
    const paper = numbers(style.backgroundColor);
    return {
        paper: paper.join(),
        texts: seen.map((e) => [e.innerText, ratio(numbers(getComputedStyle(e).color), ground(e))]),
        grounds: [...new Set(seen.map((e) => ground(e).join()))],
        inks: ["ink", "target"].map((name) => [name, ratio(numbers(style.getPropertyValue(`--lewm-${name}`)), paper)]),
    };
}"""


def test_every_text_of_a_lab_can_be_read(labs_at_rest, scheme):
    for lab in one_of_each(labs_at_rest):
        lab.in_theme(scheme)
        seen = lab.root.evaluate(CONTRAST)
        assert len(seen["texts"]) > len(contract(lab).controls) + 2 * len(contract(lab).readings)
        assert seen["grounds"] == [seen["paper"]], "the lab must bring its own background"
        brightness = sum(map(int, seen["paper"].split(",")[:3]))
        assert brightness > 600 if scheme == "light" else brightness < 150
        faint = [(text, ratio) for text, ratio in seen["texts"] + seen["inks"] if ratio < 4.5]
        assert not faint


def test_a_theme_that_the_reader_chose_before_is_the_lab_s(open_lab, scheme):
    lab = open_lab("cloud_flow", theme=scheme, **STILL)
    assert lab.page.evaluate("document.documentElement.dataset.theme") == scheme
    assert (sum(map(int, lab.root.evaluate(CONTRAST)["paper"].split(",")[:3])) > 600) == (scheme == "light")


def test_the_picture_follows_the_theme(labs_at_rest):
    for lab in one_of_each(labs_at_rest):
        lab.root.scroll_into_view_if_needed()
        pictures = []
        for scheme in ("light", "dark", "light"):
            lab.in_theme(scheme)
            pictures.append(lab.picture())
        assert pictures[0] == pictures[2] != pictures[1]


def test_on_a_phone_a_lab_fits_and_answers_a_finger(labs_on, page_path):
    labs = labs_on(page_path, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, **STILL)
    for lab in labs:
        wide = lab.root.evaluate(
            "lab => [lab, ...lab.querySelectorAll('*')].filter((e) => e.getClientRects().length)"
            ".map((e) => [e.tagName, e.className.baseVal ?? e.className, e.getBoundingClientRect().right])"
            ".filter(([, , right]) => right > document.documentElement.clientWidth)"
        )
        assert not wide
    lab = labs[0]
    widths = "[document.documentElement.clientWidth, document.documentElement.scrollWidth]"
    assert lab.page.evaluate(widths) == [360, 360], "nothing on the page may push it wide"
    slider = next(control for control in contract(lab).controls if isinstance(control, Range) and not control.restarts)
    kept = lab.control(slider.name)
    kept.scroll_into_view_if_needed()
    before = float(kept.input_value())
    box = kept.bounding_box()
    assert box["height"] >= 24, "a finger needs room"
    lab.page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    lab.live()
    assert float(kept.input_value()) != before  # three quarters along: no scene begins there
    lab.control("step").tap()
    lab.wait("Number(data.stepMs) > 0")


# ---------------------------------------------------------------- when it can't be live


def test_opened_as_a_file_a_page_tells_its_story_and_why_it_is_still(built_book, open_page, placements, page_path):
    page = open_page((built_book / page_path).as_uri(), **STILL)
    for index, name in enumerate(placements[page_path]):
        root = page.locator("lewm-lab").nth(index)
        root.locator(".lewm-status").wait_for()
        assert root.get_attribute("data-engine") == "recorded"
        assert "file" in root.get_attribute("data-reason")
        assert "opened as a file" in root.locator(".lewm-status").inner_text()
        assert root.locator("svg").first.bounding_box()["height"] > 100
        told = [root.get_attribute(f"data-{reading.name.replace('_', '-')}") for reading in LABS[name].readings]
        assert any(float(reading) > 0 for reading in told)


def test_without_scripts_a_page_tells_its_story(open_page, placements, page_path):
    blocked = [rf"failed: .*/{script}.*csp" for script in ("bootstrap", "pydata-sphinx-theme")]
    page = open_page(page_path, java_script_enabled=False, expected=blocked)
    for index in range(len(placements[page_path])):
        root = page.locator("lewm-lab").nth(index)
        assert root.get_attribute("data-engine") == "recorded"
        assert root.locator("svg").first.bounding_box()["height"] > 100
        assert f"Step {root.get_attribute('data-step')}: " in root.locator("figcaption").inner_text()


# What all labs share is lost once, and a graph also where a last state was to come with it.
SHARED = ("*.wasm", "ort.wasm.bundle*.mjs", "worker.mjs", "bank.safetensors", "*.onnx")


@pytest.mark.parametrize(
    ("name", "lost"), [*(("cloud_flow", lost) for lost in SHARED), ("collapse_arena", "*.onnx"), ("forger", "*.onnx")]
)
def test_an_engine_that_cannot_be_fetched_is_told_and_reset_tries_again(open_lab, name, lost):
    wasm = r"wasm|Failed to load resource" if "wasm" in lost else "Failed to load resource"
    lab = open_lab(name, expected=[r"failed: .*\.(onnx|wasm|mjs|safetensors) ", f"console error: .*({wasm})"], **STILL)
    recorded = lab.step
    lab.page.route(f"**/{lost}", lambda route: route.abort())
    lab.click("step")
    lab.wait("data.engine === 'recorded' && data.reason !== 'starting'")
    assert lab.data["reason"] not in ("", "starting", "not touched yet")
    assert lab.data["reason"] in lab.root.locator(".lewm-status").inner_text()
    assert lab.step == recorded and lab.painted() > 2000, "the recording must stay"
    assert lab.data["playing"] == "false"
    lab.page.unroute(f"**/{lost}")
    lab.restart().steps(2)
    assert lab.step == 2


@pytest.mark.parametrize("button", ["play", "step", "reset"])
def test_after_an_error_each_button_starts_the_run_again(open_lab, button):
    """The state after a failed step may be none to go on from, and a lab that runs must not say that it stopped."""
    lab = open_lab("cloud_flow", **STILL).restart()
    lab.steps(3)
    lab.page.evaluate(
        """() => {
            const ask = lewmWorker.ask;
            lewmWorker.ask = () => ((lewmWorker.ask = ask), Promise.reject(new Error("lost on its way")));
        }"""
    )
    lab.click("step")
    lab.wait("data.engine === 'error'")
    status = lab.root.locator(".lewm-status")
    assert lab.data["reason"] == "lost on its way" and "starts again" in status.inner_text()
    failed = lab.step
    lab.root.evaluate(
        "lab => { window.seen = []; new MutationObserver(() => seen.push(Number(lab.dataset.step)))"
        ".observe(lab, { attributes: true, attributeFilter: ['data-step'] }); }"
    )
    lab.click(button)
    lab.wait("data.engine === 'page' && window.seen.includes(0)")
    assert "reason" not in lab.data and status.inner_text().startswith("Live")
    if button == "play":
        lab.wait("data.playing === 'true' && step > 3")
    else:
        assert lab.rest() == 0
    assert failed > 0


def test_reset_helps_a_lab_whose_worker_died(open_lab):
    lab = open_lab("cloud_flow", expected=["the worker broke"], **STILL).restart()
    lab.steps(2)
    (worker,) = lab.page.workers
    with lab.page.expect_event("worker"):  # another takes its place
        worker.evaluate("() => void setTimeout(() => { throw new Error('the worker broke'); })")
        lab.page.wait_for_function("globalThis.lewmWorker === undefined")
        lab.restart()
    lab.steps(2)
    assert lab.step == 2


@SEVERAL
def test_a_link_with_settings_shows_a_picture_even_if_the_engine_is_lost(open_lab, name):
    control = LABS[name].controls[0]
    address = f"{name}.{control.name}={another_value(control, control.default)}"
    lab = open_lab(name, address=address, lost="*.onnx", mounted=False, expected=[r"failed: .*\.onnx "], **STILL)
    lab.wait("data.engine === 'recorded' && !['starting', 'not touched yet'].includes(data.reason)")
    lab.wait("lab.querySelector('canvas')?.getAttribute('aria-label')")
