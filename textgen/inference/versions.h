/* How functions are compiled: for several processors, with the same rounding as NumPy. */

/* One version for each generation of processors; the loader chooses the best one. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define CHOSEN __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CHOSEN
#endif

/* Sums of 32 bits round after every operation, as NumPy's do. */
#if defined(__clang__)
#define UNFUSED
#pragma STDC FP_CONTRACT OFF
#else
#define UNFUSED __attribute__((optimize("fp-contract=off"), noinline))
#endif
