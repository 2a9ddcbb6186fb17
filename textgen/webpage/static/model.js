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
  const bytes = await inflated(bytesOf(base64));
  const size = 4 + new DataView(bytes.buffer).getUint32(0, true);
  const described = JSON.parse(new TextDecoder().decode(bytes.subarray(4, size)));
  const columns = {};
  for (const [name, place] of Object.entries(described.columns)) {
    columns[name] = new Column(bytes.subarray(size), ...place);
  }
  const { spec, symbols } = described;
  const model = { ...described, symbols: ["\ufffd", ...symbols] };
  model.tokens = new Map([...symbols].map((symbol, i) => [symbol, i + 1]));
  model.known = new Set(symbols);
  model.weights = weightsFrom(described, columns.weights.numbers.buffer);
  model.experts = [];
  if (spec.prior) model.experts.push(new Ngrams(columns, spec.vocabulary, spec.prior));
  const kinds = { words: Words, long: Long };
  for (const name of spec.experts || []) {
    model.experts.push(new kinds[name](columns, spec.vocabulary, described[name]));
  }
  return model;
}

function weightsFrom({ parameters }, buffer) {
  const floats = new Float32Array(buffer);
  const weights = {};
  let begin = 0;
  for (const [name, shape] of parameters) {
    const end = begin + shape.reduce((product, size) => product * size);
    weights[name] = { shape, floats: floats.subarray(begin, end) };
    begin = end;
  }
  return weights;
}
