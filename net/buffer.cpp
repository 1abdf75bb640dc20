#include "net/buffer.hpp"

#include <algorithm>
#include <utility>

namespace pilotfish::net {

std::unique_ptr<char[]> BufferPool::take() {
  if (free_.empty()) {
    return std::make_unique_for_overwrite<char[]>(kSize);
  }
  auto block = std::move(free_.back());
  free_.pop_back();
  return block;
}

void BufferPool::give(std::unique_ptr<char[]> block) {
  if (free_.size() < kKept) {
    free_.push_back(std::move(block));
  }
}

Buffer::Buffer(Buffer&& other) noexcept
    : pool_(other.pool_),
      block_(std::move(other.block_)),
      capacity_(std::exchange(other.capacity_, 0)),
      begin_(std::exchange(other.begin_, 0)),
      end_(std::exchange(other.end_, 0)) {}

std::span<char> Buffer::make_room() {
  if (!block_) {
    block_ = pool_->take();
    capacity_ = BufferPool::kSize;
  } else if (end_ == capacity_ && begin_ > 0) {
    std::memmove(data(), data() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }
  return {data() + end_, capacity_ - end_};
}

std::span<char> Buffer::make_room_for_head(std::size_t limit) {
  if (size() >= limit) {
    return {};
  }
  auto room = make_room();
  if (room.empty()) {
    const std::size_t larger = std::max(limit, capacity_ * 2);
    auto block = std::make_unique_for_overwrite<char[]>(larger);
    std::memcpy(block.get(), data() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
    if (capacity_ == BufferPool::kSize) {
      pool_->give(std::move(block_));
    }
    block_ = std::move(block);
    capacity_ = larger;
    room = {data() + end_, capacity_ - end_};
  }
  return room;
}

void Buffer::release() {
  if (block_ && capacity_ == BufferPool::kSize) {
    pool_->give(std::move(block_));
  }
  block_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace pilotfish::net
