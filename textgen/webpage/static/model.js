// The model in this page: its bytes to a network; textgen/webpage/payload.py writes them.
"use strict";

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

async function modelFrom(base64) {
  const bytes = bytesOf(base64);
  const size = new DataView(bytes.buffer).getUint32(0, true);
  const head = await inflated(bytes.subarray(4, 4 + size));
  const long = new DataView(head.buffer).getUint32(0, true);
  const described = JSON.parse(new TextDecoder().decode(head.subarray(4, 4 + long)));
  const plain = bytes.subarray(4 + size);
  const section = ([begin, end]) => plain.slice(begin, end);
  const columns = {};
  for (const [name, column] of Object.entries(described.columns)) {
    const [begin, end] = column.frequencies.map((place) => 4 + long + place);
    columns[name] = new Column(column, section, new Uint16Array(head.slice(begin, end).buffer));
  }
  const { spec, symbols } = described;
  const model = { ...described, symbols: ["\ufffd", ...symbols] };
  model.tokens = new Map([...symbols].map((symbol, i) => [symbol, i + 1]));
  model.known = new Set(symbols);
  model.weights = weightsFrom(described, columns["weights.high"], section);
  model.experts = [];
  if (spec.prior) model.experts.push(new Ngrams(columns, spec.vocabulary, spec.prior));
  const kinds = { words: Words, long: Long };
  for (const name of spec.experts || []) {
    model.experts.push(new kinds[name](columns, spec.vocabulary, described[name]));
  }
  return model;
}

// 32-bit floats: their highest bytes are a column, and the others follow one another.
function weightsFrom(described, high, section) {
  const low = section(described.low);
  const many = low.length / 3;
  const bytes = new Uint8Array(4 * many);
  for (let i = 0; i < many; i++) {
    for (let place = 0; place < 3; place++) bytes[4 * i + place] = low[place * many + i];
    bytes[4 * i + 3] = high.next(0);
  }
  const floats = new Float32Array(bytes.buffer);
  const weights = {};
  let begin = 0;
  for (const [name, shape] of described.parameters) {
    const end = begin + shape.reduce((product, size) => product * size);
    weights[name] = { shape, floats: floats.subarray(begin, end) };
    begin = end;
  }
  return weights;
}
