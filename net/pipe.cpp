#include "net/pipe.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace pilotfish::net {

Pipe Pipe::open(std::size_t wanted) {
  Pipe pipe;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) {
    return pipe;
  }
  pipe.out_ = ends[0];
  pipe.in_ = ends[1];
  auto size = ::fcntl(pipe.in_, F_SETPIPE_SZ, static_cast<int>(wanted));
  if (size < 0) {
    size = ::fcntl(pipe.in_, F_GETPIPE_SZ);  // the user's share of pipe memory is spent
  }
  pipe.capacity_ = size > 0 ? static_cast<std::size_t>(size) : 0;
  return pipe;
}

void Pipe::close() {
  if (is_open()) {
    ::close(in_);
    ::close(out_);
    in_ = out_ = -1;
  }
}

Pipe PipePool::take() {
  if (!idle_.empty()) {
    Pipe pipe = std::move(idle_.back());
    idle_.pop_back();
    unused_ = std::min(unused_, idle_.size());
    ++taken_;
    return pipe;
  }
  if (taken_ >= most_) {
    return {};
  }
  if (pause_ > 0) {
    --pause_;
    return {};
  }
  Pipe pipe = Pipe::open(kCapacity);
  if (pipe.is_open() && pipe.capacity() >= kLeast) {
    ++taken_;
    return pipe;
  }
  pause_ = kPause;
  return {};
}

void PipePool::give(Pipe pipe) {
  --taken_;
  if (pipe.held() == 0 && taken_ + idle_.size() < most_) {
    idle_.push_back(std::move(pipe));
  }
}

void PipePool::trim() {
  // By halves: a pause between two bursts does not cost all of them.
  idle_.resize(idle_.size() - (std::min(unused_, idle_.size()) + 1) / 2);
  unused_ = idle_.size();
}

}  // namespace pilotfish::net
