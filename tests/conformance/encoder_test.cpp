// Encoders against Transformers through the public C interface: hidden rows, logits, scores and embeddings of every
// encoder case of the oracle, all inputs of a case in flight at once. One suite for each case and cell.
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "tests/conformance/support/encoder_case.h"
#include "tests/conformance/support/session.h"

namespace graft::conformance {
namespace {

struct Opened {
  std::filesystem::path directory;
  Cell cell;
  EncoderCase expected;
  nlohmann::json info;
  Engine engine;
};

Opened open(const std::filesystem::path& directory, const Cell& cell) {
  Opened opened{directory, cell, read_encoder_case(directory), {}, nullptr};
  const EngineOptions options = make_engine_options(cell, "float32");
  graft_engine* engine = nullptr;
  check(graft_engine_open(directory.c_str(), -1, options.get(), &engine), "open " + directory.string());
  opened.engine.reset(engine);
  graft_string* text = nullptr;
  check(graft_engine_info(engine, &text), "info");
  opened.info = nlohmann::json::parse(graft_string_data(text));
  graft_string_free(text);
  return opened;
}

Request submit_input(const Opened& opened, size_t i, const graft_request_options* options) {
  const EncoderCase& expected = opened.expected;
  if (expected.pixels.empty()) {
    return submit(opened.engine.get(), expected.prompts[i], options, nullptr, 0, expected.token_types[i]);
  }
  const Matrix& pixels = expected.pixels[i];
  std::vector<int64_t> shape = {pixels.rows / pixels.columns, pixels.columns, pixels.columns};
  if (i % 2 == 1) shape.insert(shape.begin(), 1);
  return submit_image(opened.engine.get(), pixels, shape, options);
}

/// Results of all inputs, submitted before the first is taken.
std::vector<Matrix> results(const Opened& opened, graft_request_kind kind, const char* name,
                            graft_pooling pooling = GRAFT_POOLING_MODEL) {
  const RequestOptions options = make_options(kind);
  check(graft_request_options_set_pooling(options.get(), pooling), "pooling");
  std::vector<Request> requests;
  for (size_t i = 0; i < opened.expected.prompts.size(); ++i) {
    requests.push_back(submit_input(opened, i, options.get()));
  }
  std::vector<Matrix> taken;
  for (const Request& request : requests) taken.push_back(take_rows(request.get(), name));
  return taken;
}

void expect_equal(const std::vector<Matrix>& found, const std::vector<Matrix>& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  Difference difference;
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].rows, expected[i].rows);
    ASSERT_EQ(found[i].columns, expected[i].columns);
    difference.add(found[i], expected[i]);
  }
  EXPECT_LT(difference.error(), tolerance);
  testing::Test::RecordProperty("error", std::to_string(difference.error()));
}

void hidden(const Opened& opened) {
  expect_equal(results(opened, GRAFT_REQUEST_HIDDEN, "hidden"), opened.expected.hidden, opened.expected.tolerance);
}

/// The embeddings that follow from Transformers' hidden rows.
std::vector<Matrix> pooled(const std::vector<Matrix>& hidden, graft_pooling pooling) {
  std::vector<Matrix> out;
  for (const Matrix& matrix : hidden) {
    Matrix row{1, matrix.columns, std::vector<float>(static_cast<size_t>(matrix.columns))};
    for (int64_t c = 0; c < matrix.columns; ++c) {
      double sum = 0;
      for (int64_t r = 0; r < matrix.rows; ++r) sum += matrix.values[static_cast<size_t>(r * matrix.columns + c)];
      const auto last = static_cast<size_t>((matrix.rows - 1) * matrix.columns + c);
      row.values[static_cast<size_t>(c)] = pooling == GRAFT_POOLING_CLS    ? matrix.values[static_cast<size_t>(c)]
                                           : pooling == GRAFT_POOLING_LAST ? matrix.values[last]
                                                                           : static_cast<float>(sum / matrix.rows);
    }
    out.push_back(std::move(row));
  }
  return out;
}

void embeddings(const Opened& opened) {
  for (const graft_pooling pooling : {GRAFT_POOLING_MODEL, GRAFT_POOLING_MEAN, GRAFT_POOLING_CLS, GRAFT_POOLING_LAST}) {
    SCOPED_TRACE(pooling);
    const bool own = pooling == GRAFT_POOLING_MODEL && !opened.expected.pooled.empty();
    expect_equal(results(opened, GRAFT_REQUEST_EMBED, "embedding", pooling),
                 own ? opened.expected.pooled : pooled(opened.expected.hidden, pooling), opened.expected.tolerance);
  }
  expect_equal(results(opened, GRAFT_REQUEST_EMBED, "embedding", GRAFT_POOLING_NONE), opened.expected.hidden,
               opened.expected.tolerance);
}

template <class Submit>
void expect_refusal(graft_status status, const std::string& culprit, Submit submit) {
  try {
    submit();
    FAIL() << "accepted";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(graft_status_name(status)), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(culprit), std::string::npos) << error.what();
  }
}

void refuse(const Opened& opened, const RequestOptions& options, const Tokens& types, graft_status status,
            const std::string& culprit) {
  expect_refusal(status, culprit,
                 [&] { submit(opened.engine.get(), opened.expected.prompts[0], options.get(), nullptr, 0, types); });
}

