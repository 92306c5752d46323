// Goes on by itself when the server was away: says so, waits, and loads the page anew.
(() => {
  const EVERY = 4000, SOON = 1500; // ms between two questions, when all is well and when not
  const PATIENCE = 8000; // ms for an answer
  const LOOP = 15000; // ms between two times that a page loads itself; sooner, it would do so forever
  const LIVE = 6000; // ms since the last camera picture in which the camera counts as running
  const KEPT = "skeletr-resume", DONE = "skeletr-reloaded";
  const ask = window.fetch.bind(window);
  let server = null, page = "", missed = 0, leaving = false, timer = 0, pictured = -Infinity;

  const tell = (text) => {
    let bar = document.getElementById("skeletr-away");
    if (!bar) {
      bar = document.createElement("div");
      bar.id = "skeletr-away";
      bar.setAttribute("role", "alert");
      bar.style.cssText = "position:fixed;z-index:9999;top:0;left:0;right:0;padding:10px 16px;"
        + "text-align:center;font:15px system-ui,sans-serif;color:#fff;background:#8a3b12";
      document.body.append(bar);
    }
    bar.textContent = text;
    bar.hidden = !text;
  };

  // What is open is kept at the first sign of trouble: Gradio, too, may load the page anew.
  const keep = () => {
    if (sessionStorage.getItem(KEPT)) return;
    const tab = document.querySelector('[role="tab"][aria-selected="true"]')?.textContent.trim();
    const camera = performance.now() - pictured < LIVE;
    sessionStorage.setItem(KEPT, JSON.stringify({ tab, camera }));
  };

  const again = (why) => {
    leaving = true;
    const since = Date.now() - Number(sessionStorage.getItem(DONE) || 0);
    if (since >= 0 && since < LOOP) {
      tell("The connection to the server keeps breaking. Reload this page to go on.");
      return;
    }
    tell(`${why} This page is loaded anew.`);
    sessionStorage.setItem(DONE, String(Date.now()));
    // Not all pages at the same moment.
    setTimeout(() => window.location.reload(), 1000 + 1500 * Math.random());
  };

  // Says too which page asks, so that the server keeps what an open page shows.
  const number = async () => {
    const address = new URL("gradio_api/app_id", document.baseURI);
    if (page) address.search = `page=${page}`;
    const answer = await ask(address, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(`answer ${answer.status}`);
    return (await answer.json()).app_id;
  };

  const look = async () => {
    clearTimeout(timer);
    const found = await number().catch(() => null);
    if (leaving) return;
    if (found === null) {
      missed += 1;
      keep();
      if (missed > 1) tell("The server cannot be reached. This page goes on by itself when it can.");
    } else if (server !== null && found !== server) {
      keep();
      again("The server was restarted.");
    } else {
      if (missed) {
        tell("");
        sessionStorage.removeItem(KEPT);
      }
      server = found;
      missed = 0;
    }
    if (!leaving) timer = setTimeout(look, missed ? SOON : EVERY);
  };

  window.fetch = (...given) => {
    const address = String(given[0]?.url ?? given[0]);
    if (/\/stream\/[^/]+$/.test(address)) pictured = performance.now();
    // Gradio asks this only when its stream has broken, and loads the page anew at an answer: after
    // a break that is too short for `look` to notice.
    if (/\/app_id$/.test(address)) keep();
    if (!page && typeof given[1]?.body === "string") {
      page = given[1].body.match(/"session_hash":"(\w+)"/)?.[1] || "";
    }
    return ask(...given);
  };
  window.addEventListener("pagehide", () => { leaving = true; });
  // The browser shows a page from its memory whose heartbeat has ended.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });

  const find = async (there) => {
    for (let tries = 0; tries < 240; tries += 1) {
      const found = there();
      if (found) return found;
      await new Promise((done) => setTimeout(done, 250));
    }
    return null;
  };
  const named = (role, text) => [...document.querySelectorAll(role)].find((e) => e.textContent.trim().includes(text));

  const resume = async ({ tab, camera }) => {
    tell("The connection was interrupted and this page was loaded anew. Results that it showed are gone.");
    setTimeout(() => { if (!missed && !leaving) tell(""); }, 8000);
    if (tab) (await find(() => named('[role="tab"]', tab)))?.click();
    if (!camera) return;
    const element = tab === "Teach" ? "#teach-camera" : "#live-camera"; // the one that was seen
    (await find(() => named(`${element} button`, "Access Webcam")))?.click();
    (await find(() => document.querySelector(`${element} [aria-label="capture photo"]`)))?.click();
  };

  const begin = () => {
    const kept = sessionStorage.getItem(KEPT);
    sessionStorage.removeItem(KEPT);
    if (kept) resume(JSON.parse(kept));
    look();
  };
  // Gradio adds this script when the page is there already.
  if (document.body) begin();
  else window.addEventListener("DOMContentLoaded", begin);
})();
