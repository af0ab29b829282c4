#include "core/generation/engine_thread.h"

#include <c10/util/Exception.h>

#include <chrono>
#include <system_error>
#include <thread>

#include "core/base/log.h"
#include "core/engine/failure.h"
#include "core/engine/info.h"
#include "core/generation/mailbox.h"
#include "core/generation/ranks/followers.h"
#include "core/generation/scheduler.h"

namespace graft {
namespace {

class EngineThread {
 public:
  EngineThread(std::shared_ptr<Engine::Mailbox> mailbox, ModelPlan plan, RankLayout layout,
               const EngineOptions& options, std::shared_ptr<const Tokenizer> tokenizer, bool report_progress)
      : mailbox_(std::move(mailbox)),
        plan_(std::move(plan)),
        layout_(std::move(layout)),
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
    std::vector<std::unique_ptr<Communicator>> ranks = connect_ranks(layout_);
    Followers followers(plan_.checkpoint.path(), options_, layout_.place, ranks);
    try {
      run_rank(std::move(ranks.front()), followers);
    } catch (const Error& error) {
      followers.join();
      if (error.code() == StatusCode::comm_error && followers.failure()) throw *followers.failure();  // the reason
      throw;
    }
  }

  void run_rank(std::unique_ptr<Communicator> ranks, Followers& followers) {
    ModelRunner runner(std::move(plan_), options_, std::move(ranks), [this](double fraction) { report(fraction); });
    publish_limits(runner);
    if (layout_.follows()) return runner.follow([this] { return stopped(); });
    runner.profile_with(&mailbox_->profiler);
    Scheduler scheduler(runner, tokenizer_);
    try {
      while (receive(runner, scheduler)) step(runner, scheduler);
      scheduler.end_all(StatusCode::ok, "");
      runner.dismiss();
    } catch (...) {
      StatusCode code;
      std::string message;
      describe_failure(code, message);
      const Error reason = followers.reason_behind(Error(code, message));
      take_no_more(reason.code(), reason.what());  // however long the model takes to go
      scheduler.end_all(reason.code(), reason.what());
      throw reason;
    }
  }

  void report(double fraction) {
    {
      const std::lock_guard lock(mailbox_->mutex);
      if (mailbox_->give_up || mailbox_->stop) Engine::Mailbox::fail_given_up();
      mailbox_->load_progress = fraction;
    }
    if (report_progress_) mailbox_->changed.notify_all();
  }

  void publish_limits(ModelRunner& runner) {
    const std::lock_guard lock(mailbox_->mutex);
    const ModelPlan& plan = runner.plan();
    mailbox_->limits = {plan.config(), plan.limits, plan.cache.kinds, plan.memory.cache_blocks};
    mailbox_->sums_of_ranks = describe_sums(plan.sums);
    mailbox_->graph = describe_graph(options_, plan.sums);
    mailbox_->ready = true;
    mailbox_->changed.notify_all();
  }

  bool stopped() {
    const std::lock_guard lock(mailbox_->mutex);
    return mailbox_->stop;
  }

  // Takes new requests; with nothing to do, waits for one. False: stop.
  bool receive(ModelRunner& runner, Scheduler& scheduler) {
    std::unique_lock lock(mailbox_->mutex);
    const auto has_news = [&] { return mailbox_->stop || mailbox_->woken || !mailbox_->inbox.empty(); };
    if (!busy_ && layout_.place.share.ranks == 1) {
      mailbox_->changed.wait(lock, has_news);
    } else if (!busy_) {
      // The other ranks wait for orders no longer than the time-out.
      while (!mailbox_->changed.wait_for(lock, std::chrono::milliseconds(layout_.timeout_ms / 4 + 1), has_news)) {
        lock.unlock();
        runner.keep_alive();
        lock.lock();
      }
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

  // Answers what came in and is not taken, and refuses what would come.
  void take_no_more(StatusCode code, const std::string& message) {
    std::vector<std::shared_ptr<RequestState>> late;
    {
      const std::lock_guard lock(mailbox_->mutex);
      late.swap(mailbox_->inbox);
      mailbox_->failure = code;
      mailbox_->failure_message = message;
      mailbox_->stop = true;
    }
    for (const auto& request : late) {
      if (code == StatusCode::ok) {
        request->finish(FinishReason::cancelled, 0);
      } else {
        request->fail(code, message);
      }
    }
  }

  // The model is gone by now; what came in meanwhile is answered, then whoever waits may go on.
  void end(StatusCode code, const std::string& message) noexcept {
    take_no_more(code, message);
    if (code != StatusCode::ok && code != StatusCode::cancelled) log(LogLevel::error, "engine ended: {}", message);
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->ended = true;
    mailbox_->changed.notify_all();
  }

  std::shared_ptr<Engine::Mailbox> mailbox_;
  ModelPlan plan_;
  RankLayout layout_;
  EngineOptions options_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  bool report_progress_;
  bool busy_ = false;
};

}  // namespace

void start_engine_thread(std::shared_ptr<Engine::Mailbox> mailbox, ModelPlan plan, RankLayout layout,
                         const EngineOptions& options, std::shared_ptr<const Tokenizer> tokenizer,
                         bool report_progress) {
  auto worker = std::make_unique<EngineThread>(mailbox, std::move(plan), std::move(layout), options,
                                               std::move(tokenizer), report_progress);
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
