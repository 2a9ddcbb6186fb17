/* One step of a base, compiled: it computes what LlamaStepper in numpy_step.py computes, to the bit.

   Kernels have 8 bits and a scale for each row; activations are rounded to whole numbers for each product
   (arithmetic.py). Everything else is computed in floats in the order that arithmetic.py defines. The file is
   compiled without fused multiply-adds, because NumPy has none. */

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <sched.h>
#define let_others_run() ((void)sched_yield())
#else
#define let_others_run() ((void)0)
#endif

#include "changes.h"
#include "exponential.h"
#include "versions.h"

enum { BLOCK = 32 };

/* Weights are fetched so many bytes ahead: into the first cache, or into the second, which can wait for more of them
   at once. Measured on an EPYC (Zen 4): four rows took 8.5 ms instead of 13.5 with FAR and VNNI, and one row 7.1
   instead of 8.3. With AVX2 four rows are limited by their instructions, and took 11.9 ms with NEAR and 14.1 with FAR. */
enum { NEAR = 4608, FAR = 9216 };

typedef struct {
    const int8_t *rows;
    const float *scales;
} Kernel;

/* The kernels of a layer, in the order of an adapter's table. */
enum { QUERY, KEY, VALUE, ATTENTION_OUTPUT, GATE, UP, DOWN, KERNELS };

typedef struct {
    const float *attention_norm, *mlp_norm;
    Kernel query, key, value, attention_output, gate, up, down;
} Layer;

typedef struct {
    int64_t layers, width, heads, key_value_heads, inner, vocabulary;
    double epsilon;
    const float *norm;
    Kernel embedding, output;
    const Layer *layer;
} Network;

/* The sums of four rows of weights. */
typedef int32_t FourSums __attribute__((vector_size(4 * sizeof(int32_t))));
typedef double FourDoubles __attribute__((vector_size(4 * sizeof(double))));

/* Vectors of the compiler, where there is no better kind. */
typedef int32_t plain_sums __attribute__((vector_size(16)));
typedef int32_t plain_ints __attribute__((vector_size(16)));
static inline plain_ints plain_widened(const int8_t *p) { return (plain_ints){p[0], p[1], p[2], p[3]}; }
static inline plain_ints plain_loaded(const int16_t *p) { return (plain_ints){p[0], p[1], p[2], p[3]}; }
static inline FourSums plain_totals(const plain_sums *s)
{
    FourSums t;
    for (int c = 0; c < 4; c++)
        t[c] = s[c][0] + s[c][1] + s[c][2] + s[c][3];
    return t;
}

#define NAME dots_plain
#define TARGET
#define LANES 4
#define sums plain_sums
#define ints plain_ints
#define widened(p) plain_widened(p)
#define loaded(p) plain_loaded(p)
#define added(s, a, b) ((s) + (a) * (b))
#define totals(s) plain_totals(s)
#define LEVEL(R) NEAR
#include "dots.h"

#if defined(__x86_64__)
/* Four vectors become one, each of whose lanes of 128 bits holds a part of the four sums. */
#define PAIRS(kind, a, b) kind##_add_epi32(kind##_unpacklo_epi32(a, b), kind##_unpackhi_epi32(a, b))
#define QUARTETS(kind, a, b) kind##_add_epi32(kind##_unpacklo_epi64(a, b), kind##_unpackhi_epi64(a, b))

__attribute__((target("avx2"))) static inline FourSums totals_avx2(const __m256i *s)
{
    __m256i parts = QUARTETS(_mm256, PAIRS(_mm256, s[0], s[1]), PAIRS(_mm256, s[2], s[3]));
    return (FourSums)_mm_add_epi32(_mm256_castsi256_si128(parts), _mm256_extracti128_si256(parts, 1));
}

#define NAME dots_avx2
#define TARGET __attribute__((target("avx2")))
#define LANES 16
#define sums __m256i
#define ints __m256i
#define widened(p) _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(p)))
#define loaded(p) _mm256_loadu_si256((const __m256i *)(p))
#define added(s, a, b) _mm256_add_epi32(s, _mm256_madd_epi16(a, b))
#define totals(s) totals_avx2(s)
#define LEVEL(R) ((R) == 1 ? FAR : NEAR)
#include "dots.h"

