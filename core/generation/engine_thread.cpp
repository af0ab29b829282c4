#include "core/generation/engine_thread.h"

#include <c10/util/Exception.h>

#include <chrono>
#include <system_error>
#include <thread>

#include "core/base/log.h"
#include "core/engine/failure.h"
#include "core/generation/mailbox.h"
#include "core/generation/scheduler.h"

namespace graft {
namespace {

class EngineThread {
 public:
  EngineThread(std::shared_ptr<Engine::Mailbox> mailbox, ModelPlan plan, const EngineOptions& options,
               std::shared_ptr<const Tokenizer> tokenizer, bool report_progress)
      : mailbox_(std::move(mailbox)),
        plan_(std::move(plan)),
        options_(options),
        tokenizer_(std::move(tokenizer)),
        report_progress_(report_progress) {}

  // Nothing is thrown out of here: what fails is left in the mailbox.
  void run() noexcept {
    StatusCode code = StatusCode::ok;
    std::string message;
    try {
      work();
    } catch (...) {
      describe_failure(code, message);
    }
    end(code, message);
  }

 private:
  void work() {
    ModelRunner runner(std::move(plan_), options_, make_single_communicator(),
                       [this](double fraction) { report(fraction); });
    Scheduler scheduler(runner, tokenizer_);
    publish_limits(runner);
    try {
      while (receive(scheduler)) step(runner, scheduler);
      scheduler.end_all(StatusCode::ok, "");
    } catch (...) {
      StatusCode code;
      std::string message;
      describe_failure(code, message);
      scheduler.end_all(code, message);
      throw;
    }
  }

  void report(double fraction) {
    {
      const std::lock_guard lock(mailbox_->mutex);
      if (mailbox_->give_up || mailbox_->stop) fail(StatusCode::cancelled, "the load was given up");
      mailbox_->load_progress = fraction;
    }
    if (report_progress_) mailbox_->changed.notify_all();
  }

  void publish_limits(ModelRunner& runner) {
    const std::lock_guard lock(mailbox_->mutex);
    const ModelPlan& plan = runner.plan();
    mailbox_->limits = {plan.config(), plan.limits, plan.cache.kinds, plan.memory.cache_blocks};
    mailbox_->ready = true;
    mailbox_->changed.notify_all();
  }

  // Takes new requests; with nothing to do, waits for one. False: stop.
  bool receive(Scheduler& scheduler) {
    std::unique_lock lock(mailbox_->mutex);
    if (!busy_) {
      mailbox_->changed.wait(lock, [&] { return mailbox_->stop || mailbox_->woken || !mailbox_->inbox.empty(); });
    }
    mailbox_->woken = false;
    if (mailbox_->stop) return false;
    for (auto& request : mailbox_->inbox) scheduler.add(std::move(request));
    mailbox_->inbox.clear();
    return true;
  }

  void step(ModelRunner& runner, Scheduler& scheduler) {
    const auto begin = std::chrono::steady_clock::now();
    busy_ = scheduler.step();
    const auto elapsed = std::chrono::steady_clock::now() - begin;
    mailbox_->steps.fetch_add(1, std::memory_order_relaxed);
    mailbox_->tokens.fetch_add(runner.step().token_count(), std::memory_order_relaxed);
    mailbox_->step_nanoseconds.fetch_add(std::chrono::nanoseconds(elapsed).count(), std::memory_order_relaxed);
    mailbox_->waiting.store(scheduler.waiting());
    mailbox_->running.store(scheduler.running());
  }

  // The model is gone by now; what came in meanwhile is answered, then whoever waits may go on.
  void end(StatusCode code, const std::string& message) noexcept {
    std::vector<std::shared_ptr<RequestState>> late;
    {
      const std::lock_guard lock(mailbox_->mutex);
      late.swap(mailbox_->inbox);
      mailbox_->failure = code;
      mailbox_->failure_message = message;
      mailbox_->stop = true;
    }
    if (code != StatusCode::ok) log(LogLevel::error, "engine ended: {}", message);
    for (const auto& request : late) {
      if (code == StatusCode::ok) {
        request->finish(FinishReason::cancelled, 0);
      } else {
        request->fail(code, message);
      }
    }
    late.clear();
    {
      const std::lock_guard lock(mailbox_->mutex);
      mailbox_->ended = true;
      mailbox_->changed.notify_all();
    }
  }

  std::shared_ptr<Engine::Mailbox> mailbox_;
  ModelPlan plan_;
  EngineOptions options_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  bool report_progress_;
  bool busy_ = false;
};

}  // namespace

void start_engine_thread(std::shared_ptr<Engine::Mailbox> mailbox, ModelPlan plan, const EngineOptions& options,
                         std::shared_ptr<const Tokenizer> tokenizer, bool report_progress) {
  auto worker =
      std::make_unique<EngineThread>(mailbox, std::move(plan), options, std::move(tokenizer), report_progress);
  try {
    const std::lock_guard lock(mailbox->mutex);
    std::thread thread([worker = std::move(worker), box = mailbox]() mutable {
      worker->run();
      worker.reset();
    });
    mailbox->thread = thread.get_id();
    thread.detach();
  } catch (const std::system_error& error) {
    fail(StatusCode::limit_exceeded, "the engine's thread could not be started: {}", error.what());
  }
}

}  // namespace graft
