import { readSafetensors } from "./data.mjs";
import { kernelEngine, pageEngine } from "./engines.mjs";
import { mountLab } from "./run.mjs";

// Where a lab stands: in the built page, or in a widget with a kernel. A view draws, an engine runs the library's
// exported step; nothing here computes a loss.
// Strung together with the others into one module for a widget (labs/scripts.py): top-level names are unique.

/** A lab's module exports this: `mount` for the built page, `render` for a widget with a kernel. */
export function defineLab(view) {
  return {
    mount: (root, base) => mountInPage(root, view, base),
    render: ({ model, el }) => mountInKernel(model, el, view),
  };
}

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
    lastState: () => fetchBuffer(new URL(`${scene}.state.safetensors`, folder)).then((buffer) => readSafetensors(buffer).tensors),
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
  return () => {
    lab.stop();
    engine.stop();
  };
}
