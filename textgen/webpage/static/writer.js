// Writes a text, a piece at a time; textgen/tokenizers/stream.py and textgen/sampling/writer.py are the same in Python.
"use strict";

const LONGEST_HELD = 256;
let segments = null;

// The lengths in code points of what a reader sees as one character each.
function clusters(symbols) {
  if (!Intl.Segmenter || symbols.every((symbol) => symbol < "\u0300")) return symbols.map(() => 1);
  segments ||= new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(segments.segment(symbols.join("")), ({ segment }) => [...segment].length);
}

class Writer {
  // seed: as readSeed returns it; randomSeed: a whole number, as text; compiled: whether WebAssembly may be used.
  constructor(model, { seed, temperature, randomSeed, length }, compiled = true) {
    const starts = model.starts;
    this.seed = seed || (starts.length ? starts[Number(BigInt(randomSeed) % BigInt(starts.length))] : "");
    Object.assign(this, { model, temperature, length });
    this.network = new Network(model.spec, model.weights, model.experts, compiled);
    this.random = new Twister(randomSeed);
    const prompt = [...(this.seed || "\n")].map((symbol) => model.tokens.get(symbol) ?? 0);
    prompt.slice(0, -1).forEach((token) => this.network.step(token, false));
    this.token = prompt[prompt.length - 1];
    this.run = prompt.length - 1 - prompt.findLastIndex((token) => token !== this.token);
    this.held = [];
    this.written = 0;
    this.ended = false;
  }

  // Draws a token and returns the text that became certain, which may be empty.
  next() {
    const logits = this.network.step(this.token);
    logits[0] = -Infinity; // the unknown token is never drawn
    if (this.run >= SHORTEST_RUN && this.temperature !== 0 && this.temperature !== 1) {
      keepChance(logits, this.token, this.temperature);
    }
    const token = draw(logits, this.temperature, this.random.random());
    this.run = token === this.token ? this.run + 1 : 1;
    this.token = token;
    return this.feed(this.model.symbols[token]);
  }

  feed(symbol) {
    this.held.push(symbol);
    const sizes = clusters(this.held);
    let certain = this.held.length - (sizes.length ? sizes[sizes.length - 1] : 0);
    if (symbol === "\n" || this.held.length - certain > LONGEST_HELD) certain = this.held.length;
    let piece = this.held.splice(0, certain);
    if (this.written + piece.length >= this.length) {
      let end = 0;
      for (const size of clusters(piece)) {
        if (end + size > this.length - this.written) break;
        end += size;
      }
      piece = piece.slice(0, end);
      this.ended = true;
    }
    this.written += piece.length;
    return piece.join("");
  }
}
