#include "bench/scenarios/progress.hpp"

#include <cstdio>
#include <cstdlib>
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/lab/text.hpp"

namespace pilotfish::bench {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(250);

void say(const std::string& text) {
  const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
  static_cast<void>(ignored);
}

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string whole_seconds(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

}  // namespace

std::string progress_text(const ProgressView& view) {
  const auto round = view.turn.round == 0
                         ? std::string("warm-up")
                         : fmt::format("round {}/{}", view.turn.round, view.rounds);
  const auto what = view.turn.test_case.empty() ? "" : "  " + view.turn.test_case;
  return fmt::format("{}  {}{}  {}  elapsed {}  about {} left", view.scenario, view.turn.contender,
                     what, round, whole_seconds(view.elapsed), whole_seconds(view.left));
}

Progress::Progress(std::string scenario, int rounds)
    : terminal_(::isatty(STDERR_FILENO) == 1), start_(Clock::now()), turn_began_(start_) {
  view_.scenario = std::move(scenario);
  view_.rounds = rounds;
  if (terminal_) thread_ = std::thread([this] { run(); });
}

Progress::~Progress() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  if (drawn_) say("\r\x1b[K");
}

void Progress::begin(const Turn& turn, Duration left) {
  const std::lock_guard lock(mutex_);
  view_.turn = turn;
  turn_began_ = Clock::now();
  left_ = left;
  if (terminal_) {
    draw();
  } else if (turn.round != announced_) {
    announced_ = turn.round;
    view_.elapsed = turn_began_ - start_;
    view_.left = left;
    const auto round = turn.round == 0 ? std::string("warm-up")
                                       : fmt::format("round {}/{}", turn.round, view_.rounds);
    say(fmt::format("{}  {}  elapsed {}  about {} left\n", view_.scenario, round,
                    whole_seconds(view_.elapsed), whole_seconds(left)));
  }
}

void Progress::run() {
  auto next = Clock::now() + kRedraw;
  while (!stopping_) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (Clock::now() < next) continue;
    next = Clock::now() + kRedraw;
    const std::lock_guard lock(mutex_);
    if (drawn_) draw();
  }
}

void Progress::draw() {
  const auto now = Clock::now();
  view_.elapsed = now - start_;
  view_.left = std::max(left_ - (now - turn_began_), Duration{});
  auto text = progress_text(view_);
  const auto width = terminal_width();
  if (text.size() >= width) text.resize(width - 1);
  say("\r\x1b[K" + text);
  drawn_ = true;
}

}  // namespace pilotfish::bench
