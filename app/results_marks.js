// Marks on the plots: the chosen cell, its two sequences, and the present moment. Shares one scope
// with results.js, see results.py. Plotly draws the plots anew; these lie above them.

const plotIn = (id) => {
  const plot = document.querySelector(`#${id} .js-plotly-plot`);
  return plot && plot._fullLayout && plot._fullLayout.xaxis ? plot : null;
};

// marks: {x0, x1, y0, y1} in units of the axes, categories by number; kind; color or null.
const markPlot = (plot, marks) => {
  const { xaxis, yaxis } = plot._fullLayout;
  const place = [xaxis._offset, yaxis._offset, xaxis._length, yaxis._length];
  const key = JSON.stringify([marks, place, xaxis.range, yaxis.range]);
  let sheet = plot.querySelector(":scope > .sk-marks");
  if (sheet && sheet.dataset.key === key) return;
  if (!sheet) {
    sheet = document.createElement("div");
    sheet.className = "sk-marks";
    plot.append(sheet);
  }
  sheet.dataset.key = key;
  ["left", "top", "width", "height"].forEach((side, i) => (sheet.style[side] = `${place[i]}px`));
  sheet.replaceChildren(...marks.map((mark) => markOf(mark, xaxis, yaxis)));
};

const markOf = (mark, xaxis, yaxis) => {
  const [left, right] = [xaxis.l2p(mark.x0), xaxis.l2p(mark.x1)].sort((a, b) => a - b);
  const [top, bottom] = [yaxis.l2p(mark.y0), yaxis.l2p(mark.y1)].sort((a, b) => a - b);
  const node = document.createElement("div");
  node.className = `sk-mark sk-mark-${mark.kind}`;
  Object.assign(node.dataset, mark.told || {});
  node.style.left = `${left}px`;
  node.style.top = `${top}px`;
  node.style.width = `${Math.max(right - left, 0)}px`;
  node.style.height = `${bottom - top}px`;
  if (mark.color) node.style.setProperty("--person", mark.color);
  return node;
};

const toldOf = (spot, role) => ({ person: spot.person, time: spot.time, role });

// The row, the column and the cell of a pair of sequences.
const cellMarks = (spots, pair) => {
  const indexOf = (spot) => spots.findIndex((s) => s.person === spot.person && s.time === spot.time);
  const [row, column] = [indexOf(pair.looks), indexOf(pair.seen)];
  if (row < 0 || column < 0) return [];
  const end = spots.length - 0.5;
  const across = { x0: -0.5, x1: end, y0: row - 0.5, y1: row + 0.5 };
  const along = { x0: column - 0.5, x1: column + 0.5, y0: -0.5, y1: end };
  return [
    { ...across, kind: "line", color: pair.looks.color, told: toldOf(pair.looks, "looks") },
    { ...along, kind: "line", color: pair.seen.color, told: toldOf(pair.seen, "seen") },
    { x0: along.x0, x1: along.x1, y0: across.y0, y1: across.y1, kind: "cell" },
  ];
};

// The same for two people.
const peopleMarks = (spots, pair) => {
  const people = peopleOf(spots);
  const [row, column] = [people.indexOf(pair.looks.person), people.indexOf(pair.seen.person)];
  if (row < 0 || column < 0) return [];
  return [{ x0: column - 0.5, x1: column + 0.5, y0: row - 0.5, y1: row + 0.5, kind: "cell" }];
};

const peopleOf = (spots) => [...new Set(spots.map((s) => s.person))].sort((a, b) => a - b);

// Both sequences in the rows of their people, and a line at the present moment.
const timelineMarks = (plot, pair, now) => {
  const { rows, interval } = plot.layout.meta || {};
  if (!rows) return [];
  const marks = pair ? [[pair.looks, "looks"], [pair.seen, "seen"]] : [];
  const found = marks.filter(([spot]) => rows.includes(spot.person)).map(([spot, role]) => {
    const y = -rows.indexOf(spot.person);
    const [x0, x1] = [spot.time - interval / 2, spot.time + interval / 2];
    return { x0, x1, y0: y - 0.44, y1: y + 0.44, kind: role, color: spot.color, told: toldOf(spot, role) };
  });
  if (now !== null) found.push({ x0: now, x1: now, y0: 0.5, y1: 0.5 - rows.length, kind: "now" });
  return found;
};
