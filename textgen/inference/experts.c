/* What the experts expect of the next token, compiled: equal to the bit to Expert.expect.

   The n-grams are stored as a tree: the children of an n-gram are the tokens that came after it, in order.
   A context is looked up from its oldest token to its newest, so the tree is all that is needed. The
   discounts are computed on the fly: most contexts have only a few children. */

#include <string.h>

#include "experts.h"
#include "versions.h"
#include "numbers.h"

/* The index of a token among the children of an n-gram, or -1. */
static int64_t beneath(const Counts *counts, int64_t context, uint32_t token)
{
    int64_t low = counts->starts[context], end = counts->starts[context + 1], high = end;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (at(counts->last, counts->last_bytes, middle) < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && at(counts->last, counts->last_bytes, low) == token ? low : -1;
}

static inline float taken(const float *discounts, uint32_t count)
{
    return discounts[count < DISCOUNTED ? count : DISCOUNTED];
}

UNFUSED
Trust experts_mix(const Counts *counts, const float *discounts, int64_t context, int64_t vocabulary, float *found)
{
    double total = 0, discounted = 0;
    for (int64_t i = counts->starts[context]; i < counts->starts[context + 1]; i++) {
        uint32_t count = at(counts->counts, counts->count_bytes, i);
        total += count;
        discounted += taken(discounts, count);
    }
    Trust trust = {(float)total, (float)discounted / (float)total};
    scale(vocabulary, found, trust.share);
    for (int64_t i = counts->starts[context]; i < counts->starts[context + 1]; i++) {
        uint32_t count = at(counts->counts, counts->count_bytes, i);
        float numerator = (float)count - taken(discounts, count);
        found[at(counts->last, counts->last_bytes, i)] += numerator / trust.total;
    }
    return trust;
}

/* Mix the n-grams of length 2 and more into `found`. end: past the newest token. */
static void ngrams_expect(const Experts *experts, const float *end, float *found, double *confidences)
{
    const Order *orders = experts->ngrams->orders;
    for (int64_t length = 2; length <= experts->ngrams->longest; length++) {
        int64_t context = 0;
        for (int64_t depth = 0; depth < length - 1 && context >= 0; depth++)
            context = beneath(&orders[depth].counts, context, (uint32_t)end[depth - length + 1]);
        if (context < 0)
            return; /* no longer context with this ending came either */
        const Order *order = orders + length - 1;
        Trust trust = experts_mix(&order->counts, order->discounts, context, experts->vocabulary, found);
        if (confidences)
            experts_confide(experts, trust, confidences + 2 * (length - 2));
    }
}

int64_t experts_deeper(const Experts *experts, const Chained *chained, int64_t context, int64_t node,
                       int64_t level, float *found, double *confidences)
{
    context = tree_child(&chained->contexts, context, (uint32_t)(node << LEVEL_BITS | level));
    if (context < 0)
        return -1;
    const float *discounts = chained->discounts + level * (DISCOUNTED + 1);
    Trust trust = experts_mix(&chained->counts, discounts, context, experts->vocabulary, found);
    if (confidences)
        experts_confide(experts, trust, confidences + 2 * (level - 1));
    return context;
}

void experts_expect(const Experts *experts, int64_t positions, const float *contexts, float *found,
                    double *expected, double *confidences)
{
    int64_t vocabulary = experts->vocabulary, pairs = experts->ngrams->longest - 1;
    int64_t all = 2 * (pairs + experts->chained * LEVELS);
    for (int64_t p = 0; p < positions; p++) {
        const float *end = contexts + (p + 1) * experts->before;
        double *near = confidences ? confidences + p * all : 0;
        for (int64_t i = 0; near && i < all; i++)
            near[i] = i % 2; /* unknown */
        memcpy(found, experts->ngrams->alone, vocabulary * sizeof *found);
        ngrams_expect(experts, end, found, near);
        for (int64_t i = 0; i < vocabulary; i++)
            expected[p * vocabulary + i] = found[i];
        for (int64_t c = 0; c < experts->chained; c++) {
            const Chained *chained = experts->chains + c;
            double *its = near ? near + 2 * (pairs + c * LEVELS) : 0;
            memcpy(found, chained->alone, vocabulary * sizeof *found);
            (chained->kinds ? words_expect : long_expect)(experts, chained, end, found, its);
            for (int64_t i = 0; i < vocabulary; i++)
                expected[((c + 1) * positions + p) * vocabulary + i] = found[i];
        }
    }
}
