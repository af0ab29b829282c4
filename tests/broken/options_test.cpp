// Engine options that contradict each other, or ask for what is not there: refused at open and at inspect alike, before
// anything is loaded.
#include <cstdlib>

#include "tests/broken/support.h"

namespace graft::broken {
namespace {

constexpr graft_status invalid = GRAFT_STATUS_INVALID_ARGUMENT;
constexpr graft_status unsupported = GRAFT_STATUS_UNSUPPORTED;

struct Wish {
  const char* name;
  std::function<void(graft_engine_options*)> set;
  graft_status status;
  std::vector<std::string> texts;
};

graft_status ok_or_fail(graft_status status) {
  EXPECT_EQ(status, GRAFT_STATUS_OK) << graft_last_error_message();
  return status;
}

void set_injection(graft_engine_options* options, const char* mode) {
  ok_or_fail(graft_engine_options_set_injection(options, mode, -1));
}

void set_json(graft_engine_options* options, const char* json) {
  ok_or_fail(graft_engine_options_set_json(options, json, -1));
}

void add_user_policy(graft_engine_options* options) {
  const char* names[] = {"self_attn.o_proj", "mlp.down_proj"};
  graft_policy* policy = nullptr;
  ok_or_fail(graft_policy_row_parallel("LlamaDecoderLayer", -1, names, 2, &policy));
  ok_or_fail(graft_engine_options_add_policy(options, policy));
  graft_policy_free(policy);
}

void add_architecture(graft_engine_options* options) {
  graft_policy* policy = nullptr;
  ok_or_fail(graft_policy_from_json("{\"model_type\":\"mine\"}", -1, &policy));
  ok_or_fail(graft_engine_options_add_policy(options, policy));
  graft_policy_free(policy);
}

void expect_both(const Wish& wish) {
  SCOPED_TRACE(wish.name);
  const char* model = std::getenv("GRAFT_TEST_MODEL");
  graft_engine_options* options = nullptr;
  ASSERT_EQ(graft_engine_options_new(&options), GRAFT_STATUS_OK);
  ok_or_fail(graft_engine_options_set_threads(options, 1));
  wish.set(options);
  graft_engine* engine = nullptr;
  expect_failure(graft_engine_open(model, -1, options, &engine), wish.status, wish.texts);
  EXPECT_EQ(engine, nullptr);
  graft_string* info = nullptr;
  expect_failure(graft_engine_inspect(model, -1, options, &info), wish.status, wish.texts);
  graft_string_free(info);
  graft_engine_free(engine);
  graft_engine_options_free(options);
}

TEST(BrokenOptions, Contradictions) {
  using Options = graft_engine_options;
  const Wish wishes[] = {
      {"policy and kernel",
       [](Options* o) { add_user_policy(o), set_injection(o, "kernel"); },
       invalid,
       {"row-parallel policy", "injection 'kernel'"}},
      {"policy and none",
       [](Options* o) { set_injection(o, "none"), add_user_policy(o); },
       invalid,
       {"row-parallel policy", "injection 'none'"}},
      {"none over ranks",
       [](Options* o) { set_json(o, R"({"injection":"none","tensor_parallel":2})"); },
       invalid,
       {"injection none", "tensor_parallel is 2"}},
      {"experts do not divide",
       [](Options* o) { set_json(o, R"({"tensor_parallel":4,"expert_parallel":3})"); },
       invalid,
       {"expert_parallel is 3", "tensor_parallel 4"}},
      {"two numbers of bits",
       [](Options* o) { set_json(o, R"({"dtype":"int8","quantization":{"bits":4}})"); },
       invalid,
       {"'int8'", "4 bits"}},
      {"an architecture that is none", add_architecture, invalid, {"policy", "'model_type'"}},
  };
  for (const Wish& wish : wishes) expect_both(wish);
}

TEST(BrokenOptions, NotInThisRelease) {
  using Options = graft_engine_options;
  const Wish wishes[] = {
      {"experts",
       [](Options* o) { set_json(o, R"({"tensor_parallel":2,"expert_parallel":2})"); },
       unsupported,
       {"expert parallelism"}},
  };
  for (const Wish& wish : wishes) expect_both(wish);
}

// What is the default, said aloud, changes nothing.
TEST(BrokenOptions, SoundOnesOpen) {
  const char* model = std::getenv("GRAFT_TEST_MODEL");
  for (const char* json : {R"({"injection":"auto"})", R"({"injection":"kernel","tensor_parallel":1})",
                           R"({"injection":"none","expert_parallel":1,"quantization":{"bits":0}})"}) {
    graft_engine_options* options = nullptr;
    ASSERT_EQ(graft_engine_options_new(&options), GRAFT_STATUS_OK);
    set_json(options, json);
    graft_string* info = nullptr;
    EXPECT_EQ(graft_engine_inspect(model, -1, options, &info), GRAFT_STATUS_OK) << graft_last_error_message();
    graft_string_free(info);
    graft_engine_options_free(options);
  }
}

}  // namespace
}  // namespace graft::broken
