#include "balancer/retry.hpp"

#include <algorithm>

namespace pilotfish::balancer {

std::string_view to_string(RetryCause cause) {
  switch (cause) {
    case RetryCause::kConnect: return "connect";
    case RetryCause::kReset: return "reset";
    case RetryCause::k502: return "502";
    case RetryCause::k503: return "503";
    case RetryCause::k504: return "504";
    case RetryCause::kReused: return "reused";
  }
  return "unknown";
}

namespace {

bool is_on(const RetryOptions& options, RetryCause cause) {
  switch (cause) {
    case RetryCause::kConnect: return options.on_connect;
    case RetryCause::kReset: return options.on_reset;
    case RetryCause::kReused: return options.on_reset;  // its free repeat is over
    case RetryCause::k502: return options.on_502;
    case RetryCause::k503: return options.on_503;
    case RetryCause::k504: return options.on_504;
  }
  return false;
}

}  // namespace

Duration retry_pause(Duration backoff, std::uint32_t so_far, Random& random) {
  constexpr std::uint32_t kLastDoubling = 4;  // 16 times would be beyond ten
  const auto step = backoff * std::min(10U, 1U << std::min(so_far, kLastDoubling));
  const auto half = static_cast<std::uint64_t>((step / 2).count());
  return step - Duration(static_cast<Duration::rep>(random.below(half + 1)));
}

RetryVerdict decide_retry(const RetryOptions& options, const RetryQuestion& question,
                          RetryBudget& budget, TimePoint now) {
  const bool nothing_sent = question.cause == RetryCause::kConnect && !question.connected;
  const bool safe = nothing_sent || question.idempotent || question.untouched;
  if (!safe || question.answer_started || !question.body_replayable) {
    return RetryVerdict::kNo;
  }
  const bool broke = question.cause == RetryCause::kReused || question.cause == RetryCause::kReset;
  if (broke && question.reused_connection && !question.reuse_repeat_spent) {
    return RetryVerdict::kFreshConnection;
  }
  if (!is_on(options, question.cause) || question.retries_so_far >= options.attempts ||
      !question.another_instance) {
    return RetryVerdict::kNo;
  }
  if (nothing_sent) {
    return RetryVerdict::kOtherInstance;
  }
  return budget.try_spend(now) ? RetryVerdict::kOtherInstance : RetryVerdict::kDenied;
}

}  // namespace pilotfish::balancer