/* GCC 12 copies the sums around the intrinsic of this instruction, which doubles the time. */
__attribute__((target("avx512f,avx512bw,avx512vnni"))) static inline __m512i added_vnni(__m512i s, __m512i a, __m512i b)
{
    __asm__("vpdpwssd %2, %1, %0" : "+v"(s) : "v"(a), "v"(b));
    return s;
}

__attribute__((target("avx512f,avx512bw,avx512vnni"))) static inline FourSums totals_vnni(const __m512i *s)
{
    __m512i parts = QUARTETS(_mm512, PAIRS(_mm512, s[0], s[1]), PAIRS(_mm512, s[2], s[3]));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(parts), _mm512_extracti64x4_epi64(parts, 1));
    return (FourSums)_mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

#define NAME dots_vnni
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define LANES 32
#define sums __m512i
#define ints __m512i
#define widened(p) _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(p)))
#define loaded(p) _mm512_loadu_si512(p)
#define added(s, a, b) added_vnni(s, a, b)
#define totals(s) totals_vnni(s)
#define LEVEL(R) FAR
#include "dots.h"

/* For one row the memory is the limit, and it is read a third faster through the smaller vectors. */
static void dots_of_few_or_many(int64_t rows, int64_t inputs, int64_t outputs, const int16_t *x, const double *scale,
                                const int8_t *w, const float *w_scale, double *out)
{
    (rows == 1 ? dots_avx2 : dots_vnni)(rows, inputs, outputs, x, scale, w, w_scale, out);
}
#endif

static void (*dots)(int64_t, int64_t, int64_t, const int16_t *, const double *, const int8_t *, const float *, double *)
    = dots_plain;

/* Choose the products for this processor. Returns their kind: 0 plain, 1 AVX2, 2 AVX-512 VNNI. `most` is the
   highest kind that may be chosen. */
int llama_prepare(int most)
{
    dots = dots_plain;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (most >= 2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni")) {
        dots = dots_of_few_or_many;
        return 2;
    }
    if (most >= 1 && __builtin_cpu_supports("avx2")) {
        dots = dots_avx2;
        return 1;
    }
#endif
    return 0;
}

/* The sum of some terms, in the order of `folded` in arithmetic.py. */
static inline double folded(double *terms, int64_t count)
{
    while (count > 1) {
        int64_t half = (count + 1) / 2;
        for (int64_t i = 0; i < count - half; i++)
            terms[i] += terms[half + i];
        count = half;
    }
    return terms[0];
}

/* RMSNorm; `terms` is scratch space of `width`. */
CHOSEN
static void normalize(int64_t rows, int64_t width, const double *x, const float *scale, double epsilon, double *terms, double *out)
{
    for (int64_t r = 0; r < rows; r++, x += width, out += width) {
        for (int64_t i = 0; i < width; i++)
            terms[i] = x[i] * x[i];
        double inverse = 1.0 / sqrt(folded(terms, width) / (double)width + epsilon);
        for (int64_t i = 0; i < width; i++)
            out[i] = x[i] * inverse * (double)scale[i];
    }
}

/* Round each row to whole numbers; see `quantize` in arithmetic.py. */
CHOSEN
static void quantize(int64_t rows, int64_t inputs, const double *x, int16_t *out, double *scale)
{
    int64_t fitting = INT32_MAX / (128 * inputs), largest = fitting < 32767 ? fitting : 32767;
    for (int64_t r = 0; r < rows; r++, x += inputs, out += inputs) {
        double peak = 0;
        for (int64_t i = 0; i < inputs; i++) {
            double size = fabs(x[i]);
            peak = size > peak ? size : peak;
        }
        double inverse = peak > 0 ? (double)largest / peak : 0;
        /* Adding and subtracting this leaves the nearest whole number, as rint does, and is a vector instruction. */
        for (int64_t i = 0; i < inputs; i++)
            out[i] = (int16_t)(int32_t)((x[i] * inverse + 6755399441055744.0) - 6755399441055744.0);
        scale[r] = peak / (double)largest;
    }
}

