import { addCanvas, addTurn, drawShadow, drawTarget, flatten, onScreen, prepareCanvas, stampDot } from "../canvas.mjs";
import { defineLab } from "../core.mjs";

// Draws the cloud, three of its shadows under the bell curve, and the standard deviation over time.

const REACH = 3.2; // what the axes show, in units of the target's standard deviation
const SHADOWS = 3;
const STRIP = 58; // the height of the strip that shows the standard deviation over time
const LETTERS = ["a", "b", "c"];

function cloudFlowView(stage) {
  const canvas = addCanvas(stage);
  let last = null;
  const turn = addTurn(stage, canvas, () => last && draw(last));

  function draw(frame) {
    last = frame;
    const { points } = frame.state;
    if (!points) return;
    const dim = points.dims[1];
    turn.show(dim === 3);
    const pen = prepareCanvas(canvas, stage, { extra: STRIP });
    const { width, height, colours } = pen;
    const side = Math.min(height - STRIP, width * (width < 480 ? 0.6 : 0.62));
    const seen = onScreen(points, dim, turn.angle());
    const directions = shownDirections(frame, dim);
    const colour = frame.readings.std > 0.5 ? colours.healthy : colours.collapsed;
    drawCloud(pen, seen, side, colour, directions, dim, turn.angle());
    drawShadows(pen, points, directions, { left: side + 18, width: width - side - 22, height: side }, colour);
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
  drawTarget(context, middle, middle, scale, colours.target, { named: true });
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

function drawShadows(pen, points, directions, box, colour) {
  const { context, colours } = pen;
  const tall = box.height / Math.max(2, directions.length);
  directions.forEach((direction, k) => {
    const top = k * tall;
    const base = top + tall - 16;
    context.fillStyle = colours.ink;
    context.fillText(`shadow along ${LETTERS[k]}`, box.left, top + 12);
    drawShadow(pen, points, direction, colour, { left: box.left, base, width: box.width, height: tall - 34, reach: REACH, density: 0.62 });
    context.strokeStyle = colours.faint;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(box.left, base + 0.5);
    context.lineTo(box.left + box.width, base + 0.5);
    context.stroke();
    context.fillStyle = colours.target;
    if (k === 0 && box.width > 150) context.fillText("N(0, 1)", box.left + (0.5 + 1.1 / (2 * REACH)) * box.width, top + 30);
  });
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
