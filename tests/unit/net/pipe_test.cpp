#include "net/pipe.hpp"

#include <array>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net/splice.hpp"

namespace pilotfish::net {
namespace {

/// Lets no further descriptor be opened while it lives.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next);
    ::close(next);
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST(PipePool, LendsOnePipeToOneTakerAtATime) {
  PipePool pool(2);
  PipeLease one(pool);
  PipeLease two(pool);
  PipeLease three(pool);
  EXPECT_TRUE(one.hold());
  EXPECT_TRUE(one.hold());
  EXPECT_TRUE(two.hold());
  EXPECT_FALSE(three.hold());
  EXPECT_NE((*one).writer(), (*two).writer());
  EXPECT_EQ(pool.taken(), 2U);
  one.release();
  EXPECT_TRUE(three.hold());
  EXPECT_EQ(pool.taken(), 2U);
}

TEST(PipePool, KeepsAnEmptyPipeAndClosesOneWithBytes) {
  PipePool pool(4);
  {
    PipeLease lease(pool);
    ASSERT_TRUE(lease.hold());
  }
  EXPECT_EQ(pool.idle(), 1U);
  int reader = -1;
  {
    PipeLease lease(pool);
    ASSERT_TRUE(lease.hold());
    ASSERT_EQ(::write((*lease).writer(), "left", 4), 4);
    (*lease).filled(4);
    reader = (*lease).reader();
  }
  EXPECT_EQ(pool.idle(), 0U);
  EXPECT_EQ(pool.taken(), 0U);
  EXPECT_EQ(::fcntl(reader, F_GETFD), -1) << "the next taker must not find another's bytes";
}

TEST(PipePool, SendsTakersAwayWhileNoDescriptorIsFree) {
  PipePool pool(4);
  PipeLease lease(pool);
  {
    const NoMoreDescriptors none;
    EXPECT_FALSE(lease.hold());
  }
  EXPECT_EQ(pool.taken(), 0U);
  bool held = false;
  for (int i = 0; i < 100 && !held; ++i) {
    held = lease.hold();  // not the kernel is asked each time
  }
  EXPECT_TRUE(held);
}

TEST(PipePool, WithoutAShareLendsNone) {
  PipePool pool(0);
  PipeLease lease(pool);
  EXPECT_FALSE(lease.hold());
}

TEST(PipePool, TrimsWhatNobodyNeeded) {
  PipePool pool(8);
  {
    std::array<PipeLease, 4> leases{PipeLease(pool), PipeLease(pool), PipeLease(pool),
                                    PipeLease(pool)};
    for (auto& lease : leases) {
      ASSERT_TRUE(lease.hold());
    }
  }
  EXPECT_EQ(pool.idle(), 4U);
  pool.trim();  // they were in use
  EXPECT_EQ(pool.idle(), 4U);
  pool.trim();
  EXPECT_EQ(pool.idle(), 2U);
  pool.trim();
  pool.trim();
  EXPECT_EQ(pool.idle(), 0U);
}

TEST(SpliceChoice, AsksForProof) {
  SpliceChoice choice;
  for (std::uint32_t i = 0; i < SpliceChoice::kProof; ++i) {
    EXPECT_FALSE(choice.wanted());
    choice.copied(16384);
    choice.copied(0);  // nothing there yet says nothing
  }
  EXPECT_TRUE(choice.wanted());
}

TEST(SpliceChoice, ASmallMessageIsNoProof) {
  SpliceChoice choice;
  for (int i = 0; i < 100; ++i) {
    choice.copied(16384);
    choice.copied(100);
    EXPECT_FALSE(choice.wanted());
  }
}

TEST(SpliceChoice, AThinStreamIsCopiedAgain) {
  SpliceChoice choice;
  choice.expect_bulk();
  for (int i = 0; i < 100; ++i) {
    choice.spliced(100);
    choice.spliced(65536);
    EXPECT_TRUE(choice.wanted());
  }
  for (std::uint32_t i = 0; i < SpliceChoice::kMostThin; ++i) {
    EXPECT_TRUE(choice.wanted());
    choice.spliced(100);
  }
  EXPECT_FALSE(choice.wanted());
}

}  // namespace
}  // namespace pilotfish::net
