// Chat templates against what Transformers renders with them (make_chats.py).
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "core/text/chat_template.h"
#include "tests/text/chat_cases.h"
#include "tests/text/tokenizer_cases.h"

namespace graft::testing {
namespace {

using Json = nlohmann::ordered_json;  // templates see keys in the order in which they are written

std::string chat_directory(const std::string& style) { return tokenizers_directory() + "/chats/" + style; }

class ChatStyleTest : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Styles, ChatStyleTest,
                         ::testing::Values("chatml", "llama3", "mistral", "qwen3", "gemma", "hermes", "two_files",
                                           "plain", "odds", "crlf"),
                         [](const auto& style) { return style.param; });

TEST_P(ChatStyleTest, RendersAsTransformers) {
  const auto chat = ChatTemplate::open(chat_directory(GetParam()));
  EXPECT_TRUE(chat->available());
  const auto tokenizer = Tokenizer::open(chat_directory(GetParam()));
  const Json cases = Json::parse(read_all(chat_directory(GetParam()) + "/cases.json"));
  ASSERT_FALSE(cases.empty());
  for (const Json& entry : cases) {
    SCOPED_TRACE(entry.at("messages").dump() + entry.at("options").dump());
    std::string text;
    std::string message;
    const StatusCode status =
        status_of([&] { text = chat->render(entry.at("messages").dump(), entry.at("options").dump()); }, &message);
    if (entry.contains("error")) {
      EXPECT_EQ(status, StatusCode::invalid_argument);
      EXPECT_TRUE(message.ends_with(": " + entry.at("error").get<std::string>())) << message;
      continue;
    }
    ASSERT_EQ(status, StatusCode::ok) << message;
    EXPECT_EQ(text, entry.at("text").get<std::string>());
    EXPECT_EQ(tokenizer->encode(text, /*add_special=*/false), entry.at("ids").get<std::vector<int64_t>>());
  }
}

TEST_P(ChatStyleTest, ServesManyThreads) {
  const auto chat = ChatTemplate::open(chat_directory(GetParam()));
  const Json entry = Json::parse(read_all(chat_directory(GetParam()) + "/cases.json")).at(0);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i)
        wrong += chat->render(entry.at("messages").dump(), entry.at("options").dump()) != entry.at("text") ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(ChatTemplate, MakesItsPromptByDefault) {
  const ChatFolder folder("{{ add_generation_prompt }}{{ tools }}{{ documents }}");
  EXPECT_EQ(folder.open()->render(one_message), "TrueNoneNone");
  EXPECT_EQ(folder.open()->render(one_message, R"({"add_generation_prompt": false})"), "FalseNoneNone");
  EXPECT_EQ(folder.open()->render(one_message, R"({"add_generation_prompt": null, "tools": []})"), "True[]None");
}

TEST(ChatTemplate, ReadsSpecialTokensFromEveryPlace) {
  const ChatFolder folder("{{ bos_token }}|{{ eos_token }}|{{ pad_token }}|{{ image_token }}|{{ add_bos_token }}|");
  folder.write("tokenizer_config.json",
               R"({"bos_token": "<b>", "eos_token": {"content": "<e>"}, "add_bos_token": true,
                   "extra_special_tokens": {"image_token": "<i>"}})");
  folder.write("special_tokens_map.json", R"({"pad_token": {"content": "<p>"}})");
  EXPECT_EQ(folder.open()->render(one_message), "<b>|<e>|<p>|<i>||");
  EXPECT_EQ(folder.open()->render(one_message, R"({"bos_token": "mine"})"), "mine|<e>|<p>|<i>||");
}

TEST(ChatTemplate, KnowsTheTime) {
  const ChatFolder folder("{{ strftime_now('%Y-%m-%d') }}");
  std::array<char, 32> today{};
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::strftime(today.data(), today.size(), "%Y-%m-%d", &local);
  EXPECT_EQ(folder.open()->render(one_message), today.data());
  for (const char* format : {"%", "%1000000000d", "", "%Q", "\\u0000", "%A%A%A"}) {
    const ChatFolder odd(std::string("{{ strftime_now(\"") + format + "\") }}");
    status_of([&] { odd.open()->render(one_message); });  // whatever it gives, it comes back
  }
}

