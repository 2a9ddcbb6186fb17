// The counted models: what they expect of the next token. textgen/inference/experts.c and words.c are the same in C.
// Math.fround, and Float32Array by itself, round where 32-bit floats are used there.
"use strict";

const DISCOUNTED = 3;
const LOGS = new Float32Array(65536).map((_, total) => Math.log1p(total) / 8);

// What came after each context: `last` and `counts` from starts[context] to starts[context + 1].
function mix(counts, discounts, from, context, found, confidences, at) {
  let total = 0;
  let discounted = 0;
  const begin = counts.starts[context];
  const end = counts.starts[context + 1];
  for (let i = begin; i < end; i++) {
    total += counts.counts[i];
    discounted += discounts[from + Math.min(counts.counts[i], DISCOUNTED)];
  }
  const whole = Math.fround(total);
  const share = Math.fround(Math.fround(discounted) / whole);
  for (let i = 0; i < found.length; i++) found[i] *= share;
  for (let i = begin; i < end; i++) {
    const count = counts.counts[i];
    const numerator = Math.fround(Math.fround(count) - discounts[from + Math.min(count, DISCOUNTED)]);
    found[counts.last[i]] += Math.fround(numerator / whole);
  }
  if (at >= 0) {
    confidences[at] = LOGS[Math.min(whole, LOGS.length - 1)];
    confidences[at + 1] = share;
  }
}

function aloneOf(vocabulary, counts, discounts) {
  const found = new Float32Array(vocabulary).fill(1 / vocabulary);
  mix(counts, discounts, 0, 0, found, null, -1);
  return found;
}

// The place of a key among the children of a node, or -1.
function place(keys, starts, node, key) {
  let low = starts[node];
  const end = starts[node + 1];
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low < end && keys[low] === key ? low : -1;
}

class Ngrams {
  constructor(columns, vocabulary, longest) {
    this.orders = [];
    let first = [0];
    let sizes = [vocabulary];
    for (let length = 1; length <= longest; length++) {
      const shorter = this.orders[length - 2];
      const starts = new Int32Array(first.length + 1);
      for (let c = 0; c < first.length; c++) {
        starts[c + 1] = starts[c] + 1 + columns["ngrams.lengths"].next(Math.min(sizes[c], 63));
      }
      const entries = starts[first.length];
      const order = { starts, last: new Uint16Array(entries), counts: new Uint32Array(entries) };
      // What comes after each n-gram is a part of what comes after it without its first token.
      const nextFirst = new Int32Array(entries);
      const nextSizes = new Int32Array(entries);
      for (let c = 0; c < first.length; c++) {
        const many = starts[c + 1] - starts[c];
        const candidates = subset(columns["ngrams.tokens"], sizes[c], many);
        for (let i = 0; i < many; i++) {
          const entry = starts[c] + i;
          const behind = first[c] + candidates[i];
          order.last[entry] = shorter ? shorter.last[behind] : behind;
          if (shorter) shorter.counts[behind]++;
          const inner = shorter ? behind : 0;
          nextFirst[entry] = starts[inner];
          nextSizes[entry] = starts[inner + 1] - starts[inner];
        }
      }
      this.orders.push(order);
      [first, sizes] = [nextFirst, nextSizes];
    }
    const last = this.orders[longest - 1];
    for (let c = 0; c + 1 < last.starts.length; c++) {
      const together = Math.min(last.starts[c + 1] - last.starts[c], 15);
      for (let i = last.starts[c]; i < last.starts[c + 1]; i++) {
        last.counts[i] = 1 + columns["ngrams.counts"].next(together);
      }
    }
    for (const order of this.orders) order.discounts = discountsOf(order.counts);
    this.longest = longest;
    this.before = longest - 1;
    this.confidences = 2 * (longest - 1);
    this.alone = aloneOf(vocabulary, this.orders[0], this.orders[0].discounts);
  }

  expect(recent, found, confidences, at) {
    found.set(this.alone);
    for (let length = 2; length <= this.longest; length++) {
      let context = 0;
      for (let depth = 0; depth < length - 1 && context >= 0; depth++) {
        const order = this.orders[depth];
        context = place(order.last, order.starts, context, recent[recent.length - length + 1 + depth]);
      }
      if (context < 0) return;
      const order = this.orders[length - 1];
      mix(order, order.discounts, 0, context, found, confidences, at < 0 ? at : at + 2 * (length - 2));
    }
  }
}

function discountsOf(counts) {
  const times = [0, 0, 0, 0, 0];
  for (const count of counts) if (count <= 4) times[count]++;
  const [one, two, three, four] = times.slice(1).map((number) => Math.max(1, number));
  const share = one / (one + 2 * two);
  const values = [1 - (2 * share * two) / one, 2 - (3 * share * three) / two, 3 - (4 * share * four) / three];
  return Float32Array.from([0, ...values.map((value, i) => Math.min(Math.max(value, 0.1), 0.95 * (i + 1)))]);
}
