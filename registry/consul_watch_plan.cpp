#include "registry/consul_watch_plan.hpp"

#include <algorithm>
#include <charconv>

namespace pilotfish::registry {
namespace {

std::optional<std::uint64_t> parse_digits(std::string_view text) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

TimePoint WatchPlan::next_at(TimePoint now) {
  return std::max(not_before_, bucket_.next_at(now));
}

WatchPlan::Query WatchPlan::begin(TimePoint now) {
  (void)bucket_.try_take(now);
  Query query;
  query.index = index_;
  if (index_ != 0) {
    query.wait = wait_;
  }
  query.limit = query.wait + query.wait / 16 + kMargin;
  return query;
}

void WatchPlan::answered(std::optional<std::uint64_t> index, std::size_t body_bytes,
                         TimePoint now) {
  backoff_.reset();
  not_before_ = now;
  const auto worth = std::chrono::seconds(body_bytes / kBytesPerSecond);
  wait_ = std::clamp<Duration>(worth, kShortWait, kLongWait);
  if (!index || *index == 0) {
    index_ = 0;
    not_before_ = now + kPollEvery;
  } else {
    index_ = *index < index_ ? 0 : *index;
  }
}

void WatchPlan::failed(std::optional<Duration> retry_after, TimePoint now, Random& random) {
  index_ = 0;
  const auto told = std::min(retry_after.value_or(Duration::zero()), kRetryAfterMax);
  not_before_ = now + std::max(told, backoff_.next(random));
}

void WatchPlan::retry_now(TimePoint now) {
  index_ = 0;
  not_before_ = now;
}

std::optional<std::uint64_t> parse_index(std::string_view text) {
  return parse_digits(text);
}

std::optional<Duration> parse_retry_after(std::string_view text) {
  const auto seconds = parse_digits(text);
  if (!seconds) {
    return std::nullopt;
  }
  constexpr std::uint64_t kDay = 86400;
  return std::chrono::seconds(std::min(*seconds, kDay));
}

}  // namespace pilotfish::registry
