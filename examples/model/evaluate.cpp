// evaluate [MODEL]: asks the model of this folder its held-out questions through the C ABI, with any precision,
// injection mode, tensor parallelism and graph setting, and prints how many it answers exactly right, by task, beside
// what accuracy.json has stored. The project's own measure of "still right".
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>

#include "examples/cli/answer.h"
#include "examples/cli/program.h"

namespace {

using namespace cli;

struct Options {
  CommonOptions common;
  std::string questions;
  double tolerance = 0.03;
};

struct Question {
  std::string task;
  std::string question;
  std::string answer;
};

struct Score {
  int64_t right = 0;
  int64_t asked = 0;
  double fraction() const { return static_cast<double>(right) / static_cast<double>(std::max<int64_t>(asked, 1)); }
};

std::vector<Question> read_questions(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Failure(GRAFT_STATUS_NOT_FOUND, path + ": no such file");
  std::vector<Question> questions;
  for (std::string line; std::getline(file, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("task") || !json.contains("question") || !json.contains("answer")) {
      throw Failure(GRAFT_STATUS_CORRUPT_DATA, path + ":" + std::to_string(questions.size() + 1) +
                                                   ": expected {\"task\", \"question\", \"answer\"}");
    }
    questions.push_back({json["task"], json["question"], json["answer"]});
  }
  if (questions.empty()) throw Failure(GRAFT_STATUS_CORRUPT_DATA, path + ": no questions");
  return questions;
}

std::string percent(double fraction) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * fraction);
  return text;
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \n\t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \n\t") - begin + 1);
}

/// Scores by task in the order of the questions, all of them together last.
std::vector<std::pair<std::string, Score>> ask(const std::vector<Question>& questions, const Session& session) {
  const RequestOptions options = make<RequestOptions>(graft_request_options_new);
  check(graft_request_options_set_greedy(options.get(), 1));
  check(graft_request_options_set_max_tokens(options.get(), 64));
  Batch batch;
  for (const Question& question : questions) {
    const Json messages = Json::array({{{"role", "user"}, {"content", question.question}}});
    batch.submit(session, make_chat_input(messages), options);
  }
  std::vector<std::pair<std::string, Score>> scores;
  Score all;
  for (size_t i = 0; i < questions.size(); ++i) {
    const bool right = trimmed(batch.pull(i, nullptr).text) == questions[i].answer;
    auto place =
        std::find_if(scores.begin(), scores.end(), [&](const auto& s) { return s.first == questions[i].task; });
    if (place == scores.end()) place = scores.insert(place, {questions[i].task, {}});
    for (Score* score : {&place->second, &all}) {
      score->right += right ? 1 : 0;
      ++score->asked;
    }
  }
  scores.emplace_back("all", all);
  return scores;
}

/// The stored fraction of a task, null when there is none: float32 stands for every type above 16 bits.
Json stored_accuracy(const std::string& model, const std::string& task) {
  std::ifstream file(model + "/accuracy.json");
  const Json json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return nullptr;
  const Json entry =
      task == "all" ? json.value("all", Json()) : json.value("tasks", Json::object()).value(task, Json());
  return entry.is_object() ? entry.value("float32", Json()) : Json();
}

int evaluate(const Options& options, const Session& session) {
  const std::vector<Question> questions = read_questions(options.questions);
  bool worse = false;
  for (const auto& [task, score] : ask(questions, session)) {
    const Json stored = stored_accuracy(options.common.model, task);
    if (task == "all" && stored.is_number()) worse = score.fraction() < stored.get<double>() - options.tolerance;
    if (options.common.json) {
      print_json_line({{"task", task}, {"questions", score.asked}, {"accuracy", score.fraction()}, {"stored", stored}});
      continue;
    }
    const std::string beside = stored.is_number() ? percent(stored.get<double>()) : "-";
    std::printf("%-18s %5lld questions  %6s right  (stored %s)\n", task.c_str(), static_cast<long long>(score.asked),
                percent(score.fraction()).c_str(), beside.c_str());
  }
  return worse ? exit_failure : exit_ok;
}

int run(int count, char** arguments) {
  CLI::App app("Measure the accuracy of the example model on its held-out questions.", "evaluate");
  Options options;
  add_common_options(app, options.common);
  app.add_option("--questions", options.questions, "Questions, one JSON object per line (MODEL/questions.jsonl)")
      ->type_name("F.jsonl");
  app.add_option("--tolerance", options.tolerance, "Fail when the whole is this much below the stored (0.03)")
      ->type_name("X");
  try {
    app.parse(count, arguments);
    if (options.questions.empty()) options.questions = options.common.model + "/questions.jsonl";
    options.common.max_queue = int64_t{1} << 20;
    return with_engine(options.common, [&](const Session& session) { return evaluate(options, session); });
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return exit_ok;
  } catch (const CLI::ParseError& error) {
    return fail_usage("evaluate", error.what());
  } catch (const UsageError& error) {
    return fail_usage("evaluate", error.what());
  }
}

}  // namespace

int main(int count, char** arguments) {
  return run_program([&] { return run(count, arguments); });
}
