#include "registry/text.hpp"

#include <array>
#include <chrono>

namespace pilotfish::registry {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::optional<std::uint32_t> digit(char c) {
  const auto at = kAlphabet.find(c);
  return at == std::string_view::npos ? std::nullopt
                                      : std::optional(static_cast<std::uint32_t>(at));
}

}  // namespace

std::string base64_encode(std::string_view data) {
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    const auto octet = [&](std::size_t at) {
      return at < data.size() ? std::uint32_t{static_cast<std::uint8_t>(data[at])} : 0U;
    };
    const std::uint32_t group = octet(i) << 16U | octet(i + 1) << 8U | octet(i + 2);
    out += kAlphabet[group >> 18U & 63U];
    out += kAlphabet[group >> 12U & 63U];
    out += i + 1 < data.size() ? kAlphabet[group >> 6U & 63U] : '=';
    out += i + 2 < data.size() ? kAlphabet[group & 63U] : '=';
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    for (std::size_t j = i; j < i + 4; ++j) {
      const auto value = j >= text.size() - padding ? std::optional(0U) : digit(text[j]);
      if (!value) {
        return std::nullopt;
      }
      group = group << 6U | *value;
    }
    out += static_cast<char>(group >> 16U & 255U);
    out += static_cast<char>(group >> 8U & 255U);
    out += static_cast<char>(group & 255U);
  }
  out.resize(out.size() - padding);
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<std::uint8_t>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || c == ':';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[octet >> 4U];
      out += kHex[octet & 15U];
    }
  }
  return out;
}

std::string go_duration(Duration duration) {
  using namespace std::chrono;
  if (duration % seconds(1) == Duration::zero()) {
    return std::to_string(duration_cast<seconds>(duration).count()) + "s";
  }
  if (duration % milliseconds(1) == Duration::zero()) {
    return std::to_string(duration_cast<milliseconds>(duration).count()) + "ms";
  }
  return std::to_string(duration_cast<microseconds>(duration).count()) + "us";
}

std::string shorten(std::string_view text) {
  constexpr std::size_t kLimit = 200;
  std::string out;
  for (const char c : text.substr(0, kLimit)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  const auto last = out.find_last_not_of(' ');
  out.resize(last == std::string::npos ? 0 : last + 1);
  return text.size() > kLimit ? out + "..." : out;
}

std::string service_id(std::string_view name, std::string_view address, std::uint16_t port) {
  return std::string(name) + '-' + std::string(address) + '-' + std::to_string(port);
}

}  // namespace pilotfish::registry
