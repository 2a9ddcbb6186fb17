// Reads columns of small whole numbers; textgen/webpage/columns.py writes them and says how.
"use strict";

const LANES = 128;
const PRECISION = 12;

class Column {
  constructor(described, section, table) {
    this.direct = described.direct;
    this.symbols = described.symbols;
    this.frequencies = table;
    this.states = new Uint32Array(section(described.states).buffer);
    this.words = new Uint16Array(section(described.words).buffer);
    this.bits = section(described.bits);
    this.looked = []; // of each context: the symbol of each slot, and where it begins
    this.read = this.word = this.bit = 0;
  }

  // The next number; the context is what the writer knew of it.
  next(context) {
    const lane = this.read++ % LANES;
    const table = this.looked[context] || this.prepare(context);
    const state = this.states[lane];
    const slot = state & ((1 << PRECISION) - 1);
    const symbol = table.symbols[slot];
    const frequency = this.frequencies[context * this.symbols + symbol];
    let later = frequency * (state >>> PRECISION) + slot - table.begins[symbol];
    if (later < 65536) later = later * 65536 + this.words[this.word++];
    this.states[lane] = later;
    if (symbol < this.direct) return symbol;
    const length = symbol - this.direct;
    let rest = 1 << length;
    for (let place = 0; place < length; place++, this.bit++) {
      if ((this.bits[this.bit >> 3] >> (this.bit & 7)) & 1) rest |= 1 << place;
    }
    return this.direct + rest - 1;
  }

  prepare(context) {
    const symbols = new Uint16Array(1 << PRECISION);
    const begins = new Uint16Array(this.symbols);
    let begin = 0;
    for (let symbol = 0; symbol < this.symbols; symbol++) {
      const frequency = this.frequencies[context * this.symbols + symbol];
      begins[symbol] = begin;
      symbols.fill(symbol, begin, begin + frequency);
      begin += frequency;
    }
    return (this.looked[context] = { symbols, begins });
  }
}

// Reads the places of a part of a list in that list, rising; returns them in an array that the next call changes.
function subset(column, candidates, wanted) {
  if (PLACES.length < wanted) PLACES = new Int32Array(2 * wanted);
  let place = -1;
  for (let i = 0; i < wanted; i++) {
    const context = Math.min(candidates - place - 1, 31) * 16 + Math.min(wanted - i, 15);
    PLACES[i] = place += 1 + column.next(context);
  }
  return PLACES;
}

let PLACES = new Int32Array(1024);
