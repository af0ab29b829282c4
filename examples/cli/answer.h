// Requests that generate: submitting them together, pulling their answers, and what an answer looks like.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "output.h"
#include "session.h"
#include "tokens.h"

namespace cli {

using Clock = std::chrono::steady_clock;

struct Answer {
  Tokens tokens;
  std::string text;
  graft_finish_reason finish_reason = GRAFT_FINISH_NONE;
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  Clock::time_point submitted;
  Clock::time_point first_token;  ///< means nothing without tokens
  Clock::time_point last_token;

  double first_token_seconds() const;
  /// Tokens by the time from submit to the last of them, the prompt's included: of a small model's answer whole bursts
  /// are read at once, so the time between two readings says nothing.
  double tokens_per_second() const;
};

Input make_tokens_input(const Tokens& tokens);
Input make_text_input(const std::string& text);
/// `messages` as the chat template takes them; Failure when a text is not UTF-8.
Input make_chat_input(const Json& messages);

/// Requests submitted together; all are cancelled when one is pulled while Ctrl-C was pressed.
class Batch {
 public:
  Batch() : event_(make<Event>(graft_event_new)) {}

  void submit(const Session& session, const Input& input, const RequestOptions& options);

  /// Pulls the events of request `index` until none is left, showing each to `watch` (which may be empty). Throws
  /// Failure when the request failed. An interrupted request ends as GRAFT_FINISH_CANCELLED.
  Answer pull(size_t index, const std::function<void(const graft_event*)>& watch);

  size_t size() const { return requests_.size(); }
  graft_request* request(size_t index) const { return requests_[index].get(); }

 private:
  void cancel_if_interrupted();

  std::vector<Request> requests_;
  std::vector<Clock::time_point> submitted_;
  Event event_;
  bool cancelled_ = false;
};

/// A result of request `index`, float32, once its events are through. Throws Interrupted after Ctrl-C.
Tensor pull_tensor(Batch& batch, size_t index, const char* name);

/// {"tokens": [...], "text": ... or null, "finish_reason": ..., "usage": {...}}
Json to_json(const Answer& answer, bool has_text);

/// exit_ok, or exit_interrupted after Ctrl-C.
int answer_exit_code();

}  // namespace cli
