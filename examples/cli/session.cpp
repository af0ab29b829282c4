#include "session.h"

#include <chrono>
#include <cstdio>

#include "human.h"
#include "interrupt.h"
#include "output.h"
#include "progress.h"
#include "ranks.h"

namespace cli {
namespace {

constexpr int64_t close_timeout_ms = 10000;

Engine open_engine(const CommonOptions& options, const LaunchedRanks& ranks) {
  const EngineOptions engine_options = make_engine_options(options);
  LoadProgress progress(!ranks.follows());
  progress.attach(engine_options.get());
  graft_engine* engine = nullptr;
  const graft_status status = graft_engine_open(options.model.c_str(), -1, engine_options.get(), &engine);
  if (status == GRAFT_STATUS_CANCELLED && interrupted()) throw Interrupted();
  check(status);
  return Engine(engine);
}

int follow(graft_engine* engine) {
  for (;;) {
    const graft_status status = graft_engine_wait(engine, poll_ms);
    if (status == GRAFT_STATUS_OK) return exit_ok;
    if (status != GRAFT_STATUS_TIMEOUT) check(status);
    if (interrupted()) throw Interrupted();
  }
}

void print_profile(graft_engine* engine) {
  const Profile profile = make<Profile>(graft_profile_take, engine);
  std::fflush(stdout);
  print_human(parse_json(make<String>(graft_profile_table, profile.get())), stderr);
}

int use_engine(const CommonOptions& options, const Session& session, const LaunchedRanks& ranks,
               const std::function<int(const Session&)>& work) {
  if (options.profile) check(graft_engine_profile(session.engine, 1));
  const int code = ranks.follows() ? follow(session.engine) : work(session);
  if (options.profile && !ranks.follows()) print_profile(session.engine);
  return code;
}

}  // namespace

int with_engine(const CommonOptions& options, const std::function<int(const Session&)>& work) {
  const LaunchedRanks ranks = launched_ranks();
  const auto start = std::chrono::steady_clock::now();
  Engine engine = open_engine(options, ranks);
  const std::chrono::duration<double> load = std::chrono::steady_clock::now() - start;
  int code = exit_failure;
  try {
    code = use_engine(options, {engine.get(), load.count()}, ranks, work);
  } catch (...) {
    // A rank that fails leaves without closing, so that the others see it fail and end with a failure too.
    if (ranks.several()) engine.release();
    throw;
  }
  const graft_status closed = graft_engine_close(engine.get(), close_timeout_ms);
  if (closed != GRAFT_STATUS_TIMEOUT) check(closed);  // ending the process with a busy engine is allowed
  return code;
}

nlohmann::ordered_json engine_info(const Session& session) {
  return parse_json(make<String>(graft_engine_info, session.engine));
}

Tokenizer find_tokenizer(const Session& session) {
  graft_tokenizer* tokenizer = nullptr;
  const graft_status status = graft_engine_tokenizer(session.engine, &tokenizer);
  if (status != GRAFT_STATUS_NOT_FOUND && status != GRAFT_STATUS_UNSUPPORTED) check(status);
  return Tokenizer(tokenizer);
}

}  // namespace cli
