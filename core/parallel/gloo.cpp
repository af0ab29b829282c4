// c10d's Gloo group. It promises: gloo's ring reduces each chunk along one chain of ranks and then hands the finished
// chunk around, so that all ranks get the same bits. It lacks abort(): closed connections free the peers, and a rank
// waits in short turns to see its own.
#include "core/parallel/gloo.h"

#include <ATen/ATen.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "core/base/status.h"

namespace graft {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds turn{50};  // how long an abort may go unnoticed
constexpr int64_t max_timeout_ms = int64_t{24} * 3600 * 1000;

class Group final : public c10d::ProcessGroupGloo {
 public:
  using ProcessGroupGloo::ProcessGroupGloo;
  /// Ends whatever waits here and, by the closed sockets, at the peers.
  void close() {
    for (auto& context : contexts_) {
      context->closeConnections();
    }
  }
};

/// Connects, retrying until the deadline. Returns the number of this machine's end: the address peers can reach.
/// TCPStore would retry too, but far beyond its time-out, and print stack traces meanwhile.
std::string reach(const RankAddress& where, Clock::time_point deadline) {
  const auto port = std::to_string(where.port);
  std::string reason;
  do {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(where.address.c_str(), port.c_str(), &hints, &found); error != 0) {
      reason = gai_strerror(error);
      found = nullptr;
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, [](addrinfo* a) {
      if (a != nullptr) {
        freeaddrinfo(a);
      }
    });
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      const int socket_fd = ::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (socket_fd < 0) {
        continue;
      }
      const auto left = std::chrono::duration_cast<std::chrono::microseconds>(deadline - Clock::now()).count();
      const timeval limit{std::max<time_t>(0, left / 1000000), std::max<suseconds_t>(1000, left % 1000000)};
      setsockopt(socket_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);  // bounds connect
      sockaddr_storage local{};
      socklen_t length = sizeof local;
      char text[NI_MAXHOST];
      const bool done =
          ::connect(socket_fd, one->ai_addr, one->ai_addrlen) == 0 &&
          getsockname(socket_fd, reinterpret_cast<sockaddr*>(&local), &length) == 0 &&
          getnameinfo(reinterpret_cast<sockaddr*>(&local), length, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0;
      if (!done) {
        reason = std::strerror(errno);
      }
      ::close(socket_fd);
      if (done) {
        return text;
      }
    }
    std::this_thread::sleep_for(milliseconds(20));
  } while (Clock::now() < deadline);
  fail(StatusCode::comm_error, "gloo group: rank {} of {} found no store at {}:{} in time ({})", where.rank,
       where.world, where.address, where.port, reason);
}

c10::intrusive_ptr<c10d::TCPStore> open_store(const RankAddress& where, int64_t timeout_ms, bool host) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(where.port);
  options.isServer = host;
  options.waitWorkers = false;  // the group waits for its ranks itself
  options.timeout = milliseconds(timeout_ms);
  options.multiTenant = true;
  return c10::make_intrusive<c10d::TCPStore>(where.address, options);
}

/// The server of rank 0 serves all groups of the process, one after another and side by side. It stays: a peer that
/// forms its next group early must not meet a server that is about to go. Never destroyed: that would race LibTorch's
/// own destructors when the process ends.
void host_store(const RankAddress& where, int64_t timeout_ms) {
  static auto* const mutex = new std::mutex;
  static auto* const hosted = new std::map<int64_t, c10::intrusive_ptr<c10d::TCPStore>>;
  const std::lock_guard lock(*mutex);
  auto& store = (*hosted)[where.port];
  if (!store) {
    store = open_store(where, timeout_ms, true);
  }
}

/// Starts a collective, one at a time in the process. LibTorch 2.11 enters a group into a table of the process when its
/// first collective starts (FlightRecorder::all_pg_status_), and looks there at each later one, before it takes its own
/// lock: two groups that start side by side broke the table, and with it the host.
template <class Start>
auto start(Start collective) {
  static auto* const mutex = new std::mutex;  // never destroyed, as the store's
  const std::lock_guard lock(*mutex);
  return collective();
}

std::string first_line(const char* text) { return std::string(text, std::strcspn(text, "\n")); }

