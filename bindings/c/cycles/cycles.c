/* Opens a model, asks it something, closes it, again and again: cycles MODEL COUNT. Prints the resident memory (kB)
 * after a tenth of the cycles and at the end, and fails when it grew by 1 % or more between. */
#include <graft/graft.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(graft_status status) {
  if (status == GRAFT_STATUS_OK) return;
  fprintf(stderr, "%s: %s\n", graft_status_name(status), graft_last_error_message());
  exit(1);
}

static void cycle(const char* model) {
  graft_engine_options* opening = NULL;
  graft_engine* engine = NULL;
  graft_input* input = NULL;
  graft_request_options* options = NULL;
  graft_request* request = NULL;
  graft_event* event = NULL;
  check(graft_engine_options_new(&opening));
  check(graft_engine_options_set_threads(opening, 1));
  check(graft_engine_open(model, -1, opening, &engine));
  check(graft_input_new(&input));
  check(graft_input_set_text(input, "What is", -1));
  check(graft_request_options_new(&options));
  check(graft_request_options_set_max_tokens(options, 2));
  check(graft_request_submit(engine, input, options, NULL, 0, &request));
  check(graft_event_new(&event));
  graft_status status = GRAFT_STATUS_OK;
  while ((status = graft_request_next(request, -1, event)) == GRAFT_STATUS_OK) check(graft_event_status(event));
  check(status == GRAFT_STATUS_END ? GRAFT_STATUS_OK : status);
  check(graft_engine_close(engine, -1));
  graft_event_free(event);
  graft_request_free(request);
  graft_request_options_free(options);
  graft_input_free(input);
  graft_engine_free(engine);
  graft_engine_options_free(opening);
}

static long resident_kb(void) {
  char line[256];
  long kb = 0;
  malloc_trim(0); /* what the allocator keeps for later is no leak */
  FILE* file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "VmRSS: %ld", &kb) == 1) break;
  }
  if (file != NULL) fclose(file);
  return kb;
}

int main(int argc, char** argv) {
  if (argc != 3) return fprintf(stderr, "usage: %s MODEL COUNT\n", argv[0]), 2;
  const int count = atoi(argv[2]), settled = count / 10;
  long before = 0;
  for (int i = 1; i <= count; ++i) {
    cycle(argv[1]);
    if (i == settled) before = resident_kb();
  }
  const long after = resident_kb();
  printf("resident after %d cycles: %ld kB, after %d: %ld kB, %+.2f %%\n", settled, before, count, after,
         100.0 * (double)(after - before) / (double)before);
  return (double)(after - before) >= 0.01 * (double)before;
}
