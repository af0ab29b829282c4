#include "core/generation/work/work.h"

#include "core/generation/work/beam_work.h"
#include "core/generation/work/generate_work.h"
#include "core/generation/work/rows_work.h"

namespace graft {

void Work::report_progress(int64_t computed) {
  EventRecord event;
  event.kind = EventKind::progress;
  event.progress = static_cast<double>(computed) / static_cast<double>(request_->spec().prompt.size());
  request_->push(event);
}

int64_t planned_length(const RequestSpec& spec, int64_t context) {
  const auto prompt = static_cast<int64_t>(spec.prompt.size());
  if (spec.kind != RequestKind::generate) return prompt;
  return spec.max_tokens < 0 ? context : prompt + std::min(spec.max_tokens, context);
}

std::vector<int64_t> needed_cache_blocks(const RequestSpec& spec, const std::vector<CacheKind>& kinds,
                                         const StepLimits& limits) {
  std::vector<int64_t> needed = needed_cache_blocks(kinds, planned_length(spec, limits.context), limits.tokens);
  // While beams are reordered, each child has its own copy of the last block beside its parent's.
  const int64_t copies = spec.beams > 1 ? spec.beams : 0;
  for (int64_t& blocks : needed) blocks = blocks * width(spec) + copies;
  return needed;
}

std::unique_ptr<Work> make_work(std::shared_ptr<RequestState> request, const WorkContext& context) {
  if (request->spec().kind != RequestKind::generate) return std::make_unique<RowsWork>(std::move(request), context);
  if (request->spec().beams > 1) return std::make_unique<BeamWork>(std::move(request), context);
  return std::make_unique<GenerateWork>(std::move(request), context);
}

}  // namespace graft
