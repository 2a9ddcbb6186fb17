// Matrix products: doubles times 32-bit floats. Nearly all the time of a step goes into them, so they are assembled for
// WebAssembly, two doubles at a time; where that is not allowed, plain JavaScript does the same.
"use strict";

const TILE = 8;

// Adds x (k) times w (k, 8 * tiles) to out: parameters k, tiles, and the addresses of x, w and out.
function assembled() {
  const [K, TILES, X, W, OUT, END, STRIDE, P, Q, V, SUMS] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const [I32, V128, END_BLOCK] = [0x7f, 0x7b, 0x0b];
  const get = (local) => [0x20, local];
  const set = (local) => [0x21, local];
  const number = (value) => [0x41, value];
  const added = (local, ...amount) => [get(local), amount, 0x6a, set(local)]; // local += amount
  const each = (what) => [0, 1, 2, 3].map((place) => what(SUMS + place, place));
  const body = [
    [get(X), get(K), number(3), 0x74, 0x6a, set(END)], // END = X + 8 k
    [get(TILES), number(5), 0x74, set(STRIDE)], // STRIDE = 32 tiles
    [0x03, 0x40], // for each tile
    each((sum, place) => [get(OUT), 0xfd, 0x00, 0, 16 * place, set(sum)]), // v128.load
    [get(X), set(Q), get(W), set(P)],
    [0x03, 0x40], // for each term
    [get(Q), 0xfd, 0x0a, 0, 0, set(V)], // v128.load64_splat
    each((sum, place) => [
      [get(sum), get(V), get(P), 0xfd, 0x5d, 0, 8 * place], // v128.load64_zero
      [0xfd, 0x5f, 0xfd, 0xf2, 0x01, 0xfd, 0xf0, 0x01, set(sum)], // f64x2: promote_low_f32x4, mul, add
    ]),
    [added(P, get(STRIDE)), added(Q, number(8))],
    [get(Q), get(END), 0x49, 0x0d, 0, END_BLOCK], // while Q < END
    each((sum, place) => [get(OUT), get(sum), 0xfd, 0x0b, 0, 16 * place]), // v128.store
    [added(W, number(32)), added(OUT, 0x41, 0xc0, 0x00)], // 64 takes two bytes
    [get(TILES), number(1), 0x6b, 0x22, TILES, 0x0d, 0, END_BLOCK], // while --TILES
    END_BLOCK,
  ].flat(Infinity);
  const code = [2, 4, I32, 5, V128, ...body]; // 4 more numbers and 5 vectors are local
  const sized = (bytes) => [bytes.length & 0x7f | 0x80, bytes.length >> 7, ...bytes];
  const section = (kind, bytes) => [kind, ...sized(bytes)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 5, I32, I32, I32, I32, I32, 0]), // the type of the function
    ...section(2, [1, 1, 0x65, 1, 0x6d, 2, 0, 1]), // import "e" "m": a memory
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]), // export "f"
    ...section(10, [1, ...sized(code)]),
  ]);
}

// Vectors and matrices in one memory.
class Products {
  constructor(bytes, compiled = true) {
    this.used = 0;
    try {
      const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
      const module = compiled && new WebAssembly.Module(assembled());
      this.compiled = module && new WebAssembly.Instance(module, { e: { m: memory } }).exports.f;
      this.memory = memory.buffer;
    } catch {
      this.compiled = null;
      this.memory = new ArrayBuffer(bytes);
    }
  }

  // Bytes that a matrix takes, or with one row twice what a vector takes.
  static bytes(rows, columns) {
    return 4 * rows * Products.width(columns);
  }

  static width(columns) {
    return TILE * Math.ceil(columns / TILE);
  }

  vector(size) {
    const begin = this.used;
    this.used += 8 * Products.width(size);
    return new Float64Array(this.memory, begin, Products.width(size));
  }

  matrix(rows, columns, floats) {
    const width = Products.width(columns);
    const wide = new Float32Array(this.memory, this.used, rows * width);
    this.used += 4 * rows * width;
    for (let row = 0; row < rows; row++) wide.set(floats.subarray(row * columns, (row + 1) * columns), row * width);
    return { rows, width, wide };
  }

  // Adds x (rows) times a matrix to out.
  add(matrix, x, out) {
    const { rows, width, wide } = matrix;
    if (this.compiled) {
      this.compiled(rows, width / TILE, x.byteOffset, wide.byteOffset, out.byteOffset);
      return;
    }
    for (let i = 0, at = 0; i < rows; i++) {
      const factor = x[i];
      for (let j = 0; j < width; j++) out[j] += factor * wide[at++];
    }
  }
}
