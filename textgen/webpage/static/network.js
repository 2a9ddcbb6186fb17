// One step of the cell "linear"; textgen/network/cells/linear/numpy_step.py describes it, linear.c is the same in C.
// Numbers are doubles, and what is carried from step to step is rounded to 32 bits: so the order in which a
// product adds its terms, and the last bit of a function, do not decide about a text (textgen/inference/numerics.py).
"use strict";

const TAPS = 4;

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

class Network {
  // weights: 32-bit floats by their names, each with its shape; compiled: whether WebAssembly may be used.
  constructor(spec, weights, experts, compiled = true) {
    Object.assign(this, { spec, experts, weights });
    const { units, vocabulary, layers } = spec;
    const inner = (this.inner = spec.expansion * units);
    const sizes = { x: units, normalized: units, z: Math.max(3 * units, 2 * inner), hidden: Math.max(units, inner) };
    Object.assign(sizes, { logits: vocabulary, mixed: experts.length, expected: vocabulary });
    sizes.confidences = spec.confidences;
    const matrices = Object.entries(weights).filter(([name, { shape }]) => shape.length === 2 && name !== "embedding");
    let bytes = 0;
    for (const { shape } of Object.values(weights)) bytes += Products.bytes(shape[0], shape[1] || 1);
    for (const size of Object.values(sizes)) bytes += 2 * Products.bytes(1, size);
    this.products = new Products(bytes, compiled);
    for (const [name, size] of Object.entries(sizes)) this[name] = this.products.vector(size);
    this.matrices = {};
    for (const [name, { shape, floats }] of matrices) {
      this.matrices[name] = this.products.matrix(shape[0], shape[1], floats);
    }
    this.before = Math.max(0, ...experts.map((expert) => expert.before));
    this.recent = new Uint16Array(this.before);
    this.views = experts.map((expert) => this.recent.subarray(this.before - expert.before));
    this.found = experts.map(() => new Float32Array(vocabulary));
    this.h = Array.from({ length: layers }, () => new Float32Array(units));
    this.summed = Array.from({ length: layers }, () => new Float32Array((TAPS - 1) * units));
  }

  // Feeds a token; returns the logits of the next one, or nothing if they are not wanted.
  step(token, wanted = true) {
    const { spec, x, expected } = this;
    const { units } = spec;
    this.expect(token);
    x.set(this.weights.embedding.floats.subarray(token * units, (token + 1) * units));
    if (spec.feeds_prior) {
      spec.mixed.forEach((name, e) => {
        expected.set(this.found[e]);
        this.add(`${name}.input`, expected, x);
      });
    }
    if (spec.confidences) this.add("confidence.input", this.confidences, x);
    for (let layer = 0; layer < spec.layers; layer++) {
      this.temporalMixing(layer, `layer${layer}.`);
      if (this.inner) this.gatedUnit(`layer${layer}.`);
    }
    return wanted ? this.output() : undefined;
  }

  add(name, x, out) {
    this.products.add(this.matrices[name], x, out);
  }

  expect(token) {
    if (!this.experts.length) return;
    this.recent.copyWithin(0, 1);
    this.recent[this.before - 1] = token;
    const { confidences } = this.spec;
    for (let i = 0; i < confidences; i++) this.confidences[i] = i % 2;
    let at = 0;
    this.experts.forEach((expert, e) => {
      expert.expect(this.views[e], this.found[e], this.confidences, confidences ? at : -1);
      at += expert.confidences;
    });
  }

  normalize(name) {
    const { x, normalized } = this;
    const { units } = this.spec;
    const scale = this.weights[name].floats;
    let squares = 0;
    for (let i = 0; i < units; i++) squares += x[i] * x[i];
    const inverse = 1 / Math.sqrt(squares / units + 1e-6);
    for (let i = 0; i < units; i++) normalized[i] = x[i] * inverse * scale[i];
  }

  temporalMixing(layer, name) {
    const { weights, z, hidden } = this;
    const { units } = this.spec;
    this.normalize(`${name}norm`);
    z.fill(0);
    this.add(`${name}input`, this.normalized, z);
    const [h, summed] = [this.h[layer], this.summed[layer]];
    const [taps, bias] = [weights[`${name}convolution`].floats, weights[`${name}forget_bias`].floats];
    const f = Math.fround;
    for (let i = 0; i < units; i++) {
      const value = f(z[i]);
      const a = f(sigmoid(z[units + i] + bias[i]));
      const v = f(summed[i] + f(value * taps[3 * units + i]));
      summed[i] = summed[units + i] + f(value * taps[2 * units + i]);
      summed[units + i] = summed[2 * units + i] + f(value * taps[units + i]);
      summed[2 * units + i] = value * taps[i];
      h[i] = f(f(h[i] - v) * a) + v;
      const gate = z[2 * units + i];
      hidden[i] = h[i] * gate * sigmoid(gate);
    }
    this.add(`${name}output`, hidden, this.x);
  }

  gatedUnit(name) {
    const { z, hidden, inner } = this;
    this.normalize(`${name}mlp_norm`);
    z.fill(0);
    this.add(`${name}mlp_input`, this.normalized, z);
    for (let i = 0; i < inner; i++) hidden[i] = z[i] * sigmoid(z[i]) * z[inner + i];
    this.add(`${name}mlp_output`, hidden, this.x);
  }

  output() {
    const { spec, weights, normalized, logits, mixed } = this;
    const { vocabulary } = spec;
    this.normalize("norm");
    logits.set(weights["output.bias"].floats);
    this.add("output.kernel", normalized, logits);
    if (this.experts.length) {
      mixed.set(weights["prior.bias"].floats);
      this.add("prior.gate", normalized, mixed);
      if (spec.confidences) this.add("confidence.gate", this.confidences, mixed);
      this.found.forEach((found, e) => {
        for (let i = 0; i < vocabulary; i++) logits[i] += Math.log(found[i]) * mixed[e];
      });
    }
    return logits.subarray(0, vocabulary);
  }
}
