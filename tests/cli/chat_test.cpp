// graft chat: conversations from a pipe, and at a terminal with Ctrl-C and Ctrl-D.
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "support.h"

namespace graft_cli_test {
namespace {

TEST(Chat, AnswersEachLineOfAPipe) {
  const Result result = run_cli({"chat", test_model(), "--greedy", "--json"}, "printf 'Hello\\n\\nThanks!' |");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out);
  std::vector<Json> answers;
  for (std::string line; std::getline(lines, line);) answers.push_back(Json::parse(line));
  ASSERT_EQ(answers.size(), 2u) << "an empty line asks nothing";
  for (const Json& answer : answers) EXPECT_EQ(answer.at("finish_reason"), "stop");
  EXPECT_GT(answers[1].at("usage").at("prompt_tokens"), answers[0].at("usage").at("prompt_tokens"))
      << "the second question stands after the first and its answer";
}

TEST(Chat, OldTurnsAreForgottenWhenTheContextIsFull) {
  std::string questions;
  for (int i = 0; i < 60; ++i) questions += "What is " + std::to_string(i) + " + 1?\\n";
  const Result result =
      run_cli({"chat", test_model(), "--greedy", "--max-tokens", "8"}, "printf '" + questions + "' |");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 60);
}

TEST(Chat, AModelWithoutATemplateSaysSo) {
  const TemporaryDirectory directory;
  for (const char* file : {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"}) {
    std::filesystem::copy(std::filesystem::path(test_model()) / file, directory.file(file));
  }
  std::string folder = directory.file("");
  expect_failure(run_cli({"run", folder, "Hello", "--chat"}), "UNSUPPORTED", "chat template");
}

/// The program on a terminal of its own.
class Terminal {
 public:
  explicit Terminal(const std::vector<std::string>& arguments) {
    const std::string program = required_environment("GRAFT_CLI");
    std::vector<char*> words = {const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    child_ = forkpty(&master_, nullptr, nullptr, nullptr);
    if (child_ == 0) {
      execv(words[0], words.data());
      _exit(127);
    }
  }
  ~Terminal() {
    if (child_ > 0) kill(child_, SIGKILL), waitpid(child_, nullptr, 0);
    close(master_);
  }

  void type(const std::string& text) {
    ASSERT_EQ(write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  /// Reads until anything came besides what was expected before.
  void expect_something() {
    if (!seen_.empty()) return;
    char byte = 0;
    ASSERT_EQ(read(master_, &byte, 1), 1);
    seen_ += byte;
  }

  /// Reads until `text` came; fails after a minute.
  void expect(const std::string& text) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (seen_.find(text) == std::string::npos) {
      pollfd descriptor{master_, POLLIN, 0};
      char buffer[4096];
      if (poll(&descriptor, 1, 1000) > 0) {
        const ssize_t size = read(master_, buffer, sizeof buffer);
        if (size <= 0) break;
        seen_.append(buffer, static_cast<size_t>(size));
      }
      if (std::chrono::steady_clock::now() > until) break;
    }
    ASSERT_NE(seen_.find(text), std::string::npos) << "waited for '" << text << "' in: " << seen_;
    seen_.erase(0, seen_.find(text) + text.size());
  }

  int wait() {
    int status = 0;
    for (char buffer[4096]; read(master_, buffer, sizeof buffer) > 0;) continue;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t child_ = -1;
  int master_ = -1;
  std::string seen_;
};

TEST(Chat, ControlCCancelsTheAnswerAndNotTheProgram) {
  Terminal terminal({"chat", test_model(), "--ignore-eos", "--max-tokens", "200", "--threads", "1"});
  terminal.expect("> ");
  terminal.type("\x03");  // at the prompt: nothing to cancel
  terminal.expect("> ");
  terminal.type("Hello\n");
  terminal.expect("Hello\r\n");  // the terminal's echo
  terminal.expect_something();   // the answer has begun: a Ctrl-C before it would take the question back
  terminal.type("\x03");
  terminal.expect("tokens/s");
  terminal.expect("> ");
  terminal.type("Thanks!\n");
  terminal.expect("tokens/s");
  terminal.expect("> ");
  terminal.type("\x04");  // Ctrl-D
  EXPECT_EQ(terminal.wait(), 0);
}

}  // namespace
}  // namespace graft_cli_test
