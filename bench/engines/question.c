/*
 * The whole question in plain C, for the compiler to put into vectors: bf16 weights in place, fp32 updates, one step,
 * nearest-even. `classes` counts classes only; `everything` counts what an engine does: classes, norms, histogram,
 * the ulp rule, five sums of the end and the end against the start. Blocks of 4096 stay in the first cache. It keeps no
 * state for a second step, casts no weights, and takes subnormal updates for normal ones, of which there are none.
 *
 * Usage: question ELEMENTS REPEATS THREADS FILE [turns]: fills memory with the weights and updates of a file, and prints
 * JSON: seconds of the best repeat for `stream` (reading the same bytes), `classes` and `everything`, and the counts.
 * In `turns` it does `everything` on one thread for every line that it reads, and prints the CPU seconds that this took.
 */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK = 4096, LANES = 8, BINS = 554 };

typedef struct {
  uint64_t none, lost, moved, nonfinite, unchanged, still, never_updated, rule, rule_moved, rule_unmoved, path, small;
  double update_squared, effective_squared, product, displacement_squared, end_product, noise_squared, weight_squared;
  uint64_t histogram[2][BINS];
} tally;

static double clock_seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static double seconds(void) { return clock_seconds(CLOCK_MONOTONIC); }
static double cpu_seconds(void) { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }

static inline uint32_t bits(float x) {
  uint32_t b;
  memcpy(&b, &x, 4);
  return b;
}

static inline float number(uint32_t b) {
  float x;
  memcpy(&x, &b, 4);
  return x;
}

/* The clamped displacement of src/lens/displacement.ts, by integers: gcc makes branches of comparisons of floats. */
static inline float displacement(float after, float before) {
  uint32_t d = bits(after - before), m = d & 0x7fffffff, largest = 0x7f7fffff;
  return number((m < largest ? m : largest) | (d & 0x80000000));
}

static inline uint32_t round_bf16(uint32_t b) { return (b + 0x7fff + (b >> 16 & 1)) & 0xffff0000u; }

static void classes(const uint16_t *restrict w, const float *restrict u, long n, tally *t) {
  for (long block = 0; block < n; block += BLOCK) {
    int none = 0, moved = 0, nonfinite = 0;
    for (int i = 0; i < BLOCK; i++) {
      uint32_t before = (uint32_t)w[block + i] << 16;
      float update = u[block + i];
      uint32_t after = round_bf16(bits(number(before) + update));
      int bad = (after & 0x7f800000) == 0x7f800000;
      int zero = update == 0;
      nonfinite += bad;
      none += zero & !bad;
      moved += (number(after) != number(before)) & !zero & !bad;
    }
    t->none += none;
    t->moved += moved;
    t->nonfinite += nonfinite;
    t->lost += BLOCK - none - moved - nonfinite;
  }
}

static void everything(const uint16_t *restrict w, const float *restrict u, long n, tally *t) {
  uint16_t place[BLOCK];
  static _Thread_local uint32_t table[4][2048];
  memset(table, 0, sizeof table);
  for (long block = 0; block < n; block += BLOCK) {
    const uint16_t *restrict wb = w + block;
    const float *restrict ub = u + block;
    int none = 0, moved = 0, nonfinite = 0, unchanged = 0, still = 0, never = 0, path = 0, small = 0;
    double uu[LANES] = {0}, ee[LANES] = {0}, eu[LANES] = {0}, dd[LANES] = {0}, de[LANES] = {0};
    double nn[LANES] = {0}, ww[LANES] = {0};
    for (int i = 0; i < BLOCK; i++) {
      uint32_t before = (uint32_t)wb[i] << 16;
      float update = ub[i], sum = number(before) + update;
      uint32_t after = round_bf16(bits(sum));
      int bad = (after & 0x7f800000) == 0x7f800000;
      int zero = update == 0;
      int differs = number(after) != number(before);
      nonfinite += bad;
      none += zero & !bad;
      moved += differs & !zero & !bad;
      unchanged += !differs & !bad;
      still += !differs & (sum == number(before)) & !bad;
      never += !differs & zero & !bad;
      float size = fabsf(number(before)), f = fabsf(update);
      int rule = 256 * f < size;
      int32_t ub32 = bits(f) >> 23, wb32 = (before & 0x7fffffff) >> 23;
      if (wb32 < 1) wb32 = 1;
      /* Subnormal updates go to the bin of the smallest normal ones here; the data has none. */
      place[i] = zero | bad ? 0 : (uint16_t)((ub32 - wb32 + 254) * 4 + differs + 2 * rule);
    }
    for (int i = 0; i < BLOCK; i += LANES)
      for (int l = 0; l < LANES; l++) {
        uint32_t before = (uint32_t)wb[i + l] << 16;
        float update = ub[i + l], sum = number(before) + update;
        uint32_t after = round_bf16(bits(sum));
        /* Masks of bits: a choice between numbers would be made after they are fp64, in twice as many vectors. */
        uint32_t keep = (after & 0x7f800000) == 0x7f800000 ? 0 : ~0u;
        float e32 = number(bits(displacement(number(after), number(before))) & keep);
        float d32 = number(bits(displacement(sum, number(before))) & keep);
        double v = number(bits(update) & keep), e = e32, d = d32;
        double noise = displacement(e32, d32), given = number(before & keep);
        uu[l] += v * v;
        ee[l] += e * e;
        eu[l] += e * v;
        dd[l] += d * d;
        de[l] += e * d;
        nn[l] += noise * noise;
        ww[l] += given * given;
      }
    for (int i = 0; i < BLOCK; i++) {
      uint32_t before = (uint32_t)wb[i] << 16;
      uint32_t after = round_bf16(bits(number(before) + ub[i]));
      int bad = (after & 0x7f800000) == 0x7f800000;
      double a = number(before), b = number(after), distance = fabs(b - a);
      double larger = fabs(a) > fabs(b) ? fabs(a) : fabs(b);
      path += (distance <= 1e-3 * larger) & !bad;
      small += (distance <= 1e-5) & !bad;
    }
    for (int i = 0; i < BLOCK; i += 4) {
      table[0][place[i]]++;
      table[1][place[i + 1]]++;
      table[2][place[i + 2]]++;
      table[3][place[i + 3]]++;
    }
    t->none += none;
    t->moved += moved;
    t->nonfinite += nonfinite;
    t->lost += BLOCK - none - moved - nonfinite;
    t->unchanged += unchanged;
    t->still += still;
    t->never_updated += never;
    t->path += path;
    t->small += small;
    for (int l = 0; l < LANES; l++) {
      t->update_squared += uu[l];
      t->effective_squared += ee[l];
      t->product += eu[l];
      t->displacement_squared += dd[l];
      t->end_product += de[l];
      t->noise_squared += nn[l];
      t->weight_squared += ww[l];
    }
  }
  for (int i = 4; i < 2048; i++) {
    uint64_t count = (uint64_t)table[0][i] + table[1][i] + table[2][i] + table[3][i];
    int differs = i & 1, rule = i >> 1 & 1;
    t->histogram[differs][i / 4] += count;
    if (rule) t->rule += count;
    if (rule && differs) t->rule_moved += count;
    if (!rule && !differs) t->rule_unmoved += count;
  }
}

