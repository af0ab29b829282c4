#include "sampling.h"

#include <CLI/CLI.hpp>

namespace cli {
namespace {

template <typename T>
void set(const char* option, graft_status (*setter)(graft_request_options*, T), graft_request_options* target,
         const std::optional<T>& value) {
  if (value) check_option(option, setter(target, *value));
}

}  // namespace

void add_sampling_options(CLI::App& app, SamplingOptions& options) {
  const char* group = "Choosing tokens";
  const auto add = [&](const char* name, auto& value, const char* help) {
    return app.add_option(name, value, help)->group(group);
  };
  add("--max-tokens", options.max_tokens, "Most tokens to generate (as many as the context holds)")->type_name("N");
  app.add_flag("--greedy", options.greedy, "Take the most likely token each time")->group(group);
  add("--temperature", options.temperature, "Divides the logits; 0 = greedy (1)")->type_name("X");
  add("--top-k", options.top_k, "Keep the k most likely tokens (all)")->type_name("K");
  add("--top-p", options.top_p, "Keep the tokens that together reach this probability (1)")->type_name("P");
  add("--min-p", options.min_p, "Keep tokens at least this likely relative to the best (0)")->type_name("P");
  add("--repetition-penalty", options.repetition_penalty, "Above 1: repeat less (1)")->type_name("X");
  add("--num-beams", options.num_beams, "Beam search over this many beams (1)")->type_name("N");
  add("--seed", options.seed, "Makes the random choices repeatable")->type_name("N");
  add("--stop", options.stop, "End before this text; may be repeated")->allow_extra_args(false)->type_name("TEXT");
  app.add_flag("--ignore-eos", options.ignore_eos, "Go on when the model ends its answer")->group(group);
}

RequestOptions make_request_options(const SamplingOptions& options) {
  RequestOptions made = make<RequestOptions>(graft_request_options_new);
  graft_request_options* target = made.get();
  set("--max-tokens", graft_request_options_set_max_tokens, target, options.max_tokens);
  set("--temperature", graft_request_options_set_temperature, target, options.temperature);
  set("--top-k", graft_request_options_set_top_k, target, options.top_k);
  set("--top-p", graft_request_options_set_top_p, target, options.top_p);
  set("--min-p", graft_request_options_set_min_p, target, options.min_p);
  set("--repetition-penalty", graft_request_options_set_repetition_penalty, target, options.repetition_penalty);
  set("--num-beams", graft_request_options_set_num_beams, target, options.num_beams);
  set("--seed", graft_request_options_set_seed, target, options.seed);
  if (options.greedy) check(graft_request_options_set_greedy(target, 1));
  if (options.ignore_eos) check(graft_request_options_set_ignore_eos(target, 1));
  for (const std::string& text : options.stop) {
    check_option("--stop", graft_request_options_add_stop(target, text.data(), static_cast<int64_t>(text.size())));
  }
  return made;
}

}  // namespace cli
