/* Sums of products of whole numbers for one kind of processor. llama.c includes this file once for each kind,
   and defines

   NAME          name of the function
   TARGET        attribute for the compiler, or nothing
   LANES         products in a vector: 16-bit activations times 8-bit weights
   sums          type of a vector of 32-bit sums
   ints          type of a vector of LANES 16-bit numbers
   widened(p)    LANES 8-bit numbers at an address, as 16 bits
   loaded(p)     LANES 16-bit numbers at an address
   added(s,a,b)  the sums s and the products of a and b, neighbours added
   totals(s)     the sum of each of four vectors
   LEVEL(R)      cache that the weights are fetched to ahead of R rows: NEAR or FAR

   It multiplies `rows` rows of activations with every row of a kernel. The sums are whole numbers, so their
   order does not matter. Four rows of weights are read once for four rows of activations. */

#define PASTED(a, b) a##b
#define JOINED(a, b) PASTED(a, b)
#define TILE JOINED(NAME, _tile)

TARGET static inline __attribute__((always_inline)) void TILE(const int R, const int C, int64_t inputs, int64_t outputs,
    const int16_t *x, const double *scale, const int8_t *w, const float *w_scale, double *out)
{
    sums sum[4][4];
    for (int r = 0; r < R; r++)
        for (int c = 0; c < 4; c++)
            sum[r][c] = (sums){0};
    int64_t i = 0;
    for (; i + LANES <= inputs; i += LANES) {
        /* The weights come from memory, in the order of their addresses. */
        for (int byte = 0; byte < C * LANES; byte += 64)
            if (LEVEL(R) == NEAR)
                __builtin_prefetch(w + NEAR + C * i + byte, 0, 3);
            else
                __builtin_prefetch(w + FAR + C * i + byte, 0, 2);
        ints wide[4];
        for (int c = 0; c < C; c++)
            wide[c] = widened(w + c * inputs + i);
        for (int r = 0; r < R; r++) {
            ints row = loaded(x + r * inputs + i);
            for (int c = 0; c < C; c++)
                sum[r][c] = added(sum[r][c], row, wide[c]);
        }
    }
    FourDoubles factors = {0};
    for (int c = 0; c < C; c++)
        factors[c] = w_scale[c];
    for (int r = 0; r < R; r++) {
        FourSums whole = totals(sum[r]);
        for (int64_t k = i; k < inputs; k++)
            for (int c = 0; c < C; c++)
                whole[c] += (int32_t)x[r * inputs + k] * w[c * inputs + k];
#if LANES > 4
        FourDoubles found = __builtin_convertvector(whole, FourDoubles) * (scale[r] * factors);
        memcpy(out + r * outputs, &found, C * sizeof(double));
#else /* vectors that the processor does not have are slower than single numbers */
        for (int c = 0; c < C; c++)
            out[r * outputs + c] = whole[c] * (scale[r] * factors[c]);
#endif
    }
}

TARGET static void NAME(int64_t rows, int64_t inputs, int64_t outputs, const int16_t *x, const double *scale,
    const int8_t *w, const float *w_scale, double *out)
{
    int64_t together = rows - rows % 4, end = outputs - outputs % 4;
    for (int64_t c = 0; c < end; c += 4) {
        const int8_t *at = w + c * inputs;
        int64_t r = 0;
        for (; r < together; r += 4)
            TILE(4, 4, inputs, outputs, x + r * inputs, scale + r, at, w_scale + c, out + r * outputs + c);
        for (; r < rows; r++)
            TILE(1, 4, inputs, outputs, x + r * inputs, scale + r, at, w_scale + c, out + r * outputs + c);
    }
    for (int64_t c = end; c < outputs; c++)
        for (int64_t r = 0; r < rows; r++)
            TILE(1, 1, inputs, outputs, x + r * inputs, scale + r, w + c * inputs, w_scale + c, out + r * outputs + c);
}

#undef TILE
#undef JOINED
#undef PASTED
#undef NAME
#undef TARGET
#undef LANES
#undef sums
#undef ints
#undef widened
#undef loaded
#undef added
#undef totals
#undef LEVEL
