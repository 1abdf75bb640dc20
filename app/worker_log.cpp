#include "app/worker_log.hpp"

#include <algorithm>
#include <chrono>

namespace pilotfish::app {
namespace {

constexpr Duration kSameNews = std::chrono::seconds(2);

bool is_numeral(char c) {
  return (c >= '0' && c <= '9') || c == '.';
}

/// Two workers wait the same thing out, but hardly for the same number of milliseconds.
std::string without_durations(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_numeral(text[end])) {
      ++end;
    }
    const auto rest = text.substr(end);
    const bool duration =
        end > i && (rest.starts_with(" ms") || rest.starts_with(" s") || rest.starts_with(" us"));
    const auto next = std::max(end, i + 1);
    out += duration ? "#" : text.substr(i, next - i);
    i = next;
  }
  return out;
}

}  // namespace

class WorkerLogs::One final : public Logger {
 public:
  One(WorkerLogs& group, std::size_t worker) : group_(group), worker_(worker) {}

  void log(LogLevel level, std::string_view message,
           std::initializer_list<LogField> fields) override {
    if (level != LogLevel::kDebug) {
      std::string text(message);
      for (const auto& field : fields) {
        if (field.key == "client") {
          continue;  // another one's trouble is the same trouble
        }
        text += '\n';
        text += field.key;
        text += '=';
        text += without_durations(field.value);
      }
      if (!group_.is_news(worker_, std::move(text), Clock::now())) {
        return;
      }
    }
    group_.target_.log(level, message, fields);
  }

 private:
  WorkerLogs& group_;
  std::size_t worker_;
};

WorkerLogs::WorkerLogs(Logger& target, std::size_t workers) : target_(target) {
  for (std::size_t i = 0; i < workers; ++i) {
    workers_.push_back(std::make_unique<One>(*this, i));
  }
}

WorkerLogs::~WorkerLogs() = default;

Logger& WorkerLogs::of(std::size_t worker) {
  return workers_.size() > 1 ? *workers_[worker] : target_;
}

bool WorkerLogs::is_news(std::size_t worker, std::string text, TimePoint now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(said_, [now](const Said& one) { return now - one.at > kSameNews; });
  const bool known = std::ranges::any_of(
      said_, [&](const Said& one) { return one.worker != worker && one.text == text; });
  if (!known) {
    said_.push_back({std::move(text), worker, now});
  }
  return !known;
}

}  // namespace pilotfish::app
