// How machines look, and where they can be held. θ = 0 is upright, θ > 0 leans to the right.

const TAU = 2 * Math.PI;

// The picture of a machine; `hello` names its quantities. A machine that has none here shows its charts only.
export function pictureOf(hello) {
  const index = (name) => hello.parameters.findIndex((parameter) => parameter.name === name);
  if (hello.plant === "pendulum") return new Pendulum(index("mass"), index("length"), hello);
  if (hello.plant === "inverted-pendulum") return new Cart(index("pole mass"), index("pole length"), index("cart mass"), hello);
  return null;
}

const distance = (px, py, ax, ay, bx, by) => {
  const [dx, dy] = [bx - ax, by - ay];
  const along = Math.min(Math.max(((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1), 0), 1);
  return Math.hypot(px - ax - along * dx, py - ay - along * dy);
};

function stroke(c, colour, width, points) {
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.lineCap = "round";
  c.beginPath();
  points.forEach(([x, y], index) => (index ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.stroke();
}

function disc(c, colour, x, y, radius) {
  c.fillStyle = colour;
  c.beginPath();
  c.arc(x, y, radius, 0, TAU);
  c.fill();
}

function head(c, colour, x, y, direction) {
  c.fillStyle = colour;
  c.beginPath();
  for (const [along, across] of [[9, 0], [-4, 6], [-4, -6]]) {
    const [cos, sin] = [Math.cos(direction), Math.sin(direction)];
    c.lineTo(x + along * cos - across * sin, y + along * sin + across * cos);
  }
  c.fill();
}

// θ and the torque are positive counter-clockwise, as films and Gymnasium show it.
class Pendulum {
  // What a blow to the right, clockwise, does to θ̇.
  right = -1;

  constructor(mass, length, hello) {
    [this.mass, this.length] = [mass, length];
    this.usual = hello.parameters.map((parameter) => parameter.value);
    this.most = hello.action[0].high;
  }

  lay(width, height, parameters) {
    const length = parameters[this.length];
    // A rod that is longer than usual makes the view larger; the ring shows the usual length.
    const view = Math.max(1.12 * this.usual[this.length], 1.12 * length);
    const scale = (0.5 * Math.min(width, height) - 26) / view;
    return { x: width / 2, y: height / 2 + 4, reach: length * scale, usual: this.usual[this.length] * scale };
  }

  // `state`: (θ, θ̇); `action`: what acts, in N·m.
  draw(c, width, height, state, action, parameters, palette, held) {
    const { x, y, reach, usual } = this.lay(width, height, parameters);
    c.setLineDash([2, 5]);
    c.strokeStyle = palette.faint;
    c.lineWidth = 1.2;
    c.beginPath();
    c.arc(x, y, usual, 0, TAU);
    c.stroke();
    c.setLineDash([]);
    stroke(c, palette.faint, 2, [[x, y - usual - 9], [x, y - usual + 5]]);

    const thick = 11 * Math.sqrt(Math.max(parameters[this.mass] / this.usual[this.mass], 0.05));
    const [tx, ty] = [x - reach * Math.sin(state[0]), y - reach * Math.cos(state[0])];
    stroke(c, held === null ? palette.body : palette.see, thick, [[x, y], [tx, ty]]);
    disc(c, palette.card, tx, ty, thick * 0.22);

    // The torque, as an arc around the pivot that is longer the stronger it is.
    const share = Math.max(-1, Math.min(1, action[0] / this.most));
    if (Math.abs(share) > 0.01) {
      const [radius, from, to] = [34, -TAU / 4, -TAU / 4 - share * 2.4];
      c.strokeStyle = palette.act;
      c.lineWidth = 4;
      c.lineCap = "butt";
      c.beginPath();
      c.arc(x, y, radius, from, to, share > 0);
      c.stroke();
      head(c, palette.act, x + radius * Math.cos(to), y + radius * Math.sin(to), to - Math.sign(share) * (TAU / 4));
    }
    disc(c, palette.card, x, y, 8);
    disc(c, palette.text, x, y, 5);
  }

  // The grip at a point, and its position there.
  pick(px, py, width, height, state, parameters, slack) {
    const { x, y, reach } = this.lay(width, height, parameters);
    const [tx, ty] = [x - reach * Math.sin(state[0]), y - reach * Math.cos(state[0])];
    if (distance(px, py, x, y, tx, ty) > slack) return null;
    return { grip: 0, position: this.position(0, px, py, width, height, state, parameters), now: state[0] };
  }

  position(_grip, px, py, width, height, _state, parameters) {
    const { x, y } = this.lay(width, height, parameters);
    return Math.atan2(x - px, y - py);
  }

  // A state with the grip at a position, as the hand sees it at once.
  placed(state, _grip, position) {
    return [position, state[1]];
  }

  between(a, b, share) {
    return a.map((from, index) => from + (b[index] - from) * share);
  }
}

// A position is positive to the right, an angle clockwise, as films and MuJoCo show it.
class Cart {
  right = 1;

  constructor(mass, length, cart, hello) {
    Object.assign(this, { mass, length, cart });
    this.usual = hello.parameters.map((parameter) => parameter.value);
    this.most = hello.action[0].high;
  }

  lay(width, height, parameters, state) {
    const scale = Math.min((width - 30) / 2.9, (height - 130) / 1.32);
    const size = Math.cbrt(parameters[this.cart] / this.usual[this.cart]);
    const [half, high] = [0.2 * size * scale, 0.13 * size * scale];
    const x = width / 2 + state[0] * scale;
    const y = Math.min(height - 92, height / 2 + 0.35 * scale);
    return { scale, x, y, half, high, reach: parameters[this.length] * scale };
  }

  // `state`: (x, θ, ẋ, θ̇); `action`: what acts, in 100 N.
  draw(c, width, height, state, action, parameters, palette, held) {
    const { scale, x, y, half, high, reach } = this.lay(width, height, parameters, state);
    stroke(c, palette.faint, 2, [[width / 2 - 1.25 * scale, y], [width / 2 + 1.25 * scale, y]]);
    for (const end of [-1, 1]) stroke(c, palette.faint, 2, [[width / 2 + end * scale, y - 10], [width / 2 + end * scale, y + 10]]);
    stroke(c, palette.faint, 1, [[width / 2, y - 4], [width / 2, y + 4]]);
    c.fillStyle = palette.muted;
    c.font = "11px system-ui, sans-serif";
    c.textAlign = "center";
    c.textBaseline = "top";
    for (const end of [-1, 0, 1]) c.fillText(end ? `${end > 0 ? "+" : "−"}1 m` : "0", width / 2 + end * scale, y + high + 8);

    c.fillStyle = held === 0 ? palette.see : palette.body;
    c.beginPath();
    c.roundRect(x - half, y - high, 2 * half, 2 * high, Math.min(10, high));
    c.fill();
    const thick = Math.max(4, 0.07 * scale * Math.sqrt(parameters[this.mass] / this.usual[this.mass]));
    const [tx, ty] = [x + reach * Math.sin(state[1]), y - reach * Math.cos(state[1])];
    stroke(c, palette.card, thick + 4, [[x, y], [tx, ty]]);
    stroke(c, held === 1 ? palette.see : palette.muted, thick, [[x, y], [tx, ty]]);
    disc(c, palette.card, x, y, 3.5);

    // The force, from the cart's end on.
    const share = Math.max(-1, Math.min(1, action[0] / this.most));
    if (Math.abs(share) > 0.01) {
      const from = x + Math.sign(share) * (half + 8);
      const to = from + share * 0.55 * scale;
      stroke(c, palette.act, 4, [[from, y], [to, y]]);
      head(c, palette.act, to, y, share > 0 ? 0 : TAU / 2);
    }
  }

  pick(px, py, width, height, state, parameters, slack) {
    const { x, y, half, high, reach } = this.lay(width, height, parameters, state);
    const onCart = Math.abs(px - x) < half + slack / 2 && Math.abs(py - y) < high + slack / 2;
    const [tx, ty] = [x + reach * Math.sin(state[1]), y - reach * Math.cos(state[1])];
    if (!onCart && distance(px, py, x, y, tx, ty) > slack) return null;
    const grip = onCart ? 0 : 1;
    return { grip, position: this.position(grip, px, py, width, height, state, parameters), now: state[grip] };
  }

  position(grip, px, py, width, height, state, parameters) {
    const { scale, x, y } = this.lay(width, height, parameters, state);
    return grip === 0 ? (px - width / 2) / scale : Math.atan2(px - x, y - py);
  }

  placed(state, grip, position) {
    const limit = grip === 0 ? 1 : TAU / 4;
    const placed = [...state];
    placed[grip] = Math.min(Math.max(position, -limit), limit);
    return placed;
  }

  between(a, b, share) {
    return a.map((from, index) => from + (b[index] - from) * share);
  }
}
