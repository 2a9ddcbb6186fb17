// The counted models: what they expect of the next token. textgen/inference/experts.c and words.c are the same in C.
// Math.fround, and Float32Array by itself, round where 32-bit floats are used there.
"use strict";

const DISCOUNTED = 3;
const LOGS = new Float32Array(65536);
for (let total = 0; total < LOGS.length; total++) LOGS[total] = Math.log1p(total) / 8;

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

// The n-grams of one length. For each context there are candidates among the shorter ones, from `first` on: what
// came after it without its first token. Returns the order, and the same of the contexts that are one token longer.
function orderFrom(lengths, tokens, { first, sizes }, shorter) {
  const contexts = first.length;
  const starts = new Int32Array(contexts + 1);
  for (let c = 0; c < contexts; c++) {
    starts[c + 1] = starts[c] + 1 + (sizes[c] > 1 ? lengths.next() : 0);
  }
  const entries = starts[contexts];
  const [last, counts] = [new Uint16Array(entries), new Uint32Array(entries)];
  const further = { first: new Int32Array(entries), sizes: new Int32Array(entries) };
  for (let c = 0, entry = 0; c < contexts; c++) {
    const many = starts[c + 1] - starts[c];
    const candidates = subset(tokens, sizes[c], many);
    for (let i = 0; i < many; i++, entry++) {
      const behind = first[c] + candidates[i];
      let inner = 0;
      if (shorter === null) {
        last[entry] = behind;
      } else {
        inner = behind;
        last[entry] = shorter.last[behind];
        shorter.counts[behind]++;
      }
      further.first[entry] = starts[inner];
      further.sizes[entry] = starts[inner + 1] - starts[inner];
    }
  }
  return [{ starts, last, counts }, further];
}

class Ngrams {
  constructor(columns, vocabulary, longest) {
    this.orders = [];
    const [lengths, tokens] = [columns["ngrams.lengths"], columns["ngrams.tokens"]];
    let order = null;
    let candidates = { first: Int32Array.of(0), sizes: Int32Array.of(vocabulary) };
    for (let length = 1; length <= longest; length++) {
      [order, candidates] = orderFrom(lengths, tokens, candidates, order);
      this.orders.push(order);
    }
    order.counts = columns["ngrams.counts"].numbers;
    for (const each of this.orders) each.discounts = discountsOf(each.counts);
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
  const times = new Float64Array(6);
  for (let i = 0; i < counts.length; i++) times[Math.min(counts[i], 5)]++;
  const [one, two, three, four] = times.subarray(1).map((number) => Math.max(1, number));
  const share = one / (one + 2 * two);
  const values = [1 - (2 * share * two) / one, 2 - (3 * share * three) / two, 3 - (4 * share * four) / three];
  return Float32Array.from([0, ...values.map((value, i) => Math.min(Math.max(value, 0.1), 0.95 * (i + 1)))]);
}
