/* Reads vectors of fp32 rounded to a format from stdin and computes each by itself, with the rounding of the C library's
   fp64. Arguments: precision, exponent of the smallest normal number, largest code, whether it has Inf, bits. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  int precision = atoi(argv[1]), least = atoi(argv[2]), largest = atoi(argv[3]), inf = atoi(argv[4]), bits = atoi(argv[5]);
  char line[4096];
  long cases = 0, wrong = 0;
  uint32_t code, want;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%x %x", &code, &want) != 2) continue;
    float given;
    memcpy(&given, &code, 4);
    double magnitude = fabs((double)given);
    uint32_t found;
    if (isnan(given)) {
      /* Any NaN is right. */
      found = (want & ((1u << (bits - 1)) - 1)) > (uint32_t)(largest + inf) ? want : 0;
    } else {
      long scaled = largest + 1;
      if (!isinf(given)) {
        int exponent = magnitude == 0 ? least : ilogb(magnitude);
        if (exponent < least) exponent = least;
        double gaps = nearbyint(ldexp(magnitude, precision - 1 - exponent));
        double number = (double)(exponent - least) * ldexp(1, precision - 1) + gaps;
        scaled = number > largest ? largest + 1 : (long)number;
      }
      found = (uint32_t)scaled | (signbit(given) ? 1u << (bits - 1) : 0);
      /* Formats without Inf have NaN beyond, of any sign. */
      if (scaled > largest && !inf) found = (want & ((1u << (bits - 1)) - 1)) == (uint32_t)scaled ? want : 0;
    }
    cases++;
    if (found != want && wrong++ < 5) fprintf(stderr, "%08x: %x, expected %x\n", code, found, want);
  }
  printf("%ld %ld\n", cases, wrong);
  return wrong != 0;
}
