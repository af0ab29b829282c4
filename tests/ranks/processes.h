// Ranks as processes of their own: this test program started again as a follower.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/conformance/support/device.h"
#include "tests/conformance/support/session.h"
#include "tests/device/stand_in.h"

namespace graft::ranks {

using namespace graft::conformance;

inline int64_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("no free port");
  }
  close(fd);
  return ntohs(address.sin_port);
}

struct Place {
  int64_t rank = 0;
  int64_t world = 1;
  int64_t port = 0;
  int64_t timeout_ms = 0;
  std::string device = "cpu";
  int32_t devices = 3;  ///< that each process sees; ranks take them in turn
  bool graph = true;
};

/// `context` 0: the model's own limit.
inline Engine open_rank(const Place& place, int64_t context = 0) {
  if (place.device != "cpu") {
    const auto faults = reinterpret_cast<stand_in::GetFaults>(dlsym(prepare_cuda(), stand_in::get_faults_symbol));
    faults()->devices = place.devices;
  }
  graft_engine_options* made = nullptr;
  check(graft_engine_options_new(&made), "options");
  const EngineOptions options(made);
  check(graft_engine_options_set_device(made, place.device.c_str(), -1), "device");
  check(graft_engine_options_set_threads(made, 1), "threads");
  check(graft_engine_options_set_context_limit(made, context), "context limit");
  check(graft_engine_options_set_graph(made, place.graph ? 1 : 0), "graph");
  check(graft_engine_options_set_rank(made, place.rank, place.world, "127.0.0.1", -1, place.port, place.timeout_ms),
        "rank");
  graft_engine* engine = nullptr;
  check(graft_engine_open(std::getenv("GRAFT_TEST_MODEL"), -1, made, &engine), "open");
  return Engine(engine);
}

/// What a child does with the arguments of Follower: its exit code is the status that graft_engine_wait gave.
inline int follow(char** arguments) {
  const auto number = [&](int i) { return static_cast<int64_t>(std::atoll(arguments[i])); };
  graft_status status = GRAFT_STATUS_INTERNAL;
  try {
    const Engine engine =
        open_rank({number(0), number(1), number(2), number(3), arguments[4], static_cast<int32_t>(number(5))});
    do {
      status = graft_engine_wait(engine.get(), 1000);
    } while (status == GRAFT_STATUS_TIMEOUT);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %s: %s\n", arguments[0], error.what());
  }
  return status;
}

/// A child that opens its rank and follows. Killed when the object goes; one that nobody waited for and that has ended
/// by itself by then says how.
class Follower {
 public:
  explicit Follower(const Place& place) : rank_(place.rank) {
    const std::string rank = std::to_string(place.rank), world = std::to_string(place.world),
                      port = std::to_string(place.port), timeout = std::to_string(place.timeout_ms),
                      devices = std::to_string(place.devices);
    pid_ = fork();
    if (pid_ != 0) return;
    execl("/proc/self/exe", "ranks_tests", "--follow", rank.c_str(), world.c_str(), port.c_str(), timeout.c_str(),
          place.device.c_str(), devices.c_str(), static_cast<char*>(nullptr));
    _exit(125);
  }
  ~Follower() {
    if (pid_ <= 0) return;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      std::fprintf(stderr, "rank %lld had ended: exit code or signal %d\n", static_cast<long long>(rank_),
                   code_of(status));
      return;
    }
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  void signal(int number) const { kill(pid_, number); }
  /// The exit code: the status with which the follower's engine ended.
  int wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return code_of(status);
  }

 private:
  static int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

  int64_t rank_;
  pid_t pid_ = 0;
};

using Clock = std::chrono::steady_clock;

inline constexpr int64_t patient_ms = 60'000;
inline constexpr int64_t short_ms = 3'000;
inline const Tokens prompt = {1, 20, 35, 50, 65, 80};

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

inline std::vector<std::unique_ptr<Follower>> start_followers(Place place) {
  std::vector<std::unique_ptr<Follower>> followers;
  for (place.rank = 1; place.rank < place.world; ++place.rank) followers.push_back(std::make_unique<Follower>(place));
  return followers;
}

inline RequestOptions greedy(int64_t tokens) {
  RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  check(graft_request_options_set_greedy(options.get(), 1), "greedy");
  check(graft_request_options_set_max_tokens(options.get(), tokens), "max tokens");
  check(graft_request_options_set_ignore_eos(options.get(), 1), "ignore eos");
  return options;
}

/// Generates until a few tokens have come, then strikes; returns how the request ended.
inline graft_status strike(graft_engine* engine, const std::function<void()>& blow) {
  const Request request = submit(engine, prompt, greedy(200).get());
  const Event event = make_event();
  for (int token = 0; token < 3;) {
    check(graft_request_next(request.get(), patient_ms, event.get()), "next");
    token += graft_event_kind(event.get()) == GRAFT_EVENT_TOKEN;
  }
  blow();
  return graft_request_wait(request.get(), patient_ms);
}

/// Three ranks, one of which is killed while they work: every other one's engine ends within the time-out.
inline void expect_killed_rank_is_told(const Place& place) {
  auto followers = start_followers(place);
  Engine engine = open_rank(place);
  const auto begin = Clock::now();
  EXPECT_EQ(strike(engine.get(), [&] { followers[0]->signal(SIGKILL); }), GRAFT_STATUS_COMM_ERROR);
  EXPECT_EQ(graft_engine_wait(engine.get(), patient_ms), GRAFT_STATUS_COMM_ERROR);
  engine.reset();
  EXPECT_EQ(followers[0]->wait(), -SIGKILL);
  EXPECT_EQ(followers[1]->wait(), GRAFT_STATUS_COMM_ERROR);
  EXPECT_LT(seconds_since(begin), 3.0 * static_cast<double>(place.timeout_ms) / 1000);
}

/// Two ranks, one of which stops while they work.
inline void expect_hung_rank_is_told(const Place& place) {
  auto followers = start_followers(place);
  const Engine engine = open_rank(place);
  const auto begin = Clock::now();
  EXPECT_EQ(strike(engine.get(), [&] { followers[0]->signal(SIGSTOP); }), GRAFT_STATUS_COMM_ERROR);
  EXPECT_EQ(graft_engine_wait(engine.get(), patient_ms), GRAFT_STATUS_COMM_ERROR);
  EXPECT_LT(seconds_since(begin), 3.0 * static_cast<double>(place.timeout_ms) / 1000);
}

}  // namespace graft::ranks
