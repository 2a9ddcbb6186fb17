// Reads columns of small whole numbers; textgen/webpage/columns.py writes them and says how.
"use strict";

const LANES = 128;
const PRECISION = 11;

class Column {
  constructor(described, section, table) {
    this.direct = described.direct;
    this.symbols = described.symbols;
    this.frequencies = table;
    this.states = new Uint32Array(section(described.states).buffer);
    this.words = new Uint16Array(section(described.words).buffer);
    this.bits = section(described.bits);
    const contexts = table.length / this.symbols;
    // Flat arrays, which a context has its part of: the symbol of each slot, and of each symbol its frequency
    // and, in the lower half, the slot where it begins.
    this.slots = new (this.symbols > 256 ? Uint16Array : Uint8Array)(contexts << PRECISION);
    this.ranges = new Uint32Array(table.length);
    this.prepared = new Uint8Array(contexts);
    this.read = this.word = this.bit = 0;
  }

  // The next number; the context is what the writer knew of it.
  next(context) {
    if (this.prepared[context] === 0) this.prepare(context);
    const lane = this.read++ & (LANES - 1);
    const state = this.states[lane];
    const slot = state & ((1 << PRECISION) - 1);
    const symbol = this.slots[(context << PRECISION) + slot];
    const range = this.ranges[context * this.symbols + symbol];
    const later = Math.imul(range >>> 16, state >>> PRECISION) + slot - (range & 0xffff);
    // A product of 32 bits is negative from 2 ** 31 on; as one without a sign it is right again.
    this.states[lane] = later >>> 0 < 65536 ? (later << 16) | this.words[this.word++] : later;
    return symbol < this.direct ? symbol : this.direct + this.rest(symbol - this.direct) - 1;
  }

  rest(length) {
    let rest = 1 << length;
    for (let place = 0; place < length; place++, this.bit++) {
      if ((this.bits[this.bit >> 3] >> (this.bit & 7)) & 1) rest |= 1 << place;
    }
    return rest;
  }

  prepare(context) {
    const first = context * this.symbols;
    let slot = context << PRECISION;
    let begin = 0;
    for (let symbol = 0; symbol < this.symbols; symbol++) {
      const frequency = this.frequencies[first + symbol];
      this.ranges[first + symbol] = (frequency << 16) | begin;
      this.slots.fill(symbol, slot, slot + frequency);
      slot += frequency;
      begin += frequency;
    }
    this.prepared[context] = 1;
  }
}

// Reads the places of a part of a list in that list, rising; returns them in an array that the next call changes.
function subset(column, candidates, wanted) {
  if (PLACES.length < wanted) PLACES = new Int32Array(2 * wanted);
  let place = -1;
  for (let i = 0; i < wanted; i++) {
    const left = candidates - place - 1;
    // If as many are left as are wanted, it is all of them, and nothing is written.
    place += left === wanted - i ? 1 : 1 + column.next(Math.min(left, 31) * 16 + Math.min(wanted - i, 15));
    PLACES[i] = place;
  }
  return PLACES;
}

let PLACES = new Int32Array(1024);