/* Turn the vectors of each head by the position of their row (RoPE), and divide them by `divisor`. */
CHOSEN
static void turn(int64_t rows, int64_t heads, int64_t head, const float *cosine, const float *sine, double divisor, double *x)
{
    int64_t half = head / 2;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t h = 0; h < heads; h++, x += head)
            for (int64_t i = 0; i < half; i++) {
                double c = cosine[r * half + i], s = sine[r * half + i];
                double left = x[i], right = x[half + i];
                x[i] = (left * c - right * s) / divisor;
                x[half + i] = (right * c + left * s) / divisor;
            }
}

/* Fetch numbers that are read soon into the second cache; see FAR. */
static inline void fetch(const float *numbers, int64_t count)
{
    for (int64_t i = 0; i < count; i += 16)
        __builtin_prefetch(numbers + i, 0, 2);
}

/* The scores of one query and the keys of a block; `terms` is scratch space of head / 2 times BLOCK. */
CHOSEN
static void block_scores(int64_t head, const float *query, const float *keys, float *terms, double *scores)
{
    int64_t count = head / 2;
    for (int64_t d = 0; d < count; d++)
        for (int t = 0; t < BLOCK; t++)
            terms[d * BLOCK + t] = query[d] * keys[d * BLOCK + t] + query[count + d] * keys[(count + d) * BLOCK + t];
    while (count > 1) {
        int64_t half = (count + 1) / 2;
        for (int64_t i = 0; i < (count - half) * BLOCK; i++)
            terms[i] += terms[half * BLOCK + i];
        count = half;
    }
    for (int t = 0; t < BLOCK; t++)
        scores[t] = terms[t];
}

/* Turn scores into weights, which are not normalised: returns their sum. Those from `visible` on become 0. */
CHOSEN
static double block_weights(int64_t visible, double peak, double *scores, float *weights)
{
    for (int t = 0; t < BLOCK; t++)
        scores[t] = exponential(scores[t] - peak);
    for (int64_t t = visible; t < BLOCK; t++)
        scores[t] = 0;
    for (int t = 0; t < BLOCK; t++)
        weights[t] = (float)scores[t];
    return folded(scores, BLOCK);
}

/* Add the weighted values of a block to `read`; `terms` is scratch space of head times BLOCK / 2. */
CHOSEN
static void block_values(int64_t head, const float *weights, const float *values, float *terms, float *read)
{
    for (int64_t t = 0; t < BLOCK / 2; t++)
        for (int64_t d = 0; d < head; d++)
            terms[t * head + d] = weights[t] * values[t * head + d] + weights[BLOCK / 2 + t] * values[(BLOCK / 2 + t) * head + d];
    for (int64_t count = BLOCK / 2; count > 1; count /= 2)
        for (int64_t i = 0; i < count / 2 * head; i++)
            terms[i] += terms[count / 2 * head + i];
    for (int64_t d = 0; d < head; d++)
        read[d] += terms[d];
}

/* What one token reads from the tokens that it sees. `blocks` are the addresses of its blocks; `keys` and `values`
   say where those of a head begin in a block, in floats. */
static void attend(int64_t head, int64_t visible, const float *const *blocks, int64_t keys, int64_t values,
                   const float *query, double *scores, float *terms, float *read, double *out)
{
    int64_t count = (visible + BLOCK - 1) / BLOCK;
    double peak = -INFINITY, sum = 0;
    for (int64_t b = 0; b < count; b++) {
        fetch(blocks[b] + keys + head * BLOCK, head * BLOCK); /* the next heads' keys */
        block_scores(head, query, blocks[b] + keys, terms, scores + b * BLOCK);
        for (int64_t t = 0; t < BLOCK && b * BLOCK + t < visible; t++)
            peak = scores[b * BLOCK + t] > peak ? scores[b * BLOCK + t] : peak;
    }
    memset(read, 0, head * sizeof *read);
    for (int64_t b = 0; b < count; b++) {
        float weights[BLOCK];
        int64_t left = visible - b * BLOCK;
        sum += block_weights(left < BLOCK ? left : BLOCK, peak, scores + b * BLOCK, weights);
        fetch(blocks[b] + values + head * BLOCK, head * BLOCK);
        block_values(head, weights, blocks[b] + values, terms, read);
    }
    for (int64_t d = 0; d < head; d++)
        out[d] = (double)read[d] / sum;
}

