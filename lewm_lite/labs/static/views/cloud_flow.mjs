import { addCanvas, prepareCanvas, stampDot } from "../canvas.mjs";
import { defineLab } from "../core.mjs";

// Draws the cloud, three of its shadows under the bell curve, and the standard deviation over time.

const REACH = 3.2; // what the axes show, in units of the target's standard deviation
const BINS = 40;
const SHADOWS = 3;
const STRIP = 58; // the height of the strip that shows the standard deviation over time
const LETTERS = ["a", "b", "c"];

function cloudFlowView(stage) {
  const canvas = addCanvas(stage);
  const turn = document.createElement("label");
  turn.className = "lewm-turn";
  turn.innerHTML = 'turn <input type="range" name="turn" min="0" max="360" step="1" value="30" aria-label="turn the view, in degrees">';
  stage.append(turn);
  const knob = turn.querySelector("input");
  let last = null;
  knob.addEventListener("input", () => last && draw(last));
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons || last?.values.dim !== 3) return;
    knob.value = (((Number(knob.value) + event.movementX) % 360) + 360) % 360;
    draw(last);
  });

  function draw(frame) {
    last = frame;
    const { points } = frame.state;
    if (!points) return;
    const dim = points.dims[1];
    turn.hidden = dim !== 3;
    const pen = prepareCanvas(canvas, stage, { extra: STRIP });
    const { width, height, colours } = pen;
    const side = Math.min(height - STRIP, width * (width < 480 ? 0.6 : 0.62));
    const seen = onScreen(points, dim, (Number(knob.value) * Math.PI) / 180);
    const directions = shownDirections(frame, dim);
    const colour = frame.readings.std > 0.5 ? colours.healthy : colours.collapsed;
    drawCloud(pen, seen, side, colour, directions, dim, (Number(knob.value) * Math.PI) / 180);
    drawShadows(pen, points, dim, directions, { left: side + 18, width: width - side - 22, height: side }, colour);
    drawHistory(pen, frame.history, { top: side + 6, height: STRIP - 8 });
    canvas.setAttribute("aria-label", altWords(frame, dim));
  }
  return { draw };
}

function altWords(frame, dim) {
  const { std, effective_rank: rank } = frame.readings;
  const shape = std < 0.05 ? "collapsed to a point" : std < 0.5 ? "small" : rank < dim - 0.5 ? "spread in some directions only" : "spread out";
  return `${frame.state.points.dims[0]} points in ${dim} dimensions, ${shape}: standard deviation ${std.toFixed(2)}, effective rank ${rank.toFixed(2)} of ${dim}.`;
}

/** The first two coordinates; in three dimensions after a turn about the vertical axis, seen a little from above. */
function onScreen({ data, dims }, dim, angle) {
  const count = dims[0];
  const seen = new Float32Array(count * 2);
  for (let i = 0; i < count; i++) seen.set(flatten(data.subarray(i * dim, (i + 1) * dim), dim, angle), i * 2);
  return seen;
}

function flatten(place, dim, angle) {
  if (dim === 2) return [place[0], place[1]];
  const [x, y, z] = place;
  const across = x * Math.cos(angle) + z * Math.sin(angle);
  const away = -x * Math.sin(angle) + z * Math.cos(angle);
  return [across, y * 0.94 + away * 0.34];
}

/** The first directions that the last step was judged along. */
function shownDirections(frame, dim) {
  const used = frame.feeds?.directions;
  if (!used || used.dims[1] !== dim) return [];
  return Array.from({ length: Math.min(SHADOWS, used.dims[0]) }, (_, k) => used.data.subarray(k * dim, (k + 1) * dim));
}

