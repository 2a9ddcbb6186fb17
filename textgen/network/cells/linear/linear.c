/* One step of the cell "linear", compiled: it computes what LinearStepper.step in numpy_step.py computes.

   Weights are 32-bit floats. Products and functions are computed in 64 bits, and the state that is
   carried to the next step is rounded to 32 bits (numerics.py says why). The terms of each product are
   added in one order, whatever the number of texts. */

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "experts.h"
#include "exponential.h"
#include "versions.h" /* for element-wise functions; matrix products have versions of their own below */

enum { TAPS = 4, PARTS = 8 };

typedef struct {
    const float *norm, *input, *convolution, *forget_bias, *output;
    const float *mlp_norm, *mlp_input, *mlp_output;
} Layer;

typedef struct {
    int64_t vocabulary, outputs, units, layers, inner, experts, confidences;
    const float *embedding, *confidence_input, *norm, *output, *output_bias;
    const float *const *expert_inputs; /* null if the probabilities are no input */
    const Layer *layer;
} Network;

typedef double pair __attribute__((vector_size(16)));
static inline pair widened_pair(const float *two) { return (pair){two[0], two[1]}; }

#define NAME product_pairs
#define TARGET
#define LANES 2
#define vector pair
#define widened widened_pair
#define ROWS 4
#define ACROSS 4
#define ALONE 8
#include "product.h"

#if defined(__x86_64__)
#define NAME product_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 4
#define vector __m256d
#define widened(four) _mm256_cvtps_pd(_mm_loadu_ps(four))
#define ROWS 4
#define ACROSS 2
#define ALONE 8
#include "product.h"

#define NAME product_avx512
#define TARGET __attribute__((target("avx512f,avx2,fma")))
#define LANES 8
#define vector __m512d
#define widened(eight) _mm512_cvtps_pd(_mm256_loadu_ps(eight))
#define ROWS 4
#define ACROSS 4
#define ALONE 8
#include "product.h"
#endif

static void (*product)(int64_t, int64_t, int64_t, const double *, const float *, double *, int) = product_pairs;

/* Choose the product for this processor; returns 1 if the compiled step is faster than NumPy on it, else 0. */
int linear_prepare(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return 0;
    product = __builtin_cpu_supports("avx512f") ? product_avx512 : product_avx2;
#endif
    return 1;
}

static inline double sigmoid(double x) { return 1.0 / (1.0 + exponential(-x)); }

CHOSEN
static void normalize(int64_t rows, int64_t units, const double *x, const float *scale, double *out)
{
    for (int64_t r = 0; r < rows; r++, x += units, out += units) {
        double part[PARTS] = {0}, squares = 0;
        int64_t i = 0;
        for (; i + PARTS <= units; i += PARTS)
            for (int lane = 0; lane < PARTS; lane++)
                part[lane] += x[i + lane] * x[i + lane];
        for (; i < units; i++)
            squares += x[i] * x[i];
        for (int lane = 0; lane < PARTS; lane++)
            squares += part[lane];
        double inverse = 1.0 / sqrt(squares / units + 1e-6);
        for (i = 0; i < units; i++)
            out[i] = x[i] * inverse * scale[i];
    }
}

/* The convolution and the recurrence of one text: h = a h + (1 - a) v. `summed` holds the convolution at
   the next positions as far as it is known, shape (TAPS - 1, units). */
UNFUSED CHOSEN
static void recurrence(int64_t units, const double *value, const double *gate, const float *taps, float *h, float *summed)
{
    float *next = summed, *second = summed + units, *third = summed + 2 * units;
    for (int64_t i = 0; i < units; i++) {
        float x = (float)value[i], a = (float)gate[i];
        float v = next[i] + x * taps[3 * units + i];
        next[i] = second[i] + x * taps[2 * units + i];
        second[i] = third[i] + x * taps[units + i];
        third[i] = x * taps[i];
        float change = (h[i] - v) * a;
        h[i] = change + v;
    }
}

