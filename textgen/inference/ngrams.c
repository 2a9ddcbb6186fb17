/* The n-grams' probabilities of the next token, compiled: equal to the bit to KneserNey.probabilities.

   The n-grams are stored as a tree: the children of an n-gram are the tokens that came after it, in order.
   A context is looked up from its oldest token to its newest, so the tree is all that is needed. The
   discounts are computed on the fly: most contexts have only a few children. */

#include <string.h>

#include "ngrams.h"
#include "versions.h"

static inline uint32_t at(const void *numbers, int64_t bytes, int64_t place)
{
    switch (bytes) {
    case 1: return ((const uint8_t *)numbers)[place];
    case 2: return ((const uint16_t *)numbers)[place];
    default: return ((const uint32_t *)numbers)[place];
    }
}

/* The index of a token among the children of an n-gram, or -1. */
static int64_t beneath(const Order *order, int64_t context, uint32_t token)
{
    int64_t low = order->starts[context], end = order->starts[context + 1], high = end;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (at(order->last, order->last_bytes, middle) < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && at(order->last, order->last_bytes, low) == token ? low : -1;
}

static inline float taken(const Order *order, uint32_t count)
{
    return order->discounts[count < DISCOUNTED ? count : DISCOUNTED];
}

CHOSEN
static void scale(int64_t many, float *numbers, float factor)
{
    for (int64_t i = 0; i < many; i++)
        numbers[i] *= factor;
}

/* Mix the relative frequencies after one context into the probabilities of shorter contexts. */
UNFUSED
static void mix(const Order *order, int64_t context, int64_t vocabulary, float *found)
{
    double total = 0, discounted = 0;
    for (int64_t i = order->starts[context]; i < order->starts[context + 1]; i++) {
        uint32_t count = at(order->counts, order->count_bytes, i);
        total += count;
        discounted += taken(order, count);
    }
    scale(vocabulary, found, (float)discounted / (float)total);
    for (int64_t i = order->starts[context]; i < order->starts[context + 1]; i++) {
        uint32_t count = at(order->counts, order->count_bytes, i);
        float numerator = (float)count - taken(order, count);
        found[at(order->last, order->last_bytes, i)] += numerator / (float)total;
    }
}

void ngrams_expect(const Ngrams *ngrams, int64_t positions, const float *contexts, float *found, double *out)
{
    int64_t vocabulary = ngrams->vocabulary, before = ngrams->longest - 1;
    for (int64_t p = 0; p < positions; p++, contexts += before, out += vocabulary) {
        memcpy(found, ngrams->alone, vocabulary * sizeof *found);
        for (int64_t length = 2; length <= ngrams->longest; length++) {
            int64_t context = 0;
            for (int64_t depth = 0; depth < length - 1 && context >= 0; depth++) {
                uint32_t token = (uint32_t)contexts[before - length + 1 + depth];
                context = beneath(ngrams->orders + depth, context, token);
            }
            if (context < 0)
                break; /* no longer context with this ending came either */
            mix(ngrams->orders + length - 1, context, vocabulary, found);
        }
        for (int64_t i = 0; i < vocabulary; i++)
            out[i] = found[i];
    }
}
