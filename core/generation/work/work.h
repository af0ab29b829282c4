// A request in work, as the scheduler sees it: something that puts tokens into steps and takes what they gave.
// Engine thread only.
#pragma once

#include <memory>

#include "core/engine/model_runner.h"
#include "core/generation/request.h"
#include "core/text/tokenizer.h"

namespace graft {

/// What every request of an engine works with. Outlives them.
struct WorkContext {
  CachePool& pool;
  const ModelConfig& config;
  const StepLimits& limits;
  std::shared_ptr<const Tokenizer> tokenizer;  ///< may be null: then events carry no text
};

class Work {
 public:
  explicit Work(std::shared_ptr<RequestState> request) : request_(std::move(request)) {}
  virtual ~Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  RequestState& request() { return *request_; }

  /// Whether its prompt is in the cache: from then on a step takes one token of each of its sequences.
  virtual bool decoding() const = 0;

  /// Puts into the step what fits. False when nothing did.
  virtual bool add_to(StepBuffer& step) = 0;

  /// Takes what the step computed for it. True when the request has ended with that.
  virtual bool take(const StepOutput& output) = 0;

  /// Ends the request: what was held back is given out first.
  virtual void cancel() = 0;

 protected:
  /// Tells the holder how much of the prompt is done.
  void report_progress(int64_t computed);

 private:
  std::shared_ptr<RequestState> request_;
};

/// Tokens that a request's longest sequence may reach.
int64_t planned_length(const RequestSpec& spec, int64_t context);

/// Cache blocks of each kind that a request may ever hold at once.
std::vector<int64_t> needed_cache_blocks(const RequestSpec& spec, const std::vector<CacheKind>& kinds,
                                         const StepLimits& limits);

/// The work that a checked request asks for. Throws bad_alloc when its results do not fit in memory.
std::unique_ptr<Work> make_work(std::shared_ptr<RequestState> request, const WorkContext& context);

}  // namespace graft
