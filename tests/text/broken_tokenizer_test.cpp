// Files and texts that no tokenizer should meet: errors, never a crash.
#include <gtest/gtest.h>

#include <pthread.h>
#include <sys/resource.h>

#include <filesystem>
#include <functional>

#include "core/text/text_ffi.h"
#include "tests/text/tokenizer_cases.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

/// A minimal valid file with one part replaced.
std::string file_with(const std::string& key, const std::string& value) {
  nlohmann::ordered_json parts = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", nlohmann::json::array()},
      {"normalizer", nullptr},
      {"pre_tokenizer", nullptr},
      {"post_processor", nullptr},
      {"decoder", nullptr},
      {"model", {{"type", "WordLevel"}, {"vocab", {{"a", 0}, {"b", 1}}}, {"unk_token", "a"}}}};
  parts[key] = "@";
  std::string text = parts.dump();
  return text.replace(text.find("\"@\""), 3, value);
}

std::shared_ptr<const Tokenizer> open_json(const std::string& json) { return Tokenizer::from_json(json, "test.json"); }

StatusCode open_status(const std::string& json, std::string* message = nullptr) {
  return status_of([&] { open_json(json); }, message);
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::string nested_normalizer(int depth) {
  return repeated(R"({"type":"Sequence","normalizers":[)", depth) + R"({"type":"NFC"})" + repeated("]}", depth);
}

/// Runs `body` on a thread with 512 KiB of stack, as hosts have them.
void on_small_stack(std::function<void()> body) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 512 << 10), 0);
  pthread_t thread;
  const auto call = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, call, &body), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST(BrokenTokenizer, MinimalFileOpens) { EXPECT_EQ(open_status(file_with("version", "\"1.0\"")), StatusCode::ok); }

TEST(BrokenTokenizer, ContentThatIsNoTokenizer) {
  for (const std::string& json :
       {std::string(), std::string("hello"), std::string("{"), std::string("{}"), std::string("[]"),
        std::string("null"), std::string("\0\0\0", 3), std::string("\xFF\xFE{"), std::string("\"unfinished"),
        std::string("\"\\"), file_with("version", "\"1.0\"") + "}", file_with("version", "\"2.0\""),
        file_with("version", "1e999")}) {
    std::string message;
    EXPECT_EQ(open_status(json, &message), StatusCode::corrupt_data) << json;
    EXPECT_EQ(message.rfind("test.json: ", 0), 0u) << message;
  }
}

TEST(BrokenTokenizer, PartsOfTheWrongType) {
  for (const char* value :
       {"7", "\"text\"", "[1,2]", "{}", R"({"type":"NoSuchType"})", R"({"type":5})", "{\"type\":[]}"}) {
    for (const char* key :
         {"model", "normalizer", "pre_tokenizer", "post_processor", "decoder", "truncation", "padding"})
      EXPECT_EQ(open_status(file_with(key, value)), StatusCode::corrupt_data) << key << ": " << value;
  }
  EXPECT_EQ(open_status(file_with("added_tokens", "{}")), StatusCode::corrupt_data);
  EXPECT_EQ(open_status(file_with("added_tokens", R"([{"id":0}])")), StatusCode::corrupt_data);
  EXPECT_EQ(open_status(file_with("model", R"({"type":"BPE","vocab":{"a":0},"merges":["a"]})")),
            StatusCode::corrupt_data);
  EXPECT_EQ(open_status(file_with("model", R"({"type":"BPE","vocab":{"a":0},"merges":["a b"]})")),
            StatusCode::corrupt_data);
  EXPECT_EQ(open_status(file_with("model", R"({"type":"WordLevel","vocab":{},"unk_token":"a"})")),
            StatusCode::corrupt_data);
}

TEST(BrokenTokenizer, TemplateOfAnUnknownToken) {
  const auto processor = [](const std::string& known) {
    return R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},)"
           R"({"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{")" +
           known + R"(":{"id":"a","ids":[0],"tokens":["a"]}}})";
  };
  EXPECT_EQ(open_json(file_with("post_processor", processor("[CLS]")))->encode("b", true),
            (std::vector<int64_t>{0, 1}));
  for (const std::string& broken :
       {processor("[SEP]"), R"({"type":"Sequence","processors":[)" + processor("[SEP]") + "]}"}) {
    std::string message;
    EXPECT_EQ(open_status(file_with("post_processor", broken), &message), StatusCode::corrupt_data);
    EXPECT_NE(message.find("'[CLS]'"), std::string::npos) << message;
  }
}

TEST(BrokenTokenizer, DeepNesting) {
  EXPECT_EQ(open_status(std::string(1000000, '[')), StatusCode::corrupt_data);
  EXPECT_EQ(open_status(file_with("model", std::string(100000, '['))), StatusCode::corrupt_data);
  EXPECT_EQ(open_status(repeated("{\"model\":", 100000)), StatusCode::corrupt_data);
  EXPECT_EQ(open_status(file_with("normalizer", nested_normalizer(50000))), StatusCode::corrupt_data);
  on_small_stack([] {  // as deep as the parser takes it
    for (const int depth : {10, 30, 50, 60, 70}) {
      const std::string json = file_with("normalizer", nested_normalizer(depth));
      if (open_status(json) == StatusCode::ok) {
        EXPECT_FALSE(open_json(json)->encode("a", true).empty());
      }
    }
  });
}

