#include <stdint.h>
#include <string.h>

/* The exponential to the last bit or two: 2^n times a polynomial around 0 (its Taylor series). */
static inline double exponential(double x)
{
    x = x < -700 ? -700 : x > 700 ? 700 : x;
    double shifted = x * 1.4426950408889634 + 6755399441055744.0; /* n in the last bits of a double */
    double n = shifted - 6755399441055744.0;
    double r = x - n * 6.93147180369123816490e-01;
    r -= n * 1.90821492927058770002e-10;
    double p = 2.08767569878680989792e-09;
    p = p * r + 2.50521083854417187751e-08;
    p = p * r + 2.75573192239858906526e-07;
    p = p * r + 2.75573192239858906526e-06;
    p = p * r + 2.48015873015873015873e-05;
    p = p * r + 1.98412698412698412698e-04;
    p = p * r + 1.38888888888888888889e-03;
    p = p * r + 8.33333333333333333333e-03;
    p = p * r + 4.16666666666666666667e-02;
    p = p * r + 1.66666666666666666667e-01;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}
