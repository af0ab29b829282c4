#include "core/generation/engine.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/log.h"
#include "core/engine/info.h"
#include "core/engine/model_plan.h"
#include "core/generation/engine_thread.h"
#include "core/generation/exit_guard.h"
#include "core/generation/mailbox.h"

namespace graft {
namespace {

constexpr int64_t default_max_queue = 1024;

// Waits for the load, showing its progress on this thread: from 0, never falling, to 1. Rethrows the thread's failure.
// A load that was cancelled fails even if it was done by then.
void await_ready(Engine::Mailbox& mailbox, const Engine::Progress& progress) {
  double shown = -1;
  std::unique_lock lock(mailbox.mutex);
  const auto show = [&](double fraction) {
    shown = fraction;
    lock.unlock();
    const bool give_up = progress(fraction);
    lock.lock();
    mailbox.give_up = mailbox.give_up || give_up;
  };
  const auto is_over = [&] { return mailbox.ready || mailbox.ended; };
  if (progress) show(0);
  while (!is_over()) {
    mailbox.changed.wait(lock,
                         [&] { return is_over() || (progress && !mailbox.give_up && mailbox.load_progress > shown); });
    if (!is_over()) show(mailbox.load_progress);
  }
  if (mailbox.ended) throw Error(mailbox.failure, mailbox.failure_message);
  if (progress && !mailbox.give_up && shown < 1) show(1);
  if (mailbox.give_up) Engine::Mailbox::fail_given_up();
}

}  // namespace

std::shared_ptr<Engine> Engine::open(const std::string& path, const EngineOptions& options, const Progress& progress) {
  std::shared_ptr<Engine> engine(new Engine);
  engine->path_ = path;
  RankLayout layout = plan_ranks(options);
  ModelPlan plan = plan_model(path, options, layout.place);
  try {
    engine->tokenizer_ = Tokenizer::open(path);
  } catch (const Error& error) {
    // Token ids still work without one; a tokenizer that is there and broken is worth a line.
    engine->tokenizer_problem_ = error.what();
    if (error.code() != StatusCode::not_found) log(LogLevel::warning, "{}", error.what());
  }
  try {
    const bool own = plan.config().pooled_token || plan.config().head.kind == HeadKind::embedding;
    engine->sentence_model_ = read_sentence_model(path, own ? Pooling::token : Pooling::mean);
  } catch (const Error& error) {
    engine->sentence_problem_ = error;  // of interest to embeddings alone
  }
  engine->chat_template_ = ChatTemplate::open(path);
  engine->info_ = describe_plan(plan, options, /*loaded=*/true).dump();
  engine->mailbox_ = std::make_shared<Mailbox>();
  engine->mailbox_->follows = layout.follows();
  engine->mailbox_->max_queue = options.max_queue > 0 ? options.max_queue : default_max_queue;
  start_engine_thread(engine->mailbox_, std::move(plan), std::move(layout), options, engine->tokenizer_,
                      progress != nullptr);
  guard_exit(engine->mailbox_);
  try {
    await_ready(*engine->mailbox_, progress);
  } catch (...) {  // its thread may still be at work
    renew_exit_guard();
    throw;
  }
  renew_exit_guard();
  return engine;
}

Engine::~Engine() {
  if (mailbox_) mailbox_->post_stop();
}

std::shared_ptr<RequestState> Engine::submit(RequestSpec spec, std::shared_ptr<EventStream> queue) {
  if (mailbox_->follows) fail(StatusCode::invalid_state, "this process follows rank 0, which takes the requests");
  check_request(spec, mailbox_->limits);
  const bool own_stream = queue == nullptr;
  auto request = std::make_shared<RequestState>(
      std::move(spec), own_stream ? std::make_shared<EventStream>() : std::move(queue), own_stream);
  {
    const std::lock_guard lock(mailbox_->mutex);
    if (mailbox_->failure != StatusCode::ok) throw Error(mailbox_->failure, mailbox_->failure_message);
    if (mailbox_->stop || mailbox_->ended) fail(StatusCode::closed, "the engine was closed");
    if (static_cast<int64_t>(mailbox_->inbox.size()) + mailbox_->waiting.load() >= mailbox_->max_queue) {
      fail(StatusCode::busy, "{} requests wait already, the most this engine takes (max_queue)", mailbox_->max_queue);
    }
    mailbox_->submitted.fetch_add(1);
    mailbox_->inbox.push_back(request);
  }
  mailbox_->changed.notify_all();
  return request;
}

void Engine::wake() {
  {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->woken = true;
  }
  mailbox_->changed.notify_all();
}

bool Engine::close(int64_t timeout_ms) {
  mailbox_->post_stop();
  const WaitLimit limit(timeout_ms);
  std::unique_lock lock(mailbox_->mutex);
  return limit.wait(mailbox_->changed, lock, [&] { return mailbox_->ended; });
}

StatusCode Engine::wait(int64_t timeout_ms, std::string& message) {
  const WaitLimit limit(timeout_ms);
  std::unique_lock lock(mailbox_->mutex);
  if (!limit.wait(mailbox_->changed, lock, [&] { return mailbox_->ended; })) return StatusCode::timeout;
  message = mailbox_->failure_message;
  return mailbox_->failure;
}

const ModelConfig& Engine::config() const { return mailbox_->limits.config; }

const SentenceModel& Engine::sentence_model() const {
  if (sentence_problem_) throw *sentence_problem_;
  return sentence_model_;
}

nlohmann::json Engine::describe_embedding() const {
  if (sentence_problem_) return {{"problem", sentence_problem_->what()}};
  return {{"pooling", name_of(sentence_model_.pooling)},
          {"normalize", sentence_model_.normalize},
          {"max_tokens", sentence_model_.max_tokens},
          {"prompts", sentence_model_.prompts},
          {"default_prompt", sentence_model_.default_prompt}};
}

std::string Engine::info_json() const {
  nlohmann::json info = nlohmann::json::parse(info_);
  info["tensor_parallel"]["sums_of_ranks"] = mailbox_->sums_of_ranks;
  info["graph"] = mailbox_->graph;
  info["tokenizer"] = tokenizer_ != nullptr;
  info["embedding"] = describe_embedding();
  return info.dump();
}

void Engine::profile(bool on) { mailbox_->profiler.enable(on); }

Profile Engine::take_profile() {
  if (mailbox_->follows) fail(StatusCode::invalid_state, "this process follows rank 0, which measures");
  return mailbox_->profiler.take();
}

std::string Engine::stats_json() const {
  const Mailbox& box = *mailbox_;
  return nlohmann::json{{"requests_submitted", box.submitted.load()},
                        {"requests_waiting", box.waiting.load()},
                        {"sequences_running", box.running.load()},
                        {"steps", box.steps.load()},
                        {"tokens_computed", box.tokens.load()},
                        {"step_seconds", static_cast<double>(box.step_nanoseconds.load()) * 1e-9}}
      .dump();
}

}  // namespace graft
