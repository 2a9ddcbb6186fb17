/* Counted models in the layouts that experts.c and words.c read. */

#include <stdint.h>

/* As in textgen.experts.chains.chain */
enum { DISCOUNTED = 3, LEVELS = 7, LEVEL_BITS = 3, BEFORE = 48, FURTHEST = BEFORE - 2 };

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

/* textgen.experts.chains.expert.Chained. discounts: four of each level. kinds: of each token, for words; reach:
   the length of each level's contexts, for long contexts. One of the two is null. */
typedef struct {
    Tree pieces, contexts;
    Counts counts;
    const uint8_t *kinds;
    const int64_t *reach;
    const float *discounts, *alone;
} Chained;

/* A position has `before` tokens, of which each expert reads the last. logs: the confidence by the total,
   (logged). */
typedef struct {
    int64_t vocabulary, before, logged, chained;
    const Ngrams *ngrams;
    const Chained *chains; /* (chained) */
    const float *logs;
} Experts;

/* Write the probabilities of all tokens to expected, (experts, positions, vocabulary), and unless it is null
   the confidences, (positions, all). contexts: (positions, before); found: scratch space, (vocabulary). */
void experts_expect(const Experts *experts, int64_t positions, const float *contexts, float *found,
                    double *expected, double *confidences);

/* For experts.c, words.c and long.c only. */

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

/* The child of a node by its key, or -1. */
static inline int64_t tree_child(const Tree *tree, int64_t node, uint32_t key)
{
    int64_t low = tree->children[node], end = tree->children[node + 1], high = end;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (tree->keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && tree->keys[low] == key ? low : -1;
}

/* Mix the next longer context of a chain into `found`; returns its number, or -1 if it is not known. */
int64_t experts_deeper(const Experts *experts, const Chained *chained, int64_t context, int64_t node,
                       int64_t level, float *found, double *confidences);

/* Mix what an expert knows into `found`, which holds its `alone`. end: past the newest token. */
void words_expect(const Experts *experts, const Chained *words, const float *end, float *found, double *confidences);
void long_expect(const Experts *experts, const Chained *chained, const float *end, float *found, double *confidences);
