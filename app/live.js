// The script of the Live tab: a click on a map marks two people in the picture, a click on a head
// shows it alone. Shares one scope with results_marks.js, see app/live_tab.py. Triggers: 'pick' and
// 'enlarge'.

const MARKED = 5000; // ms for which a cell stays marked, as the people in the picture do
const EVERY = 250; // ms between two looks at the maps, which come anew while the camera runs
const MAPS = ["live-attention", "live-people-attention"];

let picked = null; // {map, looks, seen, until}: the cell that was clicked, by its names
let focused = null; // the head that had the keyboard before the heads came anew

const pick = (map, plot) => (data) => {
  const { x, y } = data.points[0];
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
      plot.on("plotly_hover", mark); // the frame of the keyboard follows at once
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

// Loaded once more, the script takes over from the one before.
window.skeletrLiveStop?.abort();
window.skeletrLiveStop = new AbortController();
clearInterval(window.skeletrLiveLook);
const always = { signal: window.skeletrLiveStop.signal };
document.addEventListener("pointerup", released, always);
document.addEventListener("click", clicked, always);
document.addEventListener("focusin", focusing, always);
document.addEventListener("pointerdown", left, always);
window.skeletrLiveLook = setInterval(() => {
  if (!document.querySelector("#live-maps")?.offsetParent) return;
  mark();
  refocus();
}, EVERY);
