// Experts whose contexts are chains: each reaches further back than the one before. textgen/experts/chains says how.
"use strict";

const BEFORE = 48;
const LEVELS = 7;

function childrenOf(beneath) {
  const children = new Int32Array(beneath.length + 1);
  children[0] = 1;
  for (let i = 0; i < beneath.length; i++) children[i + 1] = children[i] + beneath[i];
  return children;
}

function piecesFrom(columns, nodes) {
  const [keys, above] = [new Uint32Array(nodes), new Int32Array(nodes)];
  const beneath = columns["pieces.beneath"].numbers;
  for (let node = 0, child = 1; node < nodes; node++) {
    if (node) {
      const parent = above[node];
      const eldest = node === 1 || above[node - 1] !== parent;
      const rise = columns["pieces.keys"].next();
      keys[node] = eldest ? rise : keys[node - 1] + rise + 1;
    }
    for (let left = beneath[node]; left; left--) above[child++] = node;
  }
  return { keys, above, children: childrenOf(beneath) };
}

// characters: levels that add a token; the others add a piece.
function contextsFrom(columns, nodes, pieces, characters) {
  const [values, used] = [[], []];
  for (let level = 1; level <= LEVELS; level++) {
    values[level] = columns[`contexts.added${level}`];
    if (level > characters) used[level] = placesOf(columns[`contexts.used${level}`].numbers);
  }
  const levels = columns["contexts.levels"].numbers;
  const [keys, above, beneath] = [new Uint32Array(nodes), new Int32Array(nodes), new Uint32Array(nodes)];
  for (let node = 0, child = 1; node < nodes; node++) {
    const level = levels[node];
    if (node) {
      const value = values[level].next();
      keys[node] = ((level <= characters ? value : used[level][value]) << 3) | level;
    }
    if (level < LEVELS) beneath[node] = columns["contexts.beneath"].next();
    for (let left = beneath[node]; left; left--) above[child++] = node;
  }
  return { keys, levels, above, children: childrenOf(beneath) };
}

// Where the flags are that are set.
function placesOf(flags) {
  const places = new Uint32Array(flags.length);
  let many = 0;
  for (let i = 0; i < flags.length; i++) if (flags[i]) places[many++] = i;
  return places;
}

function entriesFrom(columns, entries, contexts, vocabulary) {
  const { levels, above } = contexts;
  const starts = new Int32Array(levels.length + 1);
  const [last, counts] = [new Uint16Array(entries), new Uint32Array(entries)];
  const { lengths, tokens } = columns;
  for (let c = 0; c < levels.length; c++) {
    const first = c ? starts[above[c]] : 0;
    const size = c ? starts[above[c] + 1] - first : vocabulary;
    const many = 1 + (size > 1 ? lengths.next() : 0);
    const candidates = subset(tokens, size, many);
    for (let i = 0; i < many; i++) {
      if (c) counts[first + candidates[i]]++;
      last[starts[c] + i] = c ? last[first + candidates[i]] : candidates[i];
    }
    starts[c + 1] = starts[c] + many;
  }
  // A token came at least as often after a context as after the longer ones, each of which counts once.
  const further = columns.counts.numbers;
  for (let i = 0; i < entries; i++) counts[i] += further[i];
  return { starts, last, counts };
}

class Chained {
  constructor(columns, vocabulary, { name, discounts, pieces, contexts, entries }, characters) {
    const own = {};
    for (const [whole, column] of Object.entries(columns)) {
      if (whole.startsWith(`${name}.`)) own[whole.slice(name.length + 1)] = column;
    }
    this.discounts = Float32Array.from(discounts);
    this.pieces = piecesFrom(own, pieces);
    this.contexts = contextsFrom(own, contexts, this.pieces, characters);
    this.counts = entriesFrom(own, entries, this.contexts, vocabulary);
    this.before = BEFORE;
    this.confidences = 2 * LEVELS;
    this.alone = aloneOf(vocabulary, this.counts, this.discounts);
  }

  // Mixes the context that adds a node in, and returns it; -1 if it did not come.
  deeper(context, node, level, found, confidences, at) {
    const key = ((node << 3) | level) >>> 0;
    const longer = place(this.contexts.keys, this.contexts.children, context, key);
    if (longer >= 0) {
      const to = at < 0 ? at : at + 2 * (level - 1);
      mix(this.counts, this.discounts, level * 4, longer, found, confidences, to);
    }
    return longer;
  }
}

const REACH = [1, 2, 4, 6, 8, 12, 16];

// The expert of long contexts; textgen/experts/long.py describes them.
class Long extends Chained {
  constructor(columns, vocabulary, described) {
    super(columns, vocabulary, described, 0);
  }

  expect(recent, found, confidences, at) {
    found.set(this.alone);
    let context = 0;
    let read = 0;
    for (let level = 1; level <= LEVELS; level++) {
      let node = 0;
      for (; read < REACH[level - 1] && node >= 0; read++) {
        node = place(this.pieces.keys, this.pieces.children, node, recent[BEFORE - 1 - read]);
      }
      if (node < 0) return;
      context = this.deeper(context, node, level, found, confidences, at);
      if (context < 0) return;
    }
  }
}
