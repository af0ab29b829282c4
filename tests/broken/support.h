// A broken model as a case of a table, and the checks of what the public interface says about it.
#pragma once

#include <graft/graft.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/broken/tiny_model.h"

namespace graft::broken {

/// One thing that is wrong, the status it must end in, and words that the message must hold.
struct Case {
  const char* name;
  std::function<void(Model&)> damage;
  graft_status status;
  std::vector<std::string> texts;
};

inline std::ostream& operator<<(std::ostream& out, const Case& value) { return out << value.name; }
inline std::string case_name(const testing::TestParamInfo<Case>& info) { return info.param.name; }

/// A call's status is the expected one, and the thread's last message holds every text.
void expect_failure(graft_status found, graft_status expected, const std::vector<std::string>& texts);

/// Writes the damaged model, and opens it: it must fail as the case says. Then a sound model must open and answer.
void expect_refused(const Case& value);

/// A sound model opened with one thread; ends the test when that fails.
graft_engine* open_sound();

/// The engine answers a request of three tokens with four.
void expect_answers(graft_engine* engine);

}  // namespace graft::broken
