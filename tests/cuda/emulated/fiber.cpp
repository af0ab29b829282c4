#include "tests/cuda/emulated/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace emulated {
namespace {
constexpr size_t stack_bytes = 256 * 1024;  // only what is touched is ever memory
thread_local Fiber* entering = nullptr;
}  // namespace

#if defined(__x86_64__)
// ucontext asks the kernel for the signal mask at every switch; a barrier of 256 threads is 256 switches, so the six
// registers that a call must keep are saved by hand.
extern "C" void graft_emulated_switch(void** save, void* to);
asm(R"(
.text
.globl graft_emulated_switch
.hidden graft_emulated_switch
.type graft_emulated_switch, @function
graft_emulated_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size graft_emulated_switch, .-graft_emulated_switch
)");

static void* first_frame(unsigned char* stack, void (*entry)()) {
  auto* top = reinterpret_cast<uintptr_t*>(stack + stack_bytes - 64);  // 16-byte aligned: the return address's place
  *top = reinterpret_cast<uintptr_t>(entry);
  for (int i = 1; i <= 6; ++i) top[-i] = 0;
  return top - 6;
}
#else
static void graft_emulated_switch(void** save, void* to) {
  ucontext_t here;
  *save = &here;
  swapcontext(&here, static_cast<ucontext_t*>(to));
}

static void* first_frame(unsigned char* stack, void (*entry)()) {
  auto* context = new (stack) ucontext_t;  // the lowest bytes of the stack, which no body reaches
  getcontext(context);
  context->uc_stack.ss_sp = stack + 4096;
  context->uc_stack.ss_size = stack_bytes - 4096;
  makecontext(context, entry, 0);
  return context;
}
#endif

// What the sanitizers are told, so that they follow the stacks.
struct Fiber::Sanitizer {
  void* fake_stack = nullptr;
  void* owner_fake_stack = nullptr;
  const void* owner_bottom = nullptr;
  size_t owner_size = 0;
  void* fiber = nullptr;
  void* owner = nullptr;
};

Fiber::Fiber()
    : stack_(static_cast<unsigned char*>(
          mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))),
      sanitizer_(new Sanitizer) {
  if (stack_ == MAP_FAILED) throw std::bad_alloc();
#if defined(__SANITIZE_THREAD__)
  sanitizer_->fiber = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
#if defined(__SANITIZE_THREAD__)
  __tsan_destroy_fiber(sanitizer_->fiber);
#endif
  delete sanitizer_;
  munmap(stack_, stack_bytes);
}

void Fiber::prepare(void (*body)(void*), void* context) {
  // A fiber whose body has ended waits at the end of its loop and can go on from there; an abandoned one cannot.
  if (own_ == nullptr || !ended_) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(stack_, stack_bytes);  // frames that never returned
#endif
    own_ = first_frame(stack_, &Fiber::main);
  }
  body_ = body;
  context_ = context;
  ended_ = false;
}

bool Fiber::enter() {
  entering = this;
  switch_to_fiber();
  return ended_;
}

void Fiber::leave() { switch_to_owner(); }

void Fiber::main() {
  Fiber* self = entering;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &self->sanitizer_->owner_bottom, &self->sanitizer_->owner_size);
#endif
  for (;;) {
    self->body_(self->context_);
    self->ended_ = true;
    self->switch_to_owner();
  }
}

void Fiber::switch_to_fiber() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&sanitizer_->owner_fake_stack, stack_, stack_bytes);
#endif
#if defined(__SANITIZE_THREAD__)
  sanitizer_->owner = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(sanitizer_->fiber, 0);
#endif
  graft_emulated_switch(&owner_, own_);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(sanitizer_->owner_fake_stack, nullptr, nullptr);
#endif
}

void Fiber::switch_to_owner() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&sanitizer_->fake_stack, sanitizer_->owner_bottom, sanitizer_->owner_size);
#endif
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(sanitizer_->owner, 0);
#endif
  graft_emulated_switch(&own_, owner_);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(sanitizer_->fake_stack, &sanitizer_->owner_bottom, &sanitizer_->owner_size);
#endif
}

}  // namespace emulated