CHOSEN
static void gated_unit(int64_t count, double *gate, const double *up)
{
    for (int64_t i = 0; i < count; i++)
        gate[i] = gate[i] * (1.0 / (1.0 + exponential(-gate[i]))) * up[i];
}

/* Scratch space of a call, in one piece of memory. */
typedef struct {
    double *x, *y, *query, *key, *value, *gate, *up, *scale, *terms, *scores;
    float *one, *floats;
    int16_t *whole;
} Work;

static int64_t widest(const Network *net) { return net->inner > net->width ? net->inner : net->width; }

/* Number of doubles of scratch space for a number of tokens whose contexts have at most `blocks` blocks. */
int64_t llama_work(const Network *net, int64_t tokens, int64_t blocks)
{
    int64_t head = net->width / net->heads, keys = head * net->key_value_heads;
    int64_t each = 3 * net->width + 2 * keys + 2 * net->inner + 1 + widest(net) / 4 + 1;
    return tokens * each + widest(net) + TOGETHER * LARGEST_RANK + (blocks + 1) * BLOCK + head * (BLOCK + 2) + 8;
}

static Work placed(const Network *net, int64_t tokens, int64_t blocks, double *work)
{
    int64_t head = net->width / net->heads, keys = head * net->key_value_heads;
    Work w;
    w.x = work, work += tokens * net->width;
    w.y = work, work += tokens * net->width;
    w.query = work, work += tokens * net->width;
    w.key = work, work += tokens * keys;
    w.value = work, work += tokens * keys;
    w.gate = work, work += tokens * net->inner;
    w.up = work, work += tokens * net->inner;
    w.scale = work, work += tokens;
    w.terms = work, work += widest(net) + TOGETHER * LARGEST_RANK;
    w.scores = work, work += (blocks + 1) * BLOCK;
    w.floats = (float *)work, work += head * BLOCK / 2 + 1;
    w.one = (float *)work, work += head + 1;
    w.whole = (int16_t *)work;
    return w;
}

/* The product of rows that are quantized already, and the change by each row's adapter, which may be null.
   `number` is the kernel's in the adapters' tables. */
static void kernel_product(int64_t rows, int64_t inputs, int64_t outputs, const double *x, const Kernel *kernel,
                           const Change *const *changes, int64_t number, const Work *w, double *out)
{
    dots(rows, inputs, outputs, w->whole, w->scale, kernel->rows, kernel->scales, out);
    for (int64_t r = 0, same; r < rows; r += same) {
        for (same = 1; same < TOGETHER && r + same < rows && changes[r + same] == changes[r]; same++)
            ;
        if (same < TOGETHER)
            same = 1;
        if (changes[r] && changes[r][number].rank)
            (same == 1 ? change_one : change_some)(inputs, outputs, x + r * inputs, changes[r] + number, w->terms, out + r * outputs);
    }
}

static void add(int64_t count, const double *more, double *x)
{
    for (int64_t i = 0; i < count; i++)
        x[i] += more[i];
}

/* Two threads can read one text: the second half of its tokens sees the first half's keys of a layer when the first
   has written them. `layers_written` is what the first has done so far, and is written by it alone. */
static void wait_for(const int64_t *layers_written, int64_t layers)
{
    for (int64_t tries = 0; __atomic_load_n(layers_written, __ATOMIC_ACQUIRE) < layers; tries++)
        if (tries > 1000)
            let_others_run();
}

