// Takes no more camera pictures than the server keeps up with. Gradio's camera takes one at every
// tick; those that are too many would be encoded, sent and thrown away, often on the very processor
// that the server needs. A few more than come back are sent, so that the next one always waits there.
(() => {
  const LEAST = 6, MOST = 30, MORE = 1.3; // pictures a second, and the few more
  const EVERY = 1000; // ms between two looks at how many came back
  const media = navigator.mediaDevices;
  if (!media || !media.getUserMedia) return;
  const width = Object.getOwnPropertyDescriptor(HTMLVideoElement.prototype, "videoWidth").get;
  let pace = LEAST, next = 0, came = 0, looked = 0;

  const answers = new MutationObserver(() => { came += 1; });
  const look = (now) => {
    if (now - looked < EVERY) return;
    const rate = (1000 * came) / (now - looked);
    pace = Math.min(Math.max(MORE * rate + 1, LEAST), MOST);
    [came, looked] = [0, now];
  };

  // The camera asks its video how wide it is before it takes a picture, and takes none of 0 pixels.
  const slow = (video) => {
    let taking = false; // it asks several times for one picture
    Object.defineProperty(video, "videoWidth", {
      configurable: true,
      get() {
        const now = performance.now();
        look(now);
        if (!taking && now < next) return 0;
        if (!taking) {
          taking = true;
          next = Math.max(next + 1000 / pace, now);
          queueMicrotask(() => { taking = false; });
        }
        return width.call(video);
      },
    });
  };

  const open = media.getUserMedia.bind(media);
  media.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    const video = document.querySelector("#live-camera video");
    if (video && !Object.hasOwn(video, "videoWidth")) slow(video);
    const overlay = document.getElementById("live-overlay");
    answers.disconnect();
    if (overlay) answers.observe(overlay, { subtree: true, attributeFilter: ["src"] });
    return stream;
  };
})();
