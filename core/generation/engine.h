// An engine: one model on one thread of its own, fed through a mailbox.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/engine/options.h"
#include "core/engine/profiler.h"
#include "core/generation/request.h"
#include "core/generation/sentence_model.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

namespace graft {

/// Any thread may use it. Only the engine's own thread touches the model; everything here validates, queues and waits.
/// Dropping the last reference never blocks: the thread cancels what is left, destroys the model and ends by itself.
class Engine {
 public:
  /// Progress of loading, on the thread that opens; returning true gives the load up (CANCELLED).
  using Progress = std::function<bool(double fraction)>;

  /// Opens a model and waits until it can answer. Throws what planning and loading throw.
  static std::shared_ptr<Engine> open(const std::string& path, const EngineOptions& options, const Progress& progress);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Checks a request against the model's limits and queues it. `queue` null: it gets a stream of its own.
  /// Throws what check_request throws, BUSY, CLOSED.
  std::shared_ptr<RequestState> submit(RequestSpec spec, std::shared_ptr<EventStream> queue);

  /// Lets the engine's thread look at its requests (after a cancel).
  void wake();

  /// Refuses new requests, cancels those in flight, waits for the thread's end. False after the time-out.
  bool close(int64_t timeout_ms);
  /// Waits for the end alone. TIMEOUT, OK after a close, or why the engine failed (text in `message`).
  StatusCode wait(int64_t timeout_ms, std::string& message);

  const std::string& path() const { return path_; }
  /// Null when the model has no tokenizer; then `tokenizer_problem` says why.
  const std::shared_ptr<const Tokenizer>& tokenizer() const { return tokenizer_; }
  const std::string& tokenizer_problem() const { return tokenizer_problem_; }
  /// How it makes embeddings. Throws what reading its files threw.
  const SentenceModel& sentence_model() const;
  /// Never null; rendering with it throws UNSUPPORTED when the model has no chat template.
  const std::shared_ptr<const ChatTemplate>& chat_template() const { return chat_template_; }
  /// The whole model's, once it is loaded.
  const ModelConfig& config() const;
  std::string info_json() const;
  std::string stats_json() const;

  /// Begins or ends measuring forward passes, from the next one on. A process that follows rank 0 measures nothing.
  void profile(bool on);
  /// What was measured since the last take. Throws INVALID_STATE.
  Profile take_profile();

  struct Mailbox;

 private:
  Engine() = default;
  nlohmann::json describe_embedding() const;

  std::string path_;
  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string tokenizer_problem_;
  SentenceModel sentence_model_;
  std::optional<Error> sentence_problem_;
  std::shared_ptr<const ChatTemplate> chat_template_;
  std::string info_;
};

}  // namespace graft
