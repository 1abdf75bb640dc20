#include "resolver/descriptor_watch.hpp"

namespace pilotfish::resolver {

struct DescriptorWatch::Watched {
  Watched(net::Executor executor, int descriptor, std::shared_ptr<OnReady> ready)
      : descriptor_(executor, descriptor), on_ready_(std::move(ready)) {}
  ~Watched() { forget(); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  void forget() {
    if (descriptor_.is_open()) {
      descriptor_.release();  // the owner closes it
    }
  }

  net::asio::posix::basic_stream_descriptor<net::Executor> descriptor_;
  std::shared_ptr<OnReady> on_ready_;
  bool want_[2] = {false, false};     // writable, readable
  bool waiting_[2] = {false, false};  // a wait is with Asio
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
  watched->want_[0] = writable;
  watched->want_[1] = readable;
  wait(watched, true);
  wait(watched, false);
}

void DescriptorWatch::wait(const std::shared_ptr<Watched>& watched, bool readable) {
  if (!watched->want_[readable] || watched->waiting_[readable]) {
    return;
  }
  watched->waiting_[readable] = true;
  const auto kind = readable ? net::asio::posix::descriptor_base::wait_read
                             : net::asio::posix::descriptor_base::wait_write;
  watched->descriptor_.async_wait(kind, [watched, readable](net::ErrorCode error) {
    watched->waiting_[readable] = false;
    if (error || !watched->descriptor_.is_open() || !watched->want_[readable]) {
      return;
    }
    const auto on_ready = watched->on_ready_;
    (*on_ready)(watched->descriptor_.native_handle(), readable);
    if (watched->descriptor_.is_open()) {
      wait(watched, readable);
    }
  });
}

}  // namespace pilotfish::resolver
