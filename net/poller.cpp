#include "net/poller.hpp"

#include <boost/asio/post.hpp>
#include <cerrno>
#include <span>

namespace pilotfish::net {
namespace {

constexpr std::uint32_t kEverything = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;

int make_epoll() {
  const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  if (descriptor < 0) {
    throw boost::system::system_error(errno, boost::system::system_category(), "epoll_create1");
  }
  return descriptor;
}

}  // namespace

// --- Poller ----------------------------------------------------------------------------------

Poller::Poller(IoContext& context)
    : service(context), executor_(context.get_executor()), epoll_(executor_, make_epoll()) {}

Poller::~Poller() = default;

void Poller::shutdown() {
  shut_ = true;
  std::vector<Deferred> dropped = std::move(deferred_);
  while (first_ != nullptr) {
    Pollable& pollable = *first_;
    for (auto* slot : {&pollable.reader_, &pollable.writer_}) {
      dropped.push_back({std::move(*slot), {}});
    }
    pollable.watcher_ = nullptr;
    remove(pollable);
  }
  // Destroying them unwinds coroutines, which destroy what is left of the streams.
}

bool Poller::add(Pollable& pollable) {
  epoll_event event{};
  event.events = kEverything;
  event.data.ptr = &pollable;
  if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, pollable.descriptor_, &event) != 0) {
    return false;
  }
  pollable.registered_ = true;
  pollable.next_ = first_;
  if (first_ != nullptr) {
    first_->previous_ = &pollable;
  }
  first_ = &pollable;
  return true;
}

void Poller::readdress(Pollable& pollable) {
  epoll_event event{};
  event.events = kEverything;
  event.data.ptr = &pollable;
  (void)::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_MOD, pollable.descriptor_, &event);
}

void Poller::remove(Pollable& pollable) {
  (pollable.previous_ != nullptr ? pollable.previous_->next_ : first_) = pollable.next_;
  if (pollable.next_ != nullptr) {
    pollable.next_->previous_ = pollable.previous_;
  }
  pollable.next_ = pollable.previous_ = nullptr;
  pollable.registered_ = false;
  for (std::size_t i = next_; i < count_; ++i) {
    if (events_[i].data.ptr == &pollable) {
      events_[i].data.ptr = nullptr;  // what this batch still has of it
    }
  }
}

void Poller::defer(Continuation continuation, ErrorCode error) {
  if (shut_) {
    return;
  }
  deferred_.push_back({std::move(continuation), error});
  if (count_ == 0 && !posted_) {
    posted_ = true;
    asio::post(executor_, [this] {
      posted_ = false;
      run_deferred();
      settle();
    });
  }
}

void Poller::run_deferred() {
  // What is deferred meanwhile waits for the next time, so that nobody who is always ready holds
  // everybody else up.
  running_.swap(deferred_);
  for (auto& one : running_) {
    one.continuation(one.error);
  }
  running_.clear();
}

void Poller::arm() {
  if (shut_) {
    return;
  }
  armed_ = true;
  epoll_.async_wait(Descriptor::wait_read, [this](ErrorCode error) {
    armed_ = false;
    if (!error) {
      dispatch();
    }
    settle();
  });
}

void Poller::dispatch() {
  yields_ = false;
  for (std::size_t handled = 0; handled < kTurn && !yields_; handled += count_) {
    const int found =
        ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(kBatch), 0);
    if (found <= 0) {
      break;
    }
    count_ = static_cast<std::size_t>(found);
    // All is noted before anybody runs: whoever takes a kept connection for silent must know of
    // what came to it in this very batch.
    next_ = 0;
    for (const auto& event : std::span(events_).first(count_)) {
      static_cast<Pollable*>(event.data.ptr)->note(event.events);
    }
    while (next_ < count_) {
      if (auto* pollable = static_cast<Pollable*>(events_[next_++].data.ptr); pollable != nullptr) {
        pollable->wake();
      }
    }
    run_deferred();
  }
  count_ = 0;
}

