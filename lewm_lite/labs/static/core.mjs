// The part that every lab shares: controls, readings, the run loop, the recording, the state in the URL.
// It draws nothing of its own subject and computes no loss: a view draws, an engine runs the library's exported step.
// Everything here must also work as one concatenated module with a view, so top-level names are unique and nothing is imported.

/** A lab's module exports this: `mount` for the built page, `render` for a widget with a kernel. */
export function defineLab(view) {
  return {
    mount: (root, base) => mountInPage(root, view, base),
    render: ({ model, el }) => mountInKernel(model, el, view),
  };
}

// ---------------------------------------------------------------- data

/** Reads a safetensors file: {name: {data: TypedArray, dims}} and the metadata under the key `about`. */
export function readSafetensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const kinds = { F32: Float32Array, I16: Int16Array, I32: Int32Array };
  const tensors = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [from, to] = entry.data_offsets;
    tensors[name] = { data: new kinds[entry.dtype](buffer.slice(8 + length + from, 8 + length + to)), dims: entry.shape };
  }
  const about = header.__metadata__?.about;
  return { tensors, about: about ? JSON.parse(about) : null };
}

/** `rows` rows of a bank from `offset` on, starting over at its end: as `take` in labs/feeds.py. */
export function takeRows(bank, rows, offset) {
  const [total, ...rest] = bank.dims;
  const width = rest.reduce((a, b) => a * b, 1);
  const data = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const from = ((offset + row) % total) * width;
    data.set(bank.data.subarray(from, from + width), row * width);
  }
  return { data, dims: [rows, ...rest] };
}

/** The inputs of a graph at a step, from its manifest: as `feed` in labs/feeds.py. */
export function feedGraph(graph, manifest, values, banks, state, step) {
  const feeds = {};
  for (const [name, source] of Object.entries(graph.inputs)) {
    if (source.source === "state") feeds[name] = state[name];
    else if (source.source === "setting") feeds[name] = { data: Float32Array.of(Number(values[source.control])), dims: [] };
    else if (source.source === "one_hot") {
      const menu = manifest.controls.find((control) => control.name === source.control);
      const data = Float32Array.from(menu.options, ([option]) => Number(option === values[source.control]));
      feeds[name] = { data, dims: [data.length] };
    } else {
      const bank = banks[source.name.replace(/\{(\w+)\}/g, (_, control) => values[control])];
      const rows = source.rows === null ? bank.dims[0] : Number(values[source.rows]);
      let offset = Number(values.seed ?? 0) * source.seed_stride;
      if (source.advance !== null && values[source.advance]) offset += step * rows;
      feeds[name] = takeRows(bank, rows, offset);
    }
  }
  return feeds;
}

// ---------------------------------------------------------------- engines

/** Runs a lab's exported graphs with ONNX Runtime Web in the page's one worker. */
function pageEngine(base, manifest) {
  const worker = (globalThis.lewmWorker ??= startWorker(base));
  return {
    kind: "page",
    run: (name, variant, feeds) =>
      worker.ask({ url: new URL(`assets/${manifest.lab}/${name}${variant}.onnx`, base).href, feeds, outputs: manifest.graphs[name].outputs }),
  };
}

function startWorker(base) {
  const worker = new Worker(new URL("worker.mjs", base), { type: "module" });
  const waiting = new Map();
  let last = 0;
  let dead = null;
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if (!data.reason) return resolve(data);
    reject(new Error(data.reason));
    if (data.broken) retire(data.reason);
  };
  worker.onerror = (event) => retire(event.message || "the worker could not start");
  /** A worker that failed to start, or whose runtime did, stays so: the next try needs a new one. */
  function retire(reason) {
    dead = new Error(reason);
    worker.terminate();
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
    globalThis.lewmWorker = undefined;
  }
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (dead) return reject(dead);
        waiting.set(++last, { resolve, reject });
        worker.postMessage({ id: last, ...request });
      }),
  };
}

