#include "tests/support/dns_builder.hpp"

#include <utility>

namespace pilotfish::test {
namespace {

constexpr std::uint16_t kA = 1;
constexpr std::uint16_t kCname = 5;
constexpr std::uint16_t kAaaa = 28;
constexpr std::uint16_t kSrv = 33;
constexpr std::uint16_t kOpt = 41;

void put(Bytes& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
  out.push_back(static_cast<std::uint8_t>(value & 0xffU));
}

void append(Bytes& out, const Bytes& more) {
  out.insert(out.end(), more.begin(), more.end());
}

}  // namespace

DnsBuilder::DnsBuilder(std::uint16_t id, std::string question, std::uint16_t type)
    : id_(id), question_(std::move(question)), type_(type) {}

DnsBuilder& DnsBuilder::flags(std::uint16_t flags) {
  flags_ = flags;
  return *this;
}

DnsBuilder& DnsBuilder::rcode(std::uint8_t rcode) {
  flags_ = static_cast<std::uint16_t>((flags_ & 0xfff0U) | rcode);
  return *this;
}

DnsBuilder& DnsBuilder::truncated() {
  flags_ |= 0x0200U;
  return *this;
}

DnsBuilder& DnsBuilder::compress() {
  compress_ = true;
  return *this;
}

DnsBuilder& DnsBuilder::klass(std::uint16_t klass) {
  klass_ = klass;
  return *this;
}

DnsBuilder& DnsBuilder::ttl(std::uint32_t ttl) {
  ttl_ = ttl;
  return *this;
}

Bytes DnsBuilder::name(std::string_view text) {
  Bytes out;
  while (!text.empty()) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    out.push_back(static_cast<std::uint8_t>(label.size()));
    out.insert(out.end(), label.begin(), label.end());
    text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
  }
  out.push_back(0);
  return out;
}

void DnsBuilder::u16(std::uint16_t value) {
  put(records_, value);
}

void DnsBuilder::begin(std::string_view owner, std::uint16_t type) {
  ++(in_additional_ ? additional_ : answers_);
  if (compress_ && owner == question_) {
    u16(0xc00c);
  } else {
    append(records_, name(owner));
  }
  u16(type);
  u16(klass_);
  u16(static_cast<std::uint16_t>(ttl_ >> 16U));
  u16(static_cast<std::uint16_t>(ttl_ & 0xffffU));
}

std::size_t DnsBuilder::open_data() {
  u16(0);
  return records_.size();
}

void DnsBuilder::end(std::size_t data_at) {
  const auto length = records_.size() - data_at;
  records_[data_at - 2] = static_cast<std::uint8_t>(length >> 8U);
  records_[data_at - 1] = static_cast<std::uint8_t>(length & 0xffU);
}

DnsBuilder& DnsBuilder::srv(std::string_view owner, std::uint16_t priority, std::uint16_t weight,
                            std::uint16_t port, std::string_view target) {
  begin(owner, kSrv);
  const auto data = open_data();
  u16(priority);
  u16(weight);
  u16(port);
  append(records_, name(target));
  end(data);
  return *this;
}

DnsBuilder& DnsBuilder::cname(std::string_view owner, std::string_view target) {
  begin(owner, kCname);
  const auto data = open_data();
  append(records_, name(target));
  end(data);
  return *this;
}

DnsBuilder& DnsBuilder::address(std::string_view owner, const IpAddress& address) {
  const auto octets = address.octets();
  return record(owner, address.is_v4() ? kA : kAaaa, Bytes(octets.begin(), octets.end()));
}

DnsBuilder& DnsBuilder::additional() {
  in_additional_ = true;
  return *this;
}

DnsBuilder& DnsBuilder::opt(std::uint16_t size, std::uint8_t extended_rcode) {
  in_additional_ = true;
  ++additional_;
  records_.push_back(0);
  u16(kOpt);
  u16(size);
  u16(static_cast<std::uint16_t>(extended_rcode << 8U));
  u16(0);
  u16(0);
  return *this;
}

DnsBuilder& DnsBuilder::record(std::string_view owner, std::uint16_t type, const Bytes& data,
                               int length) {
  begin(owner, type);
  const auto at = open_data();
  append(records_, data);
  end(at);
  if (length >= 0) {
    records_[at - 2] = static_cast<std::uint8_t>(length >> 8);
    records_[at - 1] = static_cast<std::uint8_t>(length & 0xff);
  }
  return *this;
}

Bytes DnsBuilder::build() const {
  Bytes out;
  put(out, id_);
  put(out, flags_);
  put(out, 1);
  put(out, answers_);
  put(out, 0);
  put(out, additional_);
  append(out, name(question_));
  put(out, type_);
  put(out, 1);
  append(out, records_);
  return out;
}

}  // namespace pilotfish::test
