// Ranks as processes of their own: this test program started again as a follower.
#pragma once

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/conformance/support/session.h"

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
};

/// `context` 0: the model's own limit.
inline Engine open_rank(const Place& place, int64_t context = 0) {
  graft_engine_options* made = nullptr;
  check(graft_engine_options_new(&made), "options");
  const EngineOptions options(made);
  check(graft_engine_options_set_threads(made, 1), "threads");
  check(graft_engine_options_set_context_limit(made, context), "context limit");
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
    const Engine engine = open_rank({number(0), number(1), number(2), number(3)});
    do {
      status = graft_engine_wait(engine.get(), 1000);
    } while (status == GRAFT_STATUS_TIMEOUT);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %s: %s\n", arguments[0], error.what());
  }
  return status;
}

/// A child that opens its rank and follows. Killed when the object goes.
class Follower {
 public:
  explicit Follower(const Place& place) {
    const std::string rank = std::to_string(place.rank), world = std::to_string(place.world),
                      port = std::to_string(place.port), timeout = std::to_string(place.timeout_ms);
    pid_ = fork();
    if (pid_ != 0) return;
    execl("/proc/self/exe", "ranks_tests", "--follow", rank.c_str(), world.c_str(), port.c_str(), timeout.c_str(),
          static_cast<char*>(nullptr));
    _exit(125);
  }
  ~Follower() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  void signal(int number) const { kill(pid_, number); }
  /// The exit code: the status with which the follower's engine ended.
  int wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace graft::ranks
