/* Mixing counts into the probabilities of many positions: equal to the bit to textgen.experts.ngram_order.mix.

   Nearly all of the time that experts take in training goes here, and NumPy would keep the interpreter's lock. */

#include <stdint.h>

#include "versions.h"
#include "numbers.h"

/* rows, contexts, shares, totals: (positions). starts: the first entry of each context, then the number of
   entries. last: the token of each entry, of last_bytes. numerators: of each entry; divided by the position's
   total unless totals is null. found: (all positions, vocabulary). */
UNFUSED
void mixing_mix(int64_t positions, int64_t vocabulary, const int64_t *rows, const int64_t *contexts,
                const int32_t *starts, int64_t last_bytes, const void *last, const float *numerators,
                const float *shares, const float *totals, float *found)
{
    for (int64_t p = 0; p < positions; p++) {
        float *row = found + rows[p] * vocabulary;
        int64_t end = starts[contexts[p] + 1];
        scale(vocabulary, row, shares[p]);
        if (totals) {
            for (int64_t i = starts[contexts[p]]; i < end; i++)
                row[at(last, last_bytes, i)] += numerators[i] / totals[p];
        } else {
            for (int64_t i = starts[contexts[p]]; i < end; i++)
                row[at(last, last_bytes, i)] += numerators[i];
        }
    }
}
