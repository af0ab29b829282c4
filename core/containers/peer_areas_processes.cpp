// Areas of ranks in processes of one machine: each allocates its own, and opens the others' by what those tell of them.
#include <cstring>
#include <vector>

#include "core/base/log.h"
#include "core/containers/peer_areas.h"
#include "core/containers/plugin_call.h"

namespace graft {
namespace {

using kernels::SharedMemory;

class ProcessAreas final : public PeerAreas {
 public:
  ProcessAreas(const PeerPlace& place, Communicator& host, int64_t bytes)
      : place_(place), host_(host), areas_(static_cast<size_t>(host.size()), nullptr) {
    own() = allocate_area(place.plugin, place.device, bytes);
    try {
      word_ = allocate_word(place.plugin);
    } catch (...) {
      place.plugin.release(place.device, own());
      throw;
    }
  }
  ~ProcessAreas() override {
    close_others();
    place_.plugin.host_release(word_);
    if (!in_use_) {
      place_.plugin.release(place_.device, own());
      return;
    }
    log(LogLevel::warning,
        "peer memory: rank {} leaves its area to the end of the process: others may still write there", host_.rank());
  }
  ProcessAreas(const ProcessAreas&) = delete;
  ProcessAreas& operator=(const ProcessAreas&) = delete;

  void* area(int64_t rank) const override { return areas_[static_cast<size_t>(rank)]; }
  uint32_t* word() const override { return word_; }

  /// Whether every rank has come to the areas of all others; the same on every rank.
  bool meet() {
    const std::vector<SharedMemory> shared = tell_others();
    bool all = !shared.empty();
    for (int64_t r = 0; all && r < host_.size(); ++r) {
      if (r == host_.rank()) continue;
      all = succeeds(place_.plugin.open_shared, &shared[static_cast<size_t>(r)], &areas_[static_cast<size_t>(r)]);
    }
    if (agree(all)) return true;
    part();
    return false;
  }

  void use(bool from_now_on) noexcept override { in_use_ = from_now_on; }

  void part() override {
    close_others();
    agree(true);  // before anybody gives back what others had open
    in_use_ = false;
  }

 private:
  void*& own() { return areas_[static_cast<size_t>(host_.rank())]; }

  void close_others() noexcept {
    for (void*& there : areas_) {
      if (there == own() || there == nullptr) continue;
      place_.plugin.close_shared(place_.device, there);
      there = nullptr;
    }
  }

  /// Calls a function of the table; why it failed goes to the log.
  template <class Function, class... Args>
  bool succeeds(Function* function, Args... args) {
    try {
      plugin_call(function, "peer memory", place_.device, args...);
      return true;
    } catch (const Error& error) {
      log(LogLevel::warning, "rank {} of {}: {}", host_.rank(), host_.size(), error.what());
      return false;
    }
  }

  bool agree(bool own_word) {
    float missing = own_word ? 0 : 1;
    host_.all_reduce(&missing, 1);
    return missing == 0;
  }

  /// What each rank's area is known by; nothing where one has no such name. A float holds a byte.
  std::vector<SharedMemory> tell_others() {
    constexpr size_t count = sizeof(SharedMemory) + 1;
    SharedMemory name{};
    const bool can = succeeds(place_.plugin.share, own(), &name);
    std::vector<float> mine(name.bytes, name.bytes + sizeof name), all(count * areas_.size());
    mine.push_back(can ? 1 : 0);
    const std::vector<int64_t> counts(areas_.size(), count);
    host_.all_gather(mine.data(), counts.data(), all.data());
    std::vector<SharedMemory> names(areas_.size());
    for (size_t r = 0; r < names.size(); ++r) {
      const float* of_rank = all.data() + r * count;
      if (of_rank[count - 1] == 0) return {};
      for (size_t i = 0; i < sizeof(SharedMemory); ++i) names[r].bytes[i] = static_cast<uint8_t>(of_rank[i]);
    }
    return names;
  }

  const PeerPlace place_;
  Communicator& host_;
  std::vector<void*> areas_;
  uint32_t* word_ = nullptr;
  bool in_use_ = false;
};

// CUDA shares whole pieces of this size, whatever else lies in them.
constexpr int64_t piece = int64_t{2} << 20;

}  // namespace

std::unique_ptr<PeerAreas> make_process_areas(const PeerPlace& place, Communicator& host, int64_t bytes) {
  auto areas = std::make_unique<ProcessAreas>(place, host, (bytes + piece - 1) / piece * piece);
  if (!areas->meet()) return nullptr;
  return areas;
}

}  // namespace graft
