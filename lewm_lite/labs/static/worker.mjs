// Runs exported graphs with ONNX Runtime Web, away from the page's own thread. One worker serves every lab of a page.
import * as ort from "./vendor/ort.wasm.bundle.min.mjs";

// A graph is shipped as the runtime would rewrite it (labs/export.py); done again here, it is up to half of what a start takes.
const AS_SHIPPED = { executionProviders: ["wasm"], graphOptimizationLevel: "disabled", logSeverityLevel: 3 };
ort.env.wasm.numThreads = 1; // threads need headers that a plain file server does not send
ort.env.wasm.wasmPaths = { wasm: new URL("./vendor/ort-wasm-simd-threaded.wasm", import.meta.url).href };
const sessions = new Map();

async function session(url) {
  if (!sessions.has(url)) {
    const graph = fetch(url).then((answer) => {
      if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
      return answer.arrayBuffer();
    });
    sessions.set(url, graph.then((bytes) => ort.InferenceSession.create(bytes, AS_SHIPPED)));
  }
  return sessions.get(url);
}

async function answer({ id, url, feeds, outputs }) {
  const ready = await session(url);
  const since = performance.now();
  const tensors = Object.fromEntries(Object.entries(feeds).map(([name, { data, dims }]) => [name, new ort.Tensor("float32", data, dims)]));
  const results = await ready.run(tensors);
  const ms = performance.now() - since;
  const named = outputs.map((name, i) => [name, results[ready.outputNames[i]]]); // by order: the graph's own names differ
  return { id, ms, outputs: Object.fromEntries(named.map(([name, { data, dims }]) => [name, { data, dims: [...dims] }])) };
}

// One question after the other: a session runs one at a time.
let queue = Promise.resolve();
onmessage = ({ data }) => {
  queue = queue.then(() => answer(data)).then(postMessage, (error) => {
    sessions.delete(data.url);
    const reason = error.message ?? String(error);
    postMessage({ id: data.id, reason, broken: reason.includes("no available backend") }); // its runtime never starts again
  });
};
