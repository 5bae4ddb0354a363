/*
 * AdamW's step on bf16 by torch-2.13-cpu-foreach and nothing else, in plain C, for the compiler to put into vectors: no
 * intended step, no counterfactual, no counts. Blocks of 4096 weights take all steps in turn, as the engine's chunks do.
 *
 * Usage: recipe ELEMENTS STEPS REPEATS: prints JSON, processor seconds of the best repeat, and how many weights moved.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK = 4096 };

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static inline float R(float x) {
  uint32_t b;
  memcpy(&b, &x, 4);
  b = (b + 0x7fff + (b >> 16 & 1)) & 0xffff0000u;
  memcpy(&x, &b, 4);
  return x;
}

typedef struct {
  float decay, w, beta2, c2, s, root, e;
} scalars;

static void step(float *restrict p, float *restrict m, float *restrict v, const float *restrict gradient, scalars k) {
  for (int i = 0; i < BLOCK; i++) {
    float g = R(gradient[i]);
    float weight = R(p[i] * k.decay);
    float first = R(fmaf(k.w, g - m[i], m[i]));
    float second = R(fmaf(k.c2 * g, g, R(v[i] * k.beta2)));
    float d = R(R(R(sqrtf(second)) / k.root) + k.e);
    p[i] = R(weight + k.s * first / d);
    m[i] = first;
    v[i] = second;
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  long n = atol(argv[1]);
  int steps = atoi(argv[2]), repeats = atoi(argv[3]);
  float *weights = malloc(4 * n), *gradients = malloc(4 * n), p[BLOCK], m[BLOCK], v[BLOCK];
  uint32_t state = 1;
  for (long i = 0; i < n; i++) {
    state = state * 1664525 + 1013904223;
    weights[i] = R(((int32_t)state >> 8) * 0x1p-29f);
    state = state * 1664525 + 1013904223;
    gradients[i] = ((int32_t)state >> 8) * 0x1p-33f;
  }
  double best = 1e9;
  long moved = 0;
  for (int repeat = 0; repeat < repeats; repeat++) {
    moved = 0;
    double began = seconds();
    for (long block = 0; block < n; block += BLOCK) {
      memcpy(p, weights + block, sizeof p);
      memset(m, 0, sizeof m);
      memset(v, 0, sizeof v);
      for (int t = 1; t <= steps; t++) {
        double bc1 = 1 - pow(.9, t), bc2 = 1 - pow(.999, t), lr = 1e-6, wd = .1;
        scalars k = {R(1 - lr * wd), 1 - .9, R(.999), 1 - .999, -(lr / bc1), sqrt(bc2), R(1e-8)};
        step(p, m, v, gradients + block, k);
      }
      for (int i = 0; i < BLOCK; i++) moved += p[i] != weights[block + i];
    }
    double took = seconds() - began;
    if (took < best) best = took;
  }
  printf("{\"step\": {\"seconds\": %.6f, \"moved\": %ld}}\n", best, moved);
  return 0;
}