/** Runs a lab's functions in the Python kernel behind a widget. An answer is never timed out: the kernel may be busy. */
function kernelEngine(model, manifest) {
  const waiting = new Map();
  let last = 0;
  let alive;
  const pong = new Promise((resolve) => (alive = resolve));
  model.on("msg:custom", (message, buffers) => {
    if (message.type === "pong") return alive();
    const entry = waiting.get(message.id);
    if (!entry) return;
    waiting.delete(message.id);
    if (message.type === "error") return entry.reject(new Error(message.reason));
    const outputs = {};
    message.outputs.forEach(({ name, dims }, i) => {
      const view = buffers[i];
      outputs[name] = { data: new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)), dims };
    });
    entry.resolve({ outputs, ms: performance.now() - entry.since });
  });
  return {
    kind: "kernel",
    ready: () => {
      model.send({ type: "ping", id: 0 });
      return pong;
    },
    run: (name, variant, feeds) =>
      new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject, since: performance.now() });
        const inputs = Object.entries(feeds).map(([key, { dims }]) => ({ name: key, dims }));
        const buffers = Object.values(feeds).map(({ data }) => data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
        model.send({ type: "run", id: last, graph: name, inputs }, undefined, buffers);
      }),
  };
}

// ---------------------------------------------------------------- hosts

async function fetchBuffer(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.arrayBuffer();
}

async function mountInPage(root, view, base) {
  const folder = new URL(`assets/${root.dataset.lab}/`, base);
  const manifest = await (await fetch(new URL("manifest.json", folder))).json();
  const scene = root.dataset.scene;
  return mountLab(root, view, {
    manifest,
    scene,
    values: manifest.scenes[scene].values,
    recording: () => fetchBuffer(new URL(`${scene}.safetensors`, folder)).then(readSafetensors),
    banks: () => fetchBuffer(new URL("bank.safetensors", folder)).then((buffer) => readSafetensors(buffer).tensors),
    engine: async () => pageEngine(base, manifest),
    sharesAddress: true,
    liveWords: "Live: the library's own torch step, exported, runs in this page.",
  });
}

async function mountInKernel(model, el, view) {
  const manifest = model.get("manifest");
  const bytes = (name) => {
    const held = model.get(name);
    return held.buffer.slice(held.byteOffset, held.byteOffset + held.byteLength);
  };
  const root = document.createElement("div");
  root.className = "lewm-lab";
  root.dataset.lab = manifest.lab;
  root.dataset.lmSuppressShortcuts = "true"; // JupyterLab: leave the arrow keys to the sliders
  root.addEventListener("keydown", (event) => event.stopPropagation());
  el.append(root);
  const engine = kernelEngine(model, manifest);
  const lab = await mountLab(root, view, {
    manifest,
    scene: model.get("scene"),
    values: JSON.parse(model.get("values_json")),
    recording: async () => readSafetensors(bytes("recording")),
    banks: async () => readSafetensors(bytes("bank")).tensors,
    engine: async () => {
      await engine.ready();
      return engine;
    },
    sharesAddress: false,
    startsAnew: true, // the reader's own step made none of the recorded frames
    liveWords: "Live: your Python kernel computes every step.",
  });
  lab.touch();
  return () => lab.stop();
}

// ---------------------------------------------------------------- the lab itself

const recordedWords = "Recorded run. Touch any control and it goes live.";
const stillMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const nearView = (root) =>
  new Promise((resolve) => {
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        near.disconnect();
        resolve();
      },
      { rootMargin: "600px" },
    );
    near.observe(root);
  });
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
const dashed = (name) => name.replaceAll("_", "-");

