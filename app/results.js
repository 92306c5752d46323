// The script of the results: a click on a plot goes to that moment of the video and marks people.
// It runs once, within the component `link` of app/results.py, whose events `trigger` raises.

let scene = null; // where everybody is, see scene_data.py
let arcs = null; // who looks at whom, over time
let view = null; // the window that the maps show
let chosen = null; // the pair of sequences that was clicked
let hovered = null; // the pair under the mouse
let held = null; // the time that this script went to, not the user
let drawn = ""; // what the canvas shows

const videoOf = () => document.querySelector("#video-annotated video");
const onPage = (node) => Boolean(node && node.offsetParent);

window.skeletrResults = {
  told(name, text) {
    if (!text) return;
    const value = JSON.parse(text);
    if (name === "arcs") arcs = value;
    if (name === "window") see(value);
    if (name === "scene") {
      scene = value;
      chosen = hovered = held = null;
      trigger("ready");
    }
    drawn = "";
  },
};

const see = (value) => {
  view = value;
  hovered = null;
  const there = (spot) => view.spots.some((s) => s.person === spot.person && s.time === spot.time);
  if (chosen && !(there(chosen.looks) && there(chosen.seen))) chosen = null;
};

const seek = (time) => {
  const video = videoOf();
  if (!video) return;
  held = Math.min(Math.max(time, 0), video.duration || time);
  video.pause();
  video.currentTime = held;
};

const goTo = (time) => {
  seek(time);
  trigger("look", { time });
};

const choose = (row, column) => {
  chosen = pairOf(view, row, column);
  seek(chosen.seen.time);
  const spot = (s) => [s.time, s.person];
  trigger("pick", { looks: spot(chosen.looks), seen: spot(chosen.seen) });
};

// What the mouse and clicks do on a map; `cellIn` gives the two sequences that a cell stands for.
const listenTo = (cellIn) => (plot) => {
  const found = (data) => view && cellIn(view, cellAt(data));
  plot.on("plotly_click", (data) => found(data) && choose(...found(data)));
  plot.on("plotly_hover", (data) => {
    const cell = found(data);
    hovered = cell && pairOf(view, ...cell);
  });
  plot.on("plotly_unhover", () => (hovered = null));
};

const listeners = {
  "video-attention": listenTo((_, cell) => cell),
  "video-people-attention": listenTo(strongestAt),
  "video-timeline": (plot) => plot.on("plotly_click", (data) => goTo(data.points[0].customdata[0])),
};

const MAPS = ["video-attention", "video-people-attention"];

// Plots come and go with their components, so each is looked for again and again.
const listen = () => {
  MAPS.forEach(keysFor);
  for (const [id, add] of Object.entries(listeners)) {
    const plot = plotIn(id);
    if (!plot || plot.skeletrListens) continue;
    plot.skeletrListens = true;
    add(plot);
  }
};

const HINT = "Point at a cell of the map to see its two short sequences here; click it to go there.";

const showChosen = (now) => {
  const pair = view && view.spots.length ? hovered || chosen : null;
  const share = pair ? shareOf(view, pair) : undefined;
  showPair(document.querySelector("#video-pair .sk-pair"), pair, share, HINT, view?.limbs, true, now);
};

const draw = (video) => {
  const shown = document.querySelector("#video-arcs input")?.checked ? arcs : null;
  const box = video.getBoundingClientRect();
  const place = [box.left + window.scrollX, box.top + window.scrollY, box.width, box.height];
  const pair = chosen && [chosen.looks.person, chosen.seen.person];
  const key = JSON.stringify([video.currentTime, place, Boolean(shown), pair, video.currentSrc]);
  if (key === drawn || !video.videoWidth) return;
  drawn = key;
  drawOnVideo(video, scene, shown, chosen);
};

const mark = (video) => {
  const [map, people, timeline] = Object.keys(listeners).map(plotIn);
  const spots = view ? view.spots : [];
  if (map) markPlot(map, [...(chosen ? cellMarks(spots, chosen) : []), ...cursorMarks(MAPS[0], map)]);
  if (people) markPlot(people, [...(chosen ? peopleMarks(spots, chosen) : []), ...cursorMarks(MAPS[1], people)]);
  if (timeline) markPlot(timeline, timelineMarks(timeline, chosen, video ? video.currentTime : null));
};

const step = (now) => {
  const video = videoOf();
  if (onPage(document.querySelector("#video-results"))) {
    listen();
    showChosen(now);
    mark(video);
    if (video) fillWithBlock(video);
    if (scene && onPage(video)) draw(video);
  }
  window.skeletrStep = requestAnimationFrame(step);
};

// What the user does with the video, and not this script, moves the moment that is looked at.
let later = 0;
const moved = (event) => {
  const video = event.target;
  if (video !== videoOf() || !video.paused) return;
  if (held !== null && Math.abs(video.currentTime - held) < 0.02) return;
  held = null;
  clearTimeout(later);
  later = setTimeout(() => trigger("look", { time: video.currentTime }), 120);
};

const clicked = (event) => {
  const head = event.target.closest("#video-heads .sk-head");
  if (head) trigger("enlarge", { head: head.dataset.head === "" ? null : +head.dataset.head });
  const there = event.target.closest("#video-results [data-seek]");
  // What one pair shows stays as it is while its two moments are looked at.
  if (there) (there.closest(".sk-pair") ? seek : goTo)(+there.dataset.seek);
};

// Where keys mean something else; arrows mean nothing to a button.
const TAKEN = "input, textarea, select, summary, a, video[controls], [contenteditable], [role=slider], [role=listbox], [role=tab]";
const pressed = (event) => {
  const video = videoOf();
  if (!onPage(video) || event.ctrlKey || event.altKey || event.metaKey) return;
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.target.closest(way ? TAKEN : `${TAKEN}, button, [role=button]`)) return;
  if (event.key === " ") video.paused ? video.play() : video.pause();
  else if (way) {
    video.pause();
    video.currentTime += way * (event.shiftKey ? 1 : scene?.frame || 0.04);
  } else return;
  event.preventDefault();
};

const slid = (event) => {
  if (event.target.closest("#video-moment")) seek(+event.target.value);
};

// Loaded once more, the script takes over from the one before.
window.skeletrStop?.abort();
window.skeletrStop = new AbortController();
cancelAnimationFrame(window.skeletrStep);
const always = { signal: window.skeletrStop.signal };
for (const name of ["pause", "seeked"]) document.addEventListener(name, moved, { capture: true, ...always });
document.addEventListener("click", clicked, always);
document.addEventListener("keydown", pressed, always);
document.addEventListener("input", slid, always);
window.skeletrStep = requestAnimationFrame(step);
