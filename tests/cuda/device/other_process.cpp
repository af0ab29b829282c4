#include "tests/cuda/device/other_process.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

constexpr int64_t bytes = 2 << 20;

SharedMemory shared_of(const std::string& digits) {
  SharedMemory shared{};
  if (digits.size() != 2 * sizeof shared.bytes) throw std::runtime_error("no memory has the name '" + digits + "'");
  for (size_t i = 0; i < sizeof shared.bytes; ++i) {
    shared.bytes[i] = static_cast<uint8_t>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
  }
  return shared;
}

/// Device 0 and a stream there; what fails ends the role.
struct Session {
  Session() {
    emulated::device();  // ends the program where there is none
    ok(plugin.make_current(0, &error));
    ok(plugin.stream_new(0, &stream, &error));
  }
  void ok(int32_t status) const {
    if (status != plugin_ok) throw std::runtime_error(text);
  }
  void copy(void* to, const void* from, int64_t count) {
    ok(plugin.copy(stream, to, from, count, &error));
    ok(plugin.synchronize(stream, &error));
  }
  void* allocate() {
    void* made = nullptr;
    ok(plugin.allocate(0, bytes, &made, &error));
    return made;
  }
  void* open(const std::string& name) {
    const SharedMemory shared = shared_of(name);
    void* there = nullptr;
    ok(plugin.open_shared(0, &shared, &there, &error));
    return there;
  }

  const DevicePlugin& plugin = *graft_cuda_plugin();
  char text[512] = "";
  PluginError error{text, sizeof text};
  void* stream = nullptr;
};

int change(const std::string& name) {
  Session session;
  void* there = session.open(name);
  int32_t values[3] = {};
  session.copy(values, there, sizeof values);
  const bool right = values[0] == 1 && values[1] == 2 && values[2] == 3;
  for (int32_t& value : values) value *= 10;
  session.copy(there, values, sizeof values);
  session.plugin.close_shared(0, there);
  return right ? 0 : 1;
}

int own() {
  Session session;
  SharedMemory shared{};
  session.ok(session.plugin.share(0, session.allocate(), &shared, &session.error));
  std::printf("memory %s of process %d\n", text_of(shared).c_str(), static_cast<int>(getpid()));
  std::fflush(stdout);
  std::this_thread::sleep_for(std::chrono::seconds(60));
  return 1;
}

int outlive() {
  FILE* output = popen(other_process("--own", "").c_str(), "r");
  if (output == nullptr) return 1;
  char line[512] = "", name[256] = "";
  int owner = 0;
  while (std::fgets(line, sizeof line, output) != nullptr &&
         std::sscanf(line, "memory %255s of process %d", name, &owner) != 2) {
  }
  if (owner <= 0) return 1;
  Session session;
  void *there = session.open(name), *from = session.allocate();
  const auto write_for = [&](std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) session.copy(there, from, bytes);
  };
  write_for(std::chrono::milliseconds(100));
  kill(owner, SIGKILL);
  pclose(output);
  try {
    write_for(std::chrono::seconds(2));
    std::printf("writing to the memory of a process that was killed works on\n");
  } catch (const std::exception& error) {
    std::printf("writing to the memory of a process that was killed: %s\n", error.what());
  }
  return 0;
}

}  // namespace

std::string text_of(const SharedMemory& shared) {
  constexpr const char* digit = "0123456789abcdef";
  std::string digits;
  for (const uint8_t byte : shared.bytes) digits.append({digit[byte >> 4], digit[byte & 15]});
  return digits;
}

std::string other_process(const std::string& role, const std::string& argument) {
  std::string command = "'";
  command += std::filesystem::read_symlink("/proc/self/exe").string();
  return command.append("' ").append(role).append(" ").append(argument);
}

int play_role(int argc, char** argv) {
  const std::string_view role = argc > 1 ? argv[1] : "";
  try {
    if (role == "--change" && argc == 3) return change(argv[2]);
    if (role == "--own") return own();
    if (role == "--outlive") return outlive();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[1], error.what());
    return 1;
  }
  return -1;
}

}  // namespace graft::kernels::testing
