#include "bench/lab/display.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace pilotfish::bench {
namespace {

constexpr auto kFrame = std::chrono::milliseconds(200);
constexpr std::size_t kWidest = 100;

bool set_to(const char* variable, const char* value) {
  const char* text = std::getenv(variable);
  return text != nullptr && std::strcmp(text, value) == 0;
}

bool speaks_unicode() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* text = std::getenv(variable);
    if (text == nullptr || *text == '\0') continue;
    return std::strstr(text, "UTF-8") != nullptr || std::strstr(text, "utf8") != nullptr;
  }
  return false;
}

class PlainDisplay final : public Display {
 public:
  void note(const Line& line) override { print(paint(line, SIZE_MAX, false)); }
  void show(const TableModel& model, TimePoint now) override {
    if (now < next_) return;
    if (next_ != TimePoint()) print(render_compact(model));
    next_ = (next_ == TimePoint() ? now : next_) + std::chrono::seconds(1);
  }
  void close(const TableModel&) override {}
  [[nodiscard]] bool broken() const override { return broken_; }

 private:
  void print(const std::string& text) { broken_ = broken_ || !write_out(text + "\n"); }

  TimePoint next_;
  bool broken_ = false;
};

class TableDisplay final : public Display {
 public:
  TableDisplay() { print("\x1b[?25l\x1b[?7l"); }  // no cursor, no wrapping
  ~TableDisplay() override { restore(); }

  void note(const Line&) override { next_ = TimePoint(); }
  void show(const TableModel& model, TimePoint now) override {
    if (now < next_) return;
    next_ = now + kFrame;
    draw(model);
  }
  void close(const TableModel& model) override {
    draw(model);
    restore();
  }
  [[nodiscard]] bool broken() const override { return broken_; }

 private:
  void draw(const TableModel& model) {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
      size.ws_row = 24;
      size.ws_col = 80;
    }
    // One frame is one write, each line overwritten and its rest erased: nothing flickers.
    std::string frame;
    if (size.ws_row != rows_ || size.ws_col != columns_) {
      if (rows_ != 0) frame += "\x1b[H\x1b[2J";
      drawn_ = 0;
      rows_ = size.ws_row;
      columns_ = size.ws_col;
    }
    if (drawn_ != 0) frame += fmt::format("\r\x1b[{}A", drawn_);
    const std::size_t width = std::min<std::size_t>(columns_, kWidest);
    const auto lines = render_table(model, width, std::max<std::size_t>(rows_, 2) - 1, unicode_);
    for (const auto& line : lines) frame += paint(line, width, colours_) + "\x1b[K\r\n";
    frame += "\x1b[J";
    drawn_ = lines.size();
    print(frame);
  }
  void restore() {
    if (!restored_) print("\x1b[?7h\x1b[?25h");
    restored_ = true;
  }
  void print(const std::string& text) { broken_ = broken_ || !write_out(text); }

  const bool unicode_ = speaks_unicode();
  const bool colours_ = stdout_colours();
  TimePoint next_;
  std::size_t drawn_ = 0;
  unsigned rows_ = 0;
  unsigned columns_ = 0;
  bool restored_ = false;
  bool broken_ = false;
};

}  // namespace

bool stdout_colours() {
  const char* unwanted = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (unwanted == nullptr || *unwanted == '\0');
}

bool write_out(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::unique_ptr<Display> make_display(bool plain) {
  if (plain || ::isatty(STDOUT_FILENO) != 1 || set_to("TERM", "dumb")) {
    return std::make_unique<PlainDisplay>();
  }
  return std::make_unique<TableDisplay>();
}

}  // namespace pilotfish::bench