void Poller::settle() {
  if (!deferred_.empty() && !posted_) {
    posted_ = true;
    asio::post(executor_, [this] {
      posted_ = false;
      run_deferred();
      settle();
    });
  }
  if (waiters_ > 0) {
    if (!armed_) {
      arm();
    }
  } else if (armed_) {
    ErrorCode ignored;
    epoll_.cancel(ignored);
  }
}

// --- Pollable --------------------------------------------------------------------------------

Pollable::Pollable(Pollable&& other) noexcept
    : poller_(other.poller_), descriptor_(other.descriptor_), ready_(other.ready_) {
  const bool registered = other.registered_;
  if (registered) {
    poller_->remove(other);
    registered_ = true;
    next_ = poller_->first_;
    if (next_ != nullptr) {
      next_->previous_ = this;
    }
    poller_->first_ = this;
    poller_->readdress(*this);
  }
  other.descriptor_ = -1;
}

void Pollable::wait_read(Continuation continuation) {
  wait(reader_, std::move(continuation), kRead | kEnd | kError);
}

void Pollable::wait_write(Continuation continuation) {
  wait(writer_, std::move(continuation), kWrite | kError);
}

void Pollable::wait(Continuation& slot, Continuation continuation, std::uint8_t wanted) {
  if (descriptor_ < 0) {
    poller_->defer(std::move(continuation), asio::error::bad_descriptor);
    return;
  }
  if (!registered_ && !poller_->add(*this)) {
    poller_->defer(std::move(continuation), ErrorCode(errno, boost::system::system_category()));
    return;
  }
  if ((ready_ & wanted) != 0) {
    poller_->defer(std::move(continuation), {});
    return;
  }
  slot = std::move(continuation);
  poller_->waits();
}

void Pollable::note(std::uint32_t events) {
  if ((events & EPOLLIN) != 0) {
    ready_ |= kRead;
  }
  urgent_ = urgent_ || (events & EPOLLPRI) != 0;
  if ((events & EPOLLOUT) != 0) {
    ready_ |= kWrite;
  }
  if ((events & EPOLLRDHUP) != 0) {
    ready_ |= kEnd;
  }
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    ready_ |= kError;
  }
}

bool Pollable::watch(HangUpWatcher& watcher, HangUp what) {
  if (descriptor_ < 0) {
    return true;
  }
  if (!registered_ && !poller_->add(*this)) {
    return false;  // whoever reads or writes will find out
  }
  watched_ = what == HangUp::kEnd ? kEnd | kError : kError;
  if ((ready_ & watched_) != 0) {
    return true;
  }
  watcher_ = &watcher;
  poller_->waits();
  return false;
}

void Pollable::unwatch() {
  if (watcher_ != nullptr) {
    watcher_ = nullptr;
    --poller_->waiters_;
  }
}

Continuation Pollable::take(Continuation& slot) {
  --poller_->waiters_;
  return std::move(slot);
}

void Pollable::wake() {
  const bool gone = watcher_ != nullptr && (ready_ & watched_) != 0;
  const bool reads = reader_ && (ready_ & (kRead | kEnd | kError)) != 0;
  const bool writes = writer_ && (ready_ & (kWrite | kError)) != 0;
  // Each of the three may destroy this: all but the last one are deferred.
  if (writes) {
    Continuation writer = take(writer_);
    if (!reads && !gone) {
      writer({});
      return;
    }
    poller_->defer(std::move(writer), {});
  }
  if (reads) {
    Continuation reader = take(reader_);
    if (!gone) {
      reader({});
      return;
    }
    poller_->defer(std::move(reader), {});
  }
  if (gone) {
    --poller_->waiters_;
    std::exchange(watcher_, nullptr)->hung_up();
  }
}

void Pollable::abort(Continuation& slot) {
  if (slot) {
    poller_->defer(take(slot), asio::error::operation_aborted);
  }
}

void Pollable::cancel() {
  abort(reader_);
  abort(writer_);
  if (poller_->count_ == 0) {
    poller_->settle();
  }
}

void Pollable::release() {
  abort(reader_);
  abort(writer_);
  unwatch();
  if (registered_) {
    poller_->remove(*this);
  }
  descriptor_ = -1;
  ready_ = 0;
}

}  // namespace pilotfish::net
