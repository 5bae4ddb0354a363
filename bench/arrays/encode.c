/* fp32 numbers to codes, nearest-even, in a loop that a compiler makes vectors of. Reads fp32 numbers from stdin; prints
   CPU seconds, best of REPEATS, and a checksum of the codes for each format. Usage: encode REPEATS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* e exponent bits, p significand bits, largest code, code of Inf (or NaN where there is none), code of NaN. */
#define ENCODER(name, type, e, p, largest, beyond, nan)                                                          \
  static void name(const uint32_t *restrict x, type *restrict to, long n) {                                     \
    const int bias = (1 << (e - 1)) - 1, drop = 24 - p;                                                          \
    const uint32_t least = (uint32_t)(128 - bias) << 23, rebias = (uint32_t)(127 - bias) << (p - 1);             \
    const uint32_t magic = (uint32_t)(127 + 23 + 1 - bias - (p - 1)) << 23;                                      \
    for (long i = 0; i < n; i++) {                                                                               \
      uint32_t m = x[i] & 0x7fffffff, sign = (x[i] >> 31) << (e + p - 1);                                        \
      uint32_t normal = ((m + ((1u << (drop - 1)) - 1) + (m >> drop & 1)) >> drop) - rebias, small;              \
      float f, add;                                                                                              \
      memcpy(&f, &m, 4), memcpy(&add, &magic, 4);                                                                \
      f += add;                                                                                                  \
      memcpy(&small, &f, 4);                                                                                     \
      uint32_t code = e < 8 && m < least ? small - magic : normal;                                               \
      code = code > (largest) || m >= 0x7f800000 ? (beyond) : code;                                              \
      code |= sign;                                                                                              \
      to[i] = (type)(m > 0x7f800000 || (code & ~sign) > (largest) + ((beyond) != (nan)) ? (nan) : code);         \
    }                                                                                                            \
  }

ENCODER(bf16, uint16_t, 8, 8, 0x7f7f, 0x7f80, 0x7fc0)
ENCODER(fp16, uint16_t, 5, 11, 0x7bff, 0x7c00, 0x7e00)
ENCODER(e5m2, uint8_t, 5, 3, 0x7b, 0x7c, 0x7e)
ENCODER(e4m3fn, uint8_t, 4, 4, 0x7e, 0x7f, 0x7f)

#define TIME(name, type)                                                          \
  {                                                                               \
    double best = 1e9;                                                            \
    uint64_t sum = 0;                                                             \
    for (int r = 0; r < repeats; r++) {                                           \
      clock_t began = clock();                                                    \
      name(x, to, n);                                                             \
      double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;                \
      if (seconds < best) best = seconds;                                         \
    }                                                                             \
    for (long i = 0; i < n; i++) sum += ((type *)to)[i];                          \
    printf("%s %.9f %llu\n", #name, best, (unsigned long long)sum);               \
  }

int main(int argc, char **argv) {
  int repeats = argc > 1 ? atoi(argv[1]) : 5;
  long n = 0, room = 1 << 24;
  uint32_t *x = malloc(4 * room);
  n = (long)fread(x, 4, room, stdin);
  void *to = malloc(2 * room);
  memset(to, 1, 2 * room);
  TIME(bf16, uint16_t)
  TIME(fp16, uint16_t)
  TIME(e5m2, uint8_t)
  TIME(e4m3fn, uint8_t)
}
