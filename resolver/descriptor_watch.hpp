#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <functional>
#include <map>
#include <memory>

#include "net/asio.hpp"

namespace pilotfish::resolver {

/// Watches descriptors that somebody else owns and closes (c-ares): Asio tells when they are ready,
/// and gives them up without closing. Readiness is announced until unwatched.
/// Thread-safety: none; one executor. `on_ready` may call watch() and unwatch().
class DescriptorWatch {
 public:
  using OnReady = std::function<void(int descriptor, bool readable)>;

  DescriptorWatch(net::Executor executor, OnReady on_ready)
      : executor_(executor), on_ready_(std::make_shared<OnReady>(std::move(on_ready))) {}
  ~DescriptorWatch();
  DescriptorWatch(const DescriptorWatch&) = delete;
  DescriptorWatch& operator=(const DescriptorWatch&) = delete;

  /// Neither: forgets the descriptor, which may be closed right after.
  void watch(int descriptor, bool readable, bool writable);

 private:
  struct Watched;
  static void wait(const std::shared_ptr<Watched>& watched, bool readable);

  net::Executor executor_;
  std::shared_ptr<OnReady> on_ready_;
  std::map<int, std::shared_ptr<Watched>> watched_;
};

}  // namespace pilotfish::resolver
