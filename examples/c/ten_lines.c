/* Prints a completion: ten_lines MODEL PROMPT. Ends with the process, so nothing is freed; see each *_free. */
#include <graft/graft.h>
#include <stdio.h>

int main(int argc, char **argv) {
  graft_engine *engine = NULL;
  graft_input *input = NULL;
  graft_event *event = NULL;
  graft_request *request = NULL;
  if (argc < 3 || graft_engine_open(argv[1], -1, NULL, &engine) || graft_input_new(&input) ||
      graft_input_set_text(input, argv[2], -1) || graft_event_new(&event) ||
      graft_request_submit(engine, input, NULL, NULL, 0, &request))
    return fprintf(stderr, "%s\n", argc < 3 ? "usage: ten_lines MODEL PROMPT" : graft_last_error_message()), 1;
  while (graft_request_next(request, -1, event) == GRAFT_STATUS_OK) fputs(graft_event_text(event, NULL), stdout);
  return fputs(graft_request_error_message(request), stderr), graft_request_wait(request, 0) != GRAFT_STATUS_OK;
}
