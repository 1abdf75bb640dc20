#include "app/line_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <system_error>

namespace pilotfish::app {
namespace {

Descriptor open_append(const std::string& path) {
  return Descriptor(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640));
}

bool is_regular(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

LineWriter::LineWriter(int fd, Options options)
    : options_(std::move(options)), fd_(fd), regular_(is_regular(fd)) {
  thread_ = std::thread([this] { run(); });
}

LineWriter::LineWriter(std::string path, Options options)
    : options_(std::move(options)), path_(std::move(path)), own_(open_append(path_)) {
  if (!own_) {
    throw std::system_error(errno, std::generic_category(), path_);
  }
  fd_ = own_.get();
  regular_ = is_regular(fd_);
  thread_ = std::thread([this] { run(); });
}

LineWriter::~LineWriter() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    stop_by_ = std::chrono::steady_clock::now() + options_.linger;
  }
  wake_.notify_one();
  thread_.join();
}

bool LineWriter::write(std::string_view line) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (pending_.size() + line.size() > options_.capacity) {
      options_.on_dropped(static_cast<std::size_t>(std::count(line.begin(), line.end(), '\n')));
      return false;
    }
    first = pending_.empty();
    pending_ += line;
  }
  if (first) {
    wake_.notify_one();
  }
  return true;
}

void LineWriter::reopen() {
  {
    const std::lock_guard lock(mutex_);
    reopen_ = !path_.empty();
  }
  wake_.notify_one();
}

void LineWriter::flush(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  written_.wait_for(lock, limit, [this] { return pending_.empty() && !writing_; });
}

void LineWriter::run() {
  std::string text;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || reopen_ || !pending_.empty(); });
    if (options_.batch.count() > 0 && !stop_ && !reopen_) {
      wake_.wait_for(lock, options_.batch, [this] { return stop_ || reopen_; });
    }
    if (reopen_) {
      reopen_ = false;
      reopen_now();
    }
    if (pending_.empty()) {
      if (stop_) {
        return;
      }
      continue;
    }
    text.clear();
    text.swap(pending_);  // both keep their capacity: no allocation once warm
    writing_ = true;
    lock.unlock();
    write_out(text);
    lock.lock();
    writing_ = false;
    written_.notify_all();
  }
}

void LineWriter::reopen_now() {
  if (Descriptor fresh = open_append(path_)) {
    own_ = std::move(fresh);
    fd_ = own_.get();
    regular_ = is_regular(fd_);
  }
}

bool LineWriter::give_up() {
  const std::lock_guard lock(mutex_);
  return stop_ && std::chrono::steady_clock::now() >= stop_by_;
}

bool LineWriter::wait_writable() {
  while (!give_up()) {
    pollfd entry{.fd = fd_, .events = POLLOUT, .revents = 0};
    const int ready = ::poll(&entry, 1, 100);
    if (ready > 0) {
      return (entry.revents & POLLOUT) != 0;
    }
    if (ready < 0 && errno != EINTR) {
      return false;
    }
  }
  return false;
}

void LineWriter::write_out(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    // A pipe that polls writable takes PIPE_BUF bytes at once; more could block past any stop.
    const std::size_t chunk = regular_ ? rest.size() : std::min<std::size_t>(rest.size(), PIPE_BUF);
    if (!regular_ && !wait_writable()) {
      break;
    }
    const ssize_t written = ::write(fd_, rest.data(), chunk);
    if (written > 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno != EINTR && errno != EAGAIN) {
      break;
    }
  }
  if (!rest.empty()) {
    const std::lock_guard lock(mutex_);
    options_.on_dropped(static_cast<std::size_t>(std::count(rest.begin(), rest.end(), '\n')));
  }
}

}  // namespace pilotfish::app
