#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace pilotfish::net {

/// Recycles read buffers of one size, so that steady traffic allocates none and idle connections
/// hold none. Ownership: must outlive its Buffers. Thread-safety: none; one per worker.
class BufferPool {
 public:
  static constexpr std::size_t kSize = 16UL * 1024;
  /// Blocks kept for reuse; more than this go back to the heap.
  static constexpr std::size_t kKept = 256;

  std::unique_ptr<char[]> take();
  void give(std::unique_ptr<char[]> block);

 private:
  std::vector<std::unique_ptr<char[]>> free_;
};

/// Bytes read and not yet used: [begin, end) of a block from the pool, or of a larger block of its
/// own for a large head. Holds no memory until room is asked for. Views into it stay valid until
/// make_room() or release(). Thread-safety: none.
class Buffer {
 public:
  explicit Buffer(BufferPool& pool) : pool_(&pool) {}
  ~Buffer() { release(); }
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&&) = delete;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  [[nodiscard]] std::string_view readable() const { return {data() + begin_, end_ - begin_}; }
  [[nodiscard]] char* begin() { return data() + begin_; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  void consume(std::size_t n) {
    begin_ += n;
    if (begin_ == end_) {
      begin_ = end_ = 0;
    }
  }
  void commit(std::size_t n) { end_ += n; }

  /// Free space behind the bytes; acquires a block where there is none. Moves the bytes to the
  /// front where nothing is free behind them.
  [[nodiscard]] std::span<char> make_room();
  /// As make_room(), for a head of at most `limit` bytes that began at the front: grows the block.
  /// Empty where `limit` bytes are already there.
  [[nodiscard]] std::span<char> make_room_for_head(std::size_t limit);

  /// Gives the memory back; what was unread is lost.
  void release();
  /// Gives the memory back where nothing is unread.
  void release_if_empty() {
    if (empty()) {
      release();
    }
  }
  [[nodiscard]] bool holds_memory() const { return block_ != nullptr; }

 private:
  [[nodiscard]] char* data() const { return block_.get(); }

  BufferPool* pool_;
  std::unique_ptr<char[]> block_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace pilotfish::net
