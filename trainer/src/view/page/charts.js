// Strip charts of the last seconds: what the policy sees, what it does, what the critics expect.

const WINDOW = 10; // s

// The colours of the style sheet, which follow light and dark.
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["page", "card", "line", "text", "muted", "faint", "see", "act", "late", "worth", "body"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// A canvas as large as it is shown, in the screen's own pixels; its context draws in CSS pixels.
export function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

// A number as short as it can be read.
export function short(number) {
  if (!Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  const text = number.toFixed(digits);
  return (Number(text) === 0 ? (0).toFixed(digits) : text).replace("-", "−");
}

// A number with its unit, which may have a number of its own, such as 100 N.
function measured(number, unit) {
  return `${short(number)}${/^\d/.test(unit) ? " × " : unit && " "}${unit}`;
}

export class Charts {
  // `entries`: name, unit, low, high (null where there is no bound), kind (see, act, worth), noise_scale.
  constructor(parent, entries) {
    this.rows = entries.map((entry) => new Row(parent, entry));
  }

  // Numbers of a moment, in the order of the entries; `also` are second lines of some of them.
  add(time, numbers, also, noise) {
    this.rows.forEach((row, index) => row.add(time, numbers[index], also[index], noise));
  }

  clear() {
    for (const row of this.rows) row.points = [];
  }

  draw(time, palette) {
    for (const row of this.rows) row.draw(time, palette);
  }
}

class Row {
  constructor(parent, entry) {
    this.entry = entry;
    this.points = [];
    const figure = document.createElement("div");
    figure.className = `chart ${entry.kind}`;
    figure.dataset.chart = entry.name;
    const header = document.createElement("header");
    const name = document.createElement("span");
    name.className = "name";
    const strong = document.createElement("b");
    strong.textContent = entry.name;
    this.noise = document.createElement("span");
    name.append(strong, entry.note ?? (entry.unit ? ` in ${entry.unit}` : ""), this.noise);
    this.output = document.createElement("output");
    header.append(name, this.output);
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${entry.name}, the last ${WINDOW} seconds`);
    figure.append(header, this.canvas);
    parent.append(figure);
  }

  add(time, number, also, noise) {
    const { entry, points } = this;
    points.push([time, number, also]);
    while (points.length > 2 && points[1][0] < time - WINDOW) points.shift();
    this.output.value = measured(number ?? NaN, entry.unit);
    const sigma = entry.noise_scale ? (noise / 100) * entry.noise_scale : 0;
    this.noise.textContent = sigma > 0 ? `, σ ${short(sigma)}` : "";
  }

  // Its bounds; or what it has been, with some room, so that nothing small looks large.
  range() {
    const { low, high, kind, noise_scale: scale } = this.entry;
    if (low !== null && high !== null) return [low, high];
    const numbers = this.points.map((point) => point[1]).filter(Number.isFinite);
    let [least, most] = [Math.min(...numbers), Math.max(...numbers)];
    if (!numbers.length) [least, most] = [0, 0];
    if (kind !== "worth") {
      const reach = Math.max(0.2 * (scale || 1), -least, most) * 1.1;
      return [-reach, reach];
    }
    const room = Math.max(0.05 * (most - least), 0.01 * Math.max(Math.abs(least), Math.abs(most)), 1e-3);
    return [least - room, most + room];
  }

  draw(time, palette) {
    const { context: c, width, height } = fitted(this.canvas);
    const [low, high] = this.range();
    const [top, bottom, left] = [6, height - 6, 42];
    const x = (t) => width - 2 - ((time - t) / WINDOW) * (width - 2 - left);
    const y = (v) => bottom - ((v - low) / (high - low)) * (bottom - top);

    c.lineWidth = 1;
    c.strokeStyle = palette.line;
    c.fillStyle = palette.muted;
    c.font = "11px system-ui, sans-serif";
    c.textAlign = "right";
    c.textBaseline = "middle";
    // 0, too, where its number has room beside theirs.
    const roomy = low < 0 && high > 0 && y(low) - y(0) > 13 && y(0) - y(high) > 13;
    for (const level of roomy ? [low, 0, high] : [low, high]) {
      const at = Math.round(y(level)) + 0.5;
      c.beginPath();
      c.moveTo(left, at);
      c.lineTo(width, at);
      c.stroke();
      c.fillText(tick(level), left - 6, Math.min(Math.max(at, 7), height - 7));
    }

    c.save();
    c.beginPath();
    c.rect(left, 0, width - left, height);
    c.clip();
    const limited = (v) => Math.min(Math.max(y(v), 1), height - 1);
    const steps = this.entry.kind === "act";
    const line = (index, colour, thick) => {
      c.beginPath();
      let last = null;
      for (const point of this.points) {
        if (!Number.isFinite(point[index])) {
          last = null;
          continue;
        }
        const [px, py] = [x(point[0]), limited(point[index])];
        if (last === null) c.moveTo(px, py);
        else {
          if (steps) c.lineTo(px, last);
          c.lineTo(px, py);
        }
        last = py;
      }
      if (steps && last !== null) c.lineTo(width, last);
      c.lineWidth = thick;
      c.lineJoin = "round";
      c.strokeStyle = colour;
      c.stroke();
    };
    line(2, palette.late, 3.5);
    line(1, palette[this.entry.kind], 1.6);
    c.restore();
  }
}

// A level beside the axis: four characters have room.
function tick(level) {
  const size = Math.abs(level);
  const text = size >= 100 ? level.toFixed(0) : String(Number(level.toPrecision(2)));
  return text.replace("-", "−");
}
