// graft chat MODEL: a conversation in the terminal. Ctrl-C cancels the answer, Ctrl-D ends the conversation.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "interrupt.h"
#include "progress.h"
#include "prompt.h"
#include "ranks.h"
#include "sampling.h"
#include "stats.h"

namespace cli {
namespace {

struct Options {
  CommonOptions common;
  SamplingOptions sampling;
  std::string system;
};

/// The messages so far. Old turns are forgotten, oldest first, when the context cannot hold them.
class Conversation {
 public:
  explicit Conversation(const std::string& system) {
    if (!system.empty()) messages_.push_back({{"role", "system"}, {"content", system}});
    first_turn_ = messages_.size();
  }

  void say(const char* role, const std::string& text) { messages_.push_back({{"role", role}, {"content", text}}); }
  void clear() {
    messages_.erase(messages_.begin() + static_cast<Json::difference_type>(first_turn_), messages_.end());
  }
  void take_back() { messages_.erase(messages_.size() - 1); }

  void submit(Batch& batch, const Session& session, const RequestOptions& options) {
    for (;;) {
      try {
        batch.submit(session, make_chat_input(messages_), options);
        return;
      } catch (const Failure& failure) {
        if (failure.status != GRAFT_STATUS_LIMIT_EXCEEDED || messages_.size() < first_turn_ + 3) throw;
        messages_.erase(first_turn_);
        messages_.erase(first_turn_);
      }
    }
  }

 private:
  Json messages_ = Json::array();
  size_t first_turn_ = 0;
};

/// Streams one answer; what was said before a Ctrl-C counts as said.
void answer(Conversation& conversation, const RequestOptions& options, const Session& session, bool json) {
  Batch batch;
  conversation.submit(batch, session, options);
  ProgressBar bar(true);
  const Answer given = batch.pull(0, [&](const graft_event* event) {
    show_prompt_progress(bar, event);
    int64_t size = 0;
    const char* text = graft_event_text(event, &size);
    if (json || size == 0) return;
    std::fwrite(text, 1, static_cast<size_t>(size), stdout);
    std::fflush(stdout);
  });
  conversation.say("assistant", given.text);
  if (json) {
    print_json_line(to_json(given, true));
  } else {
    std::puts("");
    std::fflush(stdout);
  }
  std::fputs(format_stats(measure(given, session)).c_str(), stderr);
  clear_interrupt();
}

int converse(const Options& options, const Session& session) {
  const bool terminal = isatty(STDIN_FILENO) != 0;
  const RequestOptions request_options = make_request_options(options.sampling);
  Conversation conversation(options.system);
  if (terminal) std::fputs("Ctrl-C cancels an answer, Ctrl-D ends; /clear begins anew.\n", stderr);
  LineReader lines;
  for (;;) {
    if (terminal) std::fputs("> ", stderr);
    std::string line;
    const LineReader::Result result = lines.next(line);
    if (result == LineReader::Result::interrupted) {
      if (!terminal) throw Interrupted();
      std::fputs("\n", stderr);
      clear_interrupt();
      continue;
    }
    if (result == LineReader::Result::end) break;
    if (line.empty()) continue;
    if (line == "/clear") {
      conversation.clear();
      continue;
    }
    conversation.say("user", line);
    try {
      answer(conversation, request_options, session, options.common.json);
    } catch (const Failure& failure) {
      if (!terminal) throw;  // at a terminal the next question may do better
      std::fprintf(stderr, "graft: %s\n", failure.what());
      conversation.take_back();
    }
  }
  if (terminal) std::fputs("\n", stderr);
  return exit_ok;
}

}  // namespace

Action declare_chat(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  app.add_option("--system", options->system, "System message, if the model's template takes one")->type_name("TEXT");
  add_sampling_options(app, options->sampling);
  return [options]() -> int {
    validate(options->common);
    make_request_options(options->sampling);  // refuses bad values before the model is loaded
    return with_engine(options->common, [&](const Session& session) { return converse(*options, session); });
  };
}

}  // namespace cli
