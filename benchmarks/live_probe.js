// Counts the pictures that the page shows and reads how old they are from the numbers in them.
([bits, block, width, total]) => {
  const seen = { shown: [], lags: [], posts: 0, posted: 0, unread: 0, plots: 0 };
  const small = document.createElement("canvas");
  small.width = (bits + 1) * block;
  small.height = block;
  const pen = small.getContext("2d", { willReadFrequently: true });
  const read = (source, mirrored) => {
    const left = mirrored ? 0 : width - small.width;
    pen.drawImage(source, left, 0, small.width, block, 0, 0, small.width, block);
    const pixels = pen.getImageData(0, block / 2, small.width, 1).data;
    let number = 0, sum = 0;
    for (let place = 0; place <= bits; place++) {
      const x = (mirrored ? place : bits - place) * block + block / 2;
      const bit = pixels[4 * x + 1] > 127 ? 1 : 0;
      sum += bit;
      if (place < bits) number |= bit << place;
    }
    return sum % 2 ? null : number;
  };
  const overlay = document.querySelector("#live-overlay");
  const video = document.querySelector("#live-camera video");
  let last;
  const changed = async () => {
    const picture = overlay.querySelector("canvas, img");
    const state = picture?.dataset.frame ?? picture?.src;
    if (!state || state === last) return;
    last = state;
    const now = performance.now();
    seen.shown.push(now);
    if (seen.shown.length % 4) return; // reading costs time that is then missing
    if (picture.decode) await picture.decode().catch(() => {});
    const [out, here] = [read(picture, true), read(video, false)];
    if (out === null || here === null) seen.unread += 1;
    else seen.lags.push(((here - out + total) % total) / 30);
  };
  new MutationObserver(changed).observe(overlay, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["src", "data-frame"],
  });
  for (const id of ["#live-attention", "#live-people-attention"]) {
    const plot = document.querySelector(id);
    if (plot) new MutationObserver(() => { seen.plots += 1; }).observe(plot, { subtree: true, childList: true });
  }
  const send = window.fetch;
  window.fetch = (...args) => {
    const address = String(args[0]?.url ?? args[0]);
    if (address.includes("/stream/")) {
      seen.posts += 1;
      seen.posted += String(args[1]?.body ?? "").length;
    }
    return send(...args);
  };
  window.skeletrProbe = seen;
}
