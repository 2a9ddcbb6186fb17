/* What adapters add to the products of a base's kernels. */

#ifndef CHANGES_H
#define CHANGES_H

#include <stdint.h>
#include <string.h>

#include "versions.h"

/* What an adapter adds to a kernel; nothing if the rank is 0. down: (inputs, rank). up: (rank, outputs). */
typedef struct {
    const float *down, *up;
    int64_t rank;
} Change;

/* EIGHT columns are summed side by side, for TOGETHER rows at once. */
enum { LARGEST_RANK = 256, EIGHT = 8, TOGETHER = 4 };

/* Vectors of the compiler: in arrays of numbers the sums would go through memory. */
typedef double Doubles __attribute__((vector_size(EIGHT * sizeof(double))));
typedef float Floats __attribute__((vector_size(EIGHT * sizeof(float))));

static inline __attribute__((always_inline)) void add_products(Doubles *sum, const double *x, const float *eight)
{
    Floats factors;
    memcpy(&factors, eight, sizeof factors);
    *sum += *x * __builtin_convertvector(factors, Doubles);
}

/* Add (x down) up to R rows that have the same change, adding the terms of each sum in their order. What is read of
   the change serves all rows, and the sums of EIGHT columns stay in registers. z: scratch space of R ranks. */
static inline __attribute__((always_inline)) void change_rows(const int R, int64_t inputs, int64_t outputs, const double *x,
                                                              const Change *change, double *z, double *out)
{
    int64_t rank = change->rank;
    for (int64_t j = 0; j + EIGHT <= rank; j += EIGHT) {
        Doubles sum[R];
        for (int r = 0; r < R; r++)
            sum[r] = (Doubles){0};
        for (int64_t i = 0; i < inputs; i++)
            for (int r = 0; r < R; r++)
                add_products(sum + r, x + r * inputs + i, change->down + i * rank + j);
        for (int r = 0; r < R; r++)
            memcpy(z + r * rank + j, sum + r, sizeof(Doubles));
    }
    for (int64_t j = rank - rank % EIGHT; j < rank; j++)
        for (int r = 0; r < R; r++) {
            double sum = 0;
            for (int64_t i = 0; i < inputs; i++)
                sum += x[r * inputs + i] * (double)change->down[i * rank + j];
            z[r * rank + j] = sum;
        }
    for (int64_t n = 0; n + EIGHT <= outputs; n += EIGHT) {
        Doubles sum[R];
        for (int r = 0; r < R; r++)
            sum[r] = (Doubles){0};
        for (int64_t j = 0; j < rank; j++)
            for (int r = 0; r < R; r++)
                add_products(sum + r, z + r * rank + j, change->up + j * outputs + n);
        for (int r = 0; r < R; r++) {
            Doubles to;
            memcpy(&to, out + r * outputs + n, sizeof to);
            to += sum[r];
            memcpy(out + r * outputs + n, &to, sizeof to);
        }
    }
    for (int64_t n = outputs - outputs % EIGHT; n < outputs; n++)
        for (int r = 0; r < R; r++) {
            double sum = 0;
            for (int64_t j = 0; j < rank; j++)
                sum += z[r * rank + j] * (double)change->up[j * outputs + n];
            out[r * outputs + n] += sum;
        }
}

CHOSEN
static void change_one(int64_t inputs, int64_t outputs, const double *x, const Change *change, double *z, double *out)
{
    change_rows(1, inputs, outputs, x, change, z, out);
}

CHOSEN
static void change_some(int64_t inputs, int64_t outputs, const double *x, const Change *change, double *z, double *out)
{
    change_rows(TOGETHER, inputs, outputs, x, change, z, out);
}

#endif
