#include "resolver/descriptor_watch.hpp"

namespace pilotfish::resolver {

struct DescriptorWatch::Watched {
  Watched(net::Executor executor, int descriptor, std::shared_ptr<OnReady> ready)
      : stream(executor, descriptor), on_ready(std::move(ready)) {}
  ~Watched() { forget(); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  void forget() {
    if (stream.is_open()) {
      stream.release();  // the owner closes it
    }
  }

  net::asio::posix::basic_stream_descriptor<net::Executor> stream;
  std::shared_ptr<OnReady> on_ready;
  bool want[2] = {false, false};     // writable, readable
  bool waiting[2] = {false, false};  // a wait is with Asio
};

DescriptorWatch::~DescriptorWatch() {
  for (auto& [descriptor, watched] : watched_) {
    watched->forget();
  }
}

void DescriptorWatch::watch(int descriptor, bool readable, bool writable) {
  auto entry = watched_.find(descriptor);
  if (!readable && !writable) {
    if (entry != watched_.end()) {
      entry->second->forget();
      watched_.erase(entry);
    }
    return;
  }
  if (entry == watched_.end()) {
    auto fresh = std::make_shared<Watched>(executor_, descriptor, on_ready_);
    entry = watched_.emplace(descriptor, std::move(fresh)).first;
  }
  const auto watched = entry->second;
  watched->want[0] = writable;
  watched->want[1] = readable;
  wait(watched, true);
  wait(watched, false);
}

void DescriptorWatch::wait(const std::shared_ptr<Watched>& watched, bool readable) {
  if (!watched->want[readable] || watched->waiting[readable]) {
    return;
  }
  watched->waiting[readable] = true;
  const auto kind = readable ? net::asio::posix::descriptor_base::wait_read
                             : net::asio::posix::descriptor_base::wait_write;
  watched->stream.async_wait(kind, [watched, readable](net::ErrorCode error) {
    watched->waiting[readable] = false;
    if (error || !watched->stream.is_open() || !watched->want[readable]) {
      return;
    }
    const auto on_ready = watched->on_ready;
    (*on_ready)(watched->stream.native_handle(), readable);
    if (watched->stream.is_open()) {
      wait(watched, readable);
    }
  });
}

}  // namespace pilotfish::resolver
