// Draws on the video. Shares one scope with results.js, see results.py.

const LEAST = 0.04; // of attention between two people that is drawn
const BOW = 0.36; // how far an arc bends, in parts of its length
const CHEST = 0.27; // where it ends, in parts of a person's height

const nearestIndex = (times, time) => {
  let best = -1;
  times.forEach((t, i) => {
    if (best < 0 || Math.abs(t - time) < Math.abs(times[best] - time)) best = i;
  });
  return best;
};

// Where a person is, [x1, y1, x2, y2] in pixels of the recording, between the places that are known.
const boxAt = (scene, person, time) => {
  const track = scene.people[person];
  if (!track) return null;
  const at = (time - scene.start) / scene.step - track.first;
  const before = track.boxes[Math.floor(at)];
  const after = track.boxes[Math.ceil(at)];
  if (!before || !after) return track.boxes[Math.round(at)] || null;
  const share = at - Math.floor(at);
  return before.map((value, i) => value + share * (after[i] - value));
};

// The part of a video element that shows the picture, in pixels of the page.
const pictureOf = (video) => {
  const box = video.getBoundingClientRect();
  const scale = Math.min(box.width / video.videoWidth, box.height / video.videoHeight);
  const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
  return { left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2, width, height };
};

// A canvas that lies exactly on the picture; clicks go through it.
const sheetOn = (video) => {
  const block = video.closest("#video-annotated");
  let sheet = block.querySelector(":scope > canvas.sk-sheet");
  if (!sheet) {
    sheet = document.createElement("canvas");
    sheet.className = "sk-sheet";
    block.append(sheet);
  }
  const [outer, picture] = [block.getBoundingClientRect(), pictureOf(video)];
  const fine = window.devicePixelRatio || 1;
  sheet.style.left = `${picture.left - outer.left - block.clientLeft}px`;
  sheet.style.top = `${picture.top - outer.top - block.clientTop}px`;
  sheet.style.width = `${picture.width}px`;
  sheet.style.height = `${picture.height}px`;
  sheet.width = Math.round(picture.width * fine);
  sheet.height = Math.round(picture.height * fine);
  return sheet;
};

// What fills the screen is the block, so that the canvas on the video is seen there too; of a video
// alone nothing else is. Where blocks cannot, the video does. Asked again, it ends.
const fillWithBlock = (video) => {
  const block = video.closest("#video-annotated");
  if (!block.requestFullscreen || Object.hasOwn(video, "requestFullscreen")) return;
  video.requestFullscreen = (options) =>
    document.fullscreenElement ? document.exitFullscreen() : block.requestFullscreen(options);
};

const chestOf = ([x1, y1, x2, y2]) => [(x1 + x2) / 2, y1 + CHEST * (y2 - y1)];

const stroke = (context, width, color) => {
  context.lineCap = "round";
  for (const [extra, paint] of [[2.5, "rgba(22, 24, 28, 0.75)"], [0, color]]) {
    context.lineWidth = width + extra;
    context.strokeStyle = paint;
    context.stroke();
  }
};

// From one chest to another, below the labels, thicker the more attention goes there. Each bends to
// its own left, so that there and back run apart.
const drawArc = (context, from, to, weight, color) => {
  const [x, y] = [to[0] - from[0], to[1] - from[1]];
  context.beginPath();
  context.moveTo(...from);
  context.quadraticCurveTo(
    (from[0] + to[0]) / 2 + BOW * y, (from[1] + to[1]) / 2 - BOW * x, ...to,
  );
  stroke(context, 1 + 12 * weight, color);
  context.beginPath();
  context.arc(...to, 3 + 6 * weight, 0, 2 * Math.PI);
  context.fillStyle = color;
  context.fill();
};

// A frame with a name below; a name that would lie on another one goes above. Where the name lies.
const drawMarked = (context, box, text, color, ink, other) => {
  const [x1, y1, x2, y2] = box;
  context.beginPath();
  context.roundRect(x1 - 4, y1 - 4, x2 - x1 + 8, y2 - y1 + 8, 10);
  context.setLineDash(text === "looks" ? [9, 7] : []);
  stroke(context, 3, color);
  context.setLineDash([]);
  context.font = "600 13px system-ui, sans-serif";
  const wide = context.measureText(text).width + 14;
  const left = Math.max(0, Math.min(x1 - 4, context.canvas.clientWidth - wide));
  const covered = other && left < other.right + 4 && left + wide > other.left - 4;
  const top = covered ? Math.max(y1 - 30, 2) : Math.min(y2 + 8, context.canvas.clientHeight - 24);
  context.beginPath();
  context.roundRect(left, top, wide, 21, 6);
  context.fillStyle = color;
  context.fill();
  context.fillStyle = ink;
  context.fillText(text, left + 7, top + 15);
  return { left, right: left + wide };
};

// In a crowd, arcs to all others would hide the picture.
const mostLookedAt = (weights, looks, each) =>
  weights.map((_, j) => j).filter((j) => j !== looks).sort((a, b) => weights[b] - weights[a]).slice(0, each);

// Everything that is drawn over the video at its present time.
const drawOnVideo = (video, scene, arcs, chosen) => {
  const sheet = sheetOn(video);
  const context = sheet.getContext("2d");
  const scale = sheet.clientWidth / scene.size[0];
  context.setTransform(sheet.width / sheet.clientWidth, 0, 0, sheet.height / sheet.clientHeight, 0, 0);
  context.clearRect(0, 0, sheet.clientWidth, sheet.clientHeight);
  const placeOf = (person) => boxAt(scene, person, video.currentTime)?.map((value) => value * scale);
  const index = arcs ? nearestIndex(arcs.times, video.currentTime) : -1;
  // The first windows of a long video are not kept: nothing is said about those moments.
  if (index >= 0 && Math.abs(arcs.times[index] - video.currentTime) <= 1.5 * scene.interval) {
    const people = arcs.people[index];
    const chests = people.map(placeOf).map((box) => box && chestOf(box));
    people.forEach((looks, i) => mostLookedAt(arcs.weights[index][i], i, arcs.each).forEach((j) => {
      const weight = arcs.weights[index][i][j];
      if (weight < LEAST || !chests[i] || !chests[j]) return;
      drawArc(context, chests[i], chests[j], weight, scene.people[looks].color);
    }));
  }
  if (!chosen) return;
  const same = chosen.looks.person === chosen.seen.person;
  const marks = [[chosen.looks, "looks"], [chosen.seen, same ? "looks at this moment" : "is looked at"]];
  let named = null;
  for (const [spot, text] of same ? marks.slice(1) : marks) {
    const box = placeOf(spot.person);
    if (box) named = drawMarked(context, box, text, spot.color, spot.ink, named);
  }
};