function drawCloud({ context, colours }, seen, side, colour, directions, dim, angle) {
  const middle = side / 2;
  const scale = side / 2 / REACH;
  context.save();
  context.beginPath();
  context.rect(0, 0, side, side);
  context.clip();
  context.strokeStyle = colours.target;
  context.lineWidth = 1;
  context.setLineDash([4, 4]);
  for (const radius of [1, 2]) {
    context.beginPath();
    context.arc(middle, middle, radius * scale, 0, 2 * Math.PI);
    context.stroke();
  }
  context.setLineDash([]);
  context.fillStyle = colours.target;
  context.fillText("1σ", middle + 0.72 * scale + 3, middle + 0.72 * scale + 11);
  context.fillText("2σ", middle + 1.42 * scale + 3, middle + 1.42 * scale + 11);
  context.strokeStyle = colours.faint;
  directions.forEach((direction, k) => {
    const [x, y] = flatten(direction, dim, angle);
    context.beginPath();
    context.moveTo(middle - x * scale * 2.7, middle + y * scale * 2.7);
    context.lineTo(middle + x * scale * 2.7, middle - y * scale * 2.7);
    context.stroke();
    context.fillStyle = colours.ink;
    context.fillText(LETTERS[k], middle + x * scale * 2.9 - 3, middle - y * scale * 2.9 + 4);
  });
  context.globalAlpha = 0.7;
  const radius = side < 220 ? 1.5 : 2.1;
  for (let i = 0; i < seen.length; i += 2) stampDot(context, middle + seen[i] * scale, middle - seen[i + 1] * scale, radius, colour);
  context.restore();
}

function drawShadows(pen, points, dim, directions, box, colour) {
  const { context, colours } = pen;
  const tall = box.height / Math.max(2, directions.length);
  directions.forEach((direction, k) => {
    const top = k * tall;
    const base = top + tall - 16;
    const high = tall - 34;
    const x = (value) => box.left + ((value + REACH) / (2 * REACH)) * box.width;
    context.fillStyle = colours.ink;
    context.fillText(`shadow along ${LETTERS[k]}`, box.left, top + 12);
    context.fillStyle = colour;
    context.globalAlpha = 0.5;
    const bar = box.width / BINS;
    histogram(points, dim, direction).forEach((density, bin) => {
      const length = Math.min(1.05, density / 0.62) * high;
      context.fillRect(box.left + bin * bar, base - length, bar - 0.5, length);
    });
    context.globalAlpha = 1;
    context.strokeStyle = colours.target;
    context.lineWidth = 1.6;
    context.beginPath();
    for (let i = 0; i <= 60; i++) {
      const value = -REACH + (2 * REACH * i) / 60;
      const level = base - (Math.exp((-value * value) / 2) / Math.sqrt(2 * Math.PI) / 0.62) * high;
      if (i) context.lineTo(x(value), level);
      else context.moveTo(x(value), level);
    }
    context.stroke();
    context.strokeStyle = colours.faint;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(box.left, base + 0.5);
    context.lineTo(box.left + box.width, base + 0.5);
    context.stroke();
    context.fillStyle = colours.target;
    for (const tick of [-2, 0, 2]) context.fillText(String(tick), x(tick) - (tick < 0 ? 7 : 3), base + 13);
    if (k === 0 && box.width > 150) context.fillText("N(0, 1)", x(1.1), top + 30);
  });
}

function histogram({ data, dims }, dim, direction) {
  const counts = new Float32Array(BINS);
  const count = dims[0];
  for (let i = 0; i < count; i++) {
    let place = 0;
    for (let j = 0; j < dim; j++) place += data[i * dim + j] * direction[j];
    const bin = Math.floor(((place + REACH) / (2 * REACH)) * BINS);
    counts[Math.min(BINS - 1, Math.max(0, bin))] += 1;
  }
  return counts.map((number) => number / count / ((2 * REACH) / BINS));
}

function drawHistory({ context, width, colours }, moments, box) {
  if (moments.length < 2) return;
  const left = 32;
  const last = moments.at(-1);
  const words = `std ${last.std.toFixed(2)}, step ${last.step}`;
  const right = width - context.measureText(words).width - 10;
  const y = (std) => box.top + box.height - 2 - Math.min(1.25, std) * ((box.height - 6) / 1.25);
  context.strokeStyle = colours.faint;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(left, y(1));
  context.lineTo(right, y(1));
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = colours.target;
  context.fillText("1", 18, y(1) + 4);
  context.fillText("0", 18, y(0) + 2);
  context.strokeStyle = colours.healthy;
  context.lineWidth = 2;
  context.beginPath();
  const since = moments[0].step;
  moments.forEach(({ std, step }, i) => {
    const x = left + ((right - left) * (step - since)) / Math.max(1, last.step - since);
    if (i) context.lineTo(x, y(std));
    else context.moveTo(x, y(std));
  });
  context.stroke();
  context.fillStyle = colours.ink;
  context.fillText(words, right + 5, Math.min(box.top + box.height - 4, Math.max(box.top + 10, y(last.std) + 4)));
}

export default defineLab({ create: cloudFlowView });
