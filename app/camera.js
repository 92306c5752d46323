// Says in one sentence what is wrong with the camera; Gradio leaves that to the browser.
(() => {
  const say = (text) => {
    for (const note of document.querySelectorAll(".sk-camera-note")) {
      note.classList.toggle("sk-note", Boolean(text));
      note.classList.toggle("sk-problem", Boolean(text));
      note.setAttribute("role", "alert");
      note.textContent = text;
    }
  };
  const reasons = {
    NotAllowedError: "The browser was not allowed to use the camera. Allow it in the address bar and try again.",
    NotFoundError: "No camera was found. Connect one and try again.",
    OverconstrainedError: "No camera was found that fits. Connect another one and try again.",
    NotReadableError: "The camera is used by another program. Close that program and try again.",
  };
  const media = navigator.mediaDevices;
  if (!media || !media.getUserMedia) {
    const insecure = "The camera works only over https or on localhost.";
    window.addEventListener("click", (event) => {
      if (event.target.closest("#live-camera, #teach-camera")) say(insecure);
    });
    return;
  }
  const open = media.getUserMedia.bind(media);
  media.getUserMedia = async (constraints) => {
    try {
      const stream = await open(constraints);
      say("");
      for (const track of stream.getVideoTracks()) {
        track.addEventListener("ended", () => say("The camera was disconnected. Connect it and start it again."));
      }
      return stream;
    } catch (error) {
      say(reasons[error.name] || "The camera could not be started.");
      throw error;
    }
  };
})();
