/*
 * Streams a completion with a libgraft.so found at run time: the program links nothing but libc and libdl, starts on a
 * machine without Graft, and can say what is missing. Usage: dlopen MODEL PROMPT [LIBRARY]
 */
#include <dlfcn.h>
#include <graft/graft.h>
#include <stdio.h>

#define STRING_OF(text) #text
#define STRING(text) STRING_OF(text)

/* Every function this program uses, under its own name without "graft_". */
#define FOR_EACH_FUNCTION(f)                                                                                      \
  f(abi_version) f(last_error_message) f(engine_open) f(engine_free) f(input_new) f(input_set_text) f(input_free) \
      f(event_new) f(event_kind) f(event_text) f(event_message) f(event_free) f(request_submit) f(request_next)   \
          f(request_free)

/* The headers give the types; __typeof__ is not evaluated, so no symbol is needed at link time. */
#define DECLARE(name) __typeof__(&graft_##name) name;
struct graft_functions {
  FOR_EACH_FUNCTION(DECLARE)
};

static int load(const char *path, struct graft_functions *graft) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return fprintf(stderr, "%s\n", dlerror()), 0;
#define FIND(name)                                           \
  *(void **)(&graft->name) = dlsym(library, "graft_" #name); \
  if (graft->name == NULL) return fprintf(stderr, "%s: no graft_" #name "\n", path), 0;
  FOR_EACH_FUNCTION(FIND)
  if (graft->abi_version() == GRAFT_ABI_VERSION) return 1;
  fprintf(stderr, "%s: ABI %d, expected %d\n", path, (int)graft->abi_version(), GRAFT_ABI_VERSION);
  return 0; /* the library stays loaded: it cannot be unloaded once used */
}

static int stream(const struct graft_functions *graft, graft_request *request, graft_event *event) {
  int failed = 0;
  while (graft->request_next(request, -1, event) == GRAFT_STATUS_OK) {
    if (graft->event_kind(event) == GRAFT_EVENT_ERROR) {
      fprintf(stderr, "%s\n", graft->event_message(event));
      failed = 1;
    }
    fputs(graft->event_text(event, NULL), stdout);
    fflush(stdout);
  }
  return failed;
}

int main(int argc, char **argv) {
  struct graft_functions graft;
  graft_engine *engine = NULL;
  graft_input *input = NULL;
  graft_event *event = NULL;
  graft_request *request = NULL;
  int failed;
  if (argc < 3) return fprintf(stderr, "usage: %s MODEL PROMPT [LIBRARY]\n", argv[0]), 2;
  if (!load(argc > 3 ? argv[3] : "libgraft.so." STRING(GRAFT_ABI_VERSION), &graft)) return 1;
  failed = graft.engine_open(argv[1], -1, NULL, &engine) || graft.input_new(&input) ||
           graft.input_set_text(input, argv[2], -1) || graft.event_new(&event) ||
           graft.request_submit(engine, input, NULL, NULL, 0, &request);
  if (failed) fprintf(stderr, "%s\n", graft.last_error_message());
  if (!failed) failed = stream(&graft, request, event);
  graft.request_free(request);
  graft.event_free(event);
  graft.input_free(input);
  graft.engine_free(engine);
  return failed;
}
