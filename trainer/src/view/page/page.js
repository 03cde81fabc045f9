// The page: it draws what its session tells it, and asks the session for what the hands on it want. It simulates nothing.

import { Charts, colours, fitted, short } from "./charts.js";
import { pictureOf } from "./machines.js";

const KICK = 0.6; // N·s
const $ = (id) => document.getElementById(id);
const data = document.body.dataset;

let hello = null;
let [before, latest] = [null, null]; // the last two frames
let arrived = 0; // when the latest came, in ms of the page's clock
let picture = null;
let charts = null;
let hand = null; // { pointer, grip, offset, position, sent }
let palette = colours();
const sliders = [];

const socket = new WebSocket(`ws://${location.host}/session`);
const ask = (command) => {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command));
};

socket.onmessage = ({ data: text }) => {
  const message = JSON.parse(text);
  if (message.kind === "hello") begin(message);
  else show(message);
};
socket.onclose = () => {
  data.connection = "closed";
  note(hello ? "The server has ended, or the connection broke: start trainer view again and load this page anew."
    : "The server gave no session: too many pages may be open. Close one and load this page anew.");
  $("state").textContent = "not connected";
};

function note(text) {
  $("note").textContent = text;
  $("note").hidden = !text;
}

function begin(message) {
  hello = message;
  data.connection = "open";
  data.plant = hello.plant;
  document.title = `${hello.plant} – trainer view`;
  $("plant").textContent = hello.plant;
  $("title").textContent = hello.policy;
  $("period").textContent = Number((1000 * hello.period).toPrecision(4));
  if (hello.plant !== "pendulum") $("rest").textContent = "Lying";
  if (hello.goal) {
    $("error-name").textContent = `from ${hello.goal.name}`;
    $("at-goal-name").textContent = `${hello.goal.name} for`;
    $("at-goal").title = `within ${distance(hello.goal.within, 1)}`;
  }
  if (hello.other_machine) note("This policy was trained on a machine with other settings than this one.");
  picture = pictureOf(hello);
  const worth = { name: "value", unit: "", low: null, high: null, kind: "worth", note: ", the discounted return that the critics expect" };
  const of = (kind) => (entry) => ({ ...entry, kind });
  const entries = [...hello.observation.map(of("see")), ...hello.action.map((entry) => ({ ...of("act")(entry), noise_scale: 0 }))];
  if (hello.no_value === null) entries.push(worth);
  charts = new Charts($("charts"), entries);
  if (hello.no_value !== null) {
    const text = document.createElement("p");
    text.className = "hint";
    text.id = "no-value";
    text.textContent = hello.no_value;
    $("charts").append(text);
  }
  hello.parameters.forEach((parameter, index) =>
    slider(parameter, (value) => ({ do: "set", name: parameter.name, value }), (frame) => frame.parameters[index]));
  for (const name of ["latency", "noise", "speed"]) {
    slider(hello[name], (value) => ({ do: name, value }), (frame) => frame[name]);
  }
}

// A slider that shows what the session has, not what the page wishes.
function slider({ name, unit, value, low, high }, command, read) {
  const digit = 10 ** Math.floor(Math.log10((high - low) / 60));
  const step = [1, 2, 5, 10].map((times) => times * digit).find((size) => size >= (high - low) / 60);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const id = `slider-${name.replaceAll(" ", "-")}`;
  const row = document.createElement("div");
  row.className = "slider";
  const label = document.createElement("label");
  label.htmlFor = id;
  label.textContent = name;
  const output = document.createElement("output");
  output.htmlFor = id;
  const input = document.createElement("input");
  Object.assign(input, { id, type: "range", min: low, max: high, step });
  input.value = value;
  input.oninput = () => ask(command(Number(input.value)));
  row.append(label, output, input);
  $("sliders").append(row);
  sliders.push({
    follow(frame) {
      const now = read(frame);
      const text = `${now.toFixed(digits)} ${unit}`.replace("-", "−");
      if (output.value !== text) {
        output.value = text;
        input.setAttribute("aria-valuetext", text);
      }
      output.dataset.value = now;
      row.classList.toggle("changed", Math.abs(now - value) > step / 2);
      if (document.activeElement !== input) input.value = now;
    },
    restore() {
      input.value = value;
      ask(command(value));
    },
  });
}

