/* What compiled code does with rows of numbers. Include versions.h first. */

/* An element of a table whose elements have one, two or four bytes. */
static inline uint32_t at(const void *numbers, int64_t bytes, int64_t place)
{
    switch (bytes) {
    case 1: return ((const uint8_t *)numbers)[place];
    case 2: return ((const uint16_t *)numbers)[place];
    default: return ((const uint32_t *)numbers)[place];
    }
}

CHOSEN
static void scale(int64_t many, float *numbers, float factor)
{
    for (int64_t i = 0; i < many; i++)
        numbers[i] *= factor;
}
