#include "core/policies/json/expression.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <stdexcept>

#include "core/base/quote.h"

namespace graft::json_policy {
namespace {

constexpr int deepest = 64;

double as_double(const Value& value) {
  if (const auto* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  throw std::invalid_argument(fmt::format("{} is not a number", to_text(value)));
}

bool as_flag(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  throw std::invalid_argument(fmt::format("{} is neither true nor false", to_text(value)));
}

bool is_number(const Value& value) {
  return std::holds_alternative<int64_t>(value) || std::holds_alternative<double>(value);
}

Value calculate_whole(char sign, int64_t a, int64_t b) {
  int64_t result = 0;
  const bool overflows = sign == '+'   ? __builtin_add_overflow(a, b, &result)
                         : sign == '-' ? __builtin_sub_overflow(a, b, &result)
                         : sign == '*' ? __builtin_mul_overflow(a, b, &result)
                                       : a == INT64_MIN && b == -1;
  if (overflows) throw std::invalid_argument(fmt::format("{} {} {} is too large", a, sign, b));
  if (sign != '/' && sign != '%') return result;
  if (b == 0) throw std::invalid_argument(fmt::format("{} {} 0", a, sign));
  const int64_t rest = a % b, down = rest != 0 && (rest < 0) != (b < 0) ? 1 : 0;
  return sign == '/' ? a / b - down : rest + down * b;
}

Value calculate(char sign, const Value& left, const Value& right) {
  const auto* a = std::get_if<int64_t>(&left);
  const auto* b = std::get_if<int64_t>(&right);
  if (a != nullptr && b != nullptr) return calculate_whole(sign, *a, *b);
  const double x = as_double(left), y = as_double(right);
  switch (sign) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      return x / y;
    default:
      return x - std::floor(x / y) * y;
  }
}

bool equal(const Value& left, const Value& right) {
  return is_number(left) && is_number(right) ? as_double(left) == as_double(right) : left == right;
}

class Parser {
 public:
  Parser(std::string_view text, const Names& names) : text_(text), names_(names) {}

  Value run() {
    const Value value = choice();
    skip_space();
    if (at_ < text_.size()) fail("an operator or the end");
    return value;
  }

 private:
  /// Every way down passes through here.
  struct Level {
    explicit Level(int& depth) : depth_(depth) {
      if (++depth_ > deepest) throw std::invalid_argument(fmt::format("nested deeper than {}", deepest));
    }
    ~Level() { --depth_; }
    int& depth_;
  };

  [[noreturn]] void fail(std::string_view expected) const {
    throw std::invalid_argument(fmt::format("expected {} at {}", expected, quote(text_.substr(at_, 20))));
  }

  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  bool take(std::string_view sign) {
    skip_space();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }

  void require(std::string_view sign) {
    if (!take(sign)) fail(fmt::format("'{}'", sign));
  }

  Value choice() {
    const Level level(depth_);
    const Value condition = either();
    if (!take("?")) return condition;
    const Value yes = choice();
    require(":");
    const Value no = choice();
    return as_flag(condition) ? yes : no;
  }

  Value either() {
    Value left = both();
    while (take("||")) {
      const bool right = as_flag(both());
      left = as_flag(left) || right;
    }
    return left;
  }

  Value both() {
    Value left = comparison();
    while (take("&&")) {
      const bool right = as_flag(comparison());
      left = as_flag(left) && right;
    }
    return left;
  }

  Value comparison() {
    const Value left = sum();
    if (take("==")) return equal(left, sum());
    if (take("!=")) return !equal(left, sum());
    if (take("<=")) return as_double(left) <= as_double(sum());
    if (take(">=")) return as_double(left) >= as_double(sum());
    if (take("<")) return as_double(left) < as_double(sum());
    if (take(">")) return as_double(left) > as_double(sum());
    return left;
  }

  Value sum() {
    Value left = product();
    for (;;) {
      if (take("+")) {
        left = calculate('+', left, product());
      } else if (take("-")) {
        left = calculate('-', left, product());
      } else {
        return left;
      }
    }
  }

  Value product() {
    Value left = single();
    for (;;) {
      const char sign = take("*") ? '*' : take("/") ? '/' : take("%") ? '%' : '\0';
      if (sign == '\0') return left;
      left = calculate(sign, left, single());
    }
  }

  Value single() {
    const Level level(depth_);
    if (take("(")) {
      const Value value = choice();
      require(")");
      return value;
    }
    if (take("-")) return calculate('-', int64_t{0}, single());
    if (take("!")) return !as_flag(single());
    if (take("'")) return quoted();
    skip_space();
    if (at_ < text_.size() && ((text_[at_] >= '0' && text_[at_] <= '9') || text_[at_] == '.')) return number();
    return name();
  }

  Value quoted() {
    const size_t end = text_.find('\'', at_);
    if (end == std::string_view::npos) fail("a closing '");
    const std::string_view inside = text_.substr(at_, end - at_);
    at_ = end + 1;
    return std::string(inside);
  }

  Value number() {
    const char* first = text_.data() + at_;
    const char* last = text_.data() + text_.size();
    int64_t whole = 0;
    double real = 0;
    const auto as_whole = std::from_chars(first, last, whole);
    const auto as_real = std::from_chars(first, last, real);
    if (as_real.ec != std::errc()) fail("a number");
    at_ += static_cast<size_t>(as_real.ptr - first);
    if (as_whole.ec == std::errc() && as_whole.ptr == as_real.ptr) return whole;
    return real;
  }

  Value name() {
    size_t end = at_;
    const auto belongs = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    while (end < text_.size() && belongs(text_[end])) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    if (word.empty()) fail("a value");
    at_ = end;
    if (word == "true" || word == "false") return word == "true";
    if (word == "null") return std::monostate();
    if (take("(")) return call(word);
    if (const std::optional<Value> value = names_(word)) return *value;
    throw std::invalid_argument(fmt::format("there is no field {}", quote(word)));
  }

  Value call(std::string_view function) {
    const Value first = choice();
    if (function == "sqrt") {
      require(")");
      return std::sqrt(as_double(first));
    }
    if (function != "pow" && function != "min") {
      throw std::invalid_argument(fmt::format("there is no function {}", quote(function)));
    }
    require(",");
    const Value second = choice();
    require(")");
    if (function == "min") return as_double(second) < as_double(first) ? second : first;
    return std::pow(as_double(first), as_double(second));
  }

  std::string_view text_;
  const Names& names_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string to_text(const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return "null";
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<int64_t>(&value)) return fmt::format("{}", *whole);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  return quote(std::get<std::string>(value));
}

Value evaluate(std::string_view text, const Names& names) {
  if (text.size() > 2000) throw std::invalid_argument("longer than 2000 characters");
  return Parser(text, names).run();
}

}  // namespace graft::json_policy
