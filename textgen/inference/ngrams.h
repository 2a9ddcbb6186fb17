/* Counted n-grams in the layout that ngrams.c reads. */

#include <stdint.h>

enum { DISCOUNTED = 3 };

/* The n-grams of one length. last_bytes and count_bytes are the sizes of the elements of last and counts. */
typedef struct {
    int64_t last_bytes, count_bytes;
    const void *last, *counts;
    const int32_t *starts;
    float discounts[DISCOUNTED + 1];
} Order;

/* The n-grams of length 1, 2, ..., longest. alone: the probabilities without any context, (vocabulary). */
typedef struct {
    int64_t vocabulary, longest;
    const Order *orders;
    const float *alone;
} Ngrams;

/* Write the probabilities of all tokens at each position to out, (positions, vocabulary). contexts has the
   longest - 1 tokens before each position; found is scratch space, (vocabulary). */
void ngrams_expect(const Ngrams *ngrams, int64_t positions, const float *contexts, float *found, double *out);
