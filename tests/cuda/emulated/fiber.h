// Stacks to switch between on one operating system thread: the threads of an emulated block.
#pragma once

#include <cstddef>

namespace emulated {

/// One stack that runs `body` again and again, each time it is entered after body has ended or been abandoned. It
/// belongs to the operating system thread that made it.
class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Prepares a run of body(context) from the beginning, whatever the stack held.
  void prepare(void (*body)(void*), void* context);
  /// Runs until the fiber leaves or its body ends. Returns whether the body has ended.
  bool enter();
  /// Called on the fiber: goes back to whoever entered it.
  void leave();

 private:
  struct Sanitizer;
  static void main();
  void switch_to_fiber();
  void switch_to_owner();

  unsigned char* stack_;
  void* own_ = nullptr;    ///< where the fiber goes on
  void* owner_ = nullptr;  ///< where whoever entered it goes on
  void (*body_)(void*) = nullptr;
  void* context_ = nullptr;
  bool ended_ = true;
  Sanitizer* sanitizer_ = nullptr;
};

}  // namespace emulated