TEST(BrokenTokenizer, HugeNumbers) {
  const auto model = [](const std::string& id) {
    return file_with("model", R"({"type":"WordLevel","unk_token":"a","vocab":{"a":0,"b":)" + id + "}}");
  };
  for (const char* id : {"-1", "1.5", "4294967296", "1e400", "99999999999999999999999999"})
    EXPECT_EQ(open_status(model(id)), StatusCode::corrupt_data) << id;
  const auto sparse = open_json(model("4294967295"));
  EXPECT_EQ(sparse->vocab_size(), 2);
  EXPECT_EQ(sparse->id_bound(), int64_t{1} << 32);
  EXPECT_EQ(sparse->piece(4294967295), "b");
  EXPECT_EQ(status_of([&] { sparse->piece(5); }), StatusCode::not_found);
  EXPECT_EQ(sparse->decode({0, 5, 4294967295}, true), "a b") << "an id without token gives nothing";

  const auto padded =
      open_json(file_with("padding", R"({"strategy":{"Fixed":1000000000000000000},"direction":"Right",)"
                                     R"("pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,"pad_token":"a"})"));
  EXPECT_EQ(padded->encode("b", true), std::vector<int64_t>{1});
  const auto truncated = open_json(file_with(
      "truncation", R"({"direction":"Right","max_length":0,"strategy":"LongestFirst","stride":18446744073709551615})"));
  EXPECT_EQ(truncated->encode("b", true), std::vector<int64_t>{1});
  EXPECT_EQ(open_status(file_with("model", R"({"type":"WordPiece","unk_token":"a","continuing_subword_prefix":"##",)"
                                           R"("max_input_chars_per_word":1000000000,"vocab":{"a":0}})")),
            StatusCode::unsupported);
  const auto chunks = open_json(file_with("pre_tokenizer", R"({"type":"FixedLength","length":0})"));
  EXPECT_EQ(status_of([&] { chunks->encode("b", true); }), StatusCode::internal);
}

TEST(BrokenTokenizer, BadPatterns) {
  const auto split = [](const std::string& pattern) {
    return file_with("pre_tokenizer", R"({"type":"Split","pattern":{"Regex":)" + nlohmann::json(pattern).dump() +
                                          R"(},"behavior":"Isolated","invert":false})");
  };
  for (const std::string& pattern : {std::string("("), std::string("[a"), std::string("(?<n"), std::string("*"),
                                     std::string("a{5,2}"), std::string("\\"), std::string("\\p{NoSuchClass}"),
                                     std::string(60000, '('), std::string("(?:a{1000}){1000}{1000}")}) {
    EXPECT_EQ(open_status(split(pattern)), StatusCode::corrupt_data) << pattern.substr(0, 20);
  }
  // Exponential backtracking is cut off, not waited for.
  const auto slow = open_json(split("(?=(a+)+$)(a|aa)+b|."));
  EXPECT_EQ(status_of([&] { slow->encode(std::string(2000, 'a') + "!", true); }), StatusCode::ok);
}

TEST(BrokenTokenizer, LongTokens) {
  const auto unigram = [](size_t bytes) {
    return file_with("model", R"({"type":"Unigram","unk_id":0,"vocab":[["<unk>",0.0],[")" + std::string(bytes, 'a') +
                                  R"(",-1.0]]})");
  };
  on_small_stack([&] { EXPECT_EQ(open_status(unigram(1024)), StatusCode::ok); });
  EXPECT_EQ(open_status(unigram(1025)), StatusCode::unsupported);
  EXPECT_EQ(open_status(unigram(65536)), StatusCode::unsupported);
  EXPECT_EQ(open_status(unigram(65537)), StatusCode::corrupt_data);
  EXPECT_EQ(open_status(unigram(65536) + "}"), StatusCode::corrupt_data);
  EXPECT_EQ(open_status(file_with("model", R"({"type":"Unigram","unk_id":9,"vocab":[["a",0.0]]})")),
            StatusCode::corrupt_data);
}

TEST(BrokenTokenizer, TextThatWouldGrowWithoutLimit) {
  const auto grown = open_json(file_with(
      "normalizer", R"({"type":"Replace","pattern":{"String":"a"},"content":")" + std::string(60000, 'x') + "\"}"));
  EXPECT_EQ(status_of([&] { grown->encode("aaa", true); }), StatusCode::ok);
  EXPECT_EQ(status_of([&] { grown->encode(std::string(1 << 20, 'a'), true); }), StatusCode::limit_exceeded);
  EXPECT_EQ(status_of([&] { grown->encode(std::string(Tokenizer::max_text_bytes + 1, 'a'), true); }),
            StatusCode::limit_exceeded);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their shadow memory does not live under a limit
