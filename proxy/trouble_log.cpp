#include "proxy/trouble_log.hpp"

#include <chrono>
#include <utility>

namespace pilotfish::proxy {
namespace {

constexpr Duration kLookEvery = std::chrono::seconds(1);

/// log() takes a list that is known when it is compiled: up to three fields beside our own.
void write(Logger& logger, LogLevel level, std::string_view what, std::string upstream,
           std::string why, std::initializer_list<LogField> more) {
  LogField first{"upstream", std::move(upstream)};
  LogField cause{"why", std::move(why)};
  const auto* field = more.begin();
  switch (more.size()) {
    case 0: logger.log(level, what, {first, cause}); break;
    case 1: logger.log(level, what, {first, field[0], cause}); break;
    case 2: logger.log(level, what, {first, field[0], field[1], cause}); break;
    default: logger.log(level, what, {first, field[0], field[1], field[2], cause}); break;
  }
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), 1, ',');
  }
  return text;
}

void TroubleLog::say(LogLevel level, std::string_view upstream, std::string_view what,
                     std::string why, std::initializer_list<LogField> more, std::uint32_t burst) {
  std::string key = std::string(upstream) + '\n' + std::string(what);
  const auto now = Clock::now();
  if (!armed()) {
    set(now + kLookEvery);
  }
  if (filter_.admit(key, burst, now)) {
    write(logger_, level, what, std::string(upstream), std::move(why), more);
    return;
  }
  last_.insert_or_assign(std::move(key),
                         Last{level, std::string(upstream), std::string(what), std::move(why)});
}

void TroubleLog::on_deadline() {
  const auto now = Clock::now();
  tell(now);
  if (!filter_.empty()) {
    set(now + kLookEvery);
  }
}

void TroubleLog::flush() {
  tell(TimePoint::max());
  clear();
}

void TroubleLog::tell(TimePoint now) {
  for (auto& one : filter_.take_due(now)) {
    const auto found = last_.find(one.key);
    if (found == last_.end()) {
      continue;
    }
    auto last = std::move(found->second);
    last_.erase(found);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(one.span).count();
    const std::string span =
        now == TimePoint::max() ? "" : " in the last " + std::to_string(seconds) + " s";
    write(logger_, last.level, last.what + " (" + grouped(one.count) + " more" + span + ")",
          std::move(last.upstream), std::move(last.why), {});
  }
}

}  // namespace pilotfish::proxy
