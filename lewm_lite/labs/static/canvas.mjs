// What views share when they draw: a sharp canvas in the theme's colours, and a dot painted once and stamped often.
// Strung together with the others into one module for a widget (labs/scripts.py): top-level names are unique.

/** A canvas on the stage, which a screen reader meets as one picture: each draw gives it its words (`aria-label`). */
export function addCanvas(stage) {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  stage.append(canvas);
  return canvas;
}

/**
 * An empty canvas as wide as the stage, in CSS pixels, and the theme's colours by meaning.
 * Its height is `aspect` times the width, `tallest` at most, and `extra` pixels more.
 */
export function prepareCanvas(canvas, stage, { aspect = 0.6, tallest = 420, extra = 0 } = {}) {
  const width = Math.max(260, stage.clientWidth);
  const height = Math.round(Math.min(tallest, width * aspect) + extra);
  const ratio = globalThis.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  const style = getComputedStyle(stage);
  const names = ["ink", "paper", "faint", "healthy", "collapsed", "target", "prediction", "goal", "edge"];
  const colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--lewm-${name}`).trim()]));
  return { context, width, height, colours };
}

/** One dot, painted once and stamped for every point: filling a circle each time would take the engine's own time. */
const paintedDots = new Map();
export function stampDot(context, x, y, radius, colour) {
  const key = `${colour} ${radius}`;
  if (!paintedDots.has(key)) {
    const sharp = 4;
    const dot = document.createElement("canvas");
    dot.width = dot.height = Math.round((2 * radius + 2) * sharp);
    const pen = dot.getContext("2d");
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(dot.width / 2, dot.height / 2, radius * sharp, 0, 2 * Math.PI);
    pen.fill();
    paintedDots.set(key, dot);
  }
  context.drawImage(paintedDots.get(key), x - radius - 1, y - radius - 1, 2 * radius + 2, 2 * radius + 2);
}
