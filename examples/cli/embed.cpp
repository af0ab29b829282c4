// graft embed MODEL TEXT... | --tokens ...: embeddings. Waits for models that give them.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "options.h"
#include "tokens.h"

namespace cli {
namespace {

struct Options {
  CommonOptions common;
  std::vector<std::string> texts;
  std::vector<std::string> tokens;
  std::string pooling = "model";
  std::string output;
};

}  // namespace

Action declare_embed(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  app.add_option("TEXT", options->texts, "Texts, one embedding each")->type_name("");
  add_tokens_option(app, "--tokens", options->tokens, "Ids 5,9,2 instead of texts; may be repeated");
  app.add_option("--pooling", options->pooling, "model|mean|cls|last|none (model)")
      ->check(CLI::IsMember({"model", "mean", "cls", "last", "none"}))
      ->type_name("HOW");
  app.add_option("--output", options->output, "Write float32 rows to this file")->type_name("F.npy");
  return [options]() -> int {
    validate(options->common);
    parse_all_tokens("--tokens", options->tokens);
    if (options->texts.empty() == options->tokens.empty()) {
      throw UsageError("embed: give either texts or --tokens");
    }
    throw Failure(GRAFT_STATUS_UNSUPPORTED, "embed waits for encoder models and pooling in the engine");
  };
}

}  // namespace cli