void refuse_kind(const Opened& opened, graft_request_kind kind) {
  expect_refusal(GRAFT_STATUS_UNSUPPORTED, opened.expected.architecture,
                 [&] { submit_input(opened, 0, make_options(kind).get()); });
}

void logits(const Opened& opened) {
  if (opened.expected.logits.empty()) return refuse_kind(opened, GRAFT_REQUEST_LOGITS);
  expect_equal(results(opened, GRAFT_REQUEST_LOGITS, "logits"), opened.expected.logits, opened.expected.tolerance);
}

/// Labels in the order of the scores, and scores as the text-classification pipeline makes them of logits.
void scores(const Opened& opened) {
  EXPECT_EQ(opened.info.at("embedding").at("pooling"), opened.expected.pooled.empty() ? "mean" : "token");
  EXPECT_EQ(opened.info.at("labels").get<std::vector<std::string>>(), opened.expected.labels);
  if (opened.info.at("head") != "sequence_labels") return;
  const bool independent = opened.info.at("multi_label").get<bool>() || opened.expected.labels.size() == 1;
  std::vector<Matrix> expected = opened.expected.logits;
  for (Matrix& matrix : expected) {
    double sum = 0;
    for (float& value : matrix.values) sum += std::exp(static_cast<double>(value));
    for (float& value : matrix.values) {
      const double power = std::exp(static_cast<double>(value));
      value = static_cast<float>(independent ? power / (1 + power) : power / sum);
    }
  }
  expect_equal(results(opened, GRAFT_REQUEST_LOGITS, "scores"), expected, opened.expected.tolerance);
}

void image_refusals(const Opened& opened) {
  Matrix pixels = opened.expected.pixels[0];
  const int64_t size = pixels.columns, channels = pixels.rows / size;
  const RequestOptions options = make_options(GRAFT_REQUEST_HIDDEN);
  refuse(opened, options, {}, GRAFT_STATUS_UNSUPPORTED, "pixel_values");
  expect_refusal(GRAFT_STATUS_UNSUPPORTED, "pixel_values",
                 [&] { submit_text(opened.engine.get(), "a photo", options.get()); });
  const auto refuse_image = [&](const std::vector<int64_t>& shape, const std::string& culprit,
                                const char* name = "pixel_values", graft_dtype dtype = GRAFT_DTYPE_FLOAT32) {
    expect_refusal(GRAFT_STATUS_INVALID_ARGUMENT, culprit,
                   [&] { submit_image(opened.engine.get(), pixels, shape, options.get(), name, dtype); });
  };
  refuse_image({channels * size, size}, "shape");
  refuse_image({1, 1, channels, size, size}, "shape");
  refuse_image({channels, size, size}, "input_features", "input_features");
  refuse_image({channels, size, size}, "dtype", "pixel_values", GRAFT_DTYPE_INT32);
  pixels.values.back() = std::numeric_limits<float>::quiet_NaN();
  refuse_image({channels, size, size}, "nan");
}

void refusals(const Opened& opened) {
  refuse_kind(opened, GRAFT_REQUEST_GENERATE);
  if (!opened.expected.pixels.empty()) return image_refusals(opened);
  const RequestOptions embed = make_options(GRAFT_REQUEST_EMBED);
  const auto prompt = opened.expected.prompts[0].size();
  const bool typed = !opened.expected.token_types[0].empty() || opened.info.at("model_type") == "bert";
  if (!typed) return;
  refuse(opened, embed, Tokens(prompt, 99), GRAFT_STATUS_INVALID_ARGUMENT, "token type");
  refuse(opened, embed, Tokens(prompt + 1, 0), GRAFT_STATUS_INVALID_ARGUMENT, "token_types");
}

class EncoderSuite : public testing::Test {
 public:
  using Body = void (*)(const Opened& opened);

  EncoderSuite(std::filesystem::path directory, Cell cell, Body body)
      : directory_(std::move(directory)), cell_(std::move(cell)), body_(body) {}

  static void TearDownTestSuite() { opened_.reset(); }

  void TestBody() override {
    try {
      if (!opened_ || opened_->directory != directory_ || !(opened_->cell == cell_)) {
        opened_.reset();
        opened_ = std::make_unique<Opened>(open(directory_, cell_));
      }
      body_(*opened_);
    } catch (const std::exception& error) {
      FAIL() << error.what();
    }
  }

 private:
  static inline std::unique_ptr<Opened> opened_;
  std::filesystem::path directory_;
  Cell cell_;
  Body body_;
};

bool add_all() {
  const char* folder = std::getenv("GRAFT_TEST_CASES");
  if (folder == nullptr) return false;  // transformers_test.cpp fails for that
  const std::pair<const char*, EncoderSuite::Body> tests[] = {
      {"hidden", hidden}, {"embeddings", embeddings}, {"logits", logits}, {"scores", scores}, {"refusals", refusals}};
  for (const std::string& name : case_names(folder, /*encoders=*/true)) {
    const std::filesystem::path directory = std::filesystem::path(folder) / name;
    for (const Cell& cell : cells_of(directory)) {
      for (const auto& [test, body] : tests) {
        testing::RegisterTest((name + "/" + cell.name()).c_str(), test, nullptr, nullptr, __FILE__, __LINE__,
                              [=]() -> EncoderSuite* { return new EncoderSuite(directory, cell, body); });
      }
    }
  }
  return true;
}

[[maybe_unused]] const bool registered = add_all();

}  // namespace
}  // namespace graft::conformance
