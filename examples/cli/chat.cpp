// graft chat MODEL: a conversation in the terminal. Waits for the chat template (capi:
// graft_tokenizer_apply_chat_template).
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "options.h"
#include "sampling.h"

namespace cli {
namespace {

struct Options {
  CommonOptions common;
  SamplingOptions sampling;
};

}  // namespace

Action declare_chat(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  add_sampling_options(app, options->sampling);
  return [options]() -> int {
    validate(options->common);
    make_request_options(options->sampling);
    throw Failure(GRAFT_STATUS_UNSUPPORTED, "chat waits for chat templates in the engine");
  };
}

}  // namespace cli
