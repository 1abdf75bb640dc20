#include "net/buffer.hpp"

#include <gtest/gtest.h>
#include <string>

namespace pilotfish::net {
namespace {

void put(Buffer& buffer, std::string_view text) {
  auto room = buffer.make_room();
  ASSERT_GE(room.size(), text.size());
  std::memcpy(room.data(), text.data(), text.size());
  buffer.commit(text.size());
}

TEST(Buffer, HoldsNoMemoryUntilAskedForRoom) {
  BufferPool pool;
  Buffer buffer(pool);
  EXPECT_FALSE(buffer.holds_memory());
  put(buffer, "hello");
  EXPECT_EQ(buffer.readable(), "hello");
  buffer.consume(5);
  buffer.release_if_empty();
  EXPECT_FALSE(buffer.holds_memory());
}

TEST(Buffer, GrowsForAHeadUpToItsLimit) {
  BufferPool pool;
  Buffer buffer(pool);
  std::string expected;
  constexpr std::size_t kLimit = 40000;
  for (;;) {
    auto room = buffer.make_room_for_head(kLimit);
    if (room.empty()) {
      break;
    }
    const auto n = std::min<std::size_t>(room.size(), 777);
    std::memset(room.data(), static_cast<int>('a' + expected.size() % 26), n);
    expected.append(n, static_cast<char>('a' + expected.size() % 26));
    buffer.commit(n);
  }
  EXPECT_GE(buffer.size(), kLimit);
  EXPECT_EQ(buffer.readable(), expected);
}

TEST(Buffer, MovesBytesToTheFrontWhereTheEndIsReached) {
  BufferPool pool;
  Buffer buffer(pool);
  put(buffer, std::string(BufferPool::kSize, 'x'));
  buffer.consume(BufferPool::kSize - 3);
  EXPECT_EQ(buffer.make_room().size(), BufferPool::kSize - 3);
  EXPECT_EQ(buffer.readable(), "xxx");
}

}  // namespace
}  // namespace pilotfish::net
