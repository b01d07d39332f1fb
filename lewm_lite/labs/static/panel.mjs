// A lab's controls, readings, words and buttons, made from their descriptions.
// Strung together with the others into one module for a widget (labs/scripts.py): top-level names are unique.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export function buildPanel(root, manifest, values) {
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
  globalThis.lewmPanels = (globalThis.lewmPanels ?? 0) + 1; // never the same twice, however many widgets hold this module
  const id = (root.id ||= `lewm-${manifest.lab}-${globalThis.lewmPanels}`);
  const rows = manifest.controls.map((control) => {
    inputs[control.name] = buildInput(control, `${id}-${control.name}`);
    if (control.kind === "button") return "";
    const label = element("label", { htmlFor: `${id}-${control.name}`, textContent: control.label });
    if (control.kind === "toggle") return element("div", { className: "lewm-row lewm-toggle" }, inputs[control.name], label);
    outputs[control.name] = element("output", { htmlFor: `${id}-${control.name}` });
    return element("div", { className: "lewm-row" }, label, inputs[control.name], isSlider(control) ? outputs[control.name] : "");
  });
  const readings = {};
  const lists = element("div", { className: "lewm-lists" });
  for (const group of new Set(manifest.readings.map((reading) => reading.group))) {
    const list = element("dl", { className: "lewm-readings" });
    for (const reading of manifest.readings.filter((one) => one.group === group)) {
      readings[reading.name] = element("dd", { textContent: "–" });
      list.append(element("div", {}, element("dt", { textContent: reading.label }), readings[reading.name]));
    }
    if (group) list.setAttribute("aria-label", group);
    lists.append(group ? element("div", { className: "lewm-group" }, element("p", { textContent: group }), list) : list);
  }
  const own = manifest.controls.filter(({ kind }) => kind === "button").map(({ name }) => inputs[name]);
  const side = element("div", { className: "lewm-side" }, element("div", { className: "lewm-buttons" }, ...own, ...Object.values(buttons)), ...rows);
  const panel = element("div", { className: "lewm-panel" }, stage, lists, side, words, status);
  if (caption) panel.append(element("p", { className: "lewm-caption", textContent: caption.firstChild.textContent }));
  root.append(panel);
  root.classList.add("lewm-mounted");
  let spoken = 0;

  function show(shown) {
    for (const control of manifest.controls) {
      const input = inputs[control.name];
      if (control.kind === "toggle") input.checked = shown[control.name];
      else placeInput(control, input, shown[control.name]);
      if (isSlider(control)) outputs[control.name].textContent = String(Number(Number(shown[control.name]).toPrecision(4)));
    }
    root.dataset.dim = shown.dim ?? "";
  }
  show(values);

  return {
    stage,
    status,
    readings,
    show,
    /**
     * Moves a control as the reader's own hand on it would: what a view calls when a part of its picture is dragged.
     * `again` tells of the value also where the control has it already: the picture may have gone on from there.
     */
    set(name, value, again = false) {
      const input = inputs[name];
      const before = input.type === "checkbox" ? input.checked : input.value;
      if (input.type === "checkbox") input.checked = value;
      else placeInput(manifest.controls.find((control) => control.name === name), input, value);
      if (again || before !== (input.type === "checkbox" ? input.checked : input.value)) input.dispatchEvent(new Event("input", { bubbles: true }));
    },
    /** The live region: at most one sentence in two seconds while things move, at once when they stand still. */
    say(text, moving) {
      const now = performance.now();
      if (moving && now - spoken < 2000) return;
      spoken = now;
      if (words.textContent !== text) words.textContent = text;
    },
    playing(on) {
      this.moving(on);
      root.dataset.playing = on;
    },
    /** What the button does: a recording that plays can be paused as well, and is no run. */
    moving(on) {
      buttons.play.textContent = on ? "Pause" : "Play";
    },
    on(handlers) {
      for (const name of Object.keys(buttons)) buttons[name].addEventListener("click", () => handlers[name]());
      const onButton = ({ target }) => target.closest("button"); // a button acts by its click, once
      side.addEventListener("pointerdown", (event) => onButton(event) || handlers.touch());
      side.addEventListener("keydown", (event) => ["Tab", "Shift"].includes(event.key) || onButton(event) || handlers.touch());
      for (const control of manifest.controls) {
        const input = inputs[control.name];
        input.addEventListener(control.kind === "button" ? "click" : "input", () => {
          const value = readInput(control, input);
          if (["log_range", "button"].includes(control.kind)) placeInput(control, input, value);
          if (isSlider(control)) outputs[control.name].textContent = String(value);
          if (control.name === "dim") root.dataset.dim = value;
          handlers.change(control, value);
        });
      }
    },
  };
}

const isSlider = ({ kind }) => kind === "range" || kind === "log_range";

function buildInput(control, id) {
  if (isSlider(control)) {
    const [min, max] = [control.low, control.high].map((value) => sliderPlace(control, value));
    return element("input", { type: "range", id, name: control.name, min, max, step: control.step });
  }
  if (control.kind === "button") return element("button", { type: "button", id, name: control.name, textContent: control.label });
  if (control.kind === "toggle") return element("input", { type: "checkbox", id, name: control.name });
  const options = control.options.map(([value, label]) => element("option", { value, textContent: label }));
  return element("select", { id, name: control.name }, ...options);
}

/** Where a slider stands for a value: over decades, at its logarithm. */
function sliderPlace({ kind }, value) {
  return kind === "log_range" ? Number(Math.log10(value).toFixed(6)) : value;
}

/** Sets an input to a value; one that is not its own text is kept beside it. */
function placeInput(control, input, value) {
  input.value = String(sliderPlace(control, value));
  if (control.kind !== "log_range") return;
  input.dataset.value = value;
  input.setAttribute("aria-valuetext", value);
}

function readInput(control, input) {
  if (control.kind === "log_range") return Number((10 ** Number(input.value)).toPrecision(4));
  if (control.kind === "button") return Number(input.value) + 1;
  if (control.kind === "range") return Number(input.value);
  if (control.kind === "toggle") return input.checked;
  return control.options.find(([value]) => String(value) === input.value)[0];
}
