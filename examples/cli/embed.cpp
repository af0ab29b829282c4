// graft embed MODEL TEXT... | --tokens ...: embeddings, one for each text or token list.
#include <CLI/CLI.hpp>
#include <iterator>
#include <memory>

#include "answer.h"
#include "commands.h"
#include "npy.h"

namespace cli {
namespace {

constexpr const char* poolings[] = {"model", "mean", "cls", "last", "none"};  // in the order of graft_pooling

struct Options {
  CommonOptions common;
  std::vector<std::string> texts;
  std::vector<std::string> tokens;
  std::string pooling = "model";
  std::string output;
};

RequestOptions make_embed_options(const std::string& pooling) {
  RequestOptions made = make<RequestOptions>(graft_request_options_new);
  check(graft_request_options_set_kind(made.get(), GRAFT_REQUEST_EMBED));
  const auto* found = std::find(std::begin(poolings), std::end(poolings), pooling);
  check(graft_request_options_set_pooling(made.get(), static_cast<graft_pooling>(found - std::begin(poolings))));
  return made;
}

/// Rows of a result: one, or one for each token.
int64_t row_count(const Tensor& tensor) {
  return graft_tensor_rank(tensor.get()) == 1 ? 1 : graft_tensor_shape(tensor.get())[0];
}

int64_t row_width(const Tensor& tensor) {
  return graft_tensor_shape(tensor.get())[graft_tensor_rank(tensor.get()) - 1];
}

void print(const Tensor& tensor, bool json) {
  const auto* values = static_cast<const float*>(graft_tensor_data(tensor.get()));
  const int64_t rows = row_count(tensor), width = row_width(tensor);
  if (json) {
    if (graft_tensor_rank(tensor.get()) == 1) {
      print_json_line({{"embedding", std::vector<float>(values, values + width)}});
      return;
    }
    Json lines = Json::array();
    for (int64_t r = 0; r < rows; ++r)
      lines.push_back(std::vector<float>(values + r * width, values + (r + 1) * width));
    print_json_line({{"embedding", lines}});
    return;
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < width; ++i) std::printf(i == 0 ? "%.9g" : " %.9g", static_cast<double>(*values++));
    std::puts("");
  }
}

void write(const std::string& path, const std::vector<Tensor>& parts) {
  int64_t rows = 0;
  for (const Tensor& part : parts) rows += row_count(part);
  NpyWriter file(path, {rows, row_width(parts.front())});
  for (const Tensor& part : parts) {
    file.append(static_cast<const float*>(graft_tensor_data(part.get())), graft_tensor_byte_size(part.get()) / 4);
  }
  file.finish();
}

int embed(const Options& options, const std::vector<Tokens>& sequences, const Session& session) {
  const RequestOptions request_options = make_embed_options(options.pooling);
  Batch batch;
  for (const std::string& text : options.texts) batch.submit(session, make_text_input(text), request_options);
  for (const Tokens& tokens : sequences) batch.submit(session, make_tokens_input(tokens), request_options);
  std::vector<Tensor> parts;
  for (size_t index = 0; index < batch.size(); ++index) {
    Tensor tensor = pull_tensor(batch, index, "embedding");
    if (options.output.empty()) {
      print(tensor, options.common.json);
    } else {
      parts.push_back(std::move(tensor));
    }
  }
  if (!options.output.empty()) write(options.output, parts);
  return exit_ok;
}

}  // namespace

Action declare_embed(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  app.add_option("TEXT", options->texts, "Texts, one embedding each")->type_name("");
  add_tokens_option(app, "--tokens", options->tokens, "Ids 5,9,2 instead of texts; may be repeated");
  app.add_option("--pooling", options->pooling, "model|mean|cls|last|none (model); none: every token's row")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(poolings), std::end(poolings))).description(""))
      ->type_name("HOW");
  app.add_option("--output", options->output, "Write float32 rows to this file instead of stdout")->type_name("F.npy");
  return [options]() -> int {
    validate(options->common);
    const std::vector<Tokens> sequences = parse_all_tokens("--tokens", options->tokens);
    if (options->texts.empty() == sequences.empty()) throw UsageError("embed: give either texts or --tokens");
    options->common.max_queue = static_cast<int64_t>(std::max(options->texts.size(), sequences.size()));
    return with_engine(options->common, [&](const Session& session) { return embed(*options, sequences, session); });
  };
}

}  // namespace cli
