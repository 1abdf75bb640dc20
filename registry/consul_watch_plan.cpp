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
  began_ = now;
  query_ = {};
  const bool due = streaming_ && now - direct_at_ >= direct_every_;
  if (index_ == 0 || confirm_ || due || polls(now)) {
    const bool serves = direct_at_ != TimePoint{};  // what is asked for now confirms it
    query_.limit = serves ? direct_limit_ : std::max(kMargin, direct_limit_);
    return query_;
  }
  query_.index = index_;
  query_.wait = std::min(wait_, wait_cap_.value_or(wait_));
  auto margin = wait_cap_ ? kPollEvery : kMargin;
  if (streaming_) {
    // Consul takes a wait of nothing for five minutes.
    query_.wait = std::max(std::min(query_.wait, direct_at_ + direct_every_ - now), kBackoffBase);
    query_.wait -= query_.wait % std::chrono::milliseconds(1);
    margin = std::min(margin, direct_limit_);
  }
  query_.limit = query_.wait + query_.wait / 16 + margin;
  return query_;
}

WatchPlan::Verdict WatchPlan::answered(const Answer& answer, TimePoint now) {
  const bool direct = query_.index == 0;
  const auto worth = [&answer](std::size_t bytes_per_second) -> Duration {
    return std::chrono::seconds(answer.body_bytes / bytes_per_second);
  };
  backoff_.reset();
  not_before_ = now;
  wait_ = std::clamp(worth(kBytesPerSecond), kShortWait, kLongWait);
  if (direct) {
    direct_at_ = now;
    const auto cost = worth(kDirectBytesPerSecond);
    direct_every_ = std::clamp(cost, kDirectEvery, kLongWait);
    direct_limit_ = kDirectLimit + cost;
  } else {
    streaming_ = answer.streamed;
    blocking_failures_ = 0;
    blocking_backoff_.reset();
  }
  if (!answer.index || *answer.index == 0) {
    index_ = 0;
    not_before_ = now + kPollEvery;
  } else {
    index_ = *answer.index < query_.index ? 0 : *answer.index;
  }
  if (polls(now)) {
    not_before_ = now + kPollEvery;
  }
  return direct || !answer.streamed ? judge_direct(answer, now) : judge_streamed(answer, now);
}

WatchPlan::Verdict WatchPlan::judge_streamed(const Answer& answer, TimePoint now) {
  const auto index = answer.index.value_or(0);
  if (answer.same) {
    return Verdict::kNothing;
  }
  if (!answer.lost && index >= believed_) {
    believed_ = index;
    return Verdict::kBelieve;
  }
  confirm_ = true;
  doubted_ = index;
  doubt_since_ = doubt_since_.value_or(now);
  not_before_ = now;
  return Verdict::kDoubt;
}

WatchPlan::Verdict WatchPlan::judge_direct(const Answer& answer, TimePoint now) {
  const auto index = answer.index.value_or(0);
  // A server that has not come as far as the one whose word is doubted cannot settle it.
  const bool behind =
      index != 0 && ((!answer.same && index < believed_) || (confirm_ && index < doubted_));
  if (behind) {
    doubt_since_ = doubt_since_.value_or(now);
    if (now - *doubt_since_ < kDoubtFor) {
      confirm_ = true;
      not_before_ = std::max(not_before_, now + kDoubtEvery);
      return Verdict::kDoubt;
    }
  }
  // A view that is ahead of its servers for good would be told again at once, and for ever.
  index_ = index_ == 0 ? 0 : std::max(index_, doubted_);
  believed_ = behind && !answer.same ? index : std::max(believed_, index);
  confirm_ = false;
  doubted_ = 0;
  doubt_since_.reset();
  return Verdict::kBelieve;
}

WatchPlan::Setback WatchPlan::failed(std::optional<Duration> told_to_wait, TimePoint now,
                                     Random& random) {
  const bool blocking = query_.index != 0;
  index_ = 0;
  confirm_ = false;
  doubted_ = 0;
  doubt_since_.reset();
  if (blocking && !told_to_wait) {
    confirm_ = true;
    not_before_ = now;
    if (++blocking_failures_ == 1) {
      return Setback::kNone;
    }
    blocking_again_ = now + blocking_backoff_.next(random);
    const auto took = now - began_;  // whoever cuts what waits is asked to wait half as long
    wait_cap_ = took < query_.wait ? std::max(took / 2, kPollEvery) : kPollEvery;
    return Setback::kPolls;
  }
  streaming_ = true;
  direct_at_ = {};
  blocking_failures_ = 0;
  blocking_again_ = {};
  wait_cap_.reset();
  const auto told = std::min(told_to_wait.value_or(Duration::zero()), kRetryAfterMax);
  not_before_ = now + std::max(told, backoff_.next(random));
  return Setback::kDown;
}

void WatchPlan::retry_now(TimePoint now) {
  index_ = 0;
  doubt_since_.reset();
  not_before_ = now;
}

void WatchPlan::begin_anew(TimePoint now) {
  const auto bucket = bucket_;
  *this = WatchPlan();
  bucket_ = bucket;
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