static uint64_t stream(const void *data, long bytes) {
  const uint64_t *words = data;
  uint64_t sum = 0;
  for (long i = 0; i < bytes / 8; i++) sum += words[i];
  return sum;
}

typedef struct {
  int kind;
  const uint16_t *w;
  const float *u;
  long n;
  tally t;
  uint64_t sum;
} part;

static void *run(void *of) {
  part *p = of;
  memset(&p->t, 0, sizeof p->t);
  if (p->kind == 0) p->sum = stream(p->w, 2 * p->n) + stream(p->u, 4 * p->n);
  if (p->kind == 1) classes(p->w, p->u, p->n, &p->t);
  if (p->kind == 2) everything(p->w, p->u, p->n, &p->t);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 5 && argc != 6) return 2;
  long n = atol(argv[1]) / BLOCK * BLOCK;
  int repeats = atoi(argv[2]), most = atoi(argv[3]);
  uint16_t *w = aligned_alloc(64, 2 * n);
  float *u = aligned_alloc(64, 4 * n);
  /* One piece of numbers, over and over: bf16 codes, then fp32 updates. */
  FILE *file = fopen(argv[4], "rb");
  long piece = 1 << 20;
  if (!file || !w || !u) return 2;
  uint16_t *codes = malloc(2 * piece);
  float *updates = malloc(4 * piece);
  if (fread(codes, 2, piece, file) != (size_t)piece || fread(updates, 4, piece, file) != (size_t)piece) return 2;
  for (long i = 0; i < n; i++) {
    w[i] = codes[i % piece];
    u[i] = updates[(i + i / piece) % piece];
  }
  const char *names[] = {"stream", "classes", "everything"};
  part parts[64];
  volatile uint64_t sink = 0;
  if (argc == 6) {
    for (char line[16]; fgets(line, sizeof line, stdin);) {
      double began = cpu_seconds();
      parts[0] = (part){2, w, u, n};
      run(&parts[0]);
      sink += parts[0].t.rule + parts[0].t.path + (uint64_t)parts[0].t.product;
      printf("%.6f %lu\n", cpu_seconds() - began, (unsigned long)parts[0].t.moved);
      fflush(stdout);
    }
    return 0;
  }
  printf("{");
  for (int threads = 1; threads <= most; threads = threads < most ? most : most + 1)
    for (int kind = 0; kind < 3; kind++) {
      double best = 1e9;
      tally all = {0};
      for (int r = 0; r < repeats; r++) {
        pthread_t ids[64];
        double began = seconds();
        long each = n / BLOCK / threads * BLOCK;
        for (int i = 0; i < threads; i++) {
          parts[i] = (part){kind, w + i * each, u + i * each, i == threads - 1 ? n - i * each : each};
          pthread_create(&ids[i], 0, run, &parts[i]);
        }
        memset(&all, 0, sizeof all);
        for (int i = 0; i < threads; i++) {
          pthread_join(ids[i], 0);
          all.moved += parts[i].t.moved;
          sink += parts[i].sum + parts[i].t.rule + parts[i].t.path + (uint64_t)parts[i].t.product;
        }
        double took = seconds() - began;
        if (took < best) best = took;
      }
      printf("%s\"%s %d\": {\"seconds\": %.6f, \"moved\": %lu}", kind || threads > 1 ? ", " : "", names[kind], threads, best, (unsigned long)all.moved);
    }
  printf("}\n");
  return 0;
}
