// What a lab reads: its files, and the rule that picks each input of a graph from state, settings and banks.
// Strung together with the others into one module for a widget (labs/scripts.py): top-level names are unique.

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

/** The inputs of a graph at a step, from its manifest: as `feed` in labs/feeds.py. `hand` is x, y, dx, dy. */
export function feedGraph(graph, manifest, values, banks, state, step, hand = [0, 0, 0, 0]) {
  const feeds = {};
  for (const [name, source] of Object.entries(graph.inputs)) {
    if (source.source === "state") feeds[name] = state[name];
    else if (source.source === "setting") feeds[name] = { data: Float32Array.of(Number(values[source.control])), dims: [] };
    else if (source.source === "one_hot") {
      const menu = manifest.controls.find((control) => control.name === source.control);
      const data = Float32Array.from(menu.options, ([option]) => Number(option === values[source.control]));
      feeds[name] = { data, dims: [data.length] };
    } else if (source.source === "hand") feeds[name] = { data: Float32Array.from(hand), dims: [hand.length] };
    else {
      const bank = banks[source.name.replace(/\{(\w+)\}/g, (_, control) => values[control])];
      const rows = source.rows === null ? bank.dims[0] : Number(values[source.rows]);
      let offset = Number(values.seed ?? 0) * source.seed_stride;
      if (source.advance === "always" || values[source.advance]) offset += step * rows;
      feeds[name] = takeRows(bank, rows, offset);
    }
  }
  return feeds;
}
