// The script of the Live tab: a click on a map marks two people in the picture, pointing at it shows
// their skeletons, a click on a head shows it alone. Shares one scope with results_marks.js and
// pair_card.js, see app/live_tab.py. Triggers: 'pick', 'point', 'enlarge' and 'draw'.

const MARKED = 5000; // ms for which a cell stays marked, as the people in the picture do
const EVERY = 250; // ms between two looks at the maps, which come anew while the camera runs
const STILL = 4000; // ms without a new picture after which the camera has stopped
const PLAYED = 100; // ms between two poses of the skeletons, at least
const MAPS = ["live-attention", "live-people-attention"];
const HINT = "Point at a cell of a map to see its two short sequences here.";

let picked = null; // {map, looks, seen, until}: the cell that was clicked, by its names
let view = null; // the window that was asked about last, see scene_data.py
let asked = null; // which window the server was asked for
let chosen = null; // {map, window, cell, pair, share} that was clicked; its pair once it is known
let hovered = null; // the same under the mouse
const drawn = { heads: null, plots: null }; // the version of the maps that is shown
let focused = null; // the head that had the keyboard before the heads came anew

window.skeletrLive = {
  told(text) {
    if (!text) return;
    view = JSON.parse(text);
    view.newest = Math.max(...view.spots.map((spot) => spot.time));
    asked = null;
    play(performance.now());
  },
};

// Where a cell is pointed at, the window of its map is asked for, which costs nothing before that.
const cellOn = (map, plot, data) => {
  const pointed = { map, window: plot.layout.meta?.newest, cell: cellAt(data) };
  if (view?.newest !== pointed.window && asked !== pointed.window) {
    asked = pointed.window;
    trigger("point", { window: asked });
  }
  return pointed;
};

// The two sequences of a cell; they stay while the window moves on. How much they look at one another
// is as the map shows it, whose layer and head may have changed.
const known = (pointed) => {
  if (pointed && !pointed.pair && view?.newest === pointed.window) {
    const plot = plotIn(MAPS[0]);
    const same = plot?.layout.meta?.newest === view.newest;
    const now = same ? { ...view, weights: plot.data[0].z } : view;
    const cell = pointed.map === MAPS[0] ? pointed.cell : strongestAt(now, pointed.cell);
    if (cell) {
      pointed.pair = pairOf(now, ...cell);
      pointed.share = now.weights[cell[0]][cell[1]];
      pointed.limbs = now.limbs;
    }
  }
  return pointed?.pair ? pointed : null;
};

const play = (now) => {
  const card = document.querySelector("#live-bodies .sk-pair");
  const shown = known(hovered) || known(chosen);
  const mirrored = document.querySelector("#live-mirror input")?.checked;
  card?.classList.toggle("sk-mirrored", Boolean(mirrored)); // as the picture is
  showPair(card, shown?.pair, shown?.share, HINT, shown?.limbs, false, now);
};

const pick = (map, plot) => (data) => {
  const { x, y } = data.points[0];
  chosen = cellOn(map, plot, data);
  picked = { map, looks: y, seen: x, until: performance.now() + MARKED };
  trigger("pick", { looks: y, seen: x, window: plot.layout.meta?.newest });
  mark();
  toPicture();
};

// What was clicked is to be seen in the picture, and only for a while.
const toPicture = () => {
  const picture = document.querySelector("#live-overlay");
  const { top, bottom } = picture.getBoundingClientRect();
  if (top >= 0 && bottom <= window.innerHeight) return;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  picture.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
};

// The cell as a mark; it moves with the window, and leaves it in the end.
const cellOf = (plot) => {
  const { x = [], y = [] } = plot.data[0] || {};
  const [row, column] = [y.indexOf(picked.looks), x.indexOf(picked.seen)];
  if (row < 0 || column < 0) return [];
  return [{ x0: column - 0.5, x1: column + 0.5, y0: row - 0.5, y1: row + 0.5, kind: "cell" }];
};

const mark = () => {
  if (picked && performance.now() > picked.until) picked = null;
  for (const map of MAPS) {
    const plot = plotIn(map);
    keysFor(map);
    if (!plot) continue;
    if (!plot.skeletrListens) {
      plot.skeletrListens = true;
      plot.on("plotly_click", pick(map, plot));
      plot.on("plotly_hover", (data) => {
        hovered = cellOn(map, plot, data);
        mark(); // the frame of the keyboard follows at once
      });
      plot.on("plotly_unhover", () => (hovered = null));
    }
    const clicked = picked && picked.map === map ? cellOf(plot) : [];
    markPlot(plot, [...clicked, ...cursorMarks(map, plot)]);
  }
};

const headAt = (target) => target.closest?.("#live-heads .sk-head");
const enlarge = (head) => {
  if (head) trigger("enlarge", { head: head.dataset.head === "" ? null : +head.dataset.head });
};

// Heads come anew while the camera runs: the one that was pressed may be gone before the click, so
// what counts is where the pointer is let go. The keyboard makes clicks without a pointer.
const released = (event) => event.button === 0 && enlarge(headAt(event.target));
const clicked = (event) => event.detail === 0 && enlarge(headAt(event.target));
const focusing = (event) => {
  focused = headAt(event.target) ? event.target.dataset.head : null;
};
const refocus = () => {
  if (focused === null || document.activeElement !== document.body) return;
  document.querySelector(`#live-heads .sk-head[data-head="${focused}"]`)?.focus({ preventScroll: true });
};
const left = (event) => {
  if (!headAt(event.target)) focused = null; // a click on nothing gives the keyboard to nothing
};

// Drawing the maps takes a page longer than anything else, so they are asked for only where there are
// new ones and the page is scrolled to them; at first in any case.
const inView = new Set();
const viewing = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) inView[isIntersecting ? "add" : "delete"](target.id);
  look();
});
const drawAnew = () => {
  const version = document.querySelector("#live-badge [data-maps]")?.dataset.maps;
  if (version === undefined || version === "0") return;
  const heads = drawn.heads === null || inView.has("live-heads");
  const plots = drawn.plots === null || MAPS.some((map) => inView.has(map));
  const due = (heads && drawn.heads !== version) || (plots && drawn.plots !== version);
  if (!due) return;
  drawn.heads = version;
  if (plots) drawn.plots = version;
  trigger("draw", { plots });
};

// How fast it goes is true only while it goes.
let picture = { src: null, at: 0 };
const rest = () => {
  const src = document.querySelector("#live-overlay img")?.src ?? null;
  const now = performance.now();
  if (src !== picture.src) picture = { src, at: now };
  document.getElementById("live-badge")?.classList.toggle("sk-still", now - picture.at > STILL);
};

// Loaded once more, the script takes over from the one before.
window.skeletrLiveStop?.abort();
window.skeletrLiveStop = new AbortController();
clearInterval(window.skeletrLiveLook);
clearInterval(window.skeletrLivePlay);
const always = { signal: window.skeletrLiveStop.signal };
document.addEventListener("pointerup", released, always);
document.addEventListener("click", clicked, always);
document.addEventListener("focusin", focusing, always);
document.addEventListener("pointerdown", left, always);
always.signal.addEventListener("abort", () => viewing.disconnect());
const look = () => {
  for (const id of ["live-heads", "live-bodies", ...MAPS]) {
    const block = document.getElementById(id);
    if (block) viewing.observe(block); // once more is no more
  }
  drawAnew();
  rest();
  if (!inView.size) return;
  mark();
  refocus();
};
window.skeletrLiveLook = setInterval(look, EVERY);
window.skeletrLivePlay = setInterval(() => {
  if (inView.size) play(performance.now());
}, PLAYED);
