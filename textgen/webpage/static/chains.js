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
  const [keys, above, beneath] = [new Uint32Array(nodes), new Int32Array(nodes), new Int32Array(nodes)];
  for (let node = 0, child = 1; node < nodes; node++) {
    if (node) {
      const parent = above[node];
      const eldest = node === 1 || above[node - 1] !== parent;
      const rise = columns["pieces.keys"].next(2 * Math.min(keys[parent], 255) + (eldest ? 1 : 0));
      keys[node] = eldest ? rise : keys[node - 1] + rise + 1;
    }
    beneath[node] = columns["pieces.beneath"].next(Math.min(keys[node], 255));
    for (let left = beneath[node]; left; left--) above[child++] = node;
  }
  return { keys, above, children: childrenOf(beneath) };
}

// Pieces in the order of their last token, of the one before it, and so on.
function byEnds(nodes, { keys, above }) {
  let base = 2;
  for (let node = 1; node < keys.length; node++) base = Math.max(base, keys[node] + 2);
  // As many tokens as fit into a double are one number: sorting these takes no comparison in JavaScript.
  const many = Math.floor(53 / Math.log2(base));
  const ends = new Float64Array(keys.length);
  for (let node = 1; node < ends.length; node++) {
    for (let i = 0, at = node; i < many; i++, at = above[at]) ends[node] = ends[node] * base + (at ? keys[at] + 1 : 0);
  }
  const found = new Map(nodes.map((node) => [ends[node], node]));
  if (found.size === nodes.length) return Array.from(Float64Array.from(found.keys()).sort(), (end) => found.get(end));
  return nodes.sort((one, other) => {
    if (ends[one] !== ends[other]) return ends[one] - ends[other];
    while (one && other) {
      if (keys[one] !== keys[other]) return keys[one] - keys[other];
      one = above[one];
      other = above[other];
    }
    return one ? 1 : other ? -1 : 0;
  });
}

// characters: levels that add a token; the others add a piece.
function contextsFrom(columns, nodes, pieces, characters) {
  const depths = new Uint8Array(pieces.keys.length);
  for (let node = 1; node < depths.length; node++) depths[node] = Math.min(depths[pieces.above[node]] + 1, 7);
  const used = [];
  for (let level = characters + 1; level <= LEVELS; level++) {
    const column = columns[`contexts.used${level}`];
    used[level] = [];
    for (let node = 0; node < depths.length; node++) if (column.next(depths[node])) used[level].push(node);
  }
  const words = characters ? characters + 1 : 0; // the level of words: they are sorted by their ends
  if (words) used[words] = byEnds(used[words], pieces);
  const [levels, added, above] = [new Uint8Array(nodes), new Int32Array(nodes), new Int32Array(nodes)];
  const [shapes, values] = [columns["contexts.shapes"], columns["contexts.added"]];
  const beneath = new Int32Array(nodes);
  for (let node = 0, child = 1, word = -1; node < nodes; node++) {
    if (node) {
      const parent = above[node];
      const level = (levels[node] = shapes.next(levels[parent]));
      const known = level <= characters ? Math.min(added[parent], 255) : 255 + level;
      let value = values.next(known);
      if (level === words) word = value = word + 1 + (value & 1 ? -(value + 1) / 2 : value / 2);
      added[node] = level <= characters ? value : used[level][value];
    }
    if (levels[node] < LEVELS) beneath[node] = shapes.next(LEVELS + 1 + levels[node]);
    for (let left = beneath[node]; left; left--) above[child++] = node;
  }
  const keys = new Uint32Array(nodes);
  for (let node = 0; node < nodes; node++) keys[node] = (added[node] << 3) | levels[node];
  return { keys, levels, above, children: childrenOf(beneath) };
}

function entriesFrom(columns, entries, contexts, vocabulary) {
  const { levels, above } = contexts;
  const starts = new Int32Array(levels.length + 1);
  const [last, counts, deeper] = [new Uint16Array(entries), new Uint32Array(entries), new Uint32Array(entries)];
  const [lengths, tokens, further] = [columns["lengths"], columns["tokens"], columns["counts"]];
  for (let c = 0; c < levels.length; c++) {
    const first = c ? starts[above[c]] : 0;
    const size = c ? starts[above[c] + 1] - first : vocabulary;
    const many = 1 + (size > 1 ? lengths.next(levels[c] * 32 + Math.min(size, 31)) : 0);
    const candidates = subset(tokens, size, many);
    for (let i = 0; i < many; i++) {
      if (c) deeper[first + candidates[i]]++;
      last[starts[c] + i] = c ? last[first + candidates[i]] : candidates[i];
    }
    starts[c + 1] = starts[c] + many;
  }
  // A token came at least as often after a context as after the longer ones, each of which counts once.
  for (let c = 0; c < levels.length; c++) {
    const together = Math.min(starts[c + 1] - starts[c], 15);
    for (let i = starts[c]; i < starts[c + 1]; i++) {
      const alone = deeper[i] ? 0 : 1;
      counts[i] = deeper[i] + alone + further.next((levels[c] * 16 + together) * 2 + alone);
    }
  }
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
