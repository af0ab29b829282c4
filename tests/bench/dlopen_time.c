/*
 * What loading Graft costs a process that may never use it: the median time of dlopen(libgraft.so) over fresh
 * processes.
 *
 *   dlopen_time build/lib/libgraft.so [RUNS]     prints {"runs":..,"median_ms":..,"least_ms":..,"most_ms":..}
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* In a process of its own, since a second dlopen would find the library there already. Negative: it failed. */
static double measure(const char* path) {
  int channel[2];
  double taken = -1;
  pid_t child;
  if (pipe(channel) != 0) return -1;
  child = fork();
  if (child == 0) {
    const double begin = now_ms();
    void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    taken = now_ms() - begin;
    if (handle == NULL) {
      fprintf(stderr, "%s\n", dlerror());
      taken = -1;
    }
    _exit(write(channel[1], &taken, sizeof taken) == (ssize_t)sizeof taken ? 0 : 1);
  }
  close(channel[1]);
  if (child < 0 || read(channel[0], &taken, sizeof taken) != (ssize_t)sizeof taken) taken = -1;
  close(channel[0]);
  if (child > 0) waitpid(child, NULL, 0);
  return taken;
}

static int compare(const void* left, const void* right) {
  const double a = *(const double*)left, b = *(const double*)right;
  return (a > b) - (a < b);
}

int main(int argc, char** argv) {
  enum { most_runs = 1000 };
  static double times[most_runs];
  const int runs = argc > 2 ? atoi(argv[2]) : 51;
  int i;
  if (argc < 2 || runs < 1 || runs > most_runs) {
    fprintf(stderr, "usage: %s LIBRARY [RUNS, 1 to %d]\n", argv[0], most_runs);
    return 2;
  }
  for (i = 0; i < runs; ++i) {
    times[i] = measure(argv[1]);
    if (times[i] < 0) return 1;
  }
  qsort(times, (size_t)runs, sizeof times[0], compare);
  printf("{\"runs\":%d,\"median_ms\":%.3f,\"least_ms\":%.3f,\"most_ms\":%.3f}\n", runs, times[runs / 2], times[0],
         times[runs - 1]);
  return 0;
}
