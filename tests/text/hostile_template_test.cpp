// Templates are code from elsewhere: whatever they do ends, soon, with a status.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "tests/text/chat_cases.h"
#include "tests/text/tokenizer_cases.h"

namespace graft::testing {
namespace {

struct Hostile {
  const char* name;
  const char* text;
  StatusCode status;
};

class HostileTemplateTest : public ::testing::TestWithParam<Hostile> {};

constexpr StatusCode limit = StatusCode::limit_exceeded;
constexpr StatusCode refused = StatusCode::invalid_argument;
constexpr StatusCode corrupt = StatusCode::corrupt_data;
constexpr StatusCode unsupported = StatusCode::unsupported;

INSTANTIATE_TEST_SUITE_P(
    Kinds, HostileTemplateTest,
    ::testing::Values(
        Hostile{"loops", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", limit},
        Hostile{"range", "{% for a in range(99999999999) %}x{% endfor %}", refused},
        Hostile{"multiplied", "{{ ('x' * 1000000000)|length }}", limit},
        Hostile{"multiplied_list", "{% for x in [1] * 90000000 %}{% endfor %}", limit},
        Hostile{"doubled",
                "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}", limit},
        Hostile{"added", "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
                limit},
        Hostile{"captured",
                "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set b %}{{ n.s }}{{ n.s }}{% endset %}"
                "{% set n.s = b %}{% endfor %}",
                limit},
        Hostile{"replaced",
                "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s.replace('x', 'xxxx') %}"
                "{% endfor %}",
                limit},
        Hostile{"joined", "{% set s = 'x' * 1000000 %}{{ ''.join([s] * 1000000)|length }}", limit},
        Hostile{"joined_filter", "{% set s = 'x' * 1000000 %}{{ ([s] * 1000000)|join|length }}", limit},
        Hostile{"json", "{% set s = 'x' * 1000000 %}{{ ([s] * 1000000)|tojson|length }}", limit},
        Hostile{"json_indent", "{{ [[[1]]]|tojson(indent=1000000000) }}", refused},
        Hostile{"string", "{% set s = 'x' * 1000000 %}{{ ([s] * 1000000)|string|length }}", limit},
        Hostile{"printed", "{% set s = 'x' * 1000000 %}{{ [s] * 1000000 }}", limit},
        Hostile{"concatenated", "{% set s = 'x' * 1000000 %}{% set t = 'a' ~ ([s] * 1000000) %}", limit},
        Hostile{"padded", "{{ '{:>1000000000}'.format('x') }}", refused},
        Hostile{"padded_printf", "{{ '%1000000000s'|format('x') }}", limit},
        Hostile{"indented", "{{ 'x\ny'|indent(2000000000) }}", limit},
        Hostile{"output", "{% for a in range(99999) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' * 10 }}{% endfor %}",
                limit},
        Hostile{"macro", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", limit},
        Hostile{"recursive_loop", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", limit},
        Hostile{"nested_list",
                "{% set n = namespace(s=[]) %}{% for i in range(99999) %}{% for j in range(99999) %}"
                "{% set n.s = [[[[[[[[[[n.s]]]]]]]]]] %}{% endfor %}{% endfor %}",
                limit},
        Hostile{"nested_map",
                "{% set n = namespace(s={}) %}{% for i in range(99999) %}{% for j in range(99999) %}"
                "{% set n.s = {'a': {'a': {'a': n.s}}} %}{% endfor %}{% endfor %}",
                limit},
        Hostile{"itself", "{% set n = namespace() %}{% set n.n = n %}{{ n }}", limit},
        Hostile{"itself_json", "{% set n = namespace() %}{% set n.n = n %}{{ n|tojson }}", refused},
        Hostile{"raised", "{{ raise_exception('no: ' ~ messages[0].content) }}", refused},
        Hostile{"power", "{{ 10 ** 1000000 }}", refused}, Hostile{"divided", "{{ 1 // 0 }}", refused},
        Hostile{"none", "{{ none.a.b }}", refused}, Hostile{"undefined", "{{ nothing.a.b }}", refused},
        Hostile{"included", "{% include '/etc/passwd' %}", refused},
        Hostile{"unknown_filter", "{{ 'x'|nofilter }}", unsupported},
        Hostile{"unknown_function", "{{ nofunction() }}", unsupported},
        Hostile{"unknown_method", "{{ 'x'.nomethod() }}", unsupported}, Hostile{"unclosed", "{% if true %}", corrupt},
        Hostile{"unclosed_tag", "{{ 'x", corrupt}, Hostile{"unclosed_comment", "{# x", corrupt},
        Hostile{"unclosed_generation", "{% generation %}", corrupt}, Hostile{"unclosed_raw", "{% raw %}{{", corrupt},
        Hostile{"unknown_tag", "{% nonsense %}", corrupt}, Hostile{"not_utf8", "a\xFF", StatusCode::ok}),
    [](const auto& kind) { return std::string(kind.param.name); });

/// In a process each: a crash is one test's, and so are the stopped threads, which count. It ends without the checks of
/// an ordinary exit, since what a stopped thread had is lost, as is meant.
TEST_P(HostileTemplateTest, EndsWithAStatus) {
  const auto render = [] {
    const ChatFolder folder(GetParam().text);
    std::string message;
    const auto start = std::chrono::steady_clock::now();
    const StatusCode status = status_of([&] { folder.open()->render(one_message); }, &message);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    std::fprintf(stderr, "%s", message.c_str());
    const bool good = passed.count() < 60 && message.size() < 8192;  // even in a slow build
    return good ? static_cast<int>(status) : 100;
  };
  const char* named = GetParam().status == StatusCode::ok ? "" : "chat_template.jinja";
  EXPECT_EXIT(std::_Exit(render()), ::testing::ExitedWithCode(static_cast<int>(GetParam().status)), named);
}

/// What the fuel does not see is stopped for good: so often, and then no template runs in this process.
TEST(HostileTemplate, WhatTheFuelMissesIsStopped) {
  const auto lost = [] {
    const ChatFolder folder("{% set s = 'x' * 1000000 %}{{ ('a' ~ [s] * 1000000)|length }}");
    std::string message;
    for (int i = 0; i < 5; ++i) {
      if (status_of([&] { folder.open()->render(one_message); }, &message) != limit) return 1;
    }
    const ChatFolder good("fine");
    const bool refused_too = status_of([&] { good.open()->render(one_message); }) == limit;
    return refused_too && message.find("no more") != std::string::npos ? 0 : 2;
  };
  EXPECT_EXIT(std::_Exit(lost()), ::testing::ExitedWithCode(0), "");
}

/// What is nested as deep as the budget allows must be printed, compared and freed. In a process each, for the stopped
/// ones count.
TEST(HostileTemplate, DeepValuesSurviveEveryUse) {
  for (const char* use :
       {"", "{{ n.s }}", "{{ n.s|tojson }}", "{{ n.s|string|length }}", "{{ n.s == t.s }}", "{{ n.s|pprint }}",
        "{{ 'a' ~ n.s }}", "{{ [n.s, t.s]|unique|list|length }}", "{{ [n.s, t.s]|sort|length }}", "{{ n.s in [t.s] }}",
        "{{ {n.s: 1} }}", "{% set n.n = n %}{{ n == n.n }}{{ 'a' ~ n }}"}) {
    const auto body = [&] {
      const ChatFolder folder(std::string("{% set n = namespace(s=[]) %}{% set t = namespace(s=[]) %}"
                                          "{% for i in range(20000) %}{% set n.s = [[[[[[[[[[n.s]]]]]]]]]] %}"
                                          "{% set t.s = [[[[[[[[[[t.s]]]]]]]]]] %}{% endfor %}") +
                              use);
      const StatusCode status = status_of([&] { folder.open()->render(one_message); });
      std::_Exit(status == StatusCode::ok || status == limit || status == refused ? 0 : 1);
    };
    EXPECT_EXIT(body(), ::testing::ExitedWithCode(0), "") << use;
  }
}

/// Syntax that nests as deep as a template can be long.
TEST(HostileTemplate, DeepSyntaxIsRefused) {
  const auto body = [] {
    int wrong = 0;
    const auto render = [&](const std::string& text, bool too_long) {
      const ChatFolder folder(text);
      const StatusCode status = status_of([&] { folder.open()->render(one_message); });
      if (too_long ? status != limit : status == StatusCode::internal) ++wrong;
    };
    const std::string open[] = {"(",   "[",   "{'a':",       "not ", "-", "{% if x %}", "{% for a in b %}",
                                "a.b", "x|e", "1 if 1 else "};
    for (const std::string& part : open) {
      std::string text = part.starts_with("{%") ? "" : "{{ ";
      while (text.size() < 900000) text += part;
      render(text, false);
    }
    std::string chain = "{{ 1";
    while (chain.size() < 900000) chain += "+1";
    for (const std::string& text : {chain + " }}", chain, "{{ x" + std::string(400000, '|')}) render(text, false);
    render(std::string(2 << 20, 'x'), true);
    std::_Exit(wrong);
  };
  EXPECT_EXIT(body(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace graft::testing
