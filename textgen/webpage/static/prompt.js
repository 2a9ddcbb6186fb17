// A typed seed as the model reads it; textgen/sampling/typed_text.py and textgen/unicode say why.
// What stands for a character that the model does not know was looked up when the page was written.
"use strict";

const ROUNDS = 8;
const SEQUENCES = [["...", "…"], ["---", "—"], ["--", "—"], ["--", "–"]];

// Clean text in normal form C. Invisible characters go, unless the model knows them.
function normalForm(text, known) {
  const plain = text
    .replace(/\r\n|[\r\u2028\u2029\x85\x0b\x0c]/g, "\n")
    .replace(/[\0-\x08\x0e-\x1f\x7f]/g, "")
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "")
    .replace(/\u00ad(?=\n)/g, "-")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, (symbol) => (known.has(symbol) ? symbol : ""));
  return plain.normalize("NFC");
}

function fold(text, model) {
  const { known, forms, spaces } = model;
  let folded = model.lowercase ? text.toLowerCase() : text;
  for (const [sequence, single] of SEQUENCES) {
    if (!known.has(sequence[0]) && known.has(single)) folded = folded.split(sequence).join(single);
  }
  let before = "";
  let result = "";
  for (const symbol of folded) {
    const form = known.has(symbol) ? symbol : forms[symbol];
    const opens = !before || spaces.includes(before) || "([{<-–—/\"'“‘«„\n".includes(before);
    if (form === undefined) result += symbol;
    else result += typeof form === "string" ? form : form[opens ? 1 : 0];
    before = symbol;
  }
  return result;
}

// The seed that the model goes on from. Symbols that it knows in no form are dropped.
function readSeed(typed, model) {
  let text = normalForm(typed, model.known);
  for (let round = 0; round < ROUNDS; round++) {
    text = fold(normalForm(text, model.known), model);
    const kept = [...text].filter((symbol) => model.known.has(symbol));
    if (kept.length === [...text].length) break;
    text = kept.join("");
  }
  return text;
}
