"use strict";
// What the page can do beyond being read: sort, filter, and read the charts with
// a pointer or the arrow keys. All text comes written from loadline and is set
// as text, never as HTML.
const page = (() => {
  const byId = (id) => document.getElementById(id);

  // Tables: a click on a head sorts, largest first for numbers; a second click
  // turns the order. The row of the whole run stays last. What was asked for
  // outlives the table, which the live page makes anew each second.
  const order = { name: "", up: false };
  const key = (row, name) => row.querySelector(`[data-key="${name}"]`)?.dataset.sort ?? "";
  const sort = (table) => {
    for (const h of table.tHead.querySelectorAll("th[data-key]")) {
      if (h.dataset.key === order.name) h.setAttribute("aria-sort", order.up ? "ascending" : "descending");
      else h.removeAttribute("aria-sort");
    }
    const sign = order.up ? 1 : -1, text = order.name === "name";
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort((a, b) => {
      const total = a.classList.contains("total") - b.classList.contains("total");
      if (total) return total;
      const x = key(a, order.name), y = key(b, order.name);
      return sign * (text ? x.localeCompare(y, undefined, { numeric: true }) : x - y);
    }));
  };
  const all = byId("shown")?.textContent ?? "";
  const filter = (table) => {
    const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0, of = 0;
    for (const row of table.tBodies[0].rows) {
      if (row.classList.contains("total")) { row.hidden = words.length > 0; continue; }
      const failed = Number(key(row, "failed")) > 0 ? " failed" : "";
      const text = (row.textContent + failed).toLowerCase();
      row.hidden = !words.every((w) => text.includes(w));
      of++;
      if (!row.hidden) n++;
    }
    const says = words.length ? `${n} of ${of} steps` : all;
    if (byId("shown").textContent !== says) byId("shown").textContent = says;
  };
  const table = () => {
    const t = byId("steptable");
    if (!t) return;
    for (const h of t.tHead.querySelectorAll("th[data-key]")) {
      h.querySelector("button").addEventListener("click", () => {
        const text = h.dataset.key === "name";
        order.up = order.name === h.dataset.key ? !order.up : text;
        order.name = h.dataset.key;
        sort(t);
      });
    }
    if (order.name) sort(t);
    filter(t);
  };
  byId("filter")?.addEventListener("input", () => { const t = byId("steptable"); if (t) filter(t); });

  // Charts over time share one pointer: at is the point it is on, on the chart
  // that is named on.
  let at = -1, on = "";
  const charts = () => {
    const source = byId("timedata");
    if (!source) return;
    const data = JSON.parse(source.textContent);
    const plots = [...document.querySelectorAll(".plot")].filter((p) => data.charts[p.dataset.plot]).map((p) => {
      const field = p.querySelector(".field");
      const cross = document.createElement("div"), tip = document.createElement("div");
      cross.className = "cross"; tip.className = "tip"; cross.hidden = tip.hidden = true;
      field.append(cross, tip);
      field.tabIndex = 0;
      field.setAttribute("role", "group");
      field.setAttribute("aria-label", `${p.querySelector("h3").textContent}: read it with the arrow keys`);
      return { id: p.dataset.plot, field, cross, tip, rows: data.charts[p.dataset.plot] };
    });
    const show = (i, own) => {
      at = Math.max(0, Math.min(data.x.length - 1, i));
      on = own.id;
      for (const p of plots) {
        p.cross.hidden = false;
        p.cross.style.left = `${data.x[at] / 10}%`;
        p.tip.hidden = p !== own;
        if (p !== own) continue;
        const time = document.createElement("b");
        time.textContent = data.at[at];
        const lines = p.rows.map((r) => {
          const line = document.createElement("div"), name = document.createElement("span"), swatch = document.createElement("i"), value = document.createElement("span");
          swatch.className = `swatch ${r.c}`;
          name.append(swatch, r.n);
          value.textContent = r.v[at];
          line.append(name, value);
          return line;
        });
        p.tip.replaceChildren(time, ...lines);
        const right = data.x[at] > 550;
        p.tip.style.left = right ? "" : `calc(${data.x[at] / 10}% + 10px)`;
        p.tip.style.right = right ? `calc(${100 - data.x[at] / 10}% + 10px)` : "";
        // On a narrow screen it would stand half outside.
        p.tip.style.transform = "";
        const box = p.tip.getBoundingClientRect(), most = document.documentElement.clientWidth - 4;
        const shift = Math.max(4 - box.left, Math.min(0, most - box.right));
        if (shift) p.tip.style.transform = `translateX(${shift}px)`;
      }
    };
    const hide = () => {
      on = "";
      plots.forEach((p) => { p.cross.hidden = p.tip.hidden = true; });
    };
    for (const p of plots) {
      const read = (e) => {
        const r = p.field.getBoundingClientRect();
        const x = (e.clientX - r.left) / r.width * 1000;
        let best = 0;
        data.x.forEach((v, i) => { if (Math.abs(v - x) < Math.abs(data.x[best] - x)) best = i; });
        show(best, p);
      };
      // A finger reads by a tap, which has no move, and what it read stays when it is gone.
      p.field.addEventListener("pointermove", read);
      p.field.addEventListener("pointerdown", read);
      p.field.addEventListener("pointerleave", (e) => { if (e.pointerType !== "touch") hide(); });
      p.field.addEventListener("blur", () => { if (p.field.isConnected) hide(); });
      p.field.addEventListener("keydown", (e) => {
        const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 }[e.key];
        if (!step) return;
        e.preventDefault();
        p.tip.setAttribute("aria-live", "polite");
        show(at + step, p);
      });
    }
    const again = plots.find((p) => p.id === on);
    if (again) show(at, again);
  };

  table();
  charts();

  // Paper cannot be unfolded. What charts show it has already.
  addEventListener("beforeprint", () => document.querySelectorAll("section:not(#time) details").forEach((d) => { d.open = true; }));
  return { table, charts };
})();
