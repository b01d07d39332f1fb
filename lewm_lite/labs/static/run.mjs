import { readAddress, writeAddress } from "./address.mjs";
import { feedGraph } from "./data.mjs";
import { buildPanel } from "./panel.mjs";

// One lab on the screen: its recording, its going live, its run, and what the reader does to it.
// Strung together with the others into one module for a widget (labs/scripts.py): top-level names are unique.

const recordedWords = "Recorded run. Touch any control and it goes live.";
const FRAME_MS = 15;
const stillMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
/** An observer that looks until the signal says that its lab is over. */
function watching(observer, signal) {
  signal.addEventListener("abort", () => observer.disconnect());
  return observer;
}
const nearView = (root, signal) =>
  new Promise((resolve) => {
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        near.disconnect();
        resolve();
      },
      { rootMargin: "600px" },
    );
    watching(near, signal).observe(root);
  });
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

export async function mountLab(root, view, host) {
  const { manifest } = host;
  const run = { values: { ...host.values }, state: {}, readings: {}, step: 0, feeds: null };
  const panel = buildPanel(root, manifest, run.values);
  const picture = view.create(panel.stage, manifest, drag, panel.set);
  const history = [];
  let engine = null;
  let starting = null;
  let banks = null;
  let playing = false;
  let looping = false;
  let touched = false;
  let replaying = false;
  let standing = false; // Step was pressed first: the lab goes live standing still
  let ahead = null; // where the step from the state on the screen leads, and the settings it was taken with
  let visible = true; // a lab out of sight rests
  let stale = false; // a changed control asks for a new start, which has not run yet
  let broken = false; // a step failed: what is done next starts the run again, since its state may be none to go on from
  let dragging = false; // a drag is moving a lab that stands still
  let hand = null; // x, y, dx, dy of a drag that no step has taken yet
  let turn = Promise.resolve();
  const inTurn = (action) => (turn = turn.then(action, action)); // one question to the engine at a time
  const stepTimes = [];
  const over = new AbortController(); // the lab is taken away: nothing may listen for it any longer
  const { signal } = over;

  function draw() {
    const frame = { ...run, history, live: engine !== null };
    picture.draw(frame);
    root.dataset.step = run.step;
    for (const reading of manifest.readings) {
      const value = run.readings[reading.name];
      if (value === undefined) continue;
      root.dataset[camel(reading.name)] = Number(value.toPrecision(6));
      panel.readings[reading.name].textContent = value.toFixed(reading.decimals);
    }
    panel.say(sentence(manifest, run), playing || replaying);
  }

  function describe(kind, reason, words) {
    root.dataset.engine = kind;
    if (reason) root.dataset.reason = reason;
    else delete root.dataset.reason;
    panel.status.textContent = words;
  }

  // ------------------------------------------------ the recording
  let replayed = 0;
  let recording = null;
  async function showRecording() {
    await nearView(root, signal); // a recording far down the page is not fetched before it can be seen
    if (touched) return;
    try {
      recording = await host.recording();
    } catch (error) {
      describe("recorded", error.message, `Recorded picture: the run could not be fetched (${error.message}).`);
      return;
    }
    if (touched || signal.aborted) return;
    const count = recording.tensors.steps.data.length;
    showFrame(count - 1);
    if (stillMotion()) return;
    const seen = new IntersectionObserver(async ([entry]) => {
      if (!entry.isIntersecting) return;
      seen.disconnect();
      if (touched) return;
      replaying = true;
      panel.moving(true);
      for (replayed = 0; replayed < count && replaying; replayed++) {
        showFrame(replayed);
        for (let wait = 0; wait < 5 && replaying; wait++) await nextFrame();
      }
      endReplay();
    }, { threshold: 0.6 });
    watching(seen, signal).observe(panel.stage);
  }

  /** At its end, by Pause, or because the lab goes live: that fetches an engine, and Pause does not. */
  function endReplay() {
    if (!replaying) return;
    replaying = false;
    panel.moving(playing);
    panel.say(sentence(manifest, run), playing);
  }

  function showFrame(index) {
    const { tensors, about } = recording;
    for (const name of manifest.recorded) {
      const { data, dims } = tensors[`tensors.${name}`];
      const size = dims.slice(1).reduce((a, b) => a * b, 1);
      const scale = about.scales[name];
      const into = manifest.graphs.start.outputs.includes(name) ? run.state : (run.feeds ??= {});
      into[name] = { data: Float32Array.from(data.subarray(index * size, (index + 1) * size), (x) => x * scale), dims: dims.slice(1) };
    }
    history.length = 0; // all that led here, also when the recording is opened at its end
    for (let i = 0; i <= index; i++) {
      run.step = tensors.steps.data[i];
      for (const reading of manifest.readings) run.readings[reading.name] = tensors[`readings.${reading.name}`].data[i];
      remember();
    }
    run.shown = about.values[index];
    draw();
    const moved = manifest.controls.filter(({ name, kind }) => kind !== "button" && run.shown[name] !== run.values[name]);
    const plain = (value) => ({ true: "on", false: "off" })[value] ?? value;
    const said = moved.map(({ name, label }) => ` Here ${label.split(",")[0]} is ${plain(run.shown[name])}.`).join("");
    if (!touched) panel.status.textContent = `${recordedWords}${said}`;
  }

  function remember() {
    history.push({ step: run.step, ...run.readings });
    if (history.length > 600) history.shift();
  }

  // ------------------------------------------------ going live
  function touch() {
    touched = true;
    endReplay();
    starting ??= goLive().catch(async (error) => {
      const broke = engine !== null && !host.sharesAddress; // in a kernel it is the reader's own step that failed
      starting = engine = null;
      pause();
      if (broke) fail(error);
      else describe("recorded", error.message, `Recorded run: the live figure could not start (${error.message}). Reset tries again.`);
      await fallBack();
    });
    return starting;
  }

  async function goLive() {
    describe(root.dataset.engine ?? "recorded", "starting", host.sharesAddress ? "Starting: fetching the engine (3.7 MB, once)…" : "Waiting for the kernel…");
    const rests = manifest.resumes && !host.startsAnew && recording; // what is drawn is not all there is: the rest comes now
    const [made, fetched, last] = await Promise.all([host.engine(), host.banks(), rests ? host.lastState() : null]);
    banks = fetched;
    if (last) {
      showFrame(recording.tensors.steps.data.length - 1);
      run.state = last;
    }
    const fits = !broken && !stale && recordedStateFits();
    if (fits) await probe(made);
    engine = made;
    if (!fits || stale || !recordedStateFits()) await inTurn(restart); // a control may have moved while the engine loaded
    describe(engine.kind, null, host.liveWords);
    if (!stillMotion() && !standing) play();
    else await inTurn(refresh);
  }

  /** Nothing was shown before the start failed: the last recorded moment is better than an empty stage. */
  async function fallBack() {
    if (Object.keys(run.state).length) return;
    recording ??= await host.recording().catch(() => null);
    if (recording) showFrame(recording.tensors.steps.data.length - 1);
  }

  /** One call before the lab calls itself live, so that a broken engine is met here and not in the middle of a run. */
  async function probe(candidate) {
    const feeds = feedGraph(manifest.graphs.step, manifest, run.values, banks, run.state, run.step);
    await candidate.run("step", variant("step"), feeds);
  }

  /** Whether the frame on the screen can be continued with the controls as they stand. */
  function recordedStateFits() {
    const held = manifest.graphs.start.outputs.every((name) => run.state[name]);
    if (!held || !recording || host.startsAnew) return false;
    const at = recording.about.values[0];
    return manifest.controls.every((control) => !control.restarts || at[control.name] === run.values[control.name]);
  }

  const variant = (name) => {
    const by = manifest.graphs[name].variants;
    return by === null ? "" : `_${run.values[by]}`;
  };

  async function call(name, dragged) {
    const values = { ...run.values }; // a control may move before the answer comes
    const feeds = feedGraph(manifest.graphs[name], manifest, values, banks, run.state, run.step, dragged);
    const answer = await engine.run(name, variant(name), feeds);
    return { ...answer, feeds, values };
  }

  async function restart() {
    if (broken) describe(engine.kind, null, host.liveWords);
    stale = broken = false;
    hand = null;
    run.step = 0;
    run.state = {};
    run.state = (await call("start")).outputs;
    if (stale) return; // a control moved meanwhile: the start that waits fits it, and this one no longer does
    await look();
    history.length = 0;
    remember();
    draw();
  }

  /** Runs the step from the state on the screen: its readings are shown now, where it leads waits for advance(). */
  async function look(dragged) {
    const asked = JSON.stringify(run.values);
    const answer = await call("step", dragged);
    take(answer);
    ahead = { asked, outputs: answer.outputs };
    return answer.ms;
  }

  function take({ outputs, feeds, values }) {
    run.shown = values; // what the picture was made with
    run.feeds = { ...outputs, ...feeds }; // a state's tensor is the one before the step, as in Lab.run
    for (const reading of manifest.readings) run.readings[reading.name] = outputs[reading.name].data[0];
    const wrong = manifest.readings.find((reading) => !Number.isFinite(run.readings[reading.name]));
    if (wrong) throw new Error(`${wrong.label} is not a finite number at step ${run.step}`);
  }

  async function advance() {
    if (broken) return restart();
    if (stale) return;
    const dragged = hand ?? undefined;
    hand = null;
    if (dragged || ahead?.asked !== JSON.stringify(run.values)) await look(dragged); // this step is taken with what moved
    if (stale) return;
    for (const name of Object.keys(run.state)) run.state[name] = ahead.outputs[name];
    run.step += 1;
    stepTimes.push(await look()); // one run of the graph per step: it reads this state and leads to the next
    remember();
    if (stepTimes.length > 60) stepTimes.shift();
    root.dataset.stepMs = median(stepTimes).toFixed(2);
    draw();
    if (run.feeds.resting?.data[0]) pause(); // an output of this name: what was run is done, and the reader's turn has come
  }

  /** A control moved while the lab stands still is seen at once: the same state, read with the settings as they are. */
  async function refresh() {
    if (broken) return restart();
    if (stale) return;
    if (ahead?.asked !== JSON.stringify(run.values)) {
      await look();
      if (history.length) Object.assign(history.at(-1), run.readings);
    }
    draw();
  }

  async function loop() {
    if (looping) return;
    looping = true;
    try {
      while (playing) {
        const since = performance.now();
        if (visible) await inTurn(advance);
        if (performance.now() - since < FRAME_MS) await nextFrame(); // a slower step has let pictures pass already
      }
    } catch (error) {
      fail(error);
    } finally {
      looping = false;
    }
  }

  function fail(error) {
    broken = true;
    pause();
    describe("error", error.message, `Stopped: ${error.message}. Play, Step or Reset starts again.`);
  }

  function play() {
    if (signal.aborted) return;
    playing = true;
    panel.playing(true);
    loop();
  }

  function pause() {
    playing = false;
    panel.playing(false);
    panel.say(sentence(manifest, run), false);
  }

  function begin() {
    return engine ? play() : touch().then(() => engine && play());
  }

  async function whenLive(action) {
    await touch();
    if (engine) await inTurn(action).catch(fail);
  }

  /**
   * The view's way to tell of a drag: where the pointer was and how far it went, in units of what is drawn. Moves add up
   * until a step takes them: the next one of a lab that runs, one for each picture of a lab that stands still.
   */
  async function drag(x, y, dx, dy) {
    const first = hand === null;
    hand = first ? [x, y, dx, dy] : [hand[0], hand[1], hand[2] + dx, hand[3] + dy];
    if (dragging) return;
    dragging = true;
    if (first) await touch(); // an engine that could not start is not asked again at every move
    while (hand && engine && !playing) {
      await inTurn(() => hand && advance()).catch(fail);
      await nextFrame();
    }
    dragging = false;
  }

  /** Takes the settings of a link, at the start or followed on the open page; says whether there were any. */
  function follow() {
    if (!host.sharesAddress || !readAddress(root, manifest, run.values)) return false;
    panel.show(run.values);
    stale ||= engine !== null;
    if (engine) inTurn(restart).catch(fail);
    else touch(); // a link that holds settings asks to see them
    return true;
  }

  panel.on({
    play: () => (replaying ? endReplay() : playing ? pause() : begin()),
    step: () => ((standing = true), pause(), whenLive(() => (pause(), advance()))),
    reset: () => whenLive(restart),
    touch,
    change: (control, value) => {
      run.values[control.name] = value;
      if (host.sharesAddress) writeAddress(root, manifest, run.values);
      if (control.kind === "button") return void begin();
      if (!engine) {
        stale ||= control.restarts;
        return void touch();
      }
      if (!control.restarts) {
        if (!playing) inTurn(refresh).catch(fail);
      } else if (!stale) {
        stale = true;
        inTurn(restart).catch(fail); // the start that waits takes all changes until then
      }
    },
  });
  const themes = watching(new MutationObserver(draw), signal);
  for (const where of [document.documentElement, document.body]) themes.observe(where, { attributes: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw, { signal });
  watching(new ResizeObserver(draw), signal).observe(panel.stage);
  watching(new IntersectionObserver((entries) => (visible = entries.at(-1).isIntersecting)), signal).observe(root);
  describe("recorded", "not touched yet", recordedWords);
  if (host.sharesAddress) addEventListener("hashchange", follow, { signal });
  if (!follow()) showRecording();
  /** For a lab that is taken away: it stands still for good, and nothing listens for it. */
  function stop() {
    touched = true;
    endReplay();
    pause();
    over.abort();
  }
  return { touch, stop };
}

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function sentence(manifest, { step, readings }) {
  const said = manifest.readings
    .filter((reading) => reading.spoken && readings[reading.name] !== undefined)
    .map((reading) => reading.words.replace("{value}", readings[reading.name].toFixed(reading.decimals)));
  return `Step ${step}: ${said.join(", ")}.`;
}
