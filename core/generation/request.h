// A request as the engine and its holder share it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/generation/choice/logit_rules.h"
#include "core/generation/choice/sampling.h"
#include "core/generation/event_stream.h"

namespace graft {

enum class RequestKind : int32_t { generate = 0, logits = 1, embed = 2, hidden = 3 };

/// How one embedding is made of hidden rows. The names are those of sentence-transformers;
/// `token` is the row of ModelConfig::pooled_token, or what a head of HeadKind::embedding gives.
enum class Pooling : int32_t { none, mean, cls, last, max, mean_sqrt_len, weighted_mean, token };

/// Checked by the engine before it is queued.
struct RequestSpec {
  RequestKind kind = RequestKind::generate;
  std::vector<int64_t> prompt;
  std::vector<int64_t> token_types;  ///< as many as prompt tokens, or none
  std::vector<float> patches;        ///< of an image: [prompt tokens, patch width], as StepBuffer::set_patches takes it
  int64_t max_tokens = -1;           ///< -1: as many as the context holds
  SamplingOptions sampling;
  LogitRules rules;
  bool ignore_eos = false;
  std::vector<int64_t> stop_tokens;
  std::vector<std::string> stop_texts;
  int64_t top_logprobs = 0;
  int64_t sequences = 1;  ///< answers to give
  int64_t beams = 1;      ///< above 1: beam search
  double length_penalty = 1.0;
  Pooling pooling = Pooling::mean;  ///< of an embed request
  bool normalize = false;           ///< whether the pooled embedding gets length 1
  int64_t priority = 0;
  int64_t deadline_ms = 0;  ///< 0: none
  int64_t tag = 0;
};

/// A request's answers in the cache and the step at once.
inline int64_t width(const RequestSpec& spec) { return std::max(spec.sequences, spec.beams); }

/// float32, immutable once published.
struct ResultTensor {
  std::string name;  ///< "logits", "hidden", "embedding", "scores"
  std::vector<int64_t> shape;
  std::vector<float> values;
};

/// Shared by the holder (any thread) and the engine's thread. Does not keep the engine alive.
class RequestState {
 public:
  RequestState(RequestSpec spec, std::shared_ptr<EventStream> events, bool own_stream);

  const RequestSpec& spec() const { return spec_; }
  EventStream& events() { return *events_; }
  bool has_own_stream() const { return own_stream_; }

  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  bool past_deadline() const;

  // The engine's side.
  void push(EventRecord& event);
  void add_result(std::shared_ptr<const ResultTensor> result);
  /// Tells that one of several answers has ended.
  void finish_sequence(int64_t sequence, FinishReason reason, int64_t completion_tokens);
  /// Pushes the last event and marks the end. Later calls do nothing.
  void finish(FinishReason reason, int64_t completion_tokens, int64_t sequence = 0);
  void fail(StatusCode code, const std::string& message);

  // The holder's side.
  bool ended() const;
  /// OK or the failure once ended; TIMEOUT before.
  StatusCode wait(int64_t timeout_ms);
  /// The result of that name, null when there is none.
  std::shared_ptr<const ResultTensor> result(std::string_view name) const;
  /// Empty unless failed. The reference stays valid as long as this object.
  const std::string& error_message() const;

 private:
  void end(EventRecord& event, StatusCode status);

  const RequestSpec spec_;
  const std::shared_ptr<EventStream> events_;
  const bool own_stream_;
  const std::chrono::steady_clock::time_point submitted_;
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
  StatusCode status_ = StatusCode::ok;
  std::string message_;
  std::vector<std::shared_ptr<const ResultTensor>> results_;
};

}  // namespace graft
