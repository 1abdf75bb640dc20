#pragma once

#include <memory>
#include <utility>

#include "http/head.hpp"

namespace pilotfish::proxy {

class Upstream;

/// From a request's head to the upstream that serves it: a pure function, asked for each request
/// even while every listener has one route (Host and path come later). Shared by the sessions of a
/// listener; its routes never change, a reload gives the listener another table.
class RouteTable {
 public:
  explicit RouteTable(std::shared_ptr<Upstream> only) : only_(std::move(only)) {}

  [[nodiscard]] const std::shared_ptr<Upstream>& route(const http::RequestHead&) const {
    return only_;
  }
  /// Whom a connection is for before its first head is read: its lookup may start at accept.
  [[nodiscard]] const std::shared_ptr<Upstream>& expected() const { return only_; }

  /// A reload gave the address to another upstream, or closed it: connections that came in by this
  /// table still get answers, the next one with `Connection: close`.
  void retire() { retired_ = true; }
  [[nodiscard]] bool retired() const { return retired_; }

 private:
  std::shared_ptr<Upstream> only_;
  bool retired_ = false;
};

}  // namespace pilotfish::proxy
