// The expert for words; textgen/experts/words/contexts.py describes its chain of contexts.
"use strict";

const BEFORE = 48;
const FURTHEST = BEFORE - 2;
const LEVELS = 7;
const CHARACTERS = 3;
const [LETTER, JOINER, WHOLE] = [1, 2, 3];

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

// The order of pieces by their last token, the one before it, and so on.
function byEnds(pieces) {
  return (one, other) => {
    while (one && other) {
      const difference = pieces.keys[one] - pieces.keys[other];
      if (difference) return difference;
      [one, other] = [pieces.above[one], pieces.above[other]];
    }
    return one ? 1 : other ? -1 : 0;
  };
}

function contextsFrom(columns, nodes, pieces) {
  const depths = new Uint8Array(pieces.keys.length);
  for (let node = 1; node < depths.length; node++) depths[node] = Math.min(depths[pieces.above[node]] + 1, 7);
  const used = [];
  for (let level = CHARACTERS + 1; level <= LEVELS; level++) {
    const column = columns[`contexts.used${level}`];
    used[level] = [];
    for (let node = 0; node < depths.length; node++) if (column.next(depths[node])) used[level].push(node);
  }
  used[CHARACTERS + 1].sort(byEnds(pieces));
  const [levels, added, above] = [new Uint8Array(nodes), new Int32Array(nodes), new Int32Array(nodes)];
  const [shapes, values] = [columns["contexts.shapes"], columns["contexts.added"]];
  const beneath = new Int32Array(nodes);
  for (let node = 0, child = 1, word = -1; node < nodes; node++) {
    if (node) {
      const parent = above[node];
      const level = (levels[node] = shapes.next(levels[parent]));
      const known = level <= CHARACTERS ? Math.min(added[parent], 255) : 255 + level;
      let value = values.next(known);
      if (level === CHARACTERS + 1) word = value = word + 1 + (value & 1 ? -(value + 1) / 2 : value / 2);
      added[node] = level <= CHARACTERS ? value : used[level][value];
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
  const [lengths, tokens, further] = [columns["words.lengths"], columns["words.tokens"], columns["words.counts"]];
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

class Words {
  constructor(columns, vocabulary, { kinds, discounts, pieces, contexts, entries }) {
    this.kinds = kinds;
    this.discounts = Float32Array.from(discounts);
    this.pieces = piecesFrom(columns, pieces);
    this.contexts = contextsFrom(columns, contexts, this.pieces);
    this.counts = entriesFrom(columns, entries, this.contexts, vocabulary);
    this.before = BEFORE;
    this.confidences = 2 * LEVELS;
    this.alone = aloneOf(vocabulary, this.counts, this.discounts);
    this.kind = new Uint8Array(BEFORE);
    this.word = new Uint8Array(BEFORE);
  }

  piece(recent, last) {
    const { kind, word } = this;
    let start = last;
    while (start > 0 && word[start] === word[start - 1] && kind[start] !== WHOLE && kind[start - 1] !== WHOLE) {
      start--;
    }
    let node = 0;
    for (let i = start; i <= last && node >= 0; i++) {
      node = place(this.pieces.keys, this.pieces.children, node, recent[i]);
    }
    return [start, node];
  }

  pieceBefore(recent, end, words) {
    if (end > 0 && this.word[end - 1] === words) return this.piece(recent, end - 1);
    return [end, words ? -1 : 0];
  }

  expect(recent, found, confidences, at) {
    const { kind, word } = this;
    for (let i = 0; i < BEFORE; i++) {
      kind[i] = this.kinds[recent[i]];
      word[i] =
        kind[i] === LETTER || kind[i] === WHOLE || (kind[i] === JOINER && i > 0 && kind[i - 1] === LETTER)
          ? 1
          : 0;
    }
    found.set(this.alone);
    let context = 0;
    let reach = 0;
    let last = [BEFORE, 0];
    for (let level = 1; level <= LEVELS; level++) {
      let next;
      if (level <= CHARACTERS) {
        next = [BEFORE - level, recent[BEFORE - level]];
      } else if (level === CHARACTERS + 1) {
        next = last = word[BEFORE - 1] ? this.piece(recent, BEFORE - 1) : last;
      } else if (level === CHARACTERS + 2) {
        next = last = this.pieceBefore(recent, last[0], 0);
      } else {
        if (level > CHARACTERS + 3) last = this.pieceBefore(recent, last[0], 0);
        next = last = this.pieceBefore(recent, last[0], 1);
      }
      const length = BEFORE - next[0];
      if (length <= reach) continue;
      if (next[1] < 0 || length > FURTHEST) return;
      context = place(this.contexts.keys, this.contexts.children, context, ((next[1] << 3) | level) >>> 0);
      if (context < 0) return;
      mix(this.counts, this.discounts, level * 4, context, found, confidences, at < 0 ? at : at + 2 * (level - 1));
      reach = length;
    }
  }
}