/// Rust ends the process when an allocation fails: a call that cannot succeed is refused beforehand.
TEST(BrokenTokenizer, MemoryThatIsNotThere) {
  const auto tokenizer = open_tokenizer("byte_level");
  const auto limited = [&] {
    const rlimit limit{rlim_t{1} << 30, rlim_t{1} << 30};
    if (setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(2);
    const std::string text(32 << 20, 'a');
    const bool refused = status_of([&] { tokenizer->encode(text, true); }) == StatusCode::out_of_memory;
    const bool works = !tokenizer->encode("still here", true).empty();
    std::_Exit(refused && works ? 0 : 1);
  };
  EXPECT_EXIT(limited(), ::testing::ExitedWithCode(0), "");
}
#endif

/// One byte of a real file changed, taken out or doubled: an error or a tokenizer that works, always.
TEST(BrokenTokenizer, DamagedFilesNeverCrash) {
  std::mt19937 random(99);
  int opened = 0;
  int refused = 0;
  for (const char* name : {"sentencepiece_bpe", "unigram", "wordpiece", "byte_level"}) {
    const std::string whole = read_all(tokenizers_directory() + "/" + name + "/tokenizer.json");
    for (int i = 0; i < 150; ++i) {
      std::string json = whole;
      const size_t at = random() % (i % 2 == 0 ? json.size() : std::min<size_t>(json.size(), 3000));
      switch (random() % 4) {
        case 0:
          json[at] = static_cast<char>(random());
          break;
        case 1:
          json.erase(at, 1 + random() % 8);
          break;
        case 2:
          json.insert(at, json.substr(at, 1 + random() % 40));
          break;
        default:
          json.resize(at);
          break;
      }
      try {
        const auto tokenizer = open_json(json);
        ++opened;
        tokenizer->decode(tokenizer->encode("The quick café 😀 <s>", true), false);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(opened, 20);
  EXPECT_GT(refused, 100);
}

TEST(TokenizerFile, MissingFileNamesItAndTheFormats) {
  const fs::path directory = fs::path(::testing::TempDir()) / "graft_text_missing";
  fs::create_directories(directory);
  std::string message;
  EXPECT_EQ(status_of([&] { Tokenizer::open(directory.string()); }, &message), StatusCode::not_found);
  EXPECT_NE(message.find((directory / "tokenizer.json").string()), std::string::npos) << message;
  EXPECT_NE(message.find("supported format"), std::string::npos) << message;
  std::ofstream(directory / "tokenizer.model") << "x";
  EXPECT_EQ(status_of([&] { Tokenizer::open(directory.string()); }, &message), StatusCode::not_found);
  EXPECT_NE(message.find("found tokenizer.model"), std::string::npos) << message;
  EXPECT_EQ(status_of([&] { Tokenizer::open((directory / "no" / "such").string()); }), StatusCode::not_found);
  EXPECT_EQ(status_of([&] { Tokenizer::open((directory / "tokenizer.model").string()); }), StatusCode::corrupt_data);
  EXPECT_EQ(status_of([&] { Tokenizer::open(std::string(100000, 'x')); }), StatusCode::io_error);
  EXPECT_EQ(status_of([&] { Tokenizer::open("/dev/null"); }), StatusCode::io_error);
  fs::create_directories(directory / "tokenizer.json");
  EXPECT_EQ(status_of([&] { Tokenizer::open(directory.string()); }), StatusCode::io_error);
  fs::remove_all(directory);
}

TEST(TokenizerFile, TooLargeFileIsNotRead) {
  const fs::path file = fs::path(::testing::TempDir()) / "graft_text_large.json";
  std::ofstream(file) << "{}";
  fs::resize_file(file, static_cast<uintmax_t>(Tokenizer::max_file_bytes) + 1);  // a hole: no disk space
  EXPECT_EQ(status_of([&] { Tokenizer::open(file.string()); }), StatusCode::limit_exceeded);
  fs::remove(file);
}

TEST(TextInterface, RefusesNullAndNegativeSizes) {
  graft_text_bytes error{nullptr, 0};
  graft_text_tokenizer* tokenizer = nullptr;
  graft_text_ids ids{nullptr, 0};
  const uint8_t byte = 0;
  const auto refused = [&](int32_t status) {
    EXPECT_EQ(status, static_cast<int32_t>(StatusCode::invalid_argument));
    EXPECT_GT(error.size, 0);
    graft_text_bytes_free(error);
    error = {nullptr, 0};
  };
  refused(graft_text_open(nullptr, 5, &tokenizer, &error));
  refused(graft_text_open(&byte, -1, &tokenizer, &error));
  refused(graft_text_open(&byte, 1, nullptr, &error));
  refused(graft_text_encode(nullptr, &byte, 1, 1, 0, &ids, &error));
  refused(graft_text_stream_push(nullptr, 1, nullptr, &error));
  EXPECT_NE(graft_text_open(&byte, 1, &tokenizer, nullptr), 0) << "no place for a message";
  EXPECT_EQ(graft_text_vocab_size(nullptr), 0);
  graft_text_free(nullptr);
  graft_text_stream_free(nullptr);
  graft_text_bytes_free({nullptr, 0});
}

}  // namespace
}  // namespace graft::testing
