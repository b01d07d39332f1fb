// What runs a lab's graphs: ONNX Runtime Web in a worker, or the Python kernel behind a widget.
// Strung together with the others into one module for a widget (labs/scripts.py): top-level names are unique.

/** Runs a lab's exported graphs with ONNX Runtime Web in the page's one worker. */
export function pageEngine(base, manifest) {
  const worker = () => (globalThis.lewmWorker ??= startWorker(base)); // asked for anew each time: one that died is gone
  worker(); // it starts while the lab fetches its banks
  return {
    kind: "page",
    run: (name, variant, feeds) =>
      worker().ask({ url: new URL(`assets/${manifest.lab}/${name}${variant}.onnx`, base).href, feeds, outputs: manifest.graphs[name].outputs }),
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
    if (dead) return; // a worker that complains twice must not take its successor along
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
export function kernelEngine(model, manifest) {
  const waiting = new Map();
  let last = 0;
  let alive;
  const pong = new Promise((resolve) => (alive = resolve));
  const heard = (message, buffers) => {
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
  };
  model.on("msg:custom", heard);
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
    stop: () => model.off("msg:custom", heard),
  };
}