class GlooCommunicator final : public Communicator {
 public:
  GlooCommunicator(const RankAddress& where, int64_t timeout_ms) : rank_(where.rank), size_(where.world) {
    const c10::InferenceMode normal_tensors(false);
    const auto deadline = Clock::now() + milliseconds(timeout_ms);
    const auto name = fmt::format("gloo group: rank {} of {} at {}:{}", rank_, size_, where.address, where.port);
    try {
      if (rank_ == 0 && !where.agent_store) {
        host_store(where, timeout_ms);
      }
      const auto local = reach(where, deadline);
      auto store = open_store(where, timeout_ms, false);
      const auto generation = store->add(fmt::format("{}/groups of {}", where.prefix, rank_), 1);
      auto options = c10d::ProcessGroupGloo::Options::create(milliseconds(timeout_ms));
      options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(local));
      options->threads = 1;  // collectives come one at a time
      group_ = c10::make_intrusive<Group>(
          c10::make_intrusive<c10d::PrefixStore>(fmt::format("{}/{}", where.prefix, generation), std::move(store)),
          static_cast<int>(rank_), static_cast<int>(size_), std::move(options));
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      fail(StatusCode::comm_error, "{}: {}", name, first_line(error.what()));
    }
  }

  /// Milliseconds, also after a failure. A collective that was aborted ends in gloo only at its time-out, and c10d's
  /// destructor waits for it: that is left to a thread, which needs nothing of ours.
  ~GlooCommunicator() override {
    abort();
    try {
      if (pending_ && !pending_->isCompleted()) {
        std::thread([group = std::move(group_)]() mutable { group.reset(); }).detach();
      }
      group_.reset();
    } catch (...) {  // no thread to be had: the group is released here, later
    }
  }

  int64_t rank() const override { return rank_; }
  int64_t size() const override { return size_; }

  void all_reduce(float* data, int64_t count) override {
    run("all_reduce", count, [&] {
      auto sums = floats(mine_, count);
      std::memcpy(sums.data_ptr(), data, static_cast<size_t>(count) * sizeof(float));
      std::vector<at::Tensor> tensors{sums};
      finish(start([&] { return group_->allreduce(tensors); }));
      std::memcpy(data, sums.data_ptr(), static_cast<size_t>(count) * sizeof(float));
    });
  }

  void all_gather(const float* mine, const int64_t* counts, float* all) override {
    int64_t widest = 0;
    for (int64_t rank = 0; rank < size_; ++rank) {
      check_size("all_gather", counts[rank]);
      widest = std::max(widest, counts[rank]);
    }
    run("all_gather", widest, [&] {  // Gloo's ranks give equal shares: padded to the widest
      auto given = floats(mine_, widest);
      std::copy_n(mine, counts[rank_], given.mutable_data_ptr<float>());  // a rank may have none
      auto got = floats(all_, widest * size_);
      finish(start([&] { return group_->_allgather_base(got, given); }));
      const auto* from = got.const_data_ptr<float>();
      for (int64_t rank = 0; rank < size_; ++rank) {
        all = std::copy_n(from + rank * widest, counts[rank], all);
      }
    });
  }

  void broadcast(void* data, int64_t bytes) override {
    run("broadcast", bytes, [&] {
      auto sent = floats(mine_, (bytes + 3) / 4);
      if (rank_ == 0) {
        std::memcpy(sent.data_ptr(), data, static_cast<size_t>(bytes));
      }
      std::vector<at::Tensor> tensors{sent};
      finish(start([&] { return group_->broadcast(tensors); }));
      if (rank_ != 0) {
        std::memcpy(data, sent.data_ptr(), static_cast<size_t>(bytes));
      }
    });
  }

  void check() override {
    if (broken_) {
      fail(StatusCode::comm_error, "gloo group: rank {} of {}: the group is broken or aborted", rank_, size_);
    }
  }

  void abort() noexcept override {
    if (broken_.exchange(true)) {
      return;
    }
    try {
      if (group_) {
        group_->close();
      }
    } catch (...) {  // closed enough: broken_ is set
    }
  }

 private:
  void check_size(const char* what, int64_t size) const {
    if (size < 0) {
      fail(StatusCode::invalid_argument, "{}: rank {} found size {}, expected 0 or more", what, rank_, size);
    }
  }

  static at::Tensor floats(at::Tensor& buffer, int64_t count) {
    if (!buffer.defined() || buffer.numel() < count) {
      buffer = at::zeros({count});
    }
    return buffer.narrow(0, 0, count);
  }

  template <class Body>
  void run(const char* what, int64_t size, Body body) {
    check_size(what, size);
    if (broken_) {
      fail(StatusCode::comm_error, "gloo group: rank {} of {} in {}: the group is broken or aborted", rank_, size_,
           what);
    }
    if (size == 0) {
      return;
    }
    const c10::InferenceMode normal_tensors(false);  // the group's own thread writes to them
    try {
      body();
    } catch (const std::exception& error) {
      const bool aborted = broken_;
      abort();
      fail(StatusCode::comm_error, "gloo group: rank {} of {} in {}: {}", rank_, size_, what,
           aborted ? std::string("aborted") : first_line(error.what()));
    }
  }

  /// Waits in short turns: closed connections free the peers at once, but not the collective of this rank.
  void finish(c10::intrusive_ptr<c10d::Work> work) {
    pending_ = std::move(work);
    while (true) {
      try {
        pending_->wait(turn);
        break;
      } catch (const std::exception&) {
        if (broken_ || pending_->isCompleted()) {
          throw;
        }
      }
    }
    pending_.reset();
  }

  const int64_t rank_;
  const int64_t size_;
  c10::intrusive_ptr<Group> group_;
  c10::intrusive_ptr<c10d::Work> pending_;  // holds its tensors
  std::atomic<bool> broken_{false};
  at::Tensor mine_, all_;  // our own memory: a collective that was given up may still use it
};

}  // namespace

std::unique_ptr<Communicator> make_gloo_communicator(const RankAddress& where, int64_t timeout_ms) {
  if (where.world < 1 || where.world > 4096 || where.rank < 0 || where.rank >= where.world) {
    fail(StatusCode::invalid_argument, "gloo group: found rank {} of {}, expected 0 to one less than 1 to 4096",
         where.rank, where.world);
  }
  if (where.port < 1 || where.port > 65535 || where.address.empty()) {
    fail(StatusCode::invalid_argument, "gloo group: found store '{}' port {}, expected a host and a port to 65535",
         where.address, where.port);
  }
  if (timeout_ms < 1) {
    fail(StatusCode::invalid_argument, "gloo group: found a time-out of {} ms, expected 1 or more", timeout_ms);
  }
  return std::make_unique<GlooCommunicator>(where, std::min(timeout_ms, max_timeout_ms));
}

}  // namespace graft
