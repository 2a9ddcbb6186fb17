// Reads columns of small whole numbers; textgen/webpage/columns.py writes them and says how.
"use strict";

class Column {
  // bytes: of all columns; the others: where it begins, how many numbers it has, and how many bytes each.
  constructor(bytes, begin, many, each) {
    const plane = (place) => bytes.subarray(begin + place * many, begin + (place + 1) * many);
    this.numbers = plane(0);
    if (each > 1) this.numbers = (each > 2 ? Uint32Array : Uint16Array).from(this.numbers);
    for (let place = 1; place < each; place++) {
      const higher = plane(place);
      for (let i = 0; i < many; i++) this.numbers[i] |= higher[i] << (8 * place);
    }
    this.read = 0;
  }

  next() {
    return this.numbers[this.read++];
  }
}

// Reads the places of a part of a list in that list, rising; returns them in an array that the next call changes.
function subset(column, candidates, wanted) {
  if (PLACES.length < wanted) PLACES = new Int32Array(2 * wanted);
  let place = -1;
  for (let i = 0; i < wanted; i++) {
    const left = candidates - place - 1;
    // If as many are left as are wanted, it is all of them, and nothing is written.
    place += left === wanted - i ? 1 : 1 + column.next();
    PLACES[i] = place;
  }
  return PLACES;
}

let PLACES = new Int32Array(1024);
