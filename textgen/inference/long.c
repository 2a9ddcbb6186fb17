/* The expert of long contexts, compiled: equal to the bit to Long.expect (textgen/experts/long.py). */

#include "experts.h"

void long_expect(const Experts *experts, const Chained *chained, const float *end, float *found, double *confidences)
{
    int64_t context = 0, read = 0;
    for (int64_t level = 1; level <= LEVELS; level++) {
        int64_t node = 0;
        for (; read < chained->reach[level - 1] && node >= 0; read++)
            node = tree_child(&chained->pieces, node, (uint32_t)end[-1 - read]);
        if (node < 0)
            return;
        context = experts_deeper(experts, chained, context, node, level, found, confidences);
        if (context < 0)
            return;
    }
}