TEST(ChatTemplate, NamesTheArgumentThatIsWrong) {
  const ChatFolder folder("{{ messages[0].content }}");
  const struct {
    const char* messages;
    const char* options;
    const char* named;
  } cases[] = {
      {"", "", "messages"},
      {"[", "", "messages"},
      {"{}", "", "messages"},
      {"null", "", "messages"},
      {"[]", "", "messages"},
      {"[1]", "", "messages[0]"},
      {R"([{}, []])", "", "messages[1]"},
      {"[{}] x", "", "messages"},
      {"[{\"a\": \"\xFF\"}]", "", "messages"},
      {one_message, "[]", "options"},
      {one_message, "{", "options"},
      {one_message, "\xC3", "options"},
      {one_message, R"({"add_generation_prompt": "yes"})", "add_generation_prompt"},
      {one_message, R"({"continue_final_message": 1})", "continue_final_message"},
      {one_message, R"({"continue_final_message": true, "add_generation_prompt": true})", "continue_final_message"},
      {one_message, R"({"continue_final_message": "nothing"})", "nothing"},
      {one_message, R"({"tools": {}})", "tools"},
      {one_message, R"({"tools": ["x"]})", "tools[0]"},
      {one_message, R"({"documents": 1})", "documents"},
      {one_message, R"({"chat_template": 1})", "chat_template"},
  };
  for (const auto& c : cases) {
    std::string message;
    EXPECT_EQ(status_of([&] { folder.open()->render(c.messages, c.options); }, &message), StatusCode::invalid_argument)
        << c.messages << c.options;
    EXPECT_NE(message.find(c.named), std::string::npos) << message;
  }
}

TEST(ChatTemplate, RefusesJsonThatIsTooDeepOrTooLarge) {
  const ChatFolder folder("x");
  const std::string deep = "[{\"content\": " + std::string(100000, '[') + std::string(100000, ']') + "}]";
  EXPECT_EQ(status_of([&] { folder.open()->render(deep); }), StatusCode::invalid_argument);
  const std::string large = "[{\"content\": \"" + std::string(9 << 20, 'x') + "\"}]";
  EXPECT_EQ(status_of([&] { folder.open()->render(large); }), StatusCode::limit_exceeded);
}

TEST(ChatTemplate, SaysThatThereIsNone) {
  const ChatFolder folder;
  std::string message;
  EXPECT_FALSE(folder.open()->available());
  EXPECT_EQ(status_of([&] { folder.open()->render(one_message); }, &message), StatusCode::unsupported);
  EXPECT_NE(message.find("no chat template"), std::string::npos) << message;
  EXPECT_NE(message.find(folder.path()), std::string::npos) << message;
  EXPECT_EQ(folder.open()->render(one_message, R"({"chat_template": "{{ messages[0].role }}"})"), "user");
  EXPECT_EQ(status_of([] { ChatTemplate::open("/no/such/place")->render(one_message); }), StatusCode::unsupported);
  EXPECT_EQ(status_of([] { ChatTemplate::open("")->render(one_message); }), StatusCode::unsupported);
}

TEST(ChatTemplate, ListsTheNamesWhereNoneIsTheDefault) {
  const ChatFolder folder;
  folder.write("tokenizer_config.json", R"({"chat_template": [{"name": "one", "template": "1"}]})");
  std::string message;
  EXPECT_EQ(status_of([&] { folder.open()->render(one_message); }, &message), StatusCode::invalid_argument);
  EXPECT_NE(message.find("one"), std::string::npos) << message;
  EXPECT_EQ(folder.open()->render(one_message, R"({"chat_template": "one"})"), "1");
}

TEST(ChatTemplate, BrokenFilesBreakTheTemplateAlone) {
  for (const char* config : {"{", "[]", "\"x\"", "\xFF", R"({"chat_template": 3})",
                             R"({"chat_template": [{"name": 1}]})", R"({"chat_template": {"default": []}})"}) {
    const ChatFolder folder;
    folder.write("tokenizer_config.json", config);
    std::string message;
    EXPECT_EQ(status_of([&] { folder.open()->render(one_message); }, &message), StatusCode::corrupt_data) << config;
    EXPECT_NE(message.find("tokenizer_config.json"), std::string::npos) << message;
  }
  const ChatFolder folder;
  folder.write("tokenizer_config.json", "{\"chat_template\": \"a\xFF\"}");
  EXPECT_EQ(status_of([&] { folder.open()->render(one_message); }), StatusCode::corrupt_data);
}

}  // namespace
}  // namespace graft::testing
