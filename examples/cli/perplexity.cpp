// graft perplexity MODEL FILE: how well the model predicts a text. Long texts are read in windows that overlap by half,
// so that every token but the first ones has at least half a window before it (Transformers' guide to perplexity of
// fixed-length models).
#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>

#include "answer.h"
#include "commands.h"
#include "text_tokens.h"

namespace cli {
namespace {

constexpr int64_t default_window = 512;

struct Options {
  CommonOptions common;
  std::string file;
  std::optional<int64_t> window;
};

/// Negative log probability of `token` under `logits` [vocabulary].
double surprise(const float* logits, int64_t vocabulary, int64_t token) {
  double top = static_cast<double>(logits[0]);
  for (int64_t i = 1; i < vocabulary; ++i) top = std::max(top, static_cast<double>(logits[i]));
  double sum = 0;
  for (int64_t i = 0; i < vocabulary; ++i) sum += std::exp(static_cast<double>(logits[i]) - top);
  return top + std::log(sum) - static_cast<double>(logits[token]);
}

int64_t choose_window(const Options& options, const Session& session) {
  const Json info = engine_info(session);
  const int64_t context = info.at("context_limit").get<int64_t>();
  const int64_t window = options.window.value_or(std::min(default_window, context));
  if (window < 2 || window > context) {
    throw UsageError("--window: found " + std::to_string(window) + ", expected 2 to the model's context of " +
                     std::to_string(context));
  }
  return window;
}

int measure(const Options& options, const std::string& text, const Session& session) {
  const Tokenizer tokenizer = make<Tokenizer>(graft_engine_tokenizer, session.engine);
  const Tokens tokens = encode_text(tokenizer, text);
  const auto count = static_cast<int64_t>(tokens.size());
  if (count < 2) {
    throw Failure(GRAFT_STATUS_INVALID_ARGUMENT, options.file + ": " + std::to_string(count) +
                                                     " tokens, expected at least 2: the first has nothing before it");
  }
  const int64_t window = choose_window(options, session);
  const RequestOptions request_options = make<RequestOptions>(graft_request_options_new);
  check(graft_request_options_set_kind(request_options.get(), GRAFT_REQUEST_LOGITS));
  double total = 0;
  int64_t scored = 1;  // tokens whose prediction is known, the first one excepted
  for (int64_t begin = 0; scored < count; begin += window / 2) {
    const int64_t end = std::min(begin + window, count);
    Batch batch;
    batch.submit(session, make_tokens_input(Tokens(tokens.begin() + begin, tokens.begin() + end)), request_options);
    const Tensor logits = pull_tensor(batch, 0, "logits");
    const int64_t vocabulary = graft_tensor_shape(logits.get())[1];
    const auto* rows = static_cast<const float*>(graft_tensor_data(logits.get()));
    for (; scored < end; ++scored) {
      total += surprise(rows + (scored - 1 - begin) * vocabulary, vocabulary, tokens[static_cast<size_t>(scored)]);
    }
  }
  const double mean = total / static_cast<double>(count - 1);
  if (options.common.json) {
    print_json_line({{"perplexity", std::exp(mean)}, {"nll", mean}, {"tokens", count - 1}, {"window", window}});
  } else {
    std::printf("perplexity %.6g over %lld tokens (%.6g nats each), windows of %lld\n", std::exp(mean),
                static_cast<long long>(count - 1), mean, static_cast<long long>(window));
  }
  return exit_ok;
}

}  // namespace

Action declare_perplexity(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  app.add_option("FILE", options->file, "Text file, UTF-8")->required()->type_name("");
  app.add_option("--window", options->window, "Tokens read at once (512, or the context where that is shorter)")
      ->type_name("N");
  return [options]() -> int {
    validate(options->common);
    const std::string text = read_option_file("FILE", options->file);
    return with_engine(options->common, [&](const Session& session) { return measure(*options, text, session); });
  };
}

}  // namespace cli
