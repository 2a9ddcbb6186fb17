/* A matrix product for one kind of processor. linear.c includes this file once for each kind, and defines

   NAME       name of the function
   TARGET     attribute for the compiler, or nothing
   LANES      doubles in a vector
   vector     its type
   widened    takes the address of LANES floats and returns them as a vector
   ROWS       rows that are computed together, ACROSS vectors of columns at a time
   ALONE      vectors of columns at a time for a single row

   It computes x (rows, k) times w (k, n) and writes it to out (rows, n), or adds it to out. The terms of
   each sum are added in order, whatever the number of rows. */

#define PASTED(a, b) a##b
#define JOINED(a, b) PASTED(a, b)
#define TILE JOINED(NAME, _tile)

/* The first R rows and V vectors of columns. */
TARGET static inline __attribute__((always_inline)) void TILE(const int R, const int V, int64_t k, int64_t n,
    const double *x, const float *w, double *out, int add)
{
    vector sum[ROWS][ALONE > ACROSS ? ALONE : ACROSS];
    for (int r = 0; r < R; r++)
        for (int v = 0; v < V; v++)
            if (add)
                memcpy(&sum[r][v], out + r * n + v * LANES, sizeof(vector));
            else
                sum[r][v] = (vector){0};
    for (int64_t i = 0; i < k; i++) {
        vector wide[ALONE > ACROSS ? ALONE : ACROSS];
        for (int v = 0; v < V; v++)
            wide[v] = widened(w + i * n + v * LANES);
        for (int r = 0; r < R; r++)
            for (int v = 0; v < V; v++)
                sum[r][v] += x[r * k + i] * wide[v];
    }
    for (int r = 0; r < R; r++)
        for (int v = 0; v < V; v++)
            memcpy(out + r * n + v * LANES, &sum[r][v], sizeof(vector));
}

TARGET static void NAME(int64_t rows, int64_t k, int64_t n, const double *x, const float *w, double *out, int add)
{
    int64_t together = rows - rows % ROWS, end = n - n % LANES;
    for (int64_t r = 0; r < together; r += ROWS) {
        int64_t column = 0;
        for (; column + ACROSS * LANES <= end; column += ACROSS * LANES)
            TILE(ROWS, ACROSS, k, n, x + r * k, w + column, out + r * n + column, add);
        for (; column < end; column += LANES)
            TILE(ROWS, 1, k, n, x + r * k, w + column, out + r * n + column, add);
    }
    for (int64_t r = together; r < rows; r++) {
        int64_t column = 0;
        for (; column + ALONE * LANES <= end; column += ALONE * LANES)
            TILE(1, ALONE, k, n, x + r * k, w + column, out + r * n + column, add);
        for (; column < end; column += LANES)
            TILE(1, 1, k, n, x + r * k, w + column, out + r * n + column, add);
    }
    for (int64_t r = 0; r < rows; r++)
        for (int64_t column = end; column < n; column++) {
            double sum = add ? out[r * n + column] : 0;
            for (int64_t i = 0; i < k; i++)
                sum += x[r * k + i] * w[i * n + column];
            out[r * n + column] = sum;
        }
}

#undef TILE
#undef JOINED
#undef PASTED
#undef NAME
#undef TARGET
#undef LANES
#undef vector
#undef widened
#undef ROWS
#undef ACROSS
#undef ALONE
