#include "http/http_date.hpp"

#include <algorithm>
#include <chrono>

namespace pilotfish::http {
namespace {

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

}  // namespace

void HttpDate::make(std::int64_t seconds) {
  made_for_ = seconds;
  const std::chrono::sys_seconds now{std::chrono::seconds(std::max<std::int64_t>(seconds, 0))};
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(now - day);
  char* at = text_.data();
  const auto word = [&at](std::string_view text) { at = std::ranges::copy(text, at).out; };
  const auto number = [&at](unsigned value, int digits) {
    for (int i = digits - 1; i >= 0; --i, value /= 10) {
      at[i] = static_cast<char>('0' + value % 10);
    }
    at += digits;
  };
  word(kDays.substr(std::chrono::weekday(day).c_encoding() * 3UL, 3));
  word(", ");
  number(static_cast<unsigned>(date.day()), 2);
  word(" ");
  word(kMonths.substr((static_cast<unsigned>(date.month()) - 1) * 3UL, 3));
  word(" ");
  number(static_cast<unsigned>(static_cast<int>(date.year())) % 10000, 4);
  word(" ");
  number(static_cast<unsigned>(time.hours().count()), 2);
  word(":");
  number(static_cast<unsigned>(time.minutes().count()), 2);
  word(":");
  number(static_cast<unsigned>(time.seconds().count()), 2);
  word(" GMT");
}

}  // namespace pilotfish::http
