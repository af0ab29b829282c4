// graft generate MODEL --tokens 5,9,2: continues sequences of token ids.
#include <CLI/CLI.hpp>
#include <memory>

#include "answer.h"
#include "commands.h"
#include "sampling.h"

namespace cli {
namespace {

struct Options {
  CommonOptions common;
  SamplingOptions sampling;
  std::vector<std::string> tokens;
};

/// Streams text where the model has a tokenizer, ids separated by commas (as --tokens takes them) where not.
void stream_event(const graft_event* event, bool has_text, bool& first) {
  if (has_text) {
    int64_t size = 0;
    const char* text = graft_event_text(event, &size);
    std::fwrite(text, 1, static_cast<size_t>(size), stdout);
  } else if (const int64_t token = graft_event_token(event); token >= 0) {
    std::printf(first ? "%lld" : ",%lld", static_cast<long long>(token));
    first = false;
  }
  std::fflush(stdout);
}

int generate(const Options& options, const std::vector<Tokens>& sequences, const Session& session) {
  const RequestOptions request_options = make_request_options(options.sampling);
  const bool has_text = find_tokenizer(session) != nullptr;
  Batch batch;
  for (const Tokens& tokens : sequences) batch.submit(session, make_tokens_input(tokens), request_options);
  for (size_t index = 0; index < batch.size(); ++index) {
    if (options.common.json) {
      print_json_line(to_json(batch.pull(index, nullptr), has_text));
      continue;
    }
    bool first = true;
    batch.pull(index, [&](const graft_event* event) { stream_event(event, has_text, first); });
    std::puts("");
  }
  return answer_exit_code();
}

}  // namespace

Action declare_generate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  add_tokens_option(app, "--tokens", options->tokens, "Prompt ids 5,9,2; repeated: several sequences")->required();
  add_sampling_options(app, options->sampling);
  return [options] {
    const std::vector<Tokens> sequences = parse_all_tokens("--tokens", options->tokens);
    make_request_options(options->sampling);  // refuses bad values before the model is loaded
    if (sequences.size() > 1) options->common.max_queue = static_cast<int64_t>(sequences.size());
    return with_engine(options->common, [&](const Session& session) { return generate(*options, sequences, session); });
  };
}

}  // namespace cli
