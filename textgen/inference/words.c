/* The expert for words, compiled: equal to the bit to Words.expect (textgen/experts/words/__init__.py).

   textgen/experts/words/contexts.py describes the chain of contexts. Only the last BEFORE tokens are read, and
   the pieces of the text are found from the newest one backwards, as far as they are needed. */

#include "experts.h"

enum { CHARACTERS = 3 };
enum { SEPARATOR, LETTER, JOINER, WHOLE };

typedef struct {
    uint32_t token[BEFORE];
    uint8_t kind[BEFORE], word[BEFORE];
} Recent;

typedef struct {
    int64_t start, node;
} Piece;

/* The piece that ends with a token. */
static Piece piece(const Recent *recent, const Tree *pieces, int64_t last)
{
    const uint8_t *kind = recent->kind, *word = recent->word;
    int64_t start = last;
    while (start > 0 && word[start] == word[start - 1] && kind[start] != WHOLE && kind[start - 1] != WHOLE)
        start--;
    int64_t node = 0;
    for (int64_t i = start; i <= last && node >= 0; i++)
        node = tree_child(pieces, node, recent->token[i]);
    return (Piece){start, node};
}

/* The piece before a place. Where one of the other kind stands, it is empty; a missing word is unknown. */
static Piece piece_before(const Recent *recent, const Tree *pieces, int64_t end, int words)
{
    if (end > 0 && recent->word[end - 1] == words)
        return piece(recent, pieces, end - 1);
    return (Piece){end, words ? -1 : 0};
}

void words_expect(const Experts *experts, const Chained *words, const float *end, float *found, double *confidences)
{
    Recent recent;
    for (int64_t i = 0; i < BEFORE; i++) {
        recent.token[i] = (uint32_t)end[i - BEFORE];
        recent.kind[i] = words->kinds[recent.token[i]];
        recent.word[i] = recent.kind[i] == LETTER || recent.kind[i] == WHOLE
                         || (recent.kind[i] == JOINER && i > 0 && recent.kind[i - 1] == LETTER);
    }
    int64_t context = 0, reach = 0;
    Piece last = {BEFORE, 0};
    for (int64_t level = 1; level <= LEVELS; level++) {
        Piece next;
        if (level <= CHARACTERS)
            next = (Piece){BEFORE - level, recent.token[BEFORE - level]};
        else if (level == CHARACTERS + 1)
            next = last = recent.word[BEFORE - 1] ? piece(&recent, &words->pieces, BEFORE - 1) : last;
        else if (level == CHARACTERS + 2)
            next = last = piece_before(&recent, &words->pieces, last.start, 0);
        else {
            if (level > CHARACTERS + 3)
                last = piece_before(&recent, &words->pieces, last.start, 0);
            next = last = piece_before(&recent, &words->pieces, last.start, 1);
        }
        int64_t length = BEFORE - next.start;
        if (length <= reach)
            continue;
        if (next.node < 0 || length > FURTHEST)
            return;
        context = experts_deeper(experts, words, context, next.node, level, found, confidences);
        if (context < 0)
            return;
        reach = length;
    }
}