static void attention(const Network *net, int64_t l, int64_t tokens, const float *const *const *blocks, const int64_t *visible,
                      const float *cosine, const float *sine, const Change *const *changes, const Work *w,
                      const int64_t *before, int64_t *layers_written)
{
    const Layer *layer = net->layer + l;
    int64_t first = l * KERNELS;
    int64_t width = net->width, head = width / net->heads, groups = net->key_value_heads, keys = head * groups;
    quantize(tokens, width, w->y, w->whole, w->scale);
    kernel_product(tokens, width, width, w->y, &layer->query, changes, first + QUERY, w, w->query);
    kernel_product(tokens, width, keys, w->y, &layer->key, changes, first + KEY, w, w->key);
    kernel_product(tokens, width, keys, w->y, &layer->value, changes, first + VALUE, w, w->value);
    turn(tokens, net->heads, head, cosine, sine, sqrt((double)head), w->query);
    turn(tokens, groups, head, cosine, sine, 1.0, w->key);
    int64_t of_values = net->layers * keys * BLOCK, of_layer = l * keys * BLOCK;
    for (int64_t n = 0; n < tokens; n++) {
        float *block = (float *)blocks[n][(visible[n] - 1) / BLOCK];
        int64_t place = (visible[n] - 1) % BLOCK;
        for (int64_t g = 0; g < groups; g++)
            for (int64_t d = 0; d < head; d++) {
                int64_t at = of_layer + g * head * BLOCK;
                block[at + d * BLOCK + place] = (float)w->key[n * keys + g * head + d];
                block[of_values + at + place * head + d] = (float)w->value[n * keys + g * head + d];
            }
    }
    if (layers_written)
        __atomic_store_n(layers_written, l + 1, __ATOMIC_RELEASE);
    if (before)
        wait_for(before, l + 1);
    for (int64_t n = 0; n < tokens; n++)
        for (int64_t h = 0; h < net->heads; h++) {
            int64_t at = of_layer + h / (net->heads / groups) * head * BLOCK;
            float *read = w->one + head;
            for (int64_t d = 0; d < head; d++)
                w->one[d] = (float)w->query[n * width + h * head + d];
            attend(head, visible[n], blocks[n], at, of_values + at, w->one, w->scores, w->floats, read,
                   w->y + n * width + h * head);
        }
    quantize(tokens, width, w->y, w->whole, w->scale);
    kernel_product(tokens, width, width, w->y, &layer->attention_output, changes, first + ATTENTION_OUTPUT, w, w->query);
    add(tokens * width, w->query, w->x);
}

/* Feed some tokens, and write the input of the output layer for each to `out`, (tokens, width).

   blocks: the addresses of each token's blocks. visible: how many tokens each sees, itself included; its place is
   the last of these. Tokens of one text follow one another. cosine, sine: (tokens, head / 2). changes: the table of
   each token's adapter, a row of KERNELS for each layer, or null. before: how many layers the thread has written that
   reads the tokens before these, or null; layers_written: where to count those of this call, or null. */
void llama_run(const Network *net, int64_t tokens, const int64_t *token, const float *const *const *blocks,
               const int64_t *visible, const float *cosine, const float *sine, const Change *const *changes,
               int64_t most_blocks, const int64_t *before, int64_t *layers_written, double *work, double *out)
{
    Work w = placed(net, tokens, most_blocks, work);
    int64_t width = net->width, inner = net->inner;
    for (int64_t n = 0; n < tokens; n++)
        for (int64_t i = 0; i < width; i++)
            w.x[n * width + i] = net->embedding.rows[token[n] * width + i] * (double)net->embedding.scales[token[n]];
    for (int64_t l = 0; l < net->layers; l++) {
        const Layer *layer = net->layer + l;
        normalize(tokens, width, w.x, layer->attention_norm, net->epsilon, w.terms, w.y);
        attention(net, l, tokens, blocks, visible, cosine, sine, changes, &w, before, layers_written);
        normalize(tokens, width, w.x, layer->mlp_norm, net->epsilon, w.terms, w.y);
        quantize(tokens, width, w.y, w.whole, w.scale);
        kernel_product(tokens, width, inner, w.y, &layer->gate, changes, l * KERNELS + GATE, &w, w.gate);
        kernel_product(tokens, width, inner, w.y, &layer->up, changes, l * KERNELS + UP, &w, w.up);
        gated_unit(tokens * inner, w.gate, w.up);
        quantize(tokens, inner, w.gate, w.whole, w.scale);
        kernel_product(tokens, inner, width, w.gate, &layer->down, changes, l * KERNELS + DOWN, &w, w.query);
        add(tokens * width, w.query, w.x);
    }
    normalize(tokens, width, w.x, net->norm, net->epsilon, w.terms, out);
}

/* Logits of rows, (rows, vocabulary). whole: (rows, width) of scratch space; scale: (rows). */
void llama_logits(const Network *net, int64_t rows, const double *x, int16_t *whole, double *scale, double *out)
{
    quantize(rows, net->width, x, whole, scale);
    dots(rows, net->width, net->vocabulary, whole, scale, net->output.rows, net->output.scales, out);
}
