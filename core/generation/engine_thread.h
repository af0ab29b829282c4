#pragma once

#include <memory>

#include "core/engine/model_plan.h"
#include "core/generation/engine.h"
#include "core/generation/ranks/rank_layout.h"

namespace graft {

/// Starts the thread that loads, runs and destroys the model, or follows another process that does. It holds the
/// mailbox alone, never the Engine; it ends when the mailbox says stop, or on a failure, which it leaves there.
void start_engine_thread(std::shared_ptr<Engine::Mailbox> mailbox, ModelPlan plan, RankLayout layout,
                         const EngineOptions& options, std::shared_ptr<const Tokenizer> tokenizer,
                         bool report_progress);

}  // namespace graft