function show(frame) {
  before = latest && latest.episode === frame.episode ? latest : frame;
  latest = frame;
  arrived = performance.now();
  for (const one of sliders) one.follow(frame);
  const late = frame.latency > 0 || frame.held !== null ? frame.applied : [];
  const also = [...hello.observation.map(() => NaN), ...hello.action.map((_, index) => late[index] ?? NaN)];
  charts.add(frame.time, [...frame.observation, ...frame.action, frame.value], also, frame.noise);

  $("error").textContent = distance(frame.error, 1);
  $("at-goal").textContent = `${frame.at_goal.toFixed(1)} s`;
  $("rest-error").textContent = distance(frame.rest?.error, 2);
  $("chatter").textContent = frame.rest ? measured(frame.rest.chatter, 3, hello.action[0].unit) : "–";
  $("time").textContent = `${frame.time.toFixed(1)} s`;
  const state = stateOf(frame);
  if ($("state").textContent !== state) $("state").textContent = state;
  $("run").textContent = frame.running ? "Pause" : "Run";
  $("run").setAttribute("aria-pressed", String(!frame.running));
  $("step").disabled = frame.running;
  const { error, at_goal: atGoal, rest, time, episode } = frame;
  Object.assign(data, { error, atGoal, restError: rest?.error ?? "", chatter: rest?.chatter ?? "", time, episode, state: frame.state.join(" "), held: frame.held ?? "", fallen: frame.fallen ?? "" });
}

// An angle in degrees, anything else in its own unit.
function distance(x, digits) {
  if (x === null || x === undefined) return "–";
  return hello.goal.unit === "rad" ? `${signed((x * 180) / Math.PI, digits)}°` : measured(x, digits + 2, hello.goal.unit);
}
const signed = (x, digits) => x.toFixed(digits).replace("-", "−");
// A unit such as 100 N is a number already.
const measured = (x, digits, unit) => `${signed(x, digits)} ${/^\d/.test(unit) ? "× " : ""}${unit}`.trim();

function stateOf(frame) {
  if (frame.fault) return `no action: ${frame.fault}`;
  if (frame.held !== null) return `you hold the ${hello.grips[frame.held][0]}; the motor rests`;
  if (frame.fallen !== null) return `fallen: begins anew in ${Math.ceil(frame.fallen)} s, or with a click`;
  if (!frame.running) return "paused";
  return frame.at_goal > 0.5 ? hello.goal.name : "";
}

// Between the last two frames as time goes on, one period behind, so that it moves evenly.
function draw() {
  requestAnimationFrame(draw);
  if (!latest) return;
  const pace = (1000 * hello.period) / latest.speed;
  const share = latest.running ? Math.min((performance.now() - arrived) / pace, 1) : 1;
  charts.draw(before.time + (latest.time - before.time) * share, palette);
  const { context, width, height } = fitted($("machine"));
  if (!picture) return;
  const finite = latest.state.every(Number.isFinite) && before.state.every(Number.isFinite);
  if (!finite) return;
  shown = picture.between(before.state, latest.state, share);
  // A hand feels no delay.
  if (hand) shown = picture.placed(shown, hand.grip, hand.position);
  picture.draw(context, width, height, shown, latest.applied, latest.parameters, palette, hand ? hand.grip : latest.held);
  if (hand && hand.sent !== hand.position) {
    hand.sent = hand.position;
    ask({ do: "hold", grip: hand.grip, position: hand.position });
  }
}
let shown = null;

const canvas = $("machine");
const place = (event) => {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top, box.width, box.height];
};
canvas.addEventListener("pointerdown", (event) => {
  // While time stands still nothing can be carried.
  if (!latest?.running || !picture || !shown || event.button !== 0) return;
  const slack = event.pointerType === "touch" ? 44 : 26;
  const picked = picture.pick(...place(event), shown, latest.parameters, slack);
  if (!picked) {
    if (latest.fallen !== null) ask({ do: "reset", to: "random" });
    return;
  }
  canvas.setPointerCapture(event.pointerId);
  canvas.classList.add("held");
  // What is grabbed beside its middle does not jump.
  hand = { pointer: event.pointerId, grip: picked.grip, offset: picked.now - picked.position, position: picked.now, sent: null };
});
// On the window: a hand that leaves the picture still holds.
window.addEventListener("pointermove", (event) => {
  if (!hand || event.pointerId !== hand.pointer) return;
  hand.position = hand.offset + picture.position(hand.grip, ...place(event), shown, latest.parameters);
});
for (const end of ["pointerup", "pointercancel", "blur"]) {
  window.addEventListener(end, (event) => {
    if (!hand || (event.pointerId ?? hand.pointer) !== hand.pointer) return;
    hand = null;
    canvas.classList.remove("held");
    ask({ do: "release" });
  });
}

const strike = (sign) => picture && ask({ do: "strike", value: sign * picture.right * KICK });
const toggle = () => latest && ask({ do: "run", value: !latest.running });
$("strike-left").onclick = () => strike(-1);
$("strike-right").onclick = () => strike(1);
$("run").onclick = toggle;
$("step").onclick = () => ask({ do: "step" });
$("random").onclick = () => ask({ do: "reset", to: "random" });
$("rest").onclick = () => ask({ do: "reset", to: "rest" });
$("defaults").onclick = () => sliders.forEach((one) => one.restore());
canvas.addEventListener("keydown", (event) => {
  const act = { ArrowLeft: () => strike(-1), ArrowRight: () => strike(1), " ": toggle }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (palette = colours()));
requestAnimationFrame(draw);
