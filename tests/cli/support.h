// Runs the `graft` program, which the environment variable GRAFT_CLI names, as a shell would.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace graft_cli_test {

using Json = nlohmann::json;

struct Result {
  int exit_code = -1;
  std::string out;
  std::string err;
};

/// The value of an environment variable; fails the test if it is unset, so that a test never passes by not running.
inline std::string required_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

inline std::string test_model() { return required_environment("GRAFT_TEST_MODEL"); }

inline std::string quote(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

/// A directory of the test's own, removed at its end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "graft_cli_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Runs PREFIX graft ARGUMENTS; the prefix may set variables or feed a pipe ("echo hi |").
inline Result run_cli(const std::vector<std::string>& arguments, const std::string& prefix = "") {
  const TemporaryDirectory directory;
  std::string command = prefix + " " + quote(required_environment("GRAFT_CLI"));
  for (const std::string& argument : arguments) command += " " + quote(argument);
  if (prefix.find('|') == std::string::npos) command += " </dev/null";
  command += " 2>" + quote(directory.file("stderr"));
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen failed");
  Result result;
  std::array<char, 4096> buffer;
  for (size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    result.out.append(buffer.data(), size);
  }
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.err = read_file(directory.file("stderr"));
  return result;
}

/// One JSON object per line, nothing else.
inline std::vector<Json> parse_lines(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(Json::parse(line, nullptr, false));
    EXPECT_TRUE(lines.back().is_object()) << line;
  }
  return lines;
}

inline void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
}

/// A usage error: exit 2, nothing on stdout, and a first line on stderr that names what is wrong.
inline void expect_usage_error(const std::vector<std::string>& arguments, const std::string& named) {
  const Result result = run_cli(arguments);
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err.rfind("graft: INVALID_ARGUMENT: ", 0), 0u) << result.err;
  expect_contains(result.err.substr(0, result.err.find('\n')), named);
}

/// A failure: exit 1 and one line on stderr, graft: STATUS: message.
inline void expect_failure(const Result& result, const std::string& status, const std::string& named) {
  EXPECT_EQ(result.exit_code, 1) << result.err;
  expect_contains(result.err, "graft: " + status + ": ");
  expect_contains(result.err, named);
}

}  // namespace graft_cli_test