async function mountLab(root, view, host) {
  const { manifest } = host;
  const run = { values: { ...host.values }, state: {}, readings: {}, step: 0, feeds: null };
  const panel = buildPanel(root, manifest, run.values);
  const picture = view.create(panel.stage, manifest);
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
  let turn = Promise.resolve();
  const inTurn = (action) => (turn = turn.then(action, action)); // one question to the engine at a time
  const stepTimes = [];

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
    await nearView(root); // a recording far down the page is not fetched before it can be seen
    if (touched) return;
    try {
      recording = await host.recording();
    } catch (error) {
      describe("recorded", error.message, `Recorded picture: the run could not be fetched (${error.message}).`);
      return;
    }
    if (touched) return;
    const count = recording.tensors.steps.data.length;
    showFrame(count - 1);
    if (stillMotion()) return;
    const seen = new IntersectionObserver(async ([entry]) => {
      if (!entry.isIntersecting) return;
      seen.disconnect();
      replaying = true;
      for (replayed = 0; replayed < count && !touched; replayed++) {
        showFrame(replayed);
        for (let wait = 0; wait < 5 && !touched; wait++) await nextFrame();
      }
      replaying = false;
      panel.say(sentence(manifest, run), playing);
    }, { threshold: 0.6 });
    seen.observe(panel.stage);
  }

  function showFrame(index) {
    const { tensors, about } = recording;
    run.step = tensors.steps.data[index];
    for (const name of manifest.recorded) {
      const { data, dims } = tensors[`tensors.${name}`];
      const size = dims.slice(1).reduce((a, b) => a * b, 1);
      const scale = about.scales[name];
      const into = manifest.graphs.start.outputs.includes(name) ? run.state : (run.feeds ??= {});
      into[name] = { data: Float32Array.from(data.subarray(index * size, (index + 1) * size), (x) => x * scale), dims: dims.slice(1) };
    }
    for (const reading of manifest.readings) run.readings[reading.name] = tensors[`readings.${reading.name}`].data[index];
    if (index === 0) history.length = 0;
    run.shown = about.values[index];
    remember();
    draw();
    const moved = manifest.controls.filter(({ name }) => run.shown[name] !== run.values[name]);
    const said = moved.map(({ name, label }) => ` Here ${label.split(",")[0]} is ${run.shown[name]}.`).join("");
    if (!touched) panel.status.textContent = `${recordedWords}${said}`;
  }

  function remember() {
    history.push({ step: run.step, ...run.readings });
    if (history.length > 600) history.shift();
  }

  // ------------------------------------------------ going live
  function touch() {
    touched = true;
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
    const [made, fetched] = await Promise.all([host.engine(), host.banks()]);
    banks = fetched;
    const fits = recordedStateFits();
    if (fits) await probe(made);
    engine = made;
    if (!fits || !recordedStateFits()) await inTurn(restart); // a control may have moved while the engine loaded
    describe(engine.kind, null, host.liveWords);
    if (!stillMotion() && !standing) play();
    else draw();
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

  async function call(name) {
    const feeds = feedGraph(manifest.graphs[name], manifest, run.values, banks, run.state, run.step);
    const answer = await engine.run(name, variant(name), feeds);
    return { ...answer, feeds };
  }

  async function restart() {
    stale = false;
    run.step = 0;
    run.state = {};
    run.state = (await call("start")).outputs;
    await look();
    history.length = 0;
    remember();
    draw();
  }

  /** Runs the step from the state on the screen: its readings are shown now, where it leads waits for advance(). */
  async function look() {
    const asked = JSON.stringify(run.values);
    const answer = await call("step");
    take(answer);
    ahead = { asked, outputs: answer.outputs };
    return answer.ms;
  }

  function take({ outputs, feeds }) {
    run.feeds = feeds;
    for (const reading of manifest.readings) run.readings[reading.name] = outputs[reading.name].data[0];
    const wrong = manifest.readings.find((reading) => !Number.isFinite(run.readings[reading.name]));
    if (wrong) throw new Error(`${wrong.label} is not a finite number at step ${run.step}`);
  }

  async function advance() {
    if (stale) return;
    if (ahead?.asked !== JSON.stringify(run.values)) await look(); // a control moved: this step is taken with it
    if (stale) return;
    for (const name of Object.keys(run.state)) run.state[name] = ahead.outputs[name];
    run.step += 1;
    stepTimes.push(await look()); // one run of the graph per step: it reads this state and leads to the next
    remember();
    if (stepTimes.length > 60) stepTimes.shift();
    root.dataset.stepMs = median(stepTimes).toFixed(2);
    draw();
  }

  async function loop() {
    if (looping) return;
    looping = true;
    try {
      while (playing) {
        if (visible) await inTurn(advance);
        await nextFrame();
      }
    } catch (error) {
      fail(error);
    } finally {
      looping = false;
    }
  }

  function fail(error) {
    pause();
    describe("error", error.message, `Stopped: ${error.message}. Reset starts again.`);
  }

  function play() {
    playing = true;
    panel.playing(true);
    loop();
  }

  function pause() {
    playing = false;
    panel.playing(false);
    panel.say(sentence(manifest, run), false);
  }

  async function whenLive(action) {
    await touch();
    if (engine) await inTurn(action).catch(fail);
  }

  /** Takes the settings of a link, at the start or followed on the open page; says whether there were any. */
  function follow() {
    if (!host.sharesAddress || !readAddress(root, manifest, run.values)) return false;
    panel.show(run.values);
    stale = engine !== null;
    if (engine) inTurn(restart).catch(fail);
    else touch(); // a link that holds settings asks to see them
    return true;
  }

  panel.on({
    play: () => (playing ? pause() : engine ? play() : touch().then(() => engine && play())),
    step: () => ((standing = true), pause(), whenLive(() => (pause(), advance()))),
    reset: () => whenLive(() => (describe(engine.kind, null, host.liveWords), restart())),
    touch,
    change: (control, value) => {
      run.values[control.name] = value;
      if (host.sharesAddress) writeAddress(root, manifest, run.values);
      if (!engine) return void touch();
      if (control.restarts) {
        stale = true;
        inTurn(restart).catch(fail);
      }
    },
  });
  const themes = new MutationObserver(draw);
  for (const where of [document.documentElement, document.body]) themes.observe(where, { attributes: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(draw).observe(panel.stage);
  new IntersectionObserver((entries) => (visible = entries.at(-1).isIntersecting)).observe(root);
  describe("recorded", "not touched yet", recordedWords);
  if (host.sharesAddress) addEventListener("hashchange", follow);
  if (!follow()) showRecording();
  return { touch, stop: pause };
}

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function sentence(manifest, { step, readings }) {
  const said = manifest.readings
    .filter((reading) => readings[reading.name] !== undefined)
    .map((reading) => reading.words.replace("{value}", readings[reading.name].toFixed(reading.decimals)));
  return `Step ${step}: ${said.join(", ")}.`;
}

// ---------------------------------------------------------------- the panel

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function buildPanel(root, manifest, values) {
  const still = root.querySelector(".lewm-still");
  const caption = still?.querySelector("figcaption");
  const stage = element("div", { className: "lewm-stage" });
  const status = element("p", { className: "lewm-status" });
  const words = element("p", { className: "lewm-words", role: "status" });
  words.setAttribute("aria-live", "polite");
  const buttons = Object.fromEntries(
    [["play", "Play"], ["step", "Step"], ["reset", "Reset"]].map(([name, label]) => [name, element("button", { type: "button", name, textContent: label })]),
  );
  const inputs = {};
  const outputs = {};
  const id = (root.id ||= `lewm-${manifest.lab}-${document.querySelectorAll(".lewm-panel").length + 1}`);
  const rows = manifest.controls.map((control) => {
    inputs[control.name] = buildInput(control, `${id}-${control.name}`);
    const label = element("label", { htmlFor: `${id}-${control.name}`, textContent: control.label });
    if (control.kind === "toggle") return element("div", { className: "lewm-row lewm-toggle" }, inputs[control.name], label);
    outputs[control.name] = element("output", { htmlFor: `${id}-${control.name}` });
    return element("div", { className: "lewm-row" }, label, inputs[control.name], control.kind === "range" ? outputs[control.name] : "");
  });
  const readings = {};
  const list = element("dl", { className: "lewm-readings" });
  for (const reading of manifest.readings) {
    readings[reading.name] = element("dd", { textContent: "–" });
    list.append(element("div", {}, element("dt", { textContent: reading.label }), readings[reading.name]));
  }
  const side = element("div", { className: "lewm-side" }, element("div", { className: "lewm-buttons" }, ...Object.values(buttons)), ...rows);
  const panel = element("div", { className: "lewm-panel" }, stage, list, side, words, status);
  if (caption) panel.append(element("p", { className: "lewm-caption", textContent: caption.firstChild.textContent }));
  root.append(panel);
  root.classList.add("lewm-mounted");
  let spoken = 0;

  function show(shown) {
    for (const control of manifest.controls) {
      const input = inputs[control.name];
      if (control.kind === "toggle") input.checked = shown[control.name];
      else input.value = String(shown[control.name]);
      if (control.kind === "range") outputs[control.name].textContent = String(Number(Number(shown[control.name]).toPrecision(4)));
    }
    root.dataset.dim = shown.dim ?? "";
  }
  show(values);

  return {
    stage,
    status,
    readings,
    show,
    /** The live region: at most one sentence in two seconds while things move, at once when they stand still. */
    say(text, moving) {
      const now = performance.now();
      if (moving && now - spoken < 2000) return;
      spoken = now;
      if (words.textContent !== text) words.textContent = text;
    },
    playing(on) {
      buttons.play.textContent = on ? "Pause" : "Play";
      root.dataset.playing = on;
    },
    on(handlers) {
      for (const name of Object.keys(buttons)) buttons[name].addEventListener("click", () => handlers[name]());
      const onButton = ({ target }) => target.closest("button"); // a button acts by its click, once
      side.addEventListener("pointerdown", (event) => onButton(event) || handlers.touch());
      side.addEventListener("keydown", (event) => ["Tab", "Shift"].includes(event.key) || onButton(event) || handlers.touch());
      for (const control of manifest.controls) {
        const input = inputs[control.name];
        input.addEventListener("input", () => {
          const value = readInput(control, input);
          if (control.kind === "range") outputs[control.name].textContent = String(value);
          if (control.name === "dim") root.dataset.dim = value;
          handlers.change(control, value);
        });
      }
    },
  };
}

function buildInput(control, id) {
  if (control.kind === "range") {
    return element("input", { type: "range", id, name: control.name, min: control.low, max: control.high, step: control.step });
  }
  if (control.kind === "toggle") return element("input", { type: "checkbox", id, name: control.name });
  const options = control.options.map(([value, label]) => element("option", { value, textContent: label }));
  return element("select", { id, name: control.name }, ...options);
}

function readInput(control, input) {
  if (control.kind === "range") return Number(input.value);
  if (control.kind === "toggle") return input.checked;
  return control.options.find(([value]) => String(value) === input.value)[0];
}

// ---------------------------------------------------------------- the address: a setting is a link

/** A lab's name in the address: `cloud_flow`, and `cloud_flow-2` for the second such lab of a page. */
function addressName(root) {
  const alike = [...document.querySelectorAll(`lewm-lab[data-lab="${root.dataset.lab}"]`)];
  const place = alike.indexOf(root) + 1;
  return place > 1 ? `${root.dataset.lab}-${place}` : root.dataset.lab;
}

/** Takes the settings that the address holds for this lab, if they are valid; says whether there were any. */
function readAddress(root, manifest, values) {
  const given = new URLSearchParams(location.hash.slice(1));
  let found = false;
  for (const control of manifest.controls) {
    const text = given.get(`${addressName(root)}.${control.name}`);
    if (text === null) continue;
    const value = parseSetting(control, text);
    if (value === undefined) continue;
    values[control.name] = value;
    found = true;
  }
  return found;
}

function parseSetting(control, text) {
  if (control.kind === "toggle") return text === "1" ? true : text === "0" ? false : undefined;
  if (control.kind === "choice") return control.options.find(([value]) => String(value) === text)?.[0];
  const number = Number(text);
  const steps = (number - control.low) / control.step;
  const fits = /^[-+.\de]+$/i.test(text) && number >= control.low && number <= control.high && Math.abs(steps - Math.round(steps)) < 1e-6;
  return fits ? number : undefined;
}

const addressTimers = new WeakMap();
function writeAddress(root, manifest, values) {
  const lab = addressName(root);
  clearTimeout(addressTimers.get(root));
  const write = () => {
    const kept = location.hash.slice(1).split("&").filter((part) => part.includes("=") && !part.startsWith(`${lab}.`));
    const own = manifest.controls.map(({ name, kind }) => `${lab}.${name}=${kind === "toggle" ? Number(values[name]) : values[name]}`);
    history.replaceState(null, "", `#${[...kept, ...own].join("&")}`);
  };
  addressTimers.set(root, setTimeout(write, 250));
}
