// Areas of ranks that are threads of one process: one object has them all, and the word.
#include <map>
#include <mutex>
#include <vector>

#include "core/base/status.h"
#include "core/containers/peer_areas.h"
#include "core/containers/plugin_call.h"

namespace graft {
namespace {

class Group {
 public:
  Group(const kernels::DevicePlugin& plugin, int64_t ranks)
      : plugin_(plugin), areas_(static_cast<size_t>(ranks)), word_(allocate_word(plugin)) {}
  ~Group() {
    {
      const std::lock_guard lock(known().mutex);
      known().groups.erase(number_);
    }
    for (const Area& area : areas_) plugin_.release(area.device, area.memory);
    plugin_.host_release(word_);
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  /// Lets the other ranks of this process find it.
  static int64_t publish(const std::shared_ptr<Group>& group) {
    const std::lock_guard lock(known().mutex);
    group->number_ = ++known().made;
    known().groups[group->number_] = group;
    return group->number_;
  }
  static std::shared_ptr<Group> find(int64_t number) {
    const std::lock_guard lock(known().mutex);
    const auto found = known().groups.find(number);
    std::shared_ptr<Group> group = found != known().groups.end() ? found->second.lock() : nullptr;
    if (group == nullptr) fail(StatusCode::comm_error, "peer memory: rank 0 is gone, or in another process");
    return group;
  }

  void allocate(int64_t rank, int32_t device, int64_t bytes) {
    void* memory = allocate_area(plugin_, device, bytes);
    const std::lock_guard lock(mutex_);
    areas_[static_cast<size_t>(rank)] = {device, memory};
  }
  void* area(int64_t rank) {
    const std::lock_guard lock(mutex_);
    return areas_[static_cast<size_t>(rank)].memory;
  }
  uint32_t* word() const { return word_; }

 private:
  struct Area {
    int32_t device = 0;
    void* memory = nullptr;
  };
  struct Known {
    std::mutex mutex;
    std::map<int64_t, std::weak_ptr<Group>> groups;
    int64_t made = 0;
  };
  // Never destroyed: engines may end while the process does.
  static Known& known() {
    static auto* const once = new Known;
    return *once;
  }

  const kernels::DevicePlugin& plugin_;
  int64_t number_ = 0;
  std::mutex mutex_;
  std::vector<Area> areas_;
  uint32_t* word_;
};

class ThreadAreas final : public PeerAreas {
 public:
  explicit ThreadAreas(std::shared_ptr<Group> group) : group_(std::move(group)) {}

  void* area(int64_t rank) const override { return group_->area(rank); }
  uint32_t* word() const override { return group_->word(); }

 private:
  std::shared_ptr<Group> group_;
};

}  // namespace

std::unique_ptr<PeerAreas> make_thread_areas(const PeerPlace& place, Communicator& host, int64_t bytes) {
  std::shared_ptr<Group> group;
  int64_t number = 0;
  if (host.rank() == 0) {
    group = std::make_shared<Group>(place.plugin, host.size());
    number = Group::publish(group);
  }
  host.broadcast(&number, sizeof number);
  if (host.rank() != 0) group = Group::find(number);
  group->allocate(host.rank(), place.device, bytes);
  float there = 1;
  host.all_reduce(&there, 1);
  return std::make_unique<ThreadAreas>(std::move(group));
}

}  // namespace graft
