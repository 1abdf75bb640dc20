#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "metrics/instruments.hpp"

namespace pilotfish::metrics {

enum class Type : std::uint8_t { kCounter, kGauge, kHistogram };
/// How one series of several workers becomes one number.
enum class Merge : std::uint8_t { kSum, kMax, kMin };

/// A metric family: one row of the table in metrics/families.hpp, from which the reference in
/// docs/metrics.md is generated too.
struct Family {
  std::string_view name;  ///< with the prefix `pilotfish_`
  Type type;
  std::string_view help;
  std::array<std::string_view, 3> labels{};  ///< names; empty ones unused
  Merge merge = Merge::kSum;
};

/// Label values, in the order of Family::labels.
using LabelValues = std::vector<std::string>;

/// Whose series is asked for. kLeft: of an instance, or a service, that is gone already and still
/// has something to count (a request that was running when it left): its retirement is not called
/// off, and where its series are gone, what it counts now goes 1 min later too.
enum class Owner : std::uint8_t { kStays, kLeft };

/// One worker's (or the main thread's) series. Creation and reading take a lock, updates do not:
/// whoever updates holds the shared_ptr. The same family and labels give the same instrument.
/// Thread-safety: all methods may be called from any thread; each instrument has one writer.
class Store {
 public:
  Store();
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  std::shared_ptr<Counter> counter(const Family& family, LabelValues labels,
                                   Owner owner = Owner::kStays);
  std::shared_ptr<Gauge> gauge(const Family& family, LabelValues labels,
                               Owner owner = Owner::kStays);
  std::shared_ptr<Histogram> histogram(const Family& family, LabelValues labels);

  /// Every series of `instance` within `upstream` goes away 1 min from now, unless one of them is
  /// asked for before by somebody who stays (an instance left its upstream).
  void retire_instance(std::string_view upstream, std::string_view instance, TimePoint now);
  /// Every series whose label `name` has `value` goes away 1 min from now, unless one of them is
  /// asked for before by somebody who stays (a reload removed an upstream, or a service that was
  /// registered).
  void retire(std::string_view name, std::string_view value, TimePoint now);

  class Impl;
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// The Prometheus text of several stores merged (prometheus-cpp's serializer), process_* included.
/// The only function behind which <prometheus/...> is seen.
[[nodiscard]] std::string expose(std::span<Store* const> stores, TimePoint now);

}  // namespace pilotfish::metrics