/* z holds value, forget gate and output gate of each text; h times its output gate goes to `hidden`. */
CHOSEN
static void temporal_mixing(int64_t rows, int64_t units, double *z, const Layer *layer, float *h, float *summed, double *hidden)
{
    for (int64_t r = 0; r < rows; r++, z += 3 * units, h += units, hidden += units) {
        double *forget = z + units, *gate = z + 2 * units;
        for (int64_t i = 0; i < units; i++)
            forget[i] = sigmoid(forget[i] + layer->forget_bias[i]);
        recurrence(units, z, forget, layer->convolution, h, summed + r * (TAPS - 1) * units);
        for (int64_t i = 0; i < units; i++)
            hidden[i] = h[i] * gate[i] * sigmoid(gate[i]);
    }
}

CHOSEN
static void gated_unit(int64_t rows, int64_t inner, const double *z, double *out)
{
    for (int64_t r = 0; r < rows; r++, z += 2 * inner, out += inner)
        for (int64_t i = 0; i < inner; i++)
            out[i] = z[i] * sigmoid(z[i]) * z[inner + i];
}

/* Number of doubles in `work` that a text needs. */
int64_t linear_work(const Network *net)
{
    int64_t widest = 3 * net->units > 3 * net->inner ? 3 * net->units : 3 * net->inner;
    return 3 * net->units + widest;
}

/* Feed one token to each text. Returns 1, and changes nothing, if a token lies outside the vocabulary.
   `experts` may be null; `expected` and `confidences` receive what they expect (experts.h), and `found`,
   (vocabulary), is scratch space. `states` are the arrays of LinearStepper.initial_state. */
int linear_step(const Network *net, const Experts *experts, int64_t rows, const int64_t *tokens,
                float *const *states, double *work, float *found, double *expected, double *confidences,
                double *outputs)
{
    for (int64_t r = 0; r < rows; r++)
        if (tokens[r] < 0 || tokens[r] >= net->vocabulary)
            return 1;
    if (experts) {
        int64_t before = experts->before;
        for (int64_t r = 0; r < rows && before; r++) {
            float *recent = states[0] + r * before;
            memmove(recent, recent + 1, (before - 1) * sizeof *recent);
            recent[before - 1] = (float)tokens[r];
        }
        experts_expect(experts, rows, states[0], found, expected, net->confidences ? confidences : 0);
    }
    int64_t units = net->units, inner = net->inner;
    double *x = work, *normalized = x + rows * units, *hidden = normalized + rows * units;
    double *z = hidden + rows * units;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < units; i++)
            x[r * units + i] = net->embedding[tokens[r] * units + i];
    for (int64_t e = 0; experts && net->expert_inputs && e < net->experts; e++)
        product(rows, net->vocabulary, units, expected + e * rows * net->vocabulary, net->expert_inputs[e], x, 1);
    if (experts && net->confidences)
        product(rows, net->confidences, units, confidences, net->confidence_input, x, 1);
    for (int64_t l = 0; l < net->layers; l++) {
        const Layer *layer = net->layer + l;
        normalize(rows, units, x, layer->norm, normalized);
        product(rows, units, 3 * units, normalized, layer->input, z, 0);
        temporal_mixing(rows, units, z, layer, states[1 + 2 * l], states[2 + 2 * l], hidden);
        product(rows, units, units, hidden, layer->output, x, 1);
        if (inner) {
            double *activated = z + rows * 2 * inner;
            normalize(rows, units, x, layer->mlp_norm, normalized);
            product(rows, units, 2 * inner, normalized, layer->mlp_input, z, 0);
            gated_unit(rows, inner, z, activated);
            product(rows, inner, units, activated, layer->mlp_output, x, 1);
        }
    }
    normalize(rows, units, x, net->norm, normalized);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < net->outputs; i++)
            outputs[r * net->outputs + i] = net->output_bias[i];
    product(rows, units, net->outputs, normalized, net->output, outputs, 1);
    return 0;
}
