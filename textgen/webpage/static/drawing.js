// From logits and random numbers to tokens; textgen/sampling/draw.py and repeats.py are the same in NumPy.
"use strict";

const SHORTEST_RUN = 4;
const LOWEST_TEMPERATURE = 1e-9;

// Python's random.Random(seed).random: the Mersenne Twister MT19937, with an integer of any size as its seed.
class Twister {
  constructor(seed) {
    const key = [];
    for (let rest = BigInt(seed); rest > 0n; rest >>= 32n) key.push(Number(rest & 0xffffffffn));
    if (!key.length) key.push(0);
    const state = (this.state = new Uint32Array(624));
    state[0] = 19650218;
    for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    let i = 1;
    let j = 0;
    const before = () => state[i - 1] ^ (state[i - 1] >>> 30);
    const onward = () => {
      if (++i >= 624) {
        state[0] = state[623];
        i = 1;
      }
    };
    for (let k = Math.max(624, key.length); k; k--) {
      state[i] = (state[i] ^ Math.imul(before(), 1664525)) + key[j] + j;
      onward();
      j = (j + 1) % key.length;
    }
    for (let k = 623; k; k--) {
      state[i] = (state[i] ^ Math.imul(before(), 1566083941)) - i;
      onward();
    }
    state[0] = 0x80000000;
    this.at = 624;
  }

  bits() {
    const { state } = this;
    if (this.at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
        state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.at = 0;
    }
    let y = state[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  // A number in [0, 1) of 53 bits.
  random() {
    const high = this.bits() >>> 5;
    return (high * 67108864 + (this.bits() >>> 6)) / 9007199254740992;
  }
}

function highest(numbers) {
  let most = -Infinity;
  for (const number of numbers) if (number > most) most = number;
  return most;
}

// A temperature does not change the probability that a run of one token goes on.
function keepChance(logits, token, temperature) {
  const own = logits[token];
  logits[token] = -Infinity;
  const most = highest(logits);
  if (most === -Infinity || own === -Infinity) {
    logits[token] = own;
    return;
  }
  let sum = 0;
  let cooled = 0;
  for (let i = 0; i < logits.length; i++) {
    logits[i] -= most;
    sum += Math.exp(logits[i]);
    cooled += Math.exp(logits[i] / temperature);
  }
  logits[token] = temperature * (own - most - Math.log(sum) + Math.log(cooled));
}

// Draws a token; the logits are changed.
function draw(logits, temperature, uniform) {
  const most = highest(logits);
  if (temperature === 0) return logits.indexOf(most);
  const divisor = Math.max(temperature, LOWEST_TEMPERATURE);
  let sum = 0;
  let last = 0;
  for (let i = 0; i < logits.length; i++) {
    const weight = Math.exp((logits[i] - most) / divisor);
    if (weight > 0) last = i;
    logits[i] = sum += weight; // the cumulative sum takes the logits' place
  }
  const bound = uniform * sum;
  for (let i = 0; i < logits.length; i++) if (logits[i] > bound) return i;
  return last;
}
