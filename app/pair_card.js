// The two short sequences of a cell as skeletons that move. Shares one scope with results.js or
// live.js, see results.py and live_tab.py. A view is what `window` of scene_data.py tells.

const LOOP = 1900; // milliseconds in which a short sequence is played once

// A pair by the numbers of its sequences in the window.
const pairOf = (view, row, column) => ({ looks: view.spots[row], seen: view.spots[column] });

// The numbers of the two sequences of two people between which most attention flows.
const strongest = (view, looks, seen) => {
  let best = null;
  view.weights.forEach((weights, row) => weights.forEach((weight, column) => {
    if (view.spots[row].person !== looks || view.spots[column].person !== seen) return;
    if (!best || weight > best.weight) best = { row, column, weight };
  }));
  return best && [best.row, best.column];
};

// The numbers of the two sequences that a cell of the map between people stands for.
const strongestAt = (view, cell) => {
  const people = peopleOf(view.spots);
  return strongest(view, ...cell.map((i) => people[i]));
};

const cellAt = (data) => {
  const point = data.points[0];
  return Array.isArray(point.pointIndex) ? point.pointIndex : point.pointNumber;
};

// How much of the attention goes there, if the window has both sequences.
const shareOf = (view, pair) => {
  const place = (spot) => view.spots.findIndex((s) => s.person === spot.person && s.time === spot.time);
  return view.weights[place(pair.looks)]?.[place(pair.seen)];
};

// Fills a card with a pair, or with a hint where there is none, and lets the skeletons move.
const showPair = (card, pair, share, hint, limbs, seeks, now) => {
  if (!card) return;
  const told = share === undefined ? "" : `${(100 * share).toFixed(1)}% of the attention goes there.`;
  const key = pair ? [pair.looks, pair.seen].map((s) => `${s.person} ${s.time}`).join() + told : hint;
  if (card.dataset.key !== key) {
    card.dataset.key = key;
    card.replaceChildren(...(pair ? cardOf(pair, told, seeks) : [textNode("p", hint, "sk-note")]));
  }
  if (!pair || !limbs) return;
  const bodies = card.querySelectorAll(".sk-body");
  [pair.looks, pair.seen].forEach((spot, i) => playBody(bodies[i], spot, limbs, now));
};

const cardOf = (pair, told, seeks) => [
  bodyOf(pair.looks, "looks", seeks), bodyOf(pair.seen, "is looked at", seeks), textNode("p", told, "sk-meta"),
];

const svgNode = (name, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

const textNode = (name, text, classes = "") => {
  const node = document.createElement(name);
  node.textContent = text;
  node.className = classes;
  return node;
};

// One short sequence: who, when, label, and the skeleton. Where there is a video, a click goes to
// its moment.
const bodyOf = (spot, role, seeks) => {
  const body = document.createElement(seeks ? "button" : "div");
  body.className = "sk-body";
  body.dataset.person = spot.person;
  if (seeks) {
    body.type = "button";
    body.dataset.seek = spot.time;
    body.title = `Go to ${spot.time.toFixed(1)} s`;
  }
  const head = document.createElement("span");
  const chip = textNode("span", spot.person, "sk-chip");
  chip.style.background = spot.color;
  chip.style.color = spot.ink;
  head.append(chip, textNode("b", role), textNode("span", `${spot.time.toFixed(1)} s`));
  const drawing = svgNode("svg", { viewBox: "0 0 200 200", role: "img", "aria-label": `Skeleton of person ${spot.person}` });
  drawing.append(
    svgNode("path", { class: "sk-limbs-edge" }),
    svgNode("path", { class: "sk-limbs", stroke: spot.color }),
    svgNode("path", { class: "sk-joints" }),
  );
  const share = spot.score === null ? "" : ` ${Math.round(100 * spot.score)}%`;
  body.append(head, drawing, textNode("span", spot.label + share, "sk-said"));
  return body;
};

const pose = (drawing, points, limbs) => {
  const seen = limbs.filter(([a, b]) => points?.[a] && points?.[b]);
  const lines = seen.map(([a, b]) => `M${points[a]}L${points[b]}`).join("");
  const joints = (points || []).filter(Boolean).map(([x, y]) => `M${x},${y}h0`).join("");
  const [edge, limb, joint] = drawing.children;
  edge.setAttribute("d", lines);
  limb.setAttribute("d", lines);
  joint.setAttribute("d", joints);
};

// Plays the sequence; with less motion wished for, its middle is shown.
const playBody = (body, spot, limbs, now) => {
  const poses = spot.poses;
  if (!poses.length) return;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const index = Math.min(Math.floor(((now % LOOP) / LOOP) * (poses.length + 2)), poses.length - 1);
  const shown = still ? (poses.length - 1) / 2 : index;
  if (body.dataset.pose === `${shown}`) return;
  body.dataset.pose = shown;
  pose(body.querySelector("svg"), poses[shown], limbs);
};
