// The expert for words; textgen/experts/words/contexts.py describes its chain of contexts.
"use strict";

const FURTHEST = BEFORE - 2;
const CHARACTERS = 3;
const [LETTER, JOINER, WHOLE] = [1, 2, 3];

class Words extends Chained {
  constructor(columns, vocabulary, described) {
    super(columns, vocabulary, described, CHARACTERS);
    this.kinds = described.kinds;
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
      context = this.deeper(context, next[1], level, found, confidences, at);
      if (context < 0) return;
      reach = length;
    }
  }
}
