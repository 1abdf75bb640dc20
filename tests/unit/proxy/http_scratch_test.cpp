#include "proxy/http_scratch.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "proxy/request_body.hpp"

namespace pilotfish::proxy {
namespace {

/// Bytes of heap that it holds.
std::size_t held(const HttpScratch& scratch) {
  return scratch.request_bytes.capacity() + scratch.answer_bytes.capacity() +
         scratch.connection_names.capacity() +
         (scratch.request_fields.capacity() + scratch.answer_fields.capacity()) *
             sizeof(http::Field);
}

TEST(HttpScratchPool, KeepsNoMoreThanUsualHeadsNeed) {
  HttpScratchPool pool;
  std::vector<HttpScratchPtr> all;
  for (int i = 0; i < 20; ++i) {  // as many fields as fit into the default of limits.head
    all.push_back(pool.take());
    all.back()->request_fields.resize(8000);
    all.back()->answer_fields.resize(8000);
    all.back()->request_bytes.resize(100000);
    all.back()->answer_bytes.resize(100000);
    all.back()->connection_names.resize(100000);
  }
  for (auto& scratch : all) {
    pool.give(std::move(scratch));
  }
  std::size_t kept = 0;
  for (auto& scratch : all) {
    scratch = pool.take();
    kept += held(*scratch);
  }
  EXPECT_LE(kept, all.size() * 16 * 1024);
}

TEST(HttpScratchPool, KeepsTheMemoryOfUsualOnes) {
  HttpScratchPool pool;
  auto scratch = pool.take();
  scratch->request_fields.reserve(40);
  scratch->answer_bytes.reserve(2000);
  pool.give(std::move(scratch));
  scratch = pool.take();
  EXPECT_GE(scratch->request_fields.capacity(), 40U);
  EXPECT_GE(scratch->answer_bytes.capacity(), 2000U);
}

TEST(RequestBody, GivesBackTheTrailersItHasRead) {
  std::string bytes = "0\r\n";
  while (bytes.size() < 16000) {
    bytes += "a:b\r\n";
  }
  bytes += "\r\n";
  RequestBody body;
  ASSERT_EQ(body.begin(http::Framing::kChunked, 0, bytes), http::BodyDecoder::State::kDone);
  std::string end;
  EXPECT_TRUE(body.write_end(end));
  EXPECT_EQ(end, "0\r\n\r\n");
  EXPECT_GE(body.trailers().capacity(), 15000U);
  body.release();
  EXPECT_LE(body.trailers().capacity(), 32U);
  EXPECT_TRUE(body.complete());
  EXPECT_EQ(body.consumed_at_start(), bytes.size());
}

}  // namespace
}  // namespace pilotfish::proxy
