// graft logits MODEL --tokens 5,9,2 --output F.npy: float32 logits of every position, [T, vocabulary].
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "answer.h"
#include "commands.h"
#include "npy.h"

namespace cli {
namespace {

struct Options {
  CommonOptions common;
  std::vector<std::string> tokens;
  std::vector<std::string> decoder_tokens;
  std::string output;
};

/// {label: score} of each sequence, best first, for a model that labels sequences; empty for others.
Json label_scores(const Session& session, const Batch& batch) {
  const Json info = engine_info(session);
  Json all = Json::array();
  if (info.value("head", "") != "sequence_labels") return all;
  const auto labels = info.at("labels").get<std::vector<std::string>>();
  for (size_t index = 0; index < batch.size(); ++index) {
    const Tensor scores = make<Tensor>(graft_request_tensor, batch.request(index), "scores", int64_t{-1});
    const auto* values = static_cast<const float*>(graft_tensor_data(scores.get()));
    std::vector<std::pair<float, std::string>> order;
    for (size_t i = 0; i < labels.size(); ++i) order.emplace_back(values[i], labels[i]);
    std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return a.first > b.first; });
    Json scored = Json::object();
    for (const auto& [score, label] : order) scored[label] = score;
    all.push_back(scored);
  }
  return all;
}

int write_logits(const Options& options, const std::vector<Tokens>& sequences, const std::vector<Tokens>& decoder,
                 const Session& session) {
  const RequestOptions request_options = make<RequestOptions>(graft_request_options_new);
  check(graft_request_options_set_kind(request_options.get(), GRAFT_REQUEST_LOGITS));
  Batch batch;
  for (size_t index = 0; index < sequences.size(); ++index) {
    const Input input = make_tokens_input(sequences[index]);
    if (!decoder.empty()) {
      const Tokens& ids = decoder[index];
      check(graft_input_set_decoder_tokens(input.get(), ids.data(), static_cast<int64_t>(ids.size())));
    }
    batch.submit(session, input, request_options);
  }
  std::vector<Tensor> parts;
  Json rows = Json::array();
  int64_t total = 0, vocabulary = 0;
  for (size_t index = 0; index < batch.size(); ++index) {
    parts.push_back(pull_tensor(batch, index, "logits"));
    const int64_t* shape = graft_tensor_shape(parts.back().get());
    rows.push_back(shape[0]);
    total += shape[0];
    vocabulary = shape[1];
  }
  NpyWriter file(options.output, {total, vocabulary});
  for (const Tensor& part : parts) {
    file.append(static_cast<const float*>(graft_tensor_data(part.get())), graft_tensor_byte_size(part.get()) / 4);
  }
  file.finish();
  const Json scores = label_scores(session, batch);
  if (options.common.json) {
    Json line = {{"output", options.output}, {"dtype", "float32"}, {"shape", {total, vocabulary}}, {"rows", rows}};
    if (!scores.empty()) line["scores"] = scores;
    print_json_line(line);
  } else {
    for (const Json& scored : scores) {
      for (const auto& [label, score] : scored.items()) std::printf("%.4f  %s\n", score.get<double>(), label.c_str());
    }
    std::printf("%s: float32 [%lld, %lld]\n", options.output.c_str(), static_cast<long long>(total),
                static_cast<long long>(vocabulary));
  }
  return exit_ok;
}

}  // namespace

Action declare_logits(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  add_tokens_option(app, "--tokens", options->tokens, "Ids 5,9,2; repeated: several sequences, rows in this order")
      ->required();
  add_tokens_option(app, "--decoder-tokens", options->decoder_tokens,
                    "Encoder-decoder models: the decoder's ids, once for each --tokens");
  app.add_option("--output", options->output, "File to write")->required()->type_name("F.npy");
  return [options] {
    const std::vector<Tokens> sequences = parse_all_tokens("--tokens", options->tokens);
    const std::vector<Tokens> decoder = parse_all_tokens("--decoder-tokens", options->decoder_tokens);
    if (!decoder.empty() && decoder.size() != sequences.size()) {
      throw UsageError("--decoder-tokens: given " + std::to_string(decoder.size()) + " times, --tokens " +
                       std::to_string(sequences.size()) + " times");
    }
    if (sequences.size() > 1) options->common.max_queue = static_cast<int64_t>(sequences.size());
    return with_engine(options->common,
                       [&](const Session& session) { return write_logits(*options, sequences, decoder, session); });
  };
}

}  // namespace cli
