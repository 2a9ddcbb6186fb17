/* Counted n-grams as ngrams.c reads them. */

#include <stdint.h>

enum { DISCOUNTED = 3 };

/* The n-grams of one length. `last` and `counts` have elements of so many bytes. */
typedef struct {
    int64_t last_bytes, count_bytes;
    const void *last, *counts;
    const int32_t *starts;
    float discounts[DISCOUNTED + 1];
} Order;

/* Those of length 1, 2, ..., `longest`; `alone` is what single tokens expect. */
typedef struct {
    int64_t vocabulary, longest;
    const Order *orders;
    const float *alone;
} Ngrams;

/* Probabilities of all tokens at each position, (positions, vocabulary). `contexts` has the longest - 1
   tokens before each position; `found` is as long as a row. */
void ngrams_expect(const Ngrams *ngrams, int64_t positions, const float *contexts, float *found, double *out);
