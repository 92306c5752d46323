// Maps by keyboard: arrows move a frame over the cells, Enter or Space clicks the cell in it. Shares
// one scope with results_marks.js, see results.py and live_tab.py.

const WAYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const cursors = {}; // id of a map -> [row, column] of the cell that has the frame

const clamp = (number, count) => Math.min(Math.max(number, 0), count - 1);

// The cell that has the frame, as Plotly tells of clicks; null where the map has no cells.
const cursorPoint = (id, plot) => {
  const { x = [], y = [], z } = plot.data[0] || {};
  if (!z || !x.length || !y.length) return null;
  const [row, column] = cursors[id] || [0, 0];
  cursors[id] = [clamp(row, y.length), clamp(column, x.length)];
  const [r, c] = cursors[id];
  return { x: x[c], y: y[r], z: z[r][c], pointIndex: [r, c] };
};

// The frame as a mark, while the map has the keyboard.
const cursorMarks = (id, plot) => {
  const map = document.getElementById(id);
  if (document.activeElement !== map || !map.matches(":focus-visible")) return [];
  const point = cursorPoint(id, plot);
  if (!point) return [];
  tell(map, point);
  const [row, column] = point.pointIndex;
  return [{ x0: column - 0.5, x1: column + 0.5, y0: row - 0.5, y1: row + 0.5, kind: "cursor" }];
};

// In words, below the map and for who cannot see it.
const tell = (map, point) => {
  const said = map.querySelector(":scope > .sk-map-said");
  const text = `${point.y} looks at ${point.x}: ${(100 * point.z).toFixed(1)}%`;
  if (said && said.textContent !== text) said.textContent = text;
};

const keyOnMap = (id) => (event) => {
  if (event.target.id !== id || event.ctrlKey || event.altKey || event.metaKey) return;
  const way = WAYS[event.key];
  const clicks = event.key === "Enter" || event.key === " ";
  const plot = plotIn(id);
  if (!plot || !(way || clicks) || !cursorPoint(id, plot)) return;
  event.preventDefault();
  event.stopPropagation(); // arrows and Space mean the video elsewhere
  if (way) cursors[id] = cursors[id].map((n, i) => n + way[i]);
  const points = [cursorPoint(id, plot)];
  plot.emit(clicks ? "plotly_click" : "plotly_hover", { points });
};

// Give a map the keyboard; the block stays where its plot comes anew.
const keysFor = (id) => {
  const map = document.getElementById(id);
  if (!map || map.tabIndex === 0) return;
  map.tabIndex = 0;
  map.setAttribute("role", "application");
  const name = map.querySelector("label")?.textContent.trim() || "Map";
  map.setAttribute("aria-label", `${name}. Arrow keys choose a cell, Enter clicks it.`);
  const said = document.createElement("p");
  said.className = "sk-map-said";
  said.setAttribute("aria-live", "polite");
  map.append(said);
  map.addEventListener("keydown", keyOnMap(id));
  map.addEventListener("blur", () => plotIn(id)?.emit("plotly_unhover", {}));
};
