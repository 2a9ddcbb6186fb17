// The page: its fields, its buttons, and the link that holds them. Text goes in as text alone, never as HTML.
"use strict";

const SLICE_MS = 24;
const FIELDS = ["seed", "temperature", "random", "length"];
const [settings, state, pause, link] = ["settings", "status", "pause", "link"].map((id) => document.getElementById(id));
const fields = Object.fromEntries(FIELDS.map((name) => [name, document.getElementById(name)]));
const [given, written] = ["given", "written"].map((id) => document.getElementById(id));

let model = null;
let writer = null;
let paused = false;
let timer = 0;

const freshSeed = () => String(crypto.getRandomValues(new Uint32Array(1))[0]);

function fragment() {
  return `#${new URLSearchParams(FIELDS.map((name) => [name, fields[name].value]))}`;
}

function readFragment() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of FIELDS) if (given.has(name)) fields[name].value = given.get(name);
}

function tell(text) {
  state.textContent = text;
}

function start() {
  clearTimeout(timer);
  if (!model || !settings.reportValidity()) return;
  if (!fields.random.value) fields.random.value = freshSeed();
  const now = fragment();
  link.href = now;
  if (location.hash !== now) location.replace(now);
  const seed = readSeed(fields.seed.value, model);
  writer = new Writer(model, {
    seed,
    temperature: Number(fields.temperature.value),
    randomSeed: fields.random.value,
    length: Number(fields.length.value),
  });
  given.textContent = writer.seed;
  written.textContent = "";
  written.append(document.createTextNode(""));
  const lost = fields.seed.value.trim() && !seed.trim();
  tell(lost ? "The model knows nothing of this seed. Writing without it …" : "Writing …");
  pause.disabled = false;
  rest(false);
  write();
}

function write() {
  // The first character is shown at once, and no more is written before that.
  const first = !writer.written;
  const until = performance.now() + (first ? 0 : SLICE_MS);
  let text = "";
  do text += writer.next();
  while (!writer.ended && (!text || performance.now() < until));
  written.firstChild.appendData(text);
  if (writer.ended) {
    pause.disabled = true;
    tell(`Done: ${writer.written.toLocaleString("en")} characters, random seed ${fields.random.value}.`);
  } else if (!paused) {
    timer = setTimeout(write, first ? SLICE_MS : 0);
  }
}

function rest(wanted) {
  paused = wanted;
  pause.textContent = paused ? "Go on" : "Pause";
}

settings.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});

document.getElementById("another").addEventListener("click", () => {
  fields.random.value = freshSeed();
  start();
});

pause.addEventListener("click", () => {
  clearTimeout(timer);
  rest(!paused);
  tell(paused ? `Paused after ${writer.written.toLocaleString("en")} characters.` : "Writing …");
  if (!paused) write();
});

addEventListener("hashchange", () => {
  if (location.hash === fragment()) return;
  readFragment();
  start();
});

readFragment();
modelFrom(document.getElementById("model").content.textContent).then(
  (read) => {
    model = read;
    start();
  },
  (error) => tell(`This browser cannot read the model (${error.message}). One of the last three years can.`),
);
