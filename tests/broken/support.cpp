#include "tests/broken/support.h"

#include "tests/conformance/support/session.h"

namespace graft::broken {

void expect_failure(graft_status found, graft_status expected, const std::vector<std::string>& texts) {
  const std::string message = graft_last_error_message();
  EXPECT_STREQ(graft_status_name(found), graft_status_name(expected)) << message;
  for (const std::string& text : texts) {
    EXPECT_NE(message.find(text), std::string::npos) << "message: " << message << "\nlacks:   " << text;
  }
}

void expect_refused(const Case& value) {
  const Folder folder;
  Model model;
  value.damage(model);
  model.write(folder.path());
  graft_engine* engine = nullptr;
  expect_failure(graft_engine_open(folder.path().c_str(), -1, nullptr, &engine), value.status, value.texts);
  EXPECT_EQ(engine, nullptr);
  graft_engine_free(engine);
  graft_engine* sound = open_sound();
  expect_answers(sound);
  graft_engine_free(sound);
}

graft_engine* open_sound() {
  static const Folder folder;
  static const bool written = (Model().write(folder.path()), true);
  static_cast<void>(written);
  graft_engine_options* options = nullptr;
  conformance::check(graft_engine_options_new(&options), "options");
  const conformance::EngineOptions owned(options);
  conformance::check(graft_engine_options_set_threads(options, 1), "threads");
  graft_engine* engine = nullptr;
  conformance::check(graft_engine_open(folder.path().c_str(), -1, options, &engine), "a sound model");
  return engine;
}

void expect_answers(graft_engine* engine) {
  const conformance::RequestOptions options = conformance::make_options(GRAFT_REQUEST_GENERATE);
  conformance::check(graft_request_options_set_max_tokens(options.get(), 4), "max tokens");
  conformance::check(graft_request_options_set_ignore_eos(options.get(), 1), "ignore eos");
  const conformance::Request request = conformance::submit(engine, {1, 2, 3}, options.get());
  const conformance::Event event = conformance::make_event();
  conformance::Generated generated;
  while (graft_request_next(request.get(), conformance::timeout_ms, event.get()) == GRAFT_STATUS_OK) {
    conformance::take_event(event.get(), generated);
  }
  EXPECT_EQ(generated.tokens.size(), 4U);
}

}  // namespace graft::broken
