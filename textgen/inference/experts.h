/* Counted models in the layouts that experts.c and words.c read. */

#include <stdint.h>

/* WORD_LEVELS: textgen.experts.words.contexts.LEVELS */
enum { DISCOUNTED = 3, WORD_LEVELS = 7 };

/* What came after each context. last_bytes and count_bytes are the sizes of the elements of last and counts;
   starts has the first entry of each context, then the number of entries. */
typedef struct {
    int64_t last_bytes, count_bytes;
    const void *last, *counts;
    const int32_t *starts;
} Counts;

/* The n-grams of one length. */
typedef struct {
    Counts counts;
    float discounts[DISCOUNTED + 1];
} Order;

/* The n-grams of length 1, 2, ..., longest. alone: the probabilities without any context, (vocabulary). */
typedef struct {
    int64_t longest;
    const Order *orders;
    const float *alone;
} Ngrams;

/* textgen.experts.tree.Tree */
typedef struct {
    const uint32_t *keys;
    const int32_t *children;
} Tree;

/* textgen.experts.words.Words; kinds: of each token; discounts: four of each level. */
typedef struct {
    Tree pieces, contexts;
    Counts counts;
    const uint8_t *kinds;
    const float *discounts, *alone;
} Words;

/* words may be null. A position has `before` tokens, of which the n-grams read the last. logs: the confidence
   by the total, (logged). */
typedef struct {
    int64_t vocabulary, before, logged;
    const Ngrams *ngrams;
    const Words *words;
    const float *logs;
} Experts;

/* Write the probabilities of all tokens to expected, (experts, positions, vocabulary), and unless it is null
   the confidences, (positions, all). contexts: (positions, before); found: scratch space, (vocabulary). */
void experts_expect(const Experts *experts, int64_t positions, const float *contexts, float *found,
                    double *expected, double *confidences);

/* For experts.c and words.c only. */

typedef struct {
    float total, share;
} Trust;

/* Mix the relative frequencies after one context into the probabilities of shorter contexts. */
Trust experts_mix(const Counts *counts, const float *discounts, int64_t context, int64_t vocabulary, float *found);

/* Note how far a context can be trusted. */
static inline void experts_confide(const Experts *experts, Trust trust, double *confidences)
{
    float most = (float)(experts->logged - 1);
    confidences[0] = experts->logs[(int64_t)(trust.total < most ? trust.total : most)];
    confidences[1] = trust.share;
}

/* Mix what the expert for words knows into `found`, which holds its `alone`. end: past the newest token. */
void words_expect(const Experts *experts, const float *end, float *found, double *confidences);
