
// The live page: each event holds all that moves, as it is now, so a reader who
// was away has missed nothing. What a reader does on the page (the order of the
// table, the filter, the pointer) outlives the events.
(() => {
  const byId = (id) => document.getElementById(id);
  const link = byId("link"), said = byId("said"), answer = byId("answer");
  const start = byId("start"), stop = byId("stop"), knobs = [...document.querySelectorAll(".knob")];
  const set = (e, text) => { if (e.textContent !== text) e.textContent = text; };

  // What had the focus, in words that also find it in the next frame.
  const focused = () => {
    const plot = document.activeElement.closest("[data-plot]"), head = document.activeElement.closest("th[data-key]");
    if (plot) return `[data-plot="${plot.dataset.plot}"] .field`;
    return head ? `th[data-key="${head.dataset.key}"] button` : "";
  };

  const show = (html) => {
    const held = focused(), frame = document.createElement("template");
    frame.innerHTML = html; // written and escaped by loadline; the policy lets nothing in it run
    for (const part of frame.content.querySelectorAll("[data-part]")) byId(part.dataset.part).replaceChildren(...part.childNodes);
    byId("steps").hidden = !byId("steptable");
    page.table();
    page.charts();
    if (held) document.querySelector(held)?.focus({ preventScroll: true });
    const state = frame.content.querySelector("[data-state]").dataset, load = state.phase === "load";
    set(said, state.said);
    start.hidden = !("waits" in state);
    stop.disabled = !load || stop.dataset.asked === "yes";
    knobs.forEach((k) => { k.querySelector("button").disabled = !load; });
  };

  let latest = "";
  const events = new EventSource("events");
  events.onopen = () => { set(link, "connected"); };
  events.onerror = () => { set(link, "not connected, trying again…"); };
  events.addEventListener("frame", (e) => {
    set(link, "connected");
    latest = JSON.parse(e.data);
    if (!byId("still").checked) show(latest);
  });
  events.addEventListener("done", () => {
    events.close();
    location.replace("report");
  });
  byId("still").addEventListener("change", (e) => { if (!e.target.checked && latest) show(latest); });

  const ask = async (what, body) => {
    set(answer, "");
    try {
      const reply = await fetch(what, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
      if (reply.ok) return true;
      set(answer, (await reply.text()).trim());
    } catch {
      set(answer, "loadline does not answer: is the run over?");
    }
    return false;
  };
  start.addEventListener("click", async () => { start.disabled = true; start.disabled = await ask("start", {}); });
  // A run that was stopped does not count: the first press asks.
  let sure = 0;
  stop.addEventListener("click", async () => {
    if (Date.now() - sure > 5000) {
      sure = Date.now();
      set(stop, "Press again to stop");
      setTimeout(() => { set(stop, "Stop the run"); }, 5000);
      return;
    }
    stop.disabled = true;
    if (await ask("stop", {})) stop.dataset.asked = "yes";
  });
  for (const k of knobs) {
    k.addEventListener("submit", async (e) => {
      e.preventDefault();
      const level = Number(k.elements.level.value);
      if (await ask("level", { track: Number(k.dataset.track), level })) set(answer, `Set to ${k.elements.level.value}. This run is now compared with nothing.`);
    });
  }
})();
