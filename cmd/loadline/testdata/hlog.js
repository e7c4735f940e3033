// Reads a HdrHistogram log with hdr-histogram-js, and holds what it finds to the
// result file of the same run: node hlog.js RUN.hlog RUN.json
"use strict";
const fs = require("fs");
const hdr = require("hdr-histogram-js");

const [log, result] = process.argv.slice(2).map((name) => fs.readFileSync(name, "utf8"));
const reader = new hdr.HistogramLogReader(log);
const steps = new Map(); // by tag: all rounds in one
for (let h; (h = reader.nextIntervalHistogram()) !== null;) {
  if (!steps.has(h.tag)) steps.set(h.tag, hdr.build({ numberOfSignificantValueDigits: h.numberOfSignificantValueDigits }));
  steps.get(h.tag).add(h);
}

const wrong = [];
const same = (what, got, want) => { if (got !== want) wrong.push(`${what} is ${got} in the log, ${want} in the result`); };
const listed = JSON.parse(result).steps;
same("the number of steps", steps.size, listed.length);
for (const s of listed) {
  const h = steps.get(s.name.replaceAll(" ", "_"));
  if (!h) { wrong.push(`no ${s.name} in the log`); continue; }
  same(`${s.name}: count`, h.totalCount, s.requests - s.failed);
  for (const [key, percentile] of [["p50", 50], ["p90", 90], ["p95", 95], ["p99", 99], ["p999", 99.9], ["max", 100]]) {
    same(`${s.name}: ${key}`, h.getValueAtPercentile(percentile), s.latency_us[key]);
  }
}
console.log(wrong.length ? wrong.join("\n") : `${steps.size} steps agree`);
process.exit(wrong.length ? 1 : 0);
